// Who runs is decided under one mutex, which so orders everything that the threads do.
#include "controllers/runtime/loop_threads.h"

#include <algorithm>
#include <utility>

#include "api/remote_calls.h"
#include "storage/base/limits.h"

namespace kubemu::controllers {

void LoopThreads::start() {
    Lock lock(mutex_);
    if (!ended_) return;
    ended_ = false;
    stopping_ = false;
    loop_is_free_ = true;
    threads_.emplace_back([this] { serve(); });
}

void LoopThreads::stop() {
    stopping_ = true;
    options_.wake();
    std::vector<std::thread> threads;
    {
        Lock lock(mutex_);
        while (!ended_) freed_.wait(mutex_);
        threads = std::exchange(threads_, {});
    }
    for (std::thread& thread : threads) thread.join();
}

void LoopThreads::serve() {
    api::may_wait_by(options_.waiter);
    while (take_loop()) {
        options_.loop();
        if (!displaced_) {
            while (resume_first()) {
            }
            Lock lock(mutex_);
            ended_ = true;
            freed_.notify_all();
            return;
        }
        Lock lock(mutex_);
        displaced_ = false;
        lent_ = false;
        given_back_.notify_one();
    }
}

bool LoopThreads::take_loop() {
    Lock lock(mutex_);
    ++idle_;
    while (!loop_is_free_ && !ended_) freed_.wait(mutex_);
    --idle_;
    return std::exchange(loop_is_free_, false);
}

// Who waits gives way to the loop's thread, or, when it is that itself, to another one.
void LoopThreads::give_loop_away() {
    if (std::exchange(displaced_, false)) {
        lent_ = false;
        given_back_.notify_one();
        return;
    }
    loop_is_free_ = true;
    if (idle_ > 0) freed_.notify_all();
    else threads_.emplace_back([this] { serve(); });
}

void LoopThreads::wait(api::RemoteCalls& calls, api::RemoteCaller& caller) {
    const auto wait = std::make_shared<Wait>();
    calls.start(caller, [this, wait] {
        Lock lock(mutex_);
        wait->answered = true;
        ++answered_count_;
        wait->changed.notify_all();
        options_.wake();
    });
    Lock lock(mutex_);
    if (!wait->answered && waits_.size() < limits::waiting_reconciles_max) {
        waits_.push_back(wait);
        waiting_count_ = waits_.size();
        give_loop_away();
        while (!wait->resumed) wait->changed.wait(mutex_);
        displaced_ = true;
    }
    while (!wait->answered) wait->changed.wait(mutex_);
    --answered_count_;
}

void LoopThreads::resume(std::deque<WaitPtr>::iterator which) {
    const WaitPtr wait = std::move(*which);
    waits_.erase(which);
    waiting_count_ = waits_.size();
    wait->resumed = true;
    lent_ = true;
    wait->changed.notify_all();
    while (lent_) given_back_.wait(mutex_);
}

bool LoopThreads::resume_answered() {
    if (answered_count_ == 0) return false;
    Lock lock(mutex_);
    const auto found = std::find_if(waits_.begin(), waits_.end(), [](const WaitPtr& wait) { return wait->answered; });
    if (found == waits_.end()) return false;
    resume(found);
    return true;
}

bool LoopThreads::resume_first() {
    Lock lock(mutex_);
    if (waits_.empty()) return false;
    const WaitPtr first = waits_.front();
    while (!first->answered) first->changed.wait(mutex_);
    resume(waits_.begin());
    return true;
}

}  // namespace kubemu::controllers

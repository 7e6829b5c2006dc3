// LoopThreads: the threads of a loop of which one runs at any time.
//
// Work in the loop may have to wait for another server. Its thread then waits with it, and another thread goes on with
// the loop; when the answer is there, the loop's thread stands still until the work has ended or waits again. So the
// work needs no locks, and as long as nothing waits there is one thread and nobody hands anything over.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "api/request_scope.h"
#include "storage/base/mutex.h"

namespace kubemu::controllers {

class LoopThreads {
  public:
    struct Options {
        // Goes through the loop until stopping() or displaced(); runs everything on the thread that calls it.
        std::function<void()> loop;
        std::function<void()> wake;            // an answer has come; from any thread
        api::RemoteWaiter* waiter = nullptr;   // how the threads wait for other servers; null: they ask nobody
    };
    explicit LoopThreads(Options options) : options_(std::move(options)) {}
    ~LoopThreads() { stop(); }
    LoopThreads(const LoopThreads&) = delete;
    LoopThreads& operator=(const LoopThreads&) = delete;

    void start();
    // Returns when all threads have ended. What waits runs on first, so that its answers have to come.
    void stop();
    bool stopping() const { return stopping_; }

    // The rest is for the thread that runs.

    // Makes the calls and returns when all are answered; until then the loop goes on elsewhere, unless very many wait.
    void wait(api::RemoteCalls& calls, api::RemoteCaller& caller);
    // Whether this thread no longer has the loop: it has waited, and is to return from it when its piece of work is done.
    bool displaced() const { return displaced_; }
    // How many pieces of work wait.
    std::size_t waiting() const { return waiting_count_; }
    // Lets one whose answers are there run on; false when there is none.
    bool resume_answered();
    // Waits for the answers of the one that has waited longest, and lets it run on; false when none waits.
    bool resume_first();

  private:
    struct Wait {
        bool answered = false, resumed = false;
        CondVar changed;
    };
    using WaitPtr = std::shared_ptr<Wait>;

    void serve();
    bool take_loop();
    void give_loop_away() KUBEMU_REQUIRES(mutex_);
    void resume(std::deque<WaitPtr>::iterator which) KUBEMU_REQUIRES(mutex_);

    const Options options_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> waiting_count_{0}, answered_count_{0};
    bool displaced_ = false;  // of the thread that runs

    Mutex mutex_;
    std::deque<WaitPtr> waits_ KUBEMU_GUARDED_BY(mutex_);  // those that wait longest first
    bool loop_is_free_ KUBEMU_GUARDED_BY(mutex_) = false;
    bool lent_ KUBEMU_GUARDED_BY(mutex_) = false;          // one that has waited runs in the place of the loop
    bool ended_ KUBEMU_GUARDED_BY(mutex_) = true;
    std::size_t idle_ KUBEMU_GUARDED_BY(mutex_) = 0;
    CondVar freed_, given_back_;
    std::vector<std::thread> threads_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::controllers

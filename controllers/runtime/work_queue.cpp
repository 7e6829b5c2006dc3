// Three sets, as in client-go: `dirty` holds what must run, `processing` what runs, `queue` the order.
#include "controllers/runtime/work_queue.h"

#include <algorithm>
#include <vector>

namespace kubemu::controllers {

namespace {

Duration doubled(Duration first, int times, Duration longest) {
    for (; times > 0 && first < longest; --times) first *= 2;
    return std::min(first, longest);
}

}  // namespace

void WorkQueue::add(const std::string& key) {
    if (!dirty_.insert(key).second) return;
    if (!processing_.contains(key)) queue_.push_back(key);
}

void WorkQueue::add_at(const std::string& key, Time due) {
    const auto known = delayed_by_key_.find(key);
    if (known != delayed_by_key_.end()) {
        if (known->second.first <= due) return;
        delayed_.erase(known->second);
    }
    const std::pair<Time, std::uint64_t> place(due, ++sequence_);
    delayed_.emplace(place, key);
    delayed_by_key_.insert_or_assign(key, place);
}

// A token a retry; who finds none waits until enough will have been filled in (golang.org/x/time/rate, Reserve).
Duration WorkQueue::bucket_delay(Time now) {
    if (policy_.per_second <= 0) return Duration::zero();
    const double passed = std::max(0.0, std::chrono::duration<double>(now - refilled_).count());
    tokens_ = std::min(policy_.burst, tokens_ + passed * policy_.per_second) - 1;
    refilled_ = now;
    if (tokens_ >= 0) return Duration::zero();
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(-tokens_ / policy_.per_second));
}

void WorkQueue::add_rate_limited(const std::string& key, Time now) {
    int& failures = failures_[key];
    if (policy_.retries_max > 0 && failures >= policy_.retries_max) return forget(key);
    const Duration delay = doubled(policy_.first, failures++, policy_.longest);
    add_at(key, now + std::max(delay, bucket_delay(now)));
}

void WorkQueue::add_conflicted(const std::string& key, Time now) {
    const RetryPolicy quick;
    add_at(key, now + doubled(quick.first, failures_[key]++, quick.longest));
}

int WorkQueue::failures(const std::string& key) const {
    const auto found = failures_.find(key);
    return found == failures_.end() ? 0 : found->second;
}

std::optional<std::string> WorkQueue::take() {
    if (queue_.empty()) return std::nullopt;
    std::string key = std::move(queue_.front());
    queue_.pop_front();
    dirty_.erase(key);
    processing_.insert(key);
    return key;
}

void WorkQueue::done(const std::string& key) {
    processing_.erase(key);
    if (dirty_.contains(key)) queue_.push_back(key);
}

void WorkQueue::done_after(const std::string& key, storage::Revision revision) { held_.emplace(revision, key); }

void WorkQueue::release(storage::Revision seen) {
    while (!held_.empty() && held_.begin()->first <= seen) {
        const std::string key = std::move(held_.begin()->second);
        held_.erase(held_.begin());
        done(key);
    }
}

void WorkQueue::release_due(Time now) {
    while (!delayed_.empty() && delayed_.begin()->first.first <= now) {
        const std::string key = std::move(delayed_.begin()->second);
        delayed_.erase(delayed_.begin());
        delayed_by_key_.erase(key);
        add(key);
    }
}

std::optional<Time> WorkQueue::next_due() const {
    if (delayed_.empty()) return std::nullopt;
    return delayed_.begin()->first.first;
}

void WorkQueue::each_delayed(const std::function<void(Time due, const std::string& key)>& visit) const {
    for (const auto& [place, key] : delayed_) visit(place.first, key);
}

}  // namespace kubemu::controllers

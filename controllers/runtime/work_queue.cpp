// Three sets, as in client-go: `dirty` holds what must run, `processing` what runs, `queue` the order.
#include "controllers/runtime/work_queue.h"

#include <algorithm>
#include <vector>

namespace kubemu::controllers {

namespace {

constexpr Duration first_delay = std::chrono::milliseconds(5);
constexpr Duration longest_delay = std::chrono::seconds(1000);

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

void WorkQueue::add_rate_limited(const std::string& key, Time now) {
    const int failures = failures_[key]++;
    const Duration delay = failures >= 18 ? longest_delay : std::min(longest_delay, Duration(first_delay.count() << failures));
    add_at(key, now + delay);
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

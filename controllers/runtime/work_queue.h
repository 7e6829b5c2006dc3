// WorkQueue: the keys that a controller still has to look at (k8s.io/client-go/util/workqueue).
//
// A key is in the queue at most once; one that is added while it is being worked on comes back afterwards. Keys may
// be added for later, and after failures with a growing delay. One thread; time is an argument.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/base/clock.h"
#include "controllers/runtime/retry_policy.h"
#include "storage/record.h"

namespace kubemu::controllers {

class WorkQueue {
  public:
    explicit WorkQueue(const RetryPolicy& policy = {}) : policy_(policy), tokens_(policy.burst) {}

    void add(const std::string& key);
    // At `due` at the latest; an earlier date for the same key stays.
    void add_at(const std::string& key, Time due);
    // After a failure: when the policy says, or never when the key has failed too often.
    void add_rate_limited(const std::string& key, Time now);
    // After a conflict, which is over as soon as the cache has caught up: 5 ms, doubled by each further failure.
    void add_conflicted(const std::string& key, Time now);
    // The key succeeded: its next failure counts as the first again.
    void forget(const std::string& key) { failures_.erase(key); }
    int failures(const std::string& key) const;

    // Takes the first key; done() must follow.
    std::optional<std::string> take();
    void done(const std::string& key);
    // As done(), but only when release() is told that `revision` has been seen by everybody.
    void done_after(const std::string& key, storage::Revision revision);
    void release(storage::Revision seen);
    // Moves what is due into the queue.
    void release_due(Time now);

    std::size_t size() const { return queue_.size(); }
    bool empty() const { return queue_.empty(); }
    bool waits_for_revision() const { return !held_.empty(); }
    std::optional<Time> next_due() const;
    // The keys that wait for a time, the earliest first.
    void each_delayed(const std::function<void(Time due, const std::string& key)>& visit) const;

  private:
    Duration bucket_delay(Time now);

    RetryPolicy policy_;
    double tokens_;  // of the bucket; below zero when retries are waiting for theirs
    Time refilled_{};
    std::deque<std::string> queue_;
    std::unordered_set<std::string> dirty_;
    std::unordered_set<std::string> processing_;
    std::multimap<storage::Revision, std::string> held_;
    std::map<std::pair<Time, std::uint64_t>, std::string> delayed_;
    std::unordered_map<std::string, std::pair<Time, std::uint64_t>> delayed_by_key_;
    std::unordered_map<std::string, int> failures_;
    std::uint64_t sequence_ = 0;
};

}  // namespace kubemu::controllers

// SchedulingQueue: whose turn it is, and who waits for what (pkg/scheduler/backend/queue).
//
// A pod is in one of four places: active (its turn comes by priority and age), backing off (an event may have helped it,
// but its last attempt was a moment ago: its turn comes when nobody is active), failed (an error, no plugin, ended its
// attempt: it is tried again when its back-off is over, not before), or refused (by plugins, until an event that one of
// them waits for, or for five minutes). While it is being placed it is nowhere.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "controllers/scheduler/plugins.h"
#include "storage/base/clock.h"

namespace kubemu::controllers::scheduler {

class SchedulingQueue {
  public:
    enum class Place { nowhere, active, backing_off, failed, refused };
    struct Pod {
        int priority = 0;
        std::uint64_t sequence = 0;  // age: since it came, or was last tried
        Time since{};
        int refusals = 0, errors = 0;  // errors: the last ones in a row
        Time backoff_end{};            // a whole second; the back-off is over when that has passed
        Plugins refused_by;
        bool held = false;  // by one that lets nobody look at it
        Place place = Place::nowhere;
    };

    // `start`: since when it is looked at every 30 seconds who has been refused for too long.
    explicit SchedulingQueue(Time start = {}) : start_(start) {}
    void starts(Time start) { start_ = start; }

    const Pod* find(std::string_view key) const;
    // A pod that comes is active.
    void add(const std::string& key, int priority, Time now);
    void forget(std::string_view key);
    // The next, which is nowhere then; nothing when nobody is active or backing off.
    std::optional<std::string> pop();
    bool idle() const { return active_.empty() && backing_off_.empty(); }

    // How an attempt ended.
    void refuse(const std::string& key, Plugins by, Time now);
    void fail(const std::string& key, Time now);
    // A plugin keeps it from being tried at all.
    void hold(const std::string& key, Plugin gate);
    // Something has happened that may help the refused pod.
    void requeue(const std::string& key, Time now);

    bool has_refused(Plugins any) const;
    // Those that one of these has refused, in the order of their turns.
    std::vector<std::string> refused(Plugins any) const;
    // Those that failed and whose back-off is over become active; true when there are any.
    bool end_backoffs(Time now);
    // Those that have been refused for more than five minutes.
    std::vector<std::string> left_over(Time now) const;
    // When one of the two last has something to do; nothing when neither will.
    std::optional<Time> next_due() const;

  private:
    using Turn = std::tuple<int, std::uint64_t, std::string>;  // negated priority, age
    using Wait = std::tuple<Time, int, std::uint64_t, std::string>;
    static Turn turn_of(const std::string& key, const Pod& pod) { return {-pod.priority, pod.sequence, key}; }
    static Wait wait_of(const std::string& key, const Pod& pod) {
        return {pod.backoff_end, -pod.priority, pod.sequence, key};
    }
    void put(const std::string& key, Pod& pod, Place place);
    void take(const std::string& key, Pod& pod);
    // An attempt has ended: it is its age from here on that counts.
    Pod& tried(const std::string& key, Time now);
    // The first look at who is left over at which this one is.
    Time left_over_at(const Pod& pod) const;

    Time start_;
    std::map<std::string, Pod, std::less<>> pods_;
    std::set<Turn> active_, refused_;
    std::set<Wait> backing_off_, failed_;
    std::set<std::pair<std::uint64_t, std::string>> refused_by_age_;  // without those that are held
    std::array<std::size_t, plugin_count> refused_counts_{};
    std::uint64_t next_sequence_ = 1;
};

}  // namespace kubemu::controllers::scheduler

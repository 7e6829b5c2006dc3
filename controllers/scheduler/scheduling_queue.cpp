// The four places of the scheduling queue and the times of moving between them.
#include "controllers/scheduler/scheduling_queue.h"

#include <algorithm>
#include <chrono>

namespace kubemu::controllers::scheduler {
namespace {

constexpr Duration first_backoff = std::chrono::seconds(1);
constexpr Duration backoff_max = std::chrono::seconds(10);
// DefaultPodMaxInUnschedulablePodsDuration, and how often it is asked who has been there for longer.
constexpr Duration refused_max = std::chrono::minutes(5);
constexpr Duration flush_every = std::chrono::seconds(30);
// Back-offs end in whole seconds, so that those of one second have their turns by priority.
constexpr Duration window = std::chrono::seconds(1);

Time whole_second(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time);
}

Time backoff_end(Time since, int attempts) {
    Duration backoff = first_backoff;
    for (int i = 1; i < attempts && backoff < backoff_max; ++i) backoff *= 2;
    return whole_second(since + std::min(backoff, backoff_max));
}

}  // namespace

const SchedulingQueue::Pod* SchedulingQueue::find(std::string_view key) const {
    const auto found = pods_.find(key);
    return found == pods_.end() ? nullptr : &found->second;
}

void SchedulingQueue::put(const std::string& key, Pod& pod, Place place) {
    take(key, pod);
    pod.place = place;
    if (place == Place::active) active_.insert(turn_of(key, pod));
    if (place == Place::backing_off) backing_off_.insert(wait_of(key, pod));
    if (place == Place::failed) failed_.insert(wait_of(key, pod));
    if (place != Place::refused) return;
    refused_.insert(turn_of(key, pod));
    if (!pod.held) refused_by_age_.emplace(pod.sequence, key);
    for (std::size_t i = 0; i < plugin_count; ++i)
        if (pod.refused_by.has(static_cast<Plugin>(i))) ++refused_counts_[i];
}

void SchedulingQueue::take(const std::string& key, Pod& pod) {
    if (pod.place == Place::active) active_.erase(turn_of(key, pod));
    if (pod.place == Place::backing_off) backing_off_.erase(wait_of(key, pod));
    if (pod.place == Place::failed) failed_.erase(wait_of(key, pod));
    if (pod.place == Place::refused) {
        refused_.erase(turn_of(key, pod));
        refused_by_age_.erase({pod.sequence, key});
        for (std::size_t i = 0; i < plugin_count; ++i)
            if (pod.refused_by.has(static_cast<Plugin>(i))) --refused_counts_[i];
    }
    pod.place = Place::nowhere;
}

void SchedulingQueue::add(const std::string& key, int priority, Time now) {
    forget(key);
    Pod& pod = pods_[key];
    pod.priority = priority;
    pod.since = now;
    pod.sequence = next_sequence_++;
    put(key, pod, Place::active);
}

void SchedulingQueue::forget(std::string_view key) {
    const auto found = pods_.find(key);
    if (found == pods_.end()) return;
    take(found->first, found->second);
    pods_.erase(found);
}

std::optional<std::string> SchedulingQueue::pop() {
    if (idle()) return std::nullopt;
    const std::string key = active_.empty() ? std::get<3>(*backing_off_.begin()) : std::get<2>(*active_.begin());
    take(key, pods_.at(key));
    return key;
}

SchedulingQueue::Pod& SchedulingQueue::tried(const std::string& key, Time now) {
    Pod& pod = pods_.at(key);
    take(key, pod);
    pod.held = false;
    pod.since = now;
    pod.sequence = next_sequence_++;
    return pod;
}

void SchedulingQueue::refuse(const std::string& key, Plugins by, Time now) {
    Pod& pod = tried(key, now);
    pod.refused_by = by;
    pod.errors = 0;
    pod.backoff_end = backoff_end(now, ++pod.refusals);
    put(key, pod, Place::refused);
}

void SchedulingQueue::fail(const std::string& key, Time now) {
    Pod& pod = tried(key, now);
    pod.refused_by = {};
    pod.backoff_end = backoff_end(now, ++pod.errors);
    put(key, pod, Place::failed);
}

void SchedulingQueue::hold(const std::string& key, Plugin gate) {
    Pod& pod = pods_.at(key);
    take(key, pod);
    pod.refused_by.insert(gate);
    pod.held = true;
    put(key, pod, Place::refused);
}

void SchedulingQueue::requeue(const std::string& key, Time now) {
    Pod& pod = pods_.at(key);
    pod.held = false;
    const bool backs_off = pod.refusals + pod.errors > 0 && pod.backoff_end >= whole_second(now);
    put(key, pod, backs_off ? Place::backing_off : Place::active);
}

bool SchedulingQueue::has_refused(Plugins any) const {
    for (std::size_t i = 0; i < plugin_count; ++i)
        if (refused_counts_[i] > 0 && any.has(static_cast<Plugin>(i))) return true;
    return false;
}

std::vector<std::string> SchedulingQueue::refused(Plugins any) const {
    std::vector<std::string> result;
    for (const auto& [priority, sequence, key] : refused_)
        if (pods_.find(key)->second.refused_by.meets(any)) result.push_back(key);
    return result;
}

bool SchedulingQueue::end_backoffs(Time now) {
    bool any = false;
    while (!failed_.empty() && std::get<0>(*failed_.begin()) < whole_second(now)) {
        const std::string key = std::get<3>(*failed_.begin());
        put(key, pods_.at(key), Place::active);
        any = true;
    }
    return any;
}

Time SchedulingQueue::left_over_at(const Pod& pod) const {
    const Time earliest = pod.since + refused_max;
    if (earliest < start_) return start_;
    const auto looks = (earliest - start_) / flush_every + 1;
    return start_ + looks * flush_every;
}

std::vector<std::string> SchedulingQueue::left_over(Time now) const {
    std::vector<std::string> result;
    for (const auto& [sequence, key] : refused_by_age_) {
        if (left_over_at(pods_.find(key)->second) > now) break;
        result.push_back(key);
    }
    return result;
}

std::optional<Time> SchedulingQueue::next_due() const {
    std::optional<Time> due;
    if (!failed_.empty()) due = std::get<0>(*failed_.begin()) + window;
    if (refused_by_age_.empty()) return due;
    const Time at = left_over_at(pods_.find(refused_by_age_.begin()->second)->second);
    return due ? std::min(*due, at) : at;
}

}  // namespace kubemu::controllers::scheduler

// Waiting times between failures.
#include "controllers/job/backoff.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

constexpr Duration backoff_first = std::chrono::seconds(10);
constexpr Duration backoff_most = std::chrono::minutes(10);

}  // namespace

Time finished_at(const api::Json& pod) {
    Time latest{};
    bool all_ended = true;
    for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
        for (const api::Json& status : api::array_at(pod, {"status", list})) {
            const auto ended = api::parse_time(api::string_at(status, {"state", "terminated", "finishedAt"}));
            if (!ended) all_ended = false;
            else latest = std::max(latest, *ended);
        }
    }
    if (all_ended && latest != Time{}) return latest;
    for (const api::Json& condition : api::array_at(pod, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) != "Ready" || api::string_at(condition, {"status"}) != "False") continue;
        if (const auto since = api::parse_time(api::string_at(condition, {"lastTransitionTime"}))) return *since;
    }
    if (const auto deletion = api::parse_time(api::string_at(pod, {"metadata", "deletionTimestamp"}))) {
        return *deletion - std::chrono::seconds(api::int_at(pod, {"metadata", "deletionGracePeriodSeconds"}));
    }
    return api::parse_time_or_zero(api::string_at(pod, {"metadata", "creationTimestamp"}));
}

Duration backoff_left(std::int64_t failures, Time last, Time now) {
    if (failures == 0) return Duration(0);
    Duration wait = backoff_first;
    for (std::int64_t i = 1; i < failures && wait < backoff_most; ++i) wait *= 2;
    return std::max(Duration(0), last + std::min(wait, backoff_most) - now);
}

Failures Failures::after(const std::vector<Time>& succeeded, const std::vector<Time>& failed) const {
    if (succeeded.empty() && failed.empty()) return *this;
    if (succeeded.empty()) {
        return {count + static_cast<std::int64_t>(failed.size()), *std::max_element(failed.begin(), failed.end())};
    }
    const Time last_success = *std::max_element(succeeded.begin(), succeeded.end());
    Failures since;
    for (const Time end : failed) {
        if (end <= last_success) continue;
        ++since.count;
        since.last = std::max(since.last, end);
    }
    return since;
}

Failures JobBackoff::of(const std::string& job_uid) const {
    const auto found = by_uid_.find(job_uid);
    return found == by_uid_.end() ? Failures{} : found->second;
}

void JobBackoff::keep(const std::string& job_uid, const Failures& failures) {
    if (failures.count > 0) by_uid_[job_uid] = failures;
    else by_uid_.erase(job_uid);
}

}  // namespace kubemu::controllers

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

void JobBackoff::record(const std::string& job_uid, std::vector<Time> succeeded, std::vector<Time> failed) {
    if (succeeded.empty() && failed.empty()) return;
    Entry& entry = by_uid_[job_uid];
    Time last_success{};
    if (!succeeded.empty()) {
        last_success = *std::max_element(succeeded.begin(), succeeded.end());
        entry = {};
    }
    for (const Time end : failed) {
        if (!succeeded.empty() && end <= last_success) continue;
        ++entry.failures;
        entry.last = std::max(entry.last, end);
    }
}

Duration JobBackoff::left(const std::string& job_uid, Time now) const {
    const auto found = by_uid_.find(job_uid);
    return found == by_uid_.end() ? Duration(0) : backoff_left(found->second.failures, found->second.last, now);
}

}  // namespace kubemu::controllers

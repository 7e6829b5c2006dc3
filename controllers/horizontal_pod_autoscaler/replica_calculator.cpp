// Pods without a sample, and those that are not ready yet, never push the number in the direction it moves anyway.
#include "controllers/horizontal_pod_autoscaler/replica_calculator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/metrics/usage.h"
#include "api/values/time.h"
#include "controllers/horizontal_pod_autoscaler/metrics.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr Duration cpu_initialization = std::chrono::minutes(5);
constexpr Duration initial_readiness_delay = std::chrono::seconds(30);

// A sample of which less than a window lies after the pod's last change of readiness does not count either.
bool is_unready(const MetricQuestion& question, const Json& pod, Time now) {
    const auto started = api::parse_time(api::string_at(pod, {"status", "startTime"}));
    for (const Json& condition : api::array_at(pod, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) != "Ready" || !started) continue;
        const bool unready = api::string_at(condition, {"status"}) == "False";
        const Time since = api::parse_time_or_zero(api::string_at(condition, {"lastTransitionTime"}));
        if (*started + cpu_initialization > now) {
            if (unready) return true;
            if (question.values == nullptr) return api::usage_time(now) < since + api::usage_window;
            const auto found = question.values->find(std::string(api::name_of(pod)));
            return found != question.values->end() && found->second.timestamp.value_or(Time{}) < since + found->second.window;
        }
        return unready && *started + initial_readiness_delay > since;
    }
    return true;
}

struct Groups {
    std::map<std::string, std::int64_t> usage;  // of the pods that count
    std::set<std::string> unready, missing;
    std::int64_t ready = 0;
};

std::optional<std::int64_t> measured_milli(const MetricQuestion& question, const Json& pod, Time now) {
    if (question.values == nullptr) return usage_milli(pod, question.resource, question.container, now, question.declared);
    const auto found = question.values->find(std::string(api::name_of(pod)));
    return found == question.values->end() ? std::nullopt : std::optional(found->second.milli);
}

Groups group(const MetricQuestion& question, const std::vector<Json>& pods, Time now) {
    Groups groups;
    for (const Json& pod : pods) {
        const std::string name(api::name_of(pod));
        const std::string_view phase = api::string_at(pod, {"status", "phase"});
        if (api::find(pod, {"metadata", "deletionTimestamp"}) != nullptr || phase == "Failed") continue;
        if (phase == "Pending" || phase.empty()) {
            groups.unready.insert(name);
            continue;
        }
        const auto used = measured_milli(question, pod, now);
        if (!used) {
            groups.missing.insert(name);
        } else if (question.resource == "cpu" && is_unready(question, pod, now)) {
            groups.unready.insert(name);
        } else {
            ++groups.ready;
            groups.usage[name] = *used;
        }
    }
    return groups;
}

struct Measured {
    double ratio = 1;
    std::int64_t utilization = 0, average = 0;
};

Measured measure(const MetricQuestion& question, const std::map<std::string, std::int64_t>& usage,
                 const std::map<std::string, std::int64_t>& requests) {
    Measured measured;
    std::int64_t used = 0, requested = 0;
    for (const auto& [pod, amount] : usage) {
        used += amount;
        const auto request = requests.find(pod);
        if (request != requests.end()) requested += request->second;
    }
    measured.average = usage.empty() ? 0 : used / static_cast<std::int64_t>(usage.size());
    if (question.target_utilization > 0) {
        measured.utilization = requested == 0 ? 0 : used * 100 / requested;
        measured.ratio = static_cast<double>(measured.utilization) / static_cast<double>(question.target_utilization);
    } else if (question.target_average_milli > 0) {
        measured.ratio = static_cast<double>(measured.average) / static_cast<double>(question.target_average_milli);
    }
    return measured;
}

}  // namespace

Result<MetricAnswer, std::string> replicas_for_metric(const MetricQuestion& question, std::int64_t current_replicas,
                                                      const std::vector<Json>& pods, Time now) {
    const bool any = std::any_of(pods.begin(), pods.end(), [&](const Json& pod) { return measured_milli(question, pod, now).has_value(); });
    if (!any && question.values == nullptr)
        return "unable to get metrics for resource " + question.resource + ": no metrics returned from resource metrics API";
    Groups groups = group(question, pods, now);
    if (groups.usage.empty()) return std::string("did not receive metrics for targeted pods (pods might be unready)");
    std::map<std::string, std::int64_t> requests;
    if (question.target_utilization > 0) {
        for (const Json& pod : pods) {
            const auto request = request_milli(pod, question.resource, question.container);
            if (!request) return request.error();
            requests[std::string(api::name_of(pod))] = *request;
        }
    }
    const Measured measured = measure(question, groups.usage, requests);
    MetricAnswer answer{current_replicas, measured.average, measured.utilization};
    const bool up_with_unready = !groups.unready.empty() && measured.ratio > 1;
    if (!up_with_unready && groups.missing.empty()) {
        if (question.tolerates(measured.ratio)) return answer;
        answer.replicas = static_cast<std::int64_t>(std::ceil(measured.ratio * static_cast<double>(groups.ready)));
        return answer;
    }
    for (const std::string& pod : groups.missing) {
        if (measured.ratio < 1) {
            groups.usage[pod] = question.target_utilization > 0
                                    ? requests[pod] * std::max<std::int64_t>(100, question.target_utilization) / 100
                                    : question.target_average_milli;
        } else if (measured.ratio > 1) {
            groups.usage[pod] = 0;
        }
    }
    if (up_with_unready) {
        for (const std::string& pod : groups.unready) groups.usage[pod] = 0;
    }
    const double ratio = measure(question, groups.usage, requests).ratio;
    if (question.tolerates(ratio) || (measured.ratio < 1 && ratio > 1) || (measured.ratio > 1 && ratio < 1)) return answer;
    const auto replicas = static_cast<std::int64_t>(std::ceil(ratio * static_cast<double>(groups.usage.size())));
    if ((ratio < 1 && replicas > current_replicas) || (ratio > 1 && replicas < current_replicas)) return answer;
    answer.replicas = replicas;
    return answer;
}

}  // namespace kubemu::controllers

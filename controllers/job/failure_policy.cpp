// Exit codes and pod conditions against the rules, in order.
#include "controllers/job/failure_policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

using api::Json;

FailureVerdict::Action action_of(std::string_view name) {
    if (name == "Ignore") return FailureVerdict::Action::ignore;
    if (name == "FailIndex") return FailureVerdict::Action::fail_index;
    if (name == "FailJob") return FailureVerdict::Action::fail_job;
    return FailureVerdict::Action::count;
}

// The first container, app containers before init containers, that ended as the rule says.
const Json* matching_container(const Json& pod, const Json& rule) {
    const std::string_view wanted = api::string_at(rule, {"containerName"});
    const Json& values = api::array_at(rule, {"values"});
    for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
        for (const Json& status : api::array_at(pod, {"status", list})) {
            const Json* terminated = api::find(status, {"state", "terminated"});
            if (terminated == nullptr || (!wanted.empty() && wanted != api::string_at(status, {"name"}))) continue;
            const std::int64_t code = api::int_at(*terminated, {"exitCode"});
            if (code == 0) continue;
            const bool listed = std::find(values.begin(), values.end(), Json(code)) != values.end();
            if (listed == (api::string_at(rule, {"operator"}) == "In")) return &status;
        }
    }
    return nullptr;
}

const Json* matching_condition(const Json& pod, const Json& patterns) {
    for (const Json& condition : api::array_at(pod, {"status", "conditions"})) {
        for (const Json& pattern : patterns) {
            if (api::string_at(condition, {"type"}) == api::string_at(pattern, {"type"}) &&
                api::string_at(condition, {"status"}) == api::string_at(pattern, {"status"}, "True")) {
                return &condition;
            }
        }
    }
    return nullptr;
}

}  // namespace

FailureVerdict judge_failure(const Json& job, const Json& pod) {
    const Json& rules = api::array_at(job, {"spec", "podFailurePolicy", "rules"});
    const std::string which = std::string(api::namespace_of(pod)) + "/" + std::string(api::name_of(pod));
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string action(api::string_at(rules[i], {"action"}));
        const std::string end = " matching " + action + " rule at index " + std::to_string(i);
        if (const Json* codes = api::find(rules[i], "onExitCodes")) {
            const Json* status = matching_container(pod, *codes);
            if (status == nullptr) continue;
            return {action_of(action), "Container " + std::string(api::string_at(*status, {"name"})) + " for pod " + which +
                                           " failed with exit code " +
                                           std::to_string(api::int_at(*status, {"state", "terminated", "exitCode"})) + end};
        }
        const Json* condition = matching_condition(pod, api::array_at(rules[i], {"onPodConditions"}));
        if (condition == nullptr) continue;
        return {action_of(action),
                "Pod " + which + " has condition " + std::string(api::string_at(*condition, {"type"})) + end};
    }
    return {};
}

}  // namespace kubemu::controllers

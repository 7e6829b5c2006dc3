// The lowest recommendation of the window upwards, the highest downwards; then so many pods in so many seconds.
#include "controllers/horizontal_pod_autoscaler/behavior.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr std::int64_t default_down_window_seconds = 300;
constexpr Duration history_kept = std::chrono::hours(1);  // the longest window that validation allows

struct Rate {
    std::int64_t bound = 0;
    std::string reason, message;
};

std::int64_t change_within(const std::vector<ScaleHistory::Event>& events, std::int64_t seconds, Time now) {
    std::int64_t sum = 0;
    for (const ScaleHistory::Event& event : events) {
        if (event.at > now - std::chrono::seconds(seconds)) sum += event.change;
    }
    return sum;
}

// Without spec.behavior: twice as many, at least four.
std::int64_t up_bound(const Json* rules, const ScaleHistory& history, std::int64_t current, Time now) {
    if (rules == nullptr) return std::max<std::int64_t>(2 * current, 4);
    const std::string_view select = api::string_at(*rules, {"selectPolicy"}, "Max");
    if (select == "Disabled") return current;
    const bool least = select == "Min";
    std::int64_t bound = least ? std::numeric_limits<std::int32_t>::max() : std::numeric_limits<std::int32_t>::min();
    for (const Json& policy : api::array_at(*rules, {"policies"})) {
        const std::int64_t seconds = api::int_at(policy, {"periodSeconds"}), value = api::int_at(policy, {"value"});
        const std::int64_t start = current - change_within(history.ups, seconds, now) + change_within(history.downs, seconds, now);
        const std::int64_t proposed =
            api::string_at(policy, {"type"}) == "Pods"
                ? start + value
                : static_cast<std::int64_t>(std::ceil(static_cast<double>(start) * (1 + static_cast<double>(value) / 100)));
        bound = least ? std::min(bound, proposed) : std::max(bound, proposed);
    }
    return std::max(bound, current);
}

std::int64_t down_bound(const Json* rules, const ScaleHistory& history, std::int64_t current, Time now) {
    if (rules == nullptr) return 0;
    const std::string_view select = api::string_at(*rules, {"selectPolicy"}, "Max");
    if (select == "Disabled") return current;
    const bool least = select == "Min";  // the smallest step leaves the most
    std::int64_t bound = least ? std::numeric_limits<std::int32_t>::min() : std::numeric_limits<std::int32_t>::max();
    for (const Json& policy : api::array_at(*rules, {"policies"})) {
        const std::int64_t seconds = api::int_at(policy, {"periodSeconds"}), value = api::int_at(policy, {"value"});
        const std::int64_t start = current - change_within(history.ups, seconds, now) + change_within(history.downs, seconds, now);
        const std::int64_t proposed =
            api::string_at(policy, {"type"}) == "Pods"
                ? start - value
                : static_cast<std::int64_t>(static_cast<double>(start) * (1 - static_cast<double>(value) / 100));
        bound = least ? std::max(bound, proposed) : std::min(bound, proposed);
    }
    return std::min(bound, current);
}

std::int64_t stabilize(const Json* behavior, ScaleHistory& history, std::int64_t recommended, std::int64_t current, Time now) {
    const std::int64_t up_seconds = behavior == nullptr ? 0 : api::int_at(*behavior, {"scaleUp", "stabilizationWindowSeconds"});
    const std::int64_t down_seconds =
        behavior == nullptr ? default_down_window_seconds
                            : api::int_at(*behavior, {"scaleDown", "stabilizationWindowSeconds"}, default_down_window_seconds);
    std::int64_t up = recommended, down = recommended;
    for (const ScaleHistory::Recommendation& earlier : history.recommendations) {
        if (earlier.at > now - std::chrono::seconds(up_seconds)) up = std::min(up, earlier.replicas);
        if (earlier.at > now - std::chrono::seconds(down_seconds)) down = std::max(down, earlier.replicas);
    }
    std::erase_if(history.recommendations, [now](const auto& earlier) { return earlier.at <= now - history_kept; });
    history.recommendations.push_back({now, recommended});
    if (behavior == nullptr) return down;
    return std::min(std::max(current, up), std::max(down, up));
}

}  // namespace

Normalized normalize(const Json* behavior, ScaleHistory& history, std::int64_t recommended, Limits limits, Time now) {
    Normalized result;
    const std::int64_t stabilized = stabilize(behavior, history, recommended, limits.current, now);
    if (stabilized == recommended) {
        result.able_to_scale = {true, "ReadyForNewScale", "recommended size matches current size"};
    } else if (behavior != nullptr && recommended >= limits.current) {
        result.able_to_scale = {true, "ScaleUpStabilized",
                                "recent recommendations were lower than current one, applying the lowest recent recommendation"};
    } else {
        result.able_to_scale = {true, "ScaleDownStabilized",
                                "recent recommendations were higher than current one, applying the highest recent recommendation"};
    }
    const Json* up_rules = behavior == nullptr ? nullptr : api::find(*behavior, "scaleUp");
    const Json* down_rules = behavior == nullptr ? nullptr : api::find(*behavior, "scaleDown");
    Rate most{limits.most, "TooManyReplicas", "the desired replica count is more than the maximum replica count"};
    Rate least{limits.least, "TooFewReplicas", "the desired replica count is less than the minimum replica count"};
    const std::int64_t up = up_bound(up_rules, history, limits.current, now);
    const std::int64_t down = down_bound(down_rules, history, limits.current, now);
    if (up < most.bound && (behavior == nullptr || stabilized > limits.current)) {
        most = {up, "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"};
    }
    if (down > least.bound && stabilized < limits.current) {
        least = {down, "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"};
    }
    result.replicas = stabilized;
    result.scaling_limited = {false, "DesiredWithinRange", "the desired count is within the acceptable range"};
    for (const Rate* rate : {stabilized < least.bound ? &least : nullptr, stabilized > most.bound ? &most : nullptr}) {
        if (rate == nullptr) continue;
        result.replicas = rate->bound;
        result.scaling_limited = {true, rate->reason, rate->message};
        break;
    }
    return result;
}

void remember_scaling(ScaleHistory& history, std::int64_t before, std::int64_t after, Time now) {
    for (auto* events : {&history.ups, &history.downs}) {
        std::erase_if(*events, [now](const ScaleHistory::Event& event) { return event.at <= now - history_kept; });
    }
    if (after > before) history.ups.push_back({now, after - before});
    if (after < before) history.downs.push_back({now, before - after});
}

}  // namespace kubemu::controllers

// A condition has a taint for some of its states; what the node has and no state asks for is taken off.
#include "controllers/node_lifecycle/taints.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

constexpr const char* not_ready = "node.kubernetes.io/not-ready";
constexpr const char* unreachable = "node.kubernetes.io/unreachable";
constexpr const char* unschedulable = "node.kubernetes.io/unschedulable";

struct ConditionTaint {
    std::string_view condition, status;
    const char* taint;
};
constexpr ConditionTaint condition_taints[] = {
    {"Ready", "False", not_ready},
    {"Ready", "Unknown", unreachable},
    {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
    {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
    {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
    {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
};

bool is_ours(std::string_view key, std::string_view effect) {
    if (effect == "NoExecute") return key == not_ready || key == unreachable;
    if (effect != "NoSchedule") return false;
    return key == unschedulable || std::any_of(std::begin(condition_taints), std::end(condition_taints),
                                               [key](const ConditionTaint& row) { return key == row.taint; });
}

}  // namespace

bool is_evicting(const api::Json& node) {
    const api::Json& taints = api::array_at(node, {"spec", "taints"});
    return std::any_of(taints.begin(), taints.end(), [](const api::Json& taint) {
        return api::string_at(taint, {"effect"}) == "NoExecute" && is_ours(api::string_at(taint, {"key"}), "NoExecute");
    });
}

api::Json wanted_taints(const api::Json& node, Time now, Eviction eviction) {
    const bool evict = eviction == Eviction::wanted || (eviction == Eviction::as_before && is_evicting(node));
    using Taint = std::pair<std::string, std::string>;  // key and effect
    std::set<Taint> wanted;
    for (const api::Json& condition : api::array_at(node, {"status", "conditions"})) {
        for (const ConditionTaint& row : condition_taints) {
            if (api::string_at(condition, {"type"}) != row.condition) continue;
            if (api::string_at(condition, {"status"}) != row.status) continue;
            wanted.emplace(row.taint, "NoSchedule");
            if (row.condition == "Ready" && evict) wanted.emplace(row.taint, "NoExecute");
        }
    }
    if (api::bool_at(node, {"spec", "unschedulable"})) wanted.emplace(unschedulable, "NoSchedule");
    api::Json taints = api::Json::array();
    for (const api::Json& taint : api::array_at(node, {"spec", "taints"})) {
        const Taint id(api::string_at(taint, {"key"}), api::string_at(taint, {"effect"}));
        if (is_ours(id.first, id.second) && wanted.erase(id) == 0) continue;
        taints.push_back(taint);
    }
    // No new pods first, then no old ones.
    for (const std::string_view next : {"NoSchedule", "NoExecute"}) {
        for (const auto& [key, effect] : wanted) {
            if (effect == next)
                taints.push_back({{"key", key}, {"effect", effect}, {"timeAdded", api::format_time(now)}});
        }
    }
    return taints;
}

}  // namespace kubemu::controllers

// NodeMetrics and PodMetrics: made when they are read, from the pods that run
// (sigs.k8s.io/metrics-server/pkg/api).
#include <map>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/declared_usage.h"
#include "api/kinds/metrics/usage.h"
#include "api/kinds/rules.h"
#include "api/kinds/views.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* window = "15s";
static_assert(usage_window == std::chrono::seconds(15));

Json usage_list(const Usage& usage) {
    // As the real one writes them: nanocores, and kibibytes.
    return {{"cpu", std::to_string(usage.cpu_nano) + "n"},
            {"memory", std::to_string((usage.memory_bytes + 1023) / 1024) + "Ki"}};
}

Json metadata_of(const Json& object, Time now) {
    Json metadata = {{"name", std::string(name_of(object))}, {"creationTimestamp", format_time(now)}};
    if (const auto space = namespace_of(object); !space.empty()) metadata["namespace"] = std::string(space);
    if (const Json* labels = find(object, {"metadata", "labels"})) metadata["labels"] = *labels;
    return metadata;
}

std::vector<Json> observe_pods(const HookContext& context) {
    std::vector<Json> objects;
    const DeclaredUsage declared(context.lookup);
    for (const storage::RecordPtr& record : context.lookup.list("pods", context.namespace_name)) {
        const PodView& view = pod_view_of(*record);
        if (view.node_name.empty() || view.finished()) continue;
        const Json pod = context.lookup.document(*record);
        const auto usage = usage_of_pod(pod, context.now, &declared);
        if (!usage) continue;
        Json containers = Json::array();
        for (const ContainerUsage& container : usage->containers) {
            containers.push_back({{"name", container.name}, {"usage", usage_list(container.usage)}});
        }
        objects.push_back({{"metadata", metadata_of(pod, context.now)},
                           {"timestamp", format_time(usage->timestamp)},
                           {"window", window},
                           {"containers", std::move(containers)}});
    }
    return objects;
}

bool is_ready(const Json& node) {
    for (const Json& condition : array_at(node, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) == "Ready") return string_at(condition, {"status"}) == "True";
    }
    return false;
}

std::vector<Json> observe_nodes(const HookContext& context) {
    std::map<std::string, Usage> by_node;
    const DeclaredUsage declared(context.lookup);
    for (const storage::RecordPtr& record : context.lookup.list("pods", {})) {
        const PodView& view = pod_view_of(*record);
        if (view.node_name.empty() || view.finished()) continue;
        if (const auto usage = usage_of_pod(context.lookup.document(*record), context.now, &declared))
            by_node[view.node_name] += usage->total();
    }
    std::vector<Json> objects;
    for (const storage::RecordPtr& record : context.lookup.list("nodes", {})) {
        const Json node = context.lookup.document(*record);
        if (!is_ready(node)) continue;  // its kubelet does not answer
        objects.push_back(
            {{"metadata", metadata_of(node, context.now)},
             {"timestamp", format_time(usage_time(context.now))},
             {"window", window},
             {"usage", usage_list(usage_of_node(node, by_node[std::string(name_of(node))], context.now))}});
    }
    return objects;
}

}  // namespace

extern const KindRules node_metrics_rules, pod_metrics_rules;
const KindRules node_metrics_rules{.observe = observe_nodes};
const KindRules pod_metrics_rules{.observe = observe_pods};

}  // namespace kubemu::api::kinds

// The mandatory and suggested flow schemas and priority levels.
#include <nlohmann/json.hpp>

#include "api/kinds/flowcontrol/flowcontrol.h"

namespace kubemu::api {
namespace {

Json named(const char* name, Json spec) {
    return {{"metadata", {{"name", name}, {"annotations", {{"apf.kubernetes.io/autoupdate-spec", "true"}}}}},
            {"spec", std::move(spec)}};
}

Json queue(int queues, int hand_size) {
    return {{"type", "Queue"},
            {"queuing", {{"queues", queues}, {"handSize", hand_size}, {"queueLengthLimit", 50}}}};
}

Json limited(const char* name, int shares, int lendable_percent, Json response) {
    return named(name, {{"type", "Limited"},
                        {"limited",
                         {{"nominalConcurrencyShares", shares},
                          {"lendablePercent", lendable_percent},
                          {"limitResponse", std::move(response)}}}});
}

Json groups(std::initializer_list<const char*> names) {
    Json subjects = Json::array();
    for (const char* name : names) subjects.push_back({{"kind", "Group"}, {"group", {{"name", name}}}});
    return subjects;
}

Json user(const char* name) {
    return {{"kind", "User"}, {"user", {{"name", name}}}};
}

Json system_accounts() {
    return {{"kind", "ServiceAccount"}, {"serviceAccount", {{"namespace", "kube-system"}, {"name", "*"}}}};
}

Json resources(Json verbs, Json api_groups, Json names, bool cluster_scope) {
    Json rule = {{"verbs", std::move(verbs)},
                 {"apiGroups", std::move(api_groups)},
                 {"resources", std::move(names)},
                 {"namespaces", Json::array({"*"})}};
    if (cluster_scope) rule["clusterScope"] = true;
    return rule;
}

// For everything that the subjects ask.
Json everything(Json subjects) {
    const Json any = Json::array({"*"});
    return {{"subjects", std::move(subjects)},
            {"resourceRules", Json::array({resources(any, any, any, true)})},
            {"nonResourceRules", Json::array({{{"verbs", any}, {"nonResourceURLs", any}}})}};
}

Json flow(const char* name, const char* level, int precedence, const char* distinguished_by, Json rule) {
    Json spec = {{"priorityLevelConfiguration", {{"name", level}}},
                 {"matchingPrecedence", precedence},
                 {"rules", Json::array({std::move(rule)})}};
    if (distinguished_by[0] != '\0') spec["distinguisherMethod"]["type"] = distinguished_by;
    return named(name, std::move(spec));
}

std::vector<Json> make_levels() {
    const Json exempt = {{"type", "Exempt"},
                         {"exempt", {{"nominalConcurrencyShares", 0}, {"lendablePercent", 0}}}};
    return {
        limited("catch-all", 5, 0, {{"type", "Reject"}}), named("exempt", exempt),
        limited("system", 30, 33, queue(64, 6)),          limited("node-high", 40, 25, queue(64, 6)),
        limited("leader-election", 10, 0, queue(16, 4)),  limited("workload-high", 40, 50, queue(128, 6)),
        limited("workload-low", 100, 90, queue(128, 6)),  limited("global-default", 20, 50, queue(128, 6))};
}

std::vector<Json> make_schemas() {
    const Json any = Json::array({"*"}), leases = Json::array({"leases"}),
               coordination = Json::array({"coordination.k8s.io"});
    const Json everybody = groups({"system:unauthenticated", "system:authenticated"});
    const Json probes = {
        {"subjects", everybody},
        {"nonResourceRules",
         Json::array({{{"verbs", {"get"}}, {"nonResourceURLs", {"/healthz", "/readyz", "/livez"}}}})}};
    const Json electors = {
        {"subjects", Json::array({user("system:kube-controller-manager"), user("system:kube-scheduler"),
                                  system_accounts()})},
        {"resourceRules",
         Json::array({resources({"get", "create", "update"}, coordination, leases, false)})}};
    const Json heartbeats = {
        {"subjects", groups({"system:nodes"})},
        {"resourceRules", Json::array({resources(any, Json::array({""}), {"nodes", "nodes/status"}, true),
                                       resources(any, coordination, leases, false)})}};
    const Json controller_manager = Json::array({user("system:kube-controller-manager")});
    const Json scheduler = Json::array({user("system:kube-scheduler")});
    return {
        flow("exempt", "exempt", 1, "", everything(groups({"system:masters"}))),
        flow("catch-all", "catch-all", 10000, "ByUser", everything(everybody)),
        flow("system-nodes", "system", 500, "ByUser", everything(groups({"system:nodes"}))),
        flow("system-node-high", "node-high", 400, "ByUser", heartbeats),
        flow("probes", "exempt", 2, "", probes),
        flow("system-leader-election", "leader-election", 100, "ByUser", electors),
        flow("kube-controller-manager", "workload-high", 800, "ByNamespace", everything(controller_manager)),
        flow("kube-scheduler", "workload-high", 800, "ByNamespace", everything(scheduler)),
        flow("kube-system-service-accounts", "workload-high", 900, "ByNamespace",
             everything(Json::array({system_accounts()}))),
        flow("service-accounts", "workload-low", 9000, "ByUser",
             everything(groups({"system:serviceaccounts"}))),
        flow("global-default", "global-default", 9900, "ByUser", everything(everybody))};
}

}  // namespace

const std::vector<Json>& bootstrap_priority_levels() {
    static const std::vector<Json> levels = make_levels();
    return levels;
}

const std::vector<Json>& bootstrap_flow_schemas() {
    static const std::vector<Json> schemas = make_schemas();
    return schemas;
}

}  // namespace kubemu::api

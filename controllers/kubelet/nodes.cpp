// Node objects as a kind cluster shows them.
#include "controllers/kubelet/nodes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr std::string_view condition_prefix = "kubemu.io/condition.", signal_prefix = "kubemu.io/signal.";

struct ConditionText {
    const char *reason, *message, *event;
};
struct Condition {
    const char *type, *healthy;  // the status it has when all is well
    ConditionText well, ill;
};
// pkg/kubelet/nodestatus/setters.go
constexpr Condition conditions[] = {
    {"MemoryPressure",
     "False",
     {"KubeletHasSufficientMemory", "kubelet has sufficient memory available", "NodeHasSufficientMemory"},
     {"KubeletHasInsufficientMemory", "kubelet has insufficient memory available",
      "NodeHasInsufficientMemory"}},
    {"DiskPressure",
     "False",
     {"KubeletHasNoDiskPressure", "kubelet has no disk pressure", "NodeHasNoDiskPressure"},
     {"KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure"}},
    {"PIDPressure",
     "False",
     {"KubeletHasSufficientPID", "kubelet has sufficient PID available", "NodeHasSufficientPID"},
     {"KubeletHasInsufficientPID", "kubelet has insufficient PID available", "NodeHasInsufficientPID"}},
    {"Ready",
     "True",
     {"KubeletReady", "kubelet is posting ready status", "NodeReady"},
     {"KubeletNotReady", "container runtime is down", "NodeNotReady"}},
};

void set_default(Json& object, const char* member, const Json& value) {
    if (!object.contains(member) || object[member] == "") object[member] = value;
}

void fill_amounts(Json& status) {
    // 110 pods are a kubelet's default; a simulated node carries more, or a thousand replicas would not fit.
    const Json amounts = {{"cpu", "8"},           {"memory", "32Gi"},
                          {"pods", "5000"},       {"ephemeral-storage", "100Gi"},
                          {"hugepages-1Gi", "0"}, {"hugepages-2Mi", "0"}};
    Json& capacity = status["capacity"];
    Json& allocatable = status["allocatable"];
    if (!allocatable.is_object()) allocatable = Json::object();
    if (!capacity.is_object()) capacity = allocatable;
    for (const auto& [name, amount] : amounts.items())
        if (!capacity.contains(name)) capacity[name] = amount;
    for (const auto& [name, amount] : capacity.items())
        if (!allocatable.contains(name)) allocatable[name] = amount;
}

void fill_addresses(Json& status, const NodeIdentity& identity) {
    Json& addresses = status["addresses"];
    if (!addresses.is_array()) addresses = Json::array();
    for (const auto& [type, address] : {std::pair<const char*, const std::string&>("InternalIP", identity.ip),
                                        {"Hostname", identity.name}}) {
        const bool known = std::any_of(addresses.begin(), addresses.end(), [type = type](const Json& entry) {
            return api::string_at(entry, {"type"}) == type;
        });
        if (!known) addresses.push_back({{"type", type}, {"address", address}});
    }
    if (!status.contains("daemonEndpoints"))
        status["daemonEndpoints"] = {{"kubeletEndpoint", {{"Port", 10250}}}};
}

void fill_info(Json& status, const std::string& name, const std::string& kubernetes_version) {
    const std::string id = hex_digits("machine " + name, 32), boot = hex_digits("boot " + name, 32);
    const auto uuid = [](const std::string& hex) {
        return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) +
               "-" + hex.substr(20);
    };
    Json& info = status["nodeInfo"];
    if (!info.is_object()) info = Json::object();
    const std::pair<const char*, std::string> members[] = {{"architecture", "amd64"},
                                                           {"bootID", uuid(boot)},
                                                           {"containerRuntimeVersion", "containerd://2.1.3"},
                                                           {"kernelVersion", "6.1.0-37-amd64"},
                                                           {"kubeProxyVersion", ""},
                                                           {"kubeletVersion", kubernetes_version},
                                                           {"machineID", id},
                                                           {"operatingSystem", "linux"},
                                                           {"osImage", "Debian GNU/Linux 12 (bookworm)"},
                                                           {"systemUUID", uuid(id)}};
    for (const auto& [member, value] : members) set_default(info, member, value);
}

}  // namespace

bool NodeWishes::silent() const {
    const auto ready = conditions.find("Ready");
    return stopped || (ready != conditions.end() && ready->second == "Unknown");
}

NodeWishes read_wishes(const Json& node) {
    NodeWishes wishes;
    for (const auto& [key, value] : api::object_at(node, {"metadata", "annotations"}).items()) {
        if (!value.is_string()) continue;
        const std::string text = value.get<std::string>();
        if (key == "kubemu.io/kubelet") wishes.stopped = text == "stopped";
        if (key.compare(0, signal_prefix.size(), signal_prefix) == 0) wishes.signals[key.substr(signal_prefix.size())] = text;
        if (key.compare(0, condition_prefix.size(), condition_prefix) != 0) continue;
        if (text == "True" || text == "False" || text == "Unknown")
            wishes.conditions[key.substr(condition_prefix.size())] = text;
    }
    return wishes;
}

NodeIdentity numbered_identity(std::string name, int number) {
    const int address = number + 2;
    return {std::move(name),
            "172." + std::to_string(18 + address / 65536) + "." + std::to_string(address / 256 % 256) + "." +
                std::to_string(address % 256),
            "10." + std::to_string(244 + number / 256) + "." + std::to_string(number % 256) + ".0/24"};
}

std::vector<Json> default_nodes(int count) {
    std::vector<Json> nodes;
    for (int i = 0; i < count; ++i) {
        const std::string name = i == 0   ? control_plane_node
                                 : i == 1 ? "kubemu-worker"
                                          : "kubemu-worker" + std::to_string(i);
        Json node = {{"metadata", {{"name", name}}}};
        if (i == 0) {
            node["metadata"]["labels"] = {{"node-role.kubernetes.io/control-plane", ""},
                                          {"node.kubernetes.io/exclude-from-external-load-balancers", ""}};
            if (count > 1)
                node["spec"]["taints"] = Json::array(
                    {{{"key", "node-role.kubernetes.io/control-plane"}, {"effect", "NoSchedule"}}});
        }
        nodes.push_back(std::move(node));
    }
    return nodes;
}

void register_node(Json& node, const NodeIdentity& identity) {
    Json& labels = api::ensure(node, {"metadata", "labels"});
    for (const auto& [key, value] : {std::pair<const char*, std::string>("beta.kubernetes.io/arch", "amd64"),
                                     {"beta.kubernetes.io/os", "linux"},
                                     {"kubernetes.io/arch", "amd64"},
                                     {"kubernetes.io/os", "linux"},
                                     {"kubernetes.io/hostname", identity.name}})
        set_default(labels, key, value);
    Json& annotations = api::ensure(node, {"metadata", "annotations"});
    set_default(annotations, "node.alpha.kubernetes.io/ttl", "0");
    set_default(annotations, "volumes.kubernetes.io/controller-managed-attach-detach", "true");
    Json& spec = api::ensure(node, {"spec"});
    if (!spec.contains("podCIDR")) {
        spec["podCIDR"] = identity.pod_cidr;
        spec["podCIDRs"] = Json::array({identity.pod_cidr});
    }
    set_default(spec, "providerID", "kind://docker/kubemu/" + identity.name);
}

void fill_node_status(Json& node, const NodeIdentity& identity, const NodeWishes& wishes,
                      const std::set<std::string>& pressures, const std::string& kubernetes_version, Time now) {
    Json& status = api::ensure(node, {"status"});
    fill_amounts(status);
    fill_addresses(status, identity);
    fill_info(status, identity.name, kubernetes_version);
    const std::string time = api::format_time(now);
    Json& list = status["conditions"];
    if (!list.is_array()) list = Json::array();
    for (const Condition& known : conditions) {
        const auto wish = wishes.conditions.find(known.type);
        const std::string observed = pressures.count(known.type) > 0 ? "True" : known.healthy;
        std::string value = wish == wishes.conditions.end() ? observed : wish->second;
        const ConditionText& text = value == known.healthy ? known.well : known.ill;
        Json fresh = {{"type", known.type},         {"status", value},       {"lastHeartbeatTime", time},
                      {"lastTransitionTime", time}, {"reason", text.reason}, {"message", text.message}};
        // What the node life-cycle controller says of a kubelet that it no longer hears.
        if (wishes.silent() || value == "Unknown") {
            fresh.update({{"status", "Unknown"},
                          {"reason", "NodeStatusUnknown"},
                          {"message", "Kubelet stopped posting node status."}});
        }
        Json* old = nullptr;
        for (Json& condition : list)
            if (api::string_at(condition, {"type"}) == known.type) old = &condition;
        if (old == nullptr) {
            list.push_back(std::move(fresh));
            continue;
        }
        if (api::string_at(*old, {"status"}) == api::string_at(fresh, {"status"}) &&
            old->contains("lastTransitionTime"))
            fresh["lastTransitionTime"] = (*old)["lastTransitionTime"];
        *old = std::move(fresh);
    }
}

Json make_lease(const std::string& node_name, const std::string& node_uid, Time now) {
    return {
        {"apiVersion", "coordination.k8s.io/v1"},
        {"kind", "Lease"},
        {"metadata",
         {{"name", node_name},
          {"namespace", "kube-node-lease"},
          {"ownerReferences",
           Json::array({{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node_name}, {"uid", node_uid}}})}}},
        {"spec",
         {{"holderIdentity", node_name},
          {"leaseDurationSeconds", 40},
          {"renewTime", api::format_micro_time(now)}}}};
}

std::string condition_event(std::string_view type, std::string_view status) {
    for (const Condition& known : conditions) {
        if (known.type == type) return status == known.healthy ? known.well.event : known.ill.event;
    }
    return {};
}

}  // namespace kubemu::controllers::kubelet

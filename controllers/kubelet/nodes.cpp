// Node objects as a kind cluster shows them.
#include "controllers/kubelet/nodes.h"

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/kubelet/image_catalog.h"

namespace kubemu::controllers::kubelet {

using api::Json;

std::vector<NodeIdentity> node_identities(int count) {
    std::vector<NodeIdentity> nodes;
    for (int i = 0; i < count; ++i) {
        NodeIdentity node;
        node.control_plane = i == 0;
        node.name = i == 0 ? "kubemu-control-plane" : i == 1 ? "kubemu-worker" : "kubemu-worker" + std::to_string(i);
        const int address = i + 2;
        node.ip = "172." + std::to_string(18 + address / 65536) + "." + std::to_string(address / 256 % 256) + "." + std::to_string(address % 256);
        node.pod_cidr = "10." + std::to_string(244 + i / 256) + "." + std::to_string(i % 256) + ".0/24";
        nodes.push_back(std::move(node));
    }
    return nodes;
}

Json make_node(const NodeIdentity& node, bool single, const std::string& kubernetes_version, Time now) {
    Json labels = {{"beta.kubernetes.io/arch", "amd64"}, {"beta.kubernetes.io/os", "linux"},   {"kubernetes.io/arch", "amd64"},
                   {"kubernetes.io/os", "linux"},        {"kubernetes.io/hostname", node.name}};
    Json spec = {{"podCIDR", node.pod_cidr}, {"podCIDRs", Json::array({node.pod_cidr})},
                 {"providerID", "kind://docker/kubemu/" + node.name}};
    if (node.control_plane) {
        labels["node-role.kubernetes.io/control-plane"] = "";
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "";
        if (!single) spec["taints"] = Json::array({{{"key", "node-role.kubernetes.io/control-plane"}, {"effect", "NoSchedule"}}});
    }
    Json object = {{"apiVersion", "v1"},
                   {"kind", "Node"},
                   {"metadata",
                    {{"name", node.name},
                     {"labels", std::move(labels)},
                     {"annotations",
                      {{"node.alpha.kubernetes.io/ttl", "0"}, {"volumes.kubernetes.io/controller-managed-attach-detach", "true"}}}}},
                   {"spec", std::move(spec)}};
    fill_node_status(object, node, kubernetes_version, now);
    return object;
}

void fill_node_status(Json& node, const NodeIdentity& identity, const std::string& kubernetes_version, Time now) {
    Json& status = api::ensure(node, {"status"});
    // 110 pods are a kubelet's default; a simulated node carries more, or a thousand replicas would not fit.
    const Json amounts = {{"cpu", "8"},           {"memory", "32Gi"},     {"pods", "5000"},
                          {"ephemeral-storage", "100Gi"}, {"hugepages-1Gi", "0"}, {"hugepages-2Mi", "0"}};
    for (const char* member : {"capacity", "allocatable"}) {
        Json& list = status[member];
        if (!list.is_object()) list = Json::object();
        for (const auto& [name, amount] : amounts.items())
            if (!list.contains(name)) list[name] = amount;
    }
    status["addresses"] = Json::array({{{"type", "InternalIP"}, {"address", identity.ip}}, {{"type", "Hostname"}, {"address", identity.name}}});
    status["daemonEndpoints"] = {{"kubeletEndpoint", {{"Port", 10250}}}};
    const std::string id = hex_digits("machine " + identity.name, 32);
    const std::string boot = hex_digits("boot " + identity.name, 32);
    const auto uuid = [](const std::string& hex) {
        return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
    };
    status["nodeInfo"] = {{"architecture", "amd64"}, {"bootID", uuid(boot)}, {"containerRuntimeVersion", "containerd://2.1.3"},
                          {"kernelVersion", "6.1.0-37-amd64"}, {"kubeProxyVersion", ""}, {"kubeletVersion", kubernetes_version},
                          {"machineID", id}, {"operatingSystem", "linux"}, {"osImage", "Debian GNU/Linux 12 (bookworm)"},
                          {"systemUUID", uuid(id)}};
    const std::string time = api::format_time(now);
    Json& conditions = status["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    const auto set = [&](const char* type, const char* value, const char* reason, const char* message) {
        Json fresh = {{"type", type}, {"status", value}, {"lastHeartbeatTime", time}, {"lastTransitionTime", time},
                      {"reason", reason}, {"message", message}};
        for (Json& condition : conditions) {
            if (api::string_at(condition, {"type"}) != type) continue;
            if (api::string_at(condition, {"status"}) == value && condition.contains("lastTransitionTime"))
                fresh["lastTransitionTime"] = condition["lastTransitionTime"];
            condition = std::move(fresh);
            return;
        }
        conditions.push_back(std::move(fresh));
    };
    set("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available");
    set("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
    set("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available");
    set("Ready", "True", "KubeletReady", "kubelet is posting ready status");
}

Json make_lease(const NodeIdentity& node, const std::string& node_uid, Time now) {
    return {{"apiVersion", "coordination.k8s.io/v1"},
            {"kind", "Lease"},
            {"metadata",
             {{"name", node.name},
              {"namespace", "kube-node-lease"},
              {"ownerReferences", Json::array({{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node.name}, {"uid", node_uid}}})}}},
            {"spec", {{"holderIdentity", node.name}, {"leaseDurationSeconds", 40}, {"renewTime", api::format_micro_time(now)}}}};
}

}  // namespace kubemu::controllers::kubelet

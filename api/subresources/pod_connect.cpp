// Checks of requests to the inside of a pod (kubernetes pkg/registry/core/pod, streamLocation and validateContainer).
#include "api/subresources/pod_connect.h"

#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {

ApiResult<std::string> container_of(const Json& pod, std::string_view wanted) {
    std::vector<std::string> names;
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        for (const Json& container : array_at(pod, {"spec", list})) names.emplace_back(string_at(container, {"name"}));
    }
    const std::string name(name_of(pod));
    if (!wanted.empty()) {
        for (const std::string& known : names) {
            if (known == wanted) return std::string(wanted);
        }
        return Status::bad_request("container " + std::string(wanted) + " is not valid for pod " + name);
    }
    const Json& containers = array_at(pod, {"spec", "containers"});
    if (containers.size() == 1) return std::string(string_at(containers[0], {"name"}));
    std::string message = "a container name must be specified for pod " + name;
    if (!containers.empty()) message += ", choose one of: [" + join(names, " ") + "]";
    return Status::bad_request(message);
}

ApiResult<bool> connect_to_pod(const Registry& registry, std::string_view namespace_name, std::string_view name,
                               std::string_view subresource, std::string_view container) {
    const auto record = registry.get("pods", namespace_name, name);
    if (record == nullptr) return Status::not_found({}, "pods", name);
    const Json pod = registry.document(*record);
    if (subresource != "portforward") TRY(container_of(pod, container));
    const std::string_view node_name = string_at(pod, {"spec", "nodeName"});
    if (node_name.empty()) return Status::bad_request("pod " + std::string(name) + " does not have a host assigned");
    const auto node = registry.get("nodes", {}, node_name);
    if (node == nullptr) return Status::not_found({}, "nodes", node_name);
    std::string address(node_name);
    for (const Json& known : array_at(registry.document(*node), {"status", "addresses"})) {
        if (string_at(known, {"type"}) == "InternalIP") address = string_at(known, {"address"});
    }
    return Status::plain_500("error dialing backend: dial tcp " + address + ":10250: connect: connection refused");
}

}  // namespace kubemu::api

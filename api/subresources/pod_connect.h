// Whom a request to the inside of a pod (log, exec, attach, port-forward) is for, and why there may be nobody to ask.
#pragma once

#include <string>
#include <string_view>

#include "api/registry.h"

namespace kubemu::api {

// The container of a pod that a request means: the named one, or the only one. Errors: 400, with the names there are.
ApiResult<std::string> container_of(const Json& pod, std::string_view wanted);

// The checks that kube-apiserver makes before it turns to the kubelet: the pod is there, has the container and a node.
// Then the kubelet's word, which for simulated nodes is that it does not listen: always an error.
ApiResult<bool> connect_to_pod(const Registry& registry, std::string_view namespace_name, std::string_view name,
                               std::string_view subresource, std::string_view container);

}  // namespace kubemu::api

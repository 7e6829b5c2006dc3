// The kubeconfig that points kubectl and client libraries at a cluster.
#pragma once

#include <string>
#include <string_view>

namespace kubemu::server {

// YAML with one cluster, one user and one context, all named "kubemu". `server` is the URL of the API.
std::string kubeconfig_text(std::string_view server);

}  // namespace kubemu::server

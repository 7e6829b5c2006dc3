// Where the kubelet of a node listens, as the server finds it before it connects
// (kubernetes pkg/kubelet/client/kubelet_client.go, NodeConnectionInfoGetter; pkg/registry/core/node/strategy.go,
// ResourceLocation).
#pragma once

#include <string>
#include <string_view>

#include "api/exchange.h"

namespace kubemu::api {

struct NodeLocation {
    std::string host;     // the address that is preferred: its host name, mostly
    std::string address;  // where that leads
    int port = 10250;
};

// Errors: no such node (404, named after the resource of the request), a node without addresses (500).
ApiResult<NodeLocation> node_location(const Exchange& exchange, std::string_view node_name);

// What the network says where nobody listens.
std::string refused(std::string_view address, std::string_view port);

// Requests to nodes/NAME/proxy. Simulated kubelets listen nowhere: what comes is 503, or why there is no way to them.
ApiResult<bool> handle_node_proxy(const ExchangePtr& exchange);

}  // namespace kubemu::api

// ClusterNetwork: names and addresses as a simulated container meets them: Services, pods, nodes, load
// balancers, and a world outside that answers with a plain page.
#pragma once

#include <memory>

#include "api/registry.h"
#include "controllers/kubelet/logs.h"
#include "controllers/kubelet/process.h"

namespace kubemu::controllers::kubelet {

std::shared_ptr<const Network> make_network(const api::Registry& registry, LogStore& logs);

}  // namespace kubemu::controllers::kubelet

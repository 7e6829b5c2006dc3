// ClusterNetwork: names and addresses as a simulated container meets them: Services, pods, nodes, load
// balancers, and a world outside that answers with a plain page.
#pragma once

#include <memory>

#include "api/kinds/metrics/served_load.h"
#include "api/registry.h"
#include "controllers/kubelet/logs.h"
#include "controllers/kubelet/process.h"

namespace kubemu::controllers::kubelet {

// What its requests cost those who answer them is added to `load`. The annotation kubemu.io/cpu-per-request of a pod says
// what one costs there, as CPU time: "80m" is 80 thousandths of a second of one core.
std::shared_ptr<const Network> make_network(const api::Registry& registry, LogStore& logs, std::shared_ptr<api::ServedLoad> load);

}  // namespace kubemu::controllers::kubelet

// Which news make a refused pod worth another attempt: the queueing hints of the plugins that refused it
// (EventsToRegister and the QueueingHintFn of pkg/scheduler/framework/plugins/*; framework/events.go).
//
// `pod` is the one that was refused, by the plugins `by`. Each answers whether one of these plugins takes hope.
#pragma once

#include <functional>
#include <string>

#include "controllers/scheduler/filters.h"
#include "controllers/scheduler/pod_info.h"
#include "controllers/scheduler/plugins.h"

namespace kubemu::controllers::scheduler {

// Those that wait for news of these kinds at all.
inline constexpr Plugins wait_for_nodes{
    Plugin::node_unschedulable, Plugin::node_name,       Plugin::taint_toleration, Plugin::node_affinity,
    Plugin::node_ports,         Plugin::node_resources_fit, Plugin::volume_restrictions, Plugin::volume_binding,
    Plugin::volume_zone,        Plugin::pod_topology_spread, Plugin::inter_pod_affinity, Plugin::dynamic_resources};
inline constexpr Plugins wait_for_pods_to_come{Plugin::pod_topology_spread, Plugin::inter_pod_affinity};
inline constexpr Plugins wait_for_pods_to_go{Plugin::node_ports,          Plugin::node_resources_fit,
                                             Plugin::volume_restrictions, Plugin::node_volume_limits,
                                             Plugin::pod_topology_spread, Plugin::inter_pod_affinity};
inline constexpr Plugins wait_for_pods_to_change{Plugin::node_resources_fit, Plugin::pod_topology_spread,
                                                 Plugin::inter_pod_affinity};

// A node that came (no `before`), went (no `after`) or changed. `devices_stand_for`: whether a device class gives what
// is asked for under the name of an extended resource.
using DevicesStandFor = std::function<bool(const std::string& resource)>;
bool hopes_for_node(const PodInfo& pod, Plugins by, const NodeInfo* before, const NodeInfo* after,
                    const DevicesStandFor& devices_stand_for);
// A pod that has its node now.
bool hopes_for_pod_that_came(const PodInfo& pod, Plugins by, const PodInfo& other);
// A pod that had a node, or was promised one.
bool hopes_for_pod_that_went(const PodInfo& pod, Plugins by, const PodInfo& other);
// Another pod, which has a node.
bool hopes_for_change_of(const PodInfo& pod, Plugins by, const PodInfo& before, const PodInfo& after);
// The pod itself, which is `pod` now.
bool hopes_for_own_change(const PodInfo& before, Plugins by, const PodInfo& pod);

}  // namespace kubemu::controllers::scheduler

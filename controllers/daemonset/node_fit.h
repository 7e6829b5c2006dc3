// Which nodes a DaemonSet's pods belong on: node name, selector, required affinity and taints, as its controller
// judges them without the scheduler (k8s.io/component-helpers/scheduling/corev1).
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::controllers {

struct NodeFit {
    bool should_run = false;
    bool may_stay = false;  // a pod that is there already is left alone
};

// `pod_spec` is the template's spec with the DaemonSet's own tolerations; `node` the node's document.
NodeFit node_fit(const api::Json& pod_spec, const api::Json& node);

// The tolerations that every daemon pod has: node trouble does not move it.
void add_daemon_tolerations(api::Json& pod_spec);
// Binds the pod to one node through required node affinity on metadata.name, in place of its own required terms.
void bind_by_affinity(api::Json& pod_spec, const std::string& node_name);
// The node that bind_by_affinity named; empty when there is none.
std::string affinity_target(const api::Json& pod_spec);

}  // namespace kubemu::controllers

// The taints that a node's conditions ask for (https://kubernetes.io/docs/reference/labels-annotations-taints/).
#pragma once

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

// Whether a node that is not Ready is to have its NoExecute taint: yes; only if it has one already (maybe for the other
// way of not being Ready); no.
enum class Eviction { wanted, as_before, unwanted };

// spec.taints of the node as they should be: NoSchedule for conditions and spec.unschedulable, NoExecute while it is
// not Ready; other taints stay as they are.
api::Json wanted_taints(const api::Json& node, Time now, Eviction eviction = Eviction::wanted);
// Whether it has a NoExecute taint for not being Ready.
bool is_evicting(const api::Json& node);

}  // namespace kubemu::controllers

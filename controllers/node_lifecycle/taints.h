// The taints that a node's conditions ask for (https://kubernetes.io/docs/reference/labels-annotations-taints/).
#pragma once

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

// spec.taints of the node as they should be: NoSchedule for conditions and spec.unschedulable, NoExecute while it is
// not Ready; other taints stay as they are.
api::Json wanted_taints(const api::Json& node, Time now);

}  // namespace kubemu::controllers

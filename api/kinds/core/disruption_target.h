// The pod condition DisruptionTarget: why somebody other than its own workload ends a pod
// (pkg/util/pod.UpdatePodCondition; kubernetes.io/docs/concepts/workloads/pods/disruptions).
#pragma once

#include <string_view>

#include "api/values/object.h"

namespace kubemu::api {

// Sets it in the pod's status, in place of one that is there; `time` is its transition, as RFC 3339.
void set_disruption_target(Json& pod, std::string_view reason, std::string_view message, std::string_view time);

}  // namespace kubemu::api

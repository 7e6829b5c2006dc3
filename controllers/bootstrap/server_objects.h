// Objects about the API server itself: an APIService for each group version, and the objects of API Priority and
// Fairness.
#pragma once

#include "api/registry.h"

namespace kubemu::controllers {

// One local APIService for each group version that is served (kubernetes pkg/controlplane/apiserver/aggregator.go);
// those of versions that this release does not serve go.
void bootstrap_api_services(api::Registry& registry);

// Mandatory and suggested flow schemas and priority levels (k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap). What
// exists is left as it is.
void bootstrap_flow_control(api::Registry& registry);

}  // namespace kubemu::controllers

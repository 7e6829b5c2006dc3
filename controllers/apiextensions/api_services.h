// The group versions of custom resources have APIServices as built-in ones do (k8s.io/kube-aggregator,
// pkg/controllers/autoregister; k8s.io/kubernetes/pkg/controlplane/controller/crdregistration).
#pragma once

#include "api/client.h"
#include "api/registry.h"

namespace kubemu::controllers {

// Makes those that are missing and removes those whose group version is no longer served.
void register_api_services(api::Registry& registry, api::Client& client);

}  // namespace kubemu::controllers

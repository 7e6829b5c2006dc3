// Bootstrap: what a cluster contains from its first start: namespaces, the API's own Service, priority and storage
// classes, default roles.
#pragma once

#include "api/registry.h"

namespace kubemu::controllers {

// As whom an API server does what it does by itself (k8s.io/apiserver/pkg/authentication/user.APIServerUser).
inline api::User api_server_user() { return {"system:apiserver", {}, {"system:masters", "system:authenticated"}, {}}; }

// Idempotent: what exists already is left as it is. `service_network` is that of Services, where the cluster has none yet:
// the API's own Service has its first address.
void bootstrap(api::Registry& registry, const std::string& service_network);

}  // namespace kubemu::controllers

// Bootstrap: what a cluster contains from its first start: namespaces, the API's own Service, priority and storage
// classes, default roles.
#pragma once

#include "api/registry.h"

namespace kubemu::controllers {

// Idempotent: what exists already is left as it is.
void bootstrap(api::Registry& registry);

}  // namespace kubemu::controllers

// Fields behind feature gates that v1.36 leaves off: what a request says in them is dropped. One is on here although it is
// off there: MaxUnavailableStatefulSet, for whoever sets that field wants to see it work.
#pragma once

#include "api/schema/kind.h"
#include "api/values/object.h"

namespace kubemu::api {

// Drops them from an object that is about to be prepared, unless `old` (null on create) had them already, as the
// strategies of kubernetes pkg/registry do (dropDisabledFields, kept by kube_features.go's defaults).
void drop_gated_fields(const KindSpec& kind, Json& object, const Json* old);
// The same for a write of the status alone.
void drop_gated_status_fields(const KindSpec& kind, Json& object, const Json& old);

}  // namespace kubemu::api

// Subresources that are more than a view of their object: binding, eviction, scale.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/registry.h"

namespace kubemu::api {

// POST pods/NAME/binding (spec.nodeName) and pods/NAME/eviction (delete, unless a budget forbids: 429).
ApiResult<Written> post_subresource(Registry& registry, const KindSpec& kind, std::string_view namespace_name, std::string_view name,
                                    std::string_view subresource, const Json& body, const WriteContext& context,
                                    storage::Completion done);

// autoscaling/v1 Scale of a document. A custom resource without replicas has the smallest int32 of them.
Json scale_of(const KindSpec& kind, const Json& object);
// The same with who owns its replicas, as patches and configurations find it.
Json owned_scale_of(const KindSpec& kind, const Json& object);
// 404 for the Scale of what is not there. That of some kinds has a name of its own (ScaleREST.Get in kubernetes
// pkg/registry, before 1.36).
Status missing_scale(const KindSpec& kind, std::string_view name);
// Where an object keeps what its Scale calls spec.replicas, as managedFields write it: {"f:spec", "f:replicas"}.
std::vector<std::string> replica_steps(const KindSpec& kind);
// The same for a GET. Errors: a custom resource without replicas.
ApiResult<Json> read_scale(const KindSpec& kind, const Json& object);
// Takes spec.replicas of a Scale into the object. Errors: a negative number, or none for a custom resource.
ApiResult<bool> apply_scale(const KindSpec& kind, Json& object, const Json& scale);

}  // namespace kubemu::api

// POST pods/NAME/eviction: a deletion that PodDisruptionBudgets may refuse
// (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/; pkg/registry/core/pod/storage/eviction.go).
#pragma once

#include <string_view>

#include "api/registry.h"

namespace kubemu::api {

// `body` is an Eviction of policy/v1 or v1beta1. Errors: 400 when it names another pod, 429 when the budget is used up,
// 500 when more than one budget covers the pod. The budget is charged in the transaction that deletes the pod.
ApiResult<Written> evict(Registry& registry, const KindSpec& pods, std::string_view namespace_name, std::string_view name,
                         const Json& body, const WriteContext& context, storage::Completion done);

}  // namespace kubemu::api

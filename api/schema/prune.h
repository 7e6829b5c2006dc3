// Custom resources brought into the form of their schema: unknown fields and nulls pruned, metadata typed, defaults set.
//
// Follows k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting,objectmeta}.
#pragma once

#include <string>
#include <vector>

#include "api/schema/structural.h"
#include "api/schema/type.h"
#include "api/values/object.h"
#include "storage/base/result.h"

namespace kubemu::api::structural {

// Removes the fields that the schema does not specify; kind, apiVersion and metadata of the root (`resource_root`) and
// of embedded resources stay. Returns the paths of what was removed, sorted.
std::vector<std::string> prune(Json& object, const Schema& schema, bool resource_root);

// Removes nulls that are neither nullable nor have a default.
void prune_nulls(Json& object, const Schema& schema);

// Sets the defaults of absent members, and of nulls that are not nullable.
void set_defaults(Json& object, const Schema& schema);

struct Malformed {
    std::string message;
};

// All of the above but the defaults, for an object that a client sent: unknown and duplicate fields of metadata, then
// all others, are added to `unknown` as `unknown field "spec.x"`. Errors: metadata that is no ObjectMeta.
Result<bool, Malformed> coerce(Json& object, const Schema& schema, std::vector<std::string>& unknown);

}  // namespace kubemu::api::structural

// The parts that the OpenAPI documents of both versions share: schemas of types, and operations of kinds.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "api/documents/discovery.h"
#include "api/values/object.h"

namespace kubemu::api {

enum class OpenApiVersion { v2, v3 };

// The definition of a type: properties, required, extensions. References point where the version keeps schemas.
Json type_schema(const TypeInfo& type, OpenApiVersion version);
// All definitions that these kinds need, by OpenAPI name; list kinds and the shared types included.
Json schemas_of(const Kinds& kinds, OpenApiVersion version);
// The paths of these kinds with their operations.
Json paths_of(const Kinds& kinds, OpenApiVersion version);

}  // namespace kubemu::api

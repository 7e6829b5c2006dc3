// Defaults of the type tables, applied in one walk over an object.
#pragma once

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// Sets every declared default that is absent. Goes into objects that are there; a default that is itself an object
// is made first and then gets its own members' defaults.
void apply_defaults(Json& object, const TypeInfo& type);

}  // namespace kubemu::api

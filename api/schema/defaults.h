// Defaults of the type tables, applied in one walk over an object.
#pragma once

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// Sets every declared default, as Go's generated defaulting does with objects that were decoded into structs:
// a field that is a pointer gets its default when it is absent, any other one when it is absent or zero;
// structs that are no pointers exist whether they were sent or not (spec.template.spec), so their members get
// defaults too; members of absent pointers, lists and maps get none. Nulls are dropped on the way.
void apply_defaults(Json& object, const TypeInfo& type);

}  // namespace kubemu::api

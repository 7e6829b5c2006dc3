// What the type tables themselves say about values: enums and ranges.
#pragma once

#include "api/schema/type.h"
#include "api/values/field_errors.h"

namespace kubemu::api {

// Complains of values outside of an enum or a range anywhere in the object. `skip_status` leaves out its status.
void validate_declared(const Json& object, const TypeInfo& type, const FieldPath& path, bool skip_status, FieldErrors& errors);

}  // namespace kubemu::api

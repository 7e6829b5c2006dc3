// What the type tables themselves say about values: enums and ranges.
#pragma once

#include "api/schema/type.h"
#include "api/values/field_errors.h"

namespace kubemu::api {

// Complains of values outside of a range, and of those outside of an enum for which kube-apiserver's
// validation answers `Unsupported value: "x": supported values: ...` (`checked` in the schema); it words the
// others itself, kind by kind. `skip_status` leaves out the object's status.
void validate_declared(const Json& object, const TypeInfo& type, const FieldPath& path, bool skip_status,
                       FieldErrors& errors);

}  // namespace kubemu::api

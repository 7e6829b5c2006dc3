// A patched object as messages show it when it does not fit its type.
//
// The real server patches text: what the patch went through is a map by then, whose members are sorted; all else stands
// there as it was encoded, in the order of Go's structs (evanphx/json-patch).
#pragma once

#include <string>

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// `object` after a merge patch.
std::string shown_merged(const Json& object, const Json& patch, const TypeInfo& type);
// `object` after a JSON patch.
std::string shown_patched(const Json& object, const Json& operations, const TypeInfo& type);

}  // namespace kubemu::api

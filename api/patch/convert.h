// Convert: a patched document as a value of its type, with the rules and words of the converter that strategic merge patches go
// through instead of the decoder (k8s.io/apimachinery/pkg/runtime/converter.go).
#pragma once

#include <optional>
#include <string>

#include "api/schema/type.h"
#include "api/values/object.h"

namespace kubemu::api {

// Gives numbers the form of their fields: 5.0 is an integer, and an integer that is too large for its field is cut.
// Returns the first mistake in the order of the type's fields: "cannot restore slice from string", "unrecognized type:
// int32".
std::optional<std::string> convert(Json& object, const TypeInfo& type);

}  // namespace kubemu::api

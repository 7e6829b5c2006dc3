// Decoded documents as Go's fmt prints them with %v: what messages about patches show.
#pragma once

#include <string>

#include "api/values/object.h"

namespace kubemu::api {

// "map[a:1 b:[x y]]", maps by key; null is <nil>.
std::string go_text(const Json& value);
// The Go type that holds a decoded value: "map[string]interface {}", "int64".
std::string go_type_text(const Json& value);
// ... and its kind: "map", "slice", "int64".
std::string_view go_kind_text(const Json& value);

}  // namespace kubemu::api

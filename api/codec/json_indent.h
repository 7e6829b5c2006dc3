// JSON for people.
#pragma once

#include <string>
#include <string_view>

namespace kubemu::api {

// Compact JSON as encoding/json's Indent lays it out with two blanks: a line for each member and element, nothing
// inside empty ones, no line break at the end.
std::string indent_json(std::string_view compact);

}  // namespace kubemu::api

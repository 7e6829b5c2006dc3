// The difference of two values as messages print it: in the manner of github.com/google/go-cmp's Diff.
#pragma once

#include <string>
#include <string_view>

#include "api/values/object.h"

namespace kubemu::api {

// "  type{\n- \tMember: before,\n+ \tMember: after,\n  }\n" with the members in which the two objects differ.
std::string go_diff(std::string_view type, const Json& before, const Json& after);

}  // namespace kubemu::api

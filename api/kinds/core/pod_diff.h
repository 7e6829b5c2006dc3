// What a refused update would have changed, for people: in the manner of go-cmp, which the real server prints.
#pragma once

#include <string>
#include <string_view>

#include "api/values/object.h"

namespace kubemu::api {

// Lines of two objects of the type ("core/v1.PodSpec"), '-' before what was and '+' before what would be; members and
// items that are alike are counted only.
std::string diff_of(std::string_view type, const Json& before, const Json& after);

}  // namespace kubemu::api

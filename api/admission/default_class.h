// The default among classes that are marked by an annotation.
#pragma once

#include <string>
#include <string_view>

#include "api/kinds/rules.h"

namespace kubemu::api {

// The name of the newest object of `resource` whose annotation is "true", the first by name of several; empty for none.
std::string newest_default(const Lookup& lookup, std::string_view resource, std::string_view annotation);

}  // namespace kubemu::api

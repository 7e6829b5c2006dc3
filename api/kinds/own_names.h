// Kinds whose objects must have the name that their spec makes.
#pragma once

#include <string_view>

#include "api/schema/kind.h"
#include "api/values/names.h"
#include "api/values/object.h"

namespace kubemu::api {

// What is wrong with `name`, the name or generateName of `object`, in the eyes of its spec; nothing for other kinds.
// `before`: what the name rule of the kind has said of it already.
Messages check_own_name(const KindSpec& kind, const Json& object, std::string_view name, const Messages& before);

}  // namespace kubemu::api

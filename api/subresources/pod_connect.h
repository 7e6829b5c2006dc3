// Whom a request to the inside of a pod (log, exec, attach) is for.
#pragma once

#include <string>
#include <string_view>

#include "api/exchange.h"

namespace kubemu::api {

// The container of a pod that a request means: the named one, or the only one. Errors: 400, with the names there are.
ApiResult<std::string> container_of(const Json& pod, std::string_view wanted);

}  // namespace kubemu::api

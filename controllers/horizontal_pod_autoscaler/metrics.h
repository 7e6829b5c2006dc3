// What simulated containers use: the numbers that a metrics server would report.
//
// A pod's annotations kubemu.io/cpu-usage and kubemu.io/memory-usage say how much the whole pod uses, shared among its
// containers by their requests; without them each container uses a fixed part of what it asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/values/object.h"

namespace kubemu::controllers {

// Of one container, or of all when `container` is empty; cpu in millicores, other resources in thousandths too.
// Nothing when the pod does not run: it has no sample.
std::optional<std::int64_t> usage_milli(const api::Json& pod, std::string_view resource, std::string_view container);
// What it asks for in the same unit; nothing when a container asks for none, which `missing` then names.
std::optional<std::int64_t> request_milli(const api::Json& pod, std::string_view resource, std::string_view container,
                                          std::string& missing);

}  // namespace kubemu::controllers

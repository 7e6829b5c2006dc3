// Durations as Go writes them: "1h30m", "-1.5s".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace kubemu::api {

struct GoDurationError {
    std::string message;  // time: unknown unit "y" in duration "1y"
};

// time.ParseDuration. Errors: its own, for what is no duration or more than 63 bits of nanoseconds.
Result<std::chrono::nanoseconds, GoDurationError> parse_go_duration(std::string_view text);

}  // namespace kubemu::api

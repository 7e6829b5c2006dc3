// Values that Go reads and writes with code of its own (UnmarshalJSON): times, quantities, base64, durations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace kubemu::api::scalars {

struct Failure {
    std::string message;
};
// The text in canonical form, or the error of Go's parser.
using Canonical = Result<std::string, Failure>;

// `parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`
Canonical time(std::string_view text);
Canonical micro_time(std::string_view text);
Canonical quantity(std::string_view text);
// "illegal base64 data at input byte 3"
Canonical base64(std::string_view text);
// time.Duration: "90s" is "1m30s"
Canonical duration(std::string_view text);
// time.ParseDuration and Duration.String, in nanoseconds.
Result<std::int64_t, Failure> parse_duration(std::string_view text);
std::string format_duration(std::int64_t nanoseconds);

}  // namespace kubemu::api::scalars

// Times on the wire: RFC 3339 in UTC, to the second (meta/v1.Time) or with six decimals (meta/v1.MicroTime).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/base/clock.h"

namespace kubemu::api {

std::string format_time(Time time);        // 2006-01-02T15:04:05Z
std::string format_micro_time(Time time);  // 2006-01-02T15:04:05.000000Z
// Any RFC 3339 text with any offset and fraction; nothing when it is malformed.
std::optional<Time> parse_time(std::string_view text);
// The format at 0 when the text is malformed or empty.
Time parse_time_or_zero(std::string_view text);

// Ages as kubectl shows them (k8s.io/apimachinery/pkg/util/duration.HumanDuration): "5s", "3m12s", "2d3h", "1y30d".
std::string human_duration(Duration duration);
// The age cell for a timestamp: "<unknown>" when it is missing.
std::string age_of(std::string_view timestamp, Time now);

}  // namespace kubemu::api

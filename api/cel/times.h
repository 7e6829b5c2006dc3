// Timestamps and durations of CEL: their texts and their calendar.
#pragma once

#include <string>
#include <string_view>

#include "api/cel/value.h"

namespace kubemu::api::cel {

// RFC 3339 with up to nine decimals; an error value when it is malformed.
Value parse_timestamp(std::string_view text);
// Go's time.ParseDuration: "1h30m", "-1.5s".
Value parse_duration(std::string_view text);
std::string timestamp_text(const Value& timestamp);
std::string duration_text(const Value& duration);

struct Calendar {
    int year = 1970, month = 0, day = 0, weekday = 4, year_day = 0;  // month and days from 0
    int hours = 0, minutes = 0, seconds = 0, milliseconds = 0;
};
// `zone`: "", "UTC" or an offset like "+01:30". False when it is none of these.
bool calendar_of(const Value& timestamp, std::string_view zone, Calendar& calendar);

}  // namespace kubemu::api::cel

// Parts of timestamps and durations.
#include "api/cel/function_list.h"
#include "api/cel/times.h"

namespace kubemu::api::cel {
namespace {

template <int (*part)(const Calendar&), std::int64_t unit>
Value accessor(const Arguments& a) {
    if (a[0].kind == Kind::duration && unit > 0) {
        const std::int64_t whole = unit == 1'000'000 ? a[0].integer / unit % 1000 : a[0].integer / unit;
        return Value::of(whole);
    }
    if (a[0].kind != Kind::timestamp) return no_overload();
    Calendar calendar;
    const std::string zone = a.size() > 1 ? a[1].str() : "";
    if (!calendar_of(a[0], zone, calendar)) return Value::error("unknown time zone " + zone);
    return Value::of(static_cast<std::int64_t>(part(calendar)));
}

int year(const Calendar& c) { return c.year; }
int month(const Calendar& c) { return c.month; }
int date(const Calendar& c) { return c.day + 1; }
int day_of_month(const Calendar& c) { return c.day; }
int day_of_week(const Calendar& c) { return c.weekday; }
int day_of_year(const Calendar& c) { return c.year_day; }
int hours(const Calendar& c) { return c.hours; }
int minutes(const Calendar& c) { return c.minutes; }
int seconds(const Calendar& c) { return c.seconds; }
int milliseconds(const Calendar& c) { return c.milliseconds; }

}  // namespace

std::span<const NamedFunction> time_functions() {
    static constexpr NamedFunction functions[] = {
        {"getFullYear", accessor<year, 0>},
        {"getMonth", accessor<month, 0>},
        {"getDate", accessor<date, 0>},
        {"getDayOfMonth", accessor<day_of_month, 0>},
        {"getDayOfWeek", accessor<day_of_week, 0>},
        {"getDayOfYear", accessor<day_of_year, 0>},
        {"getHours", accessor<hours, 3'600'000'000'000>},
        {"getMinutes", accessor<minutes, 60'000'000'000>},
        {"getSeconds", accessor<seconds, 1'000'000'000>},
        {"getMilliseconds", accessor<milliseconds, 1'000'000>},
    };
    return functions;
}

}  // namespace kubemu::api::cel

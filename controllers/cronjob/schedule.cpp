// Activations between two moments, looked for near the end: a CronJob that slept for months has many of them.
#include "controllers/cronjob/schedule.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "api/values/time.h"

namespace kubemu::controllers {
namespace {

constexpr std::int64_t many = 100;

std::int64_t unix_seconds(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

std::optional<Activation> due_activation(const api::CronSchedule& schedule, const api::TimeZone& zone, Time earliest, Time now) {
    const std::optional<Time> first = schedule.next(earliest, zone);
    if (!first) return std::nullopt;
    if (now < *first) return Activation{};
    const std::optional<Time> second = schedule.next(*first, zone);
    if (!second) return std::nullopt;
    if (now < *second) return Activation{first, false, false};
    const Duration interval = *second - *first;
    const std::int64_t missed = (now - *first) / interval + 1;
    Activation found{std::nullopt, true, missed > many};
    for (auto next = schedule.next(*first + (missed - 2) * interval, zone); next && *next <= now; next = schedule.next(*next, zone)) {
        found.due = next;
    }
    return found;
}

std::optional<Time> next_activation(const api::CronSchedule& schedule, const api::TimeZone& zone, Time earliest, Time now) {
    const std::optional<Activation> activation = due_activation(schedule, zone, earliest, now);
    if (!activation || (activation->missed && !activation->due)) return schedule.next(now, zone);
    return schedule.next(activation->due.value_or(earliest), zone);
}

std::string format_in_zone(Time time, const api::TimeZone& zone) {
    const std::int64_t offset = zone.offset_at(unix_seconds(time));
    std::string text = api::format_time(time + std::chrono::seconds(offset));
    if (offset == 0) return text;
    text.pop_back();  // the Z
    const std::int64_t minutes = std::abs(offset) / 60;
    char tail[16];
    std::snprintf(tail, sizeof tail, "%c%02d:%02d", offset < 0 ? '-' : '+', static_cast<int>(minutes / 60),
                  static_cast<int>(minutes % 60));
    return text + tail;
}

std::string format_rfc1123(Time time) {
    using namespace std::chrono;
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto midnight = floor<std::chrono::days>(time);
    const year_month_day date(midnight);
    const hh_mm_ss clock(floor<seconds>(time - midnight));
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d +0000", days[weekday(midnight).c_encoding()],
                  static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                  static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return text;
}

}  // namespace kubemu::controllers

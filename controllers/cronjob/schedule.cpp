// Activations between two moments, found from the end: a CronJob that slept for months has many of them.
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

Activation due_activation(const api::CronSchedule& schedule, const api::TimeZone& zone, Time earliest, Time now) {
    const std::optional<Time> first = schedule.next(earliest, zone);
    if (!first || now < *first) return {};
    const std::optional<Time> second = schedule.next(*first, zone);
    if (!second || now < *second) return {first, false};
    const Duration interval = std::max<Duration>(*second - *first, std::chrono::seconds(1));
    const std::int64_t missed = (now - *first) / interval + 1;
    // Back from now in growing steps until an activation lies in between, then forward to the last one.
    Time from = *first;
    for (Duration back = interval; now - back > *first; back *= 2) {
        const auto next = schedule.next(now - back, zone);
        if (!next || *next > now) continue;
        from = now - back;
        break;
    }
    Time last = *first;
    for (auto next = schedule.next(from, zone); next && *next <= now; next = schedule.next(*next, zone)) last = *next;
    return {last, missed > many};
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

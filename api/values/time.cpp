// Times as text.
#include "api/values/time.h"

namespace kubemu::api {
namespace {

// `value` is not negative, and has no more digits than that.
void put_digits(std::string& text, std::int64_t value, std::size_t digits) {
    text.append(digits, '0');
    for (std::size_t at = text.size(); value > 0; value /= 10) text[--at] = static_cast<char>('0' + value % 10);
}

std::string format(Time time, bool micro) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<Duration> clock(time - day);
    const int year = static_cast<int>(date.year());
    std::string text;
    text.reserve(32);
    if (year < 0 || year > 9999) text += std::to_string(year);
    else put_digits(text, year, 4);
    const auto put = [&text](char before, auto value) {
        text += before;
        put_digits(text, static_cast<std::int64_t>(value), 2);
    };
    put('-', static_cast<unsigned>(date.month()));
    put('-', static_cast<unsigned>(date.day()));
    put('T', clock.hours().count());
    put(':', clock.minutes().count());
    put(':', clock.seconds().count());
    if (micro) {
        text += '.';
        put_digits(text, clock.subseconds().count(), 6);
    }
    return text += 'Z';
}

// Reads exactly `digits` digits; false when there are none.
bool take_number(std::string_view& text, int digits, int& value) {
    if (text.size() < static_cast<std::size_t>(digits)) return false;
    value = 0;
    for (int i = 0; i < digits; ++i) {
        const char c = text[static_cast<std::size_t>(i)];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(static_cast<std::size_t>(digits));
    return true;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::string format_time(Time time) { return format(time, false); }
std::string format_micro_time(Time time) { return format(time, true); }

std::optional<Time> parse_time(std::string_view text) {
    int year, month, day, hour, minute, second;
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') ||
        !take_number(text, 2, day) || !(take(text, 'T') || take(text, 't')) || !take_number(text, 2, hour) ||
        !take(text, ':') || !take_number(text, 2, minute) || !take(text, ':') || !take_number(text, 2, second)) {
        return std::nullopt;
    }
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    std::int64_t micro = 0;
    if (take(text, '.')) {
        std::int64_t scale = 100000;
        std::size_t digits = 0;
        while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
            micro += scale * (text[digits] - '0');
            scale /= 10;
            ++digits;
        }
        if (digits == 0) return std::nullopt;
        text.remove_prefix(digits);
    }
    int offset_minutes = 0;
    if (!take(text, 'Z') && !take(text, 'z')) {
        if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
        const int sign = text[0] == '-' ? -1 : 1;
        text.remove_prefix(1);
        int hours, minutes;
        if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) return std::nullopt;
        offset_minutes = sign * (hours * 60 + minutes);
    }
    if (!text.empty()) return std::nullopt;
    using namespace std::chrono;
    const auto date = std::chrono::year(year) / month / day;
    if (!date.ok()) return std::nullopt;
    const Time time = Time(sys_days(date)) + hours(hour) + minutes(minute - offset_minutes) + seconds(second) + microseconds(micro);
    // An offset may lead out of the years that RFC 3339 can write.
    const int written = static_cast<int>(year_month_day(floor<days>(time)).year());
    return written < 0 || written > 9999 ? std::nullopt : std::optional(time);
}

Time parse_time_or_zero(std::string_view text) { return parse_time(text).value_or(Time{}); }

std::string human_duration(Duration duration) {
    using namespace std::chrono;
    const std::int64_t s = duration_cast<seconds>(duration).count();
    if (s < -1) return "<invalid>";
    if (s < 0) return "0s";
    const auto text = [](std::int64_t a, const char* unit) { return std::to_string(a) + unit; };
    const auto both = [&text](std::int64_t a, const char* unit, std::int64_t b, const char* small) {
        return b == 0 ? text(a, unit) : text(a, unit) + text(b, small);
    };
    if (s < 120) return text(s, "s");
    const std::int64_t m = s / 60;
    if (m < 10) return both(m, "m", s % 60, "s");
    if (m < 180) return text(m, "m");
    const std::int64_t h = m / 60;
    if (h < 8) return both(h, "h", m % 60, "m");
    if (h < 48) return text(h, "h");
    if (h < 24 * 8) return both(h / 24, "d", h % 24, "h");
    if (h < 24 * 365 * 2) return text(h / 24, "d");
    if (h < 24 * 365 * 8) return both(h / 24 / 365, "y", h / 24 % 365, "d");
    return text(h / 24 / 365, "y");
}

std::string age_of(std::string_view timestamp, Time now) {
    const auto time = parse_time(timestamp);
    return time ? human_duration(now - *time) : "<unknown>";
}

}  // namespace kubemu::api

// Conversion of times.
#include "api/cel/times.h"

#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

using namespace std::chrono;

bool number_at(std::string_view text, std::size_t at, std::size_t length, int& value) {
    if (at + length > text.size()) return false;
    value = 0;
    for (std::size_t i = at; i < at + length; ++i) {
        if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return false;
        value = value * 10 + (text[i] - '0');
    }
    return true;
}

bool offset_of(std::string_view zone, std::int64_t& seconds) {
    seconds = 0;
    if (zone.empty() || zone == "Z" || zone == "z" || zone == "UTC") return true;
    const bool sign = zone[0] == '+' || zone[0] == '-';
    const std::string_view rest = sign ? zone.substr(1) : zone;
    int hours = 0, minutes = 0;
    if (rest.size() != 5 || rest[2] != ':' || !number_at(rest, 0, 2, hours) || !number_at(rest, 3, 2, minutes)) return false;
    seconds = (hours * 60 + minutes) * 60 * (zone[0] == '-' ? -1 : 1);
    return true;
}

}  // namespace

Value parse_timestamp(std::string_view text) {
    const auto bad = [&] { return Value::error("parsing time " + go_quote(text) + ": invalid RFC 3339 timestamp"); };
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
    if (text.size() < 20 || !number_at(text, 0, 4, y) || text[4] != '-' || !number_at(text, 5, 2, mo) || text[7] != '-' ||
        !number_at(text, 8, 2, d) || (text[10] != 'T' && text[10] != 't') || !number_at(text, 11, 2, h) || text[13] != ':' ||
        !number_at(text, 14, 2, mi) || text[16] != ':' || !number_at(text, 17, 2, s)) {
        return bad();
    }
    std::size_t at = 19;
    std::int64_t nanoseconds = 0;
    if (text[at] == '.') {
        std::int64_t unit = 100'000'000;
        for (++at; at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0; ++at, unit /= 10) nanoseconds += (text[at] - '0') * unit;
    }
    std::int64_t offset = 0;
    const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
    if (at >= text.size() || !offset_of(text.substr(at), offset) || !date.ok() || h > 23 || mi > 59 || s > 59) return bad();
    const auto days = sys_days(date).time_since_epoch().count();
    return Value::timestamp(static_cast<std::int64_t>(days) * 86400 + h * 3600 + mi * 60 + s - offset, nanoseconds);
}

Value parse_duration(std::string_view text) {
    const auto bad = [&] { return Value::error("time: invalid duration " + go_quote(text)); };
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest[0] == '-';
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
    if (rest == "0") return Value::duration(0);
    if (rest.empty()) return bad();
    long double total = 0;
    while (!rest.empty()) {
        std::size_t length = 0;
        while (length < rest.size() && (std::isdigit(static_cast<unsigned char>(rest[length])) != 0 || rest[length] == '.')) ++length;
        if (length == 0 || rest.substr(0, length) == ".") return bad();
        const long double number = std::strtold(std::string(rest.substr(0, length)).c_str(), nullptr);
        rest.remove_prefix(length);
        static constexpr std::pair<std::string_view, long double> units[] = {
            {"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"μs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
        bool known = false;
        for (const auto& [name, scale] : units) {
            const std::string_view after = rest.substr(std::min(name.size(), rest.size()));
            const bool ends = after.empty() || std::isdigit(static_cast<unsigned char>(after[0])) != 0 || after[0] == '.';
            if (rest.substr(0, name.size()) != name || !ends) continue;
            total += number * scale;
            rest = after;
            known = true;
            break;
        }
        if (!known) return bad();
    }
    if (total > 9223372036854775807.0L) return bad();
    const auto nanoseconds = static_cast<std::int64_t>(std::floor(total + 0.5L));
    return Value::duration(negative ? -nanoseconds : nanoseconds);
}

bool calendar_of(const Value& timestamp, std::string_view zone, Calendar& calendar) {
    std::int64_t offset = 0;
    if (!offset_of(zone, offset)) return false;
    const std::int64_t local = timestamp.integer + offset;
    const std::int64_t day_number = local >= 0 ? local / 86400 : -((-local + 86399) / 86400);
    const std::int64_t rest = local - day_number * 86400;
    const sys_days date{days{static_cast<int>(day_number)}};
    const year_month_day parts{date};
    calendar.year = static_cast<int>(parts.year());
    calendar.month = static_cast<int>(static_cast<unsigned>(parts.month())) - 1;
    calendar.day = static_cast<int>(static_cast<unsigned>(parts.day())) - 1;
    calendar.weekday = static_cast<int>(weekday{date}.c_encoding());
    calendar.year_day = static_cast<int>((date - sys_days{parts.year() / January / 1}).count());
    calendar.hours = static_cast<int>(rest / 3600);
    calendar.minutes = static_cast<int>(rest / 60 % 60);
    calendar.seconds = static_cast<int>(rest % 60);
    calendar.milliseconds = static_cast<int>(timestamp.nanoseconds / 1'000'000);
    return true;
}

std::string timestamp_text(const Value& timestamp) {
    Calendar c;
    calendar_of(timestamp, "", c);
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month + 1, c.day + 1, c.hours, c.minutes, c.seconds);
    std::string text = buffer;
    if (timestamp.nanoseconds != 0) {
        std::snprintf(buffer, sizeof buffer, ".%09lld", static_cast<long long>(timestamp.nanoseconds));
        text += buffer;
        while (text.back() == '0') text.pop_back();
    }
    return text + "Z";
}

std::string duration_text(const Value& duration) {
    // protobuf's form, which CEL's string() gives: seconds with the decimals that are needed.
    const std::int64_t whole = duration.integer / 1'000'000'000, rest = std::abs(duration.integer % 1'000'000'000);
    std::string text = (duration.integer < 0 && whole == 0 ? "-" : "") + std::to_string(whole);
    if (rest != 0) {
        char buffer[32];
        std::snprintf(buffer, sizeof buffer, ".%09lld", static_cast<long long>(rest));
        text += buffer;
        while (text.back() == '0') text.pop_back();
    }
    return text + "s";
}

}  // namespace kubemu::api::cel

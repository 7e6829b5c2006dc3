// Parsing and evaluation of cron expressions.
#include "api/kinds/batch/cron_syntax.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

std::int64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    if (size == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
    return static_cast<std::int64_t>(value);
}

struct Bounds {
    int least, most;
    const char* names;  // three letters each, from `least`
};
constexpr Bounds minute_bounds{0, 59, ""}, hour_bounds{0, 23, ""}, day_bounds{1, 31, ""},
    month_bounds{1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"}, weekday_bounds{0, 6, "sunmontuewedthufrisat"};

using Bits = Result<std::uint64_t, std::string>;

Result<int, std::string> number(std::string_view text, const Bounds& bounds) {
    const std::string low = lower(text);
    const std::string_view names = bounds.names;
    if (low.size() == 3) {
        for (std::size_t i = 0; i + 3 <= names.size(); i += 3) {
            if (names.substr(i, 3) == low) return bounds.least + static_cast<int>(i / 3);
        }
    }
    if (low.empty() || low.size() > 9 || low.find_first_not_of("0123456789") != std::string::npos) {
        return "failed to parse int from " + std::string(text) + ": strconv.Atoi: parsing " + go_quote(text) + ": invalid syntax";
    }
    return std::atoi(low.c_str());
}

Bits range(std::string_view expression, const Bounds& bounds) {
    const auto step_parts = split(expression, '/');
    const auto ends = split(step_parts[0], '-');
    int start = bounds.least, end = bounds.most, step = 1;
    const bool single = ends.size() == 1;
    if (ends[0] != "*" && ends[0] != "?") {
        TRY_ASSIGN(start, number(ends[0], bounds));
        end = start;
        if (ends.size() == 2) {
            TRY_ASSIGN(end, number(ends[1], bounds));
        } else if (ends.size() > 2) {
            return "too many hyphens: " + std::string(expression);
        }
    }
    if (step_parts.size() == 2) {
        TRY_ASSIGN(step, number(step_parts[1], bounds));
        if (single && ends[0] != "*" && ends[0] != "?") end = bounds.most;  // N/step runs to the end
    } else if (step_parts.size() > 2) {
        return "too many slashes: " + std::string(expression);
    }
    const std::string shown(expression);
    if (start < bounds.least) {
        return "beginning of range (" + std::to_string(start) + ") below minimum (" + std::to_string(bounds.least) + "): " + shown;
    }
    if (end > bounds.most) return "end of range (" + std::to_string(end) + ") above maximum (" + std::to_string(bounds.most) + "): " + shown;
    if (start > end) {
        return "beginning of range (" + std::to_string(start) + ") beyond end of range (" + std::to_string(end) + "): " + shown;
    }
    if (step == 0) return "step of range should be a positive number: " + shown;
    std::uint64_t bits = 0;
    for (int i = start; i <= end; i += step) bits |= 1ULL << i;
    return bits;
}

Bits field(std::string_view text, const Bounds& bounds) {
    std::uint64_t bits = 0;
    for (const std::string_view part : split(text, ',')) {
        TRY_ASSIGN(const std::uint64_t more, range(part, bounds));
        bits |= more;
    }
    return bits;
}

bool starred(std::string_view text) { return text[0] == '*' || text[0] == '?'; }

// Go's durations: "1h30m", "90s".
std::optional<std::int64_t> duration_seconds(std::string_view text) {
    std::int64_t total = 0;
    bool any = false;
    while (!text.empty()) {
        std::size_t digits = 0;
        while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
        if (digits == 0 || digits == text.size() || digits > 9) return std::nullopt;
        const std::int64_t value = std::atoll(std::string(text.substr(0, digits)).c_str());
        const char unit = text[digits];
        if (unit != 'h' && unit != 'm' && unit != 's') return std::nullopt;
        total += value * (unit == 'h' ? 3600 : unit == 'm' ? 60 : 1);
        text.remove_prefix(digits + 1);
        any = true;
    }
    if (!any) return std::nullopt;
    return total;
}

}  // namespace

std::optional<TimeZone> TimeZone::load(std::string_view name) {
    TimeZone zone;
    if (name.empty() || name == "UTC" || name == "Etc/UTC") return zone;
    if (name.find("..") != std::string_view::npos || name[0] == '/' ||
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-_/") != std::string_view::npos) {
        return std::nullopt;
    }
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    const std::string data = text.str();
    if (data.size() < 44 || data.substr(0, 4) != "TZif") return std::nullopt;
    const auto count = [&data](std::size_t header, int index) {
        return static_cast<std::size_t>(big_endian(data, header + 20 + static_cast<std::size_t>(index) * 4, 4));
    };
    // Version 2 repeats everything with 64-bit times behind the 32-bit part.
    const std::size_t skip = 44 + count(0, 3) * 5 + count(0, 4) * 6 + count(0, 5) + count(0, 2) * 8 + count(0, 1) + count(0, 0);
    if (data[4] < '2' || data.size() < skip + 44) return std::nullopt;
    zone.transitions_ = count(skip, 3);
    zone.data_ = data.substr(skip + 44);
    zone.indexes_at_ = zone.transitions_ * 8;
    zone.types_at_ = zone.indexes_at_ + zone.transitions_;
    if (zone.data_.size() < zone.types_at_ + count(skip, 4) * 6 || count(skip, 4) == 0) return std::nullopt;
    return zone;
}

std::int64_t TimeZone::offset_at(std::int64_t unix_seconds) const {
    if (data_.empty()) return 0;
    std::size_t low = 0, high = transitions_;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (big_endian(data_, middle * 8, 8) <= unix_seconds) low = middle + 1;
        else high = middle;
    }
    if (low == transitions_ && transitions_ > 0) {
        // Past the table the rule of the last years goes on; the same moment of an earlier year has its offset.
        const std::int64_t last = big_endian(data_, (transitions_ - 1) * 8, 8);
        if (unix_seconds - last > 366LL * 86400) {
            const std::int64_t years = (unix_seconds - last) / (28LL * 365 * 86400 + 7 * 86400) + 1;
            const std::int64_t earlier = unix_seconds - years * (28LL * 365 * 86400 + 7 * 86400);
            if (earlier < last) return offset_at(earlier);
        }
    }
    const std::size_t type = low == 0 ? 0 : static_cast<unsigned char>(data_[indexes_at_ + low - 1]);
    return big_endian(data_, types_at_ + type * 6, 4);
}

Result<CronSchedule, std::string> CronSchedule::parse(std::string_view text) {
    CronSchedule schedule;
    if (text.empty()) return std::string("empty spec string");
    if (text.starts_with("TZ=") || text.starts_with("CRON_TZ=")) {
        const std::size_t begin = text.find('=') + 1, end = text.find(' ');
        const std::string name(text.substr(begin, end == std::string_view::npos ? end : end - begin));
        const auto zone = TimeZone::load(name);
        if (end == std::string_view::npos || !zone) {
            return "provided bad location " + name + ": unknown time zone " + name;
        }
        TRY_ASSIGN(schedule, parse(trim(text.substr(end))));
        schedule.zone_ = zone;
        return schedule;
    }
    if (text[0] == '@') {
        if (text.substr(0, 7) == "@every ") {
            const auto seconds = duration_seconds(text.substr(7));
            if (!seconds) return "failed to parse duration " + std::string(text) + ": time: invalid duration " + go_quote(text.substr(7));
            schedule.every_seconds_ = *seconds < 1 ? 1 : *seconds;
            return schedule;
        }
        if (text == "@yearly" || text == "@annually") return parse("0 0 1 1 *");
        if (text == "@monthly") return parse("0 0 1 * *");
        if (text == "@weekly") return parse("0 0 * * 0");
        if (text == "@daily" || text == "@midnight") return parse("0 0 * * *");
        if (text == "@hourly") return parse("0 * * * *");
        return "unrecognized descriptor: " + std::string(text);
    }
    std::vector<std::string_view> fields;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = text.find_first_not_of(" \t", at);
        if (begin == std::string_view::npos) break;
        const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
        fields.push_back(text.substr(begin, end - begin));
        at = end;
    }
    if (fields.size() != 5) {
        return "expected exactly 5 fields, found " + std::to_string(fields.size()) + ": [" +
               join(std::vector<std::string>(fields.begin(), fields.end()), " ") + "]";
    }
    TRY_ASSIGN(schedule.minutes_, field(fields[0], minute_bounds));
    TRY_ASSIGN(schedule.hours_, field(fields[1], hour_bounds));
    TRY_ASSIGN(schedule.days_, field(fields[2], day_bounds));
    TRY_ASSIGN(schedule.months_, field(fields[3], month_bounds));
    TRY_ASSIGN(schedule.weekdays_, field(fields[4], weekday_bounds));
    schedule.any_day_ = starred(fields[2]);
    schedule.any_weekday_ = starred(fields[4]);
    return schedule;
}

std::optional<Time> CronSchedule::next(Time after, const TimeZone& given) const {
    using namespace std::chrono;
    const TimeZone& zone = zone_ ? *zone_ : given;
    const std::int64_t now = floor<seconds>(after).time_since_epoch().count();
    if (every_seconds_ > 0) return Time(seconds(now + every_seconds_));
    // Walks local minutes; days that cannot match are stepped over whole.
    std::int64_t at = now - ((now % 60) + 60) % 60 + 60;
    const std::int64_t limit = now + 5LL * 366 * 86400;
    while (at < limit) {
        const std::int64_t local = at + zone.offset_at(at);
        const auto day = floor<days>(sys_seconds(seconds(local)));
        const year_month_day date(day);
        const std::int64_t in_day = local - day.time_since_epoch().count() * 86400LL;
        const bool day_fits = (days_ >> static_cast<unsigned>(date.day()) & 1) != 0;
        const bool weekday_fits = (weekdays_ >> weekday(day).c_encoding() & 1) != 0;
        // With both given either may fit, as in every cron.
        const bool fits = any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
        if ((months_ >> static_cast<unsigned>(date.month()) & 1) == 0 || !fits) {
            const std::int64_t wanted = at + (86400 - in_day);
            // A change of the offset on the way may leave the next day early or late by an hour.
            at = wanted + zone.offset_at(at) - zone.offset_at(wanted);
            if (at <= now) at = wanted;
            continue;
        }
        if ((hours_ >> (in_day / 3600) & 1) == 0) {
            at += 3600 - in_day % 3600;
            continue;
        }
        if ((minutes_ >> (in_day % 3600 / 60) & 1) == 0) {
            at += 60 - in_day % 60;
            continue;
        }
        return Time(seconds(at));
    }
    return std::nullopt;
}

}  // namespace kubemu::api

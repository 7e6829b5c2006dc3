// Go's parsers of scalar texts, with the words and the byte counts of their errors.
#include "api/codec/scalars.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "api/values/quantity.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::scalars {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// time.Parse for the two layouts, to find out what is wrong with a text.
class TimeChecker {
  public:
    TimeChecker(std::string_view text, bool micro) : text_(text), rest_(text), micro_(micro) {}

    // Empty when the text fits the layout.
    std::string error() {
        int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
        if (!number("2006", 4, year) || !literal("-") || !number("01", 2, month)) return error_;
        if (month < 1 || month > 12) return out_of_range("month");
        if (!literal("-") || !number("02", 2, day) || !literal("T") || !number("15", 2, hour)) return error_;
        if (hour > 23) return out_of_range("hour");
        if (!literal(":") || !number("04", 2, minute)) return error_;
        if (minute > 59) return out_of_range("minute");
        if (!literal(":") || !number("05", 2, second)) return error_;
        if (second > 59) return out_of_range("second");
        if (!fraction() || !zone()) return error_;
        if (!rest_.empty()) return begin() + ": extra text: " + go_quote(rest_);
        static constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        if (day < 1 || day > days[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0))
            return out_of_range("day");
        return {};
    }

  private:
    std::string begin() const { return "parsing time " + go_quote(text_); }
    std::string out_of_range(std::string_view what) const {
        return begin() + ": " + std::string(what) + " out of range";
    }
    bool bad(std::string_view element) {
        error_ = begin() + " as \"2006-01-02T15:04:05" + (micro_ ? ".000000" : "") +
                 "Z07:00\": cannot parse " + go_quote(rest_) + " as \"" + std::string(element) + "\"";
        return false;
    }
    bool number(std::string_view element, std::size_t digits, int& value) {
        if (rest_.size() < digits) return bad(element);
        for (std::size_t i = 0; i < digits; ++i) {
            if (!is_digit(rest_[i])) return bad(element);
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return true;
    }
    bool literal(std::string_view text) {
        if (rest_.substr(0, text.size()) != text) return bad(text);
        rest_.remove_prefix(text.size());
        return true;
    }
    bool fraction() {
        if (micro_) {
            bool fits = rest_.size() >= 7 && rest_[0] == '.';
            for (std::size_t i = 1; fits && i < 7; ++i) fits = is_digit(rest_[i]);
            if (!fits) return bad(".000000");
            rest_.remove_prefix(7);
            return true;
        }
        // A fraction of a second is accepted even though the layout has none.
        if (rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && is_digit(rest_[1])) {
            std::size_t length = 2;
            while (length < rest_.size() && is_digit(rest_[length])) ++length;
            rest_.remove_prefix(length);
        }
        return true;
    }
    bool zone() {
        if (!rest_.empty() && rest_[0] == 'Z') {
            rest_.remove_prefix(1);
            return true;
        }
        const bool fits = rest_.size() >= 6 && (rest_[0] == '+' || rest_[0] == '-') && is_digit(rest_[1]) &&
                          is_digit(rest_[2]) && rest_[3] == ':' && is_digit(rest_[4]) && is_digit(rest_[5]);
        if (!fits) return bad("Z07:00");
        rest_.remove_prefix(6);
        return true;
    }

    std::string_view text_, rest_;
    bool micro_;
    std::string error_;
};

Canonical fail(std::string text) {
    return Failure{std::move(text)};
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (is_digit(c)) return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

Canonical corrupt(std::size_t at) {
    return fail("illegal base64 data at input byte " + std::to_string(at));
}

bool quantity_shape(std::string_view text) {
    std::size_t i = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
    const std::size_t number = i;
    while (i < text.size() && (is_digit(text[i]) || text[i] == '.')) ++i;
    if (i == number) return false;
    while (i < text.size() && std::string_view("eEinumkKMGTP").find(text[i]) != std::string_view::npos) ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i == text.size();
}

}  // namespace

Canonical time(std::string_view text) {
    if (std::string error = TimeChecker(text, false).error(); !error.empty()) return fail(std::move(error));
    const auto parsed = parse_time(text);
    return parsed ? Canonical(format_time(*parsed)) : Canonical(std::string(text));
}

Canonical micro_time(std::string_view text) {
    if (std::string error = TimeChecker(text, true).error(); !error.empty()) return fail(std::move(error));
    const auto parsed = parse_time(text);
    return parsed ? Canonical(format_micro_time(*parsed)) : Canonical(std::string(text));
}

Canonical quantity(std::string_view text) {
    if (auto canonical = canonical_quantity(text)) return std::move(*canonical);
    if (!quantity_shape(text)) {
        return fail(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    }
    const std::size_t dot = text.find('.');
    const bool two_dots = dot != std::string_view::npos && text.find('.', dot + 1) != std::string_view::npos;
    return fail(two_dots ? "unable to parse numeric part of quantity" : "unable to parse quantity's suffix");
}

Canonical base64(std::string_view text) {
    std::string bytes;
    std::size_t at = 0;
    const auto skip_newlines = [&] {
        while (at < text.size() && (text[at] == '\n' || text[at] == '\r')) ++at;
    };
    for (bool ended = false; !ended;) {
        std::uint32_t bits = 0;
        int count = 0;
        while (count < 4) {
            skip_newlines();
            if (at >= text.size()) {
                if (count == 0) return base64_encode(bytes);
                return corrupt(at - static_cast<std::size_t>(count));
            }
            const char c = text[at++];
            if (const int value = base64_value(c); value >= 0) {
                bits = bits << 6 | static_cast<std::uint32_t>(value);
                ++count;
                continue;
            }
            if (c != '=' || count < 2) return corrupt(at - 1);
            skip_newlines();
            if (count == 2) {
                if (at >= text.size()) return corrupt(text.size());
                if (text[at] != '=') return corrupt(at - 1);
                ++at;
                skip_newlines();
            }
            if (at < text.size()) return corrupt(at);
            ended = true;
            break;
        }
        bits <<= 6 * (4 - count);
        for (int i = 0; i + 1 < count; ++i) bytes += static_cast<char>(bits >> (16 - 8 * i) & 0xFF);
    }
    return base64_encode(bytes);
}

namespace {

constexpr std::uint64_t magnitude_max = std::uint64_t{1} << 63;

// The digits that a text begins with, as a number; nothing when they are too many. Go's leadingInt.
std::optional<std::uint64_t> leading_number(std::string_view& text) {
    std::uint64_t value = 0;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
        if (value > magnitude_max / 10) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(text[0] - '0');
        if (value > magnitude_max) return std::nullopt;
    }
    return value;
}

// Digits behind a point: value / scale. What a number cannot hold is passed over. Go's leadingFraction.
std::pair<std::uint64_t, double> leading_fraction(std::string_view& text) {
    std::uint64_t value = 0;
    double scale = 1;
    bool full = false;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
        if (full) continue;
        const std::uint64_t more = value * 10 + static_cast<std::uint64_t>(text[0] - '0');
        full = value > (magnitude_max - 1) / 10 || more > magnitude_max;
        if (full) continue;
        value = more;
        scale *= 10;
    }
    return {value, scale};
}

std::uint64_t unit_nanoseconds(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> units = {
        {{"ns", 1}, {"us", 1000}, {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000}, {"ms", 1'000'000}, {"s", 1'000'000'000},
         {"m", 60'000'000'000}, {"h", 3'600'000'000'000}}};
    for (const auto& [known, nanoseconds] : units) {
        if (known == name) return nanoseconds;
    }
    return 0;
}

}  // namespace

Result<std::int64_t, Failure> parse_duration(std::string_view text) {
    const Failure invalid{"time: invalid duration " + go_quote(text)};
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest[0] == '-';
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
    if (rest == "0") return std::int64_t{0};
    if (rest.empty()) return invalid;
    std::uint64_t total = 0;
    while (!rest.empty()) {
        const std::size_t before = rest.size();
        const auto whole = leading_number(rest);
        if (!whole) return invalid;
        bool digits = rest.size() != before;
        std::pair<std::uint64_t, double> fraction{0, 1};
        if (!rest.empty() && rest[0] == '.') {
            rest.remove_prefix(1);
            const std::size_t point = rest.size();
            fraction = leading_fraction(rest);
            digits = digits || rest.size() != point;
        }
        if (!digits) return invalid;
        std::size_t length = 0;
        while (length < rest.size() && rest[length] != '.' && !is_digit(rest[length])) ++length;
        if (length == 0) return Failure{"time: missing unit in duration " + go_quote(text)};
        const std::string_view name = rest.substr(0, length);
        rest.remove_prefix(length);
        const std::uint64_t unit = unit_nanoseconds(name);
        if (unit == 0) return Failure{"time: unknown unit " + go_quote(name) + " in duration " + go_quote(text)};
        if (*whole > magnitude_max / unit) return invalid;
        const std::uint64_t part =
            *whole * unit + static_cast<std::uint64_t>(static_cast<double>(fraction.first) *
                                                       (static_cast<double>(unit) / fraction.second));
        if (part > magnitude_max) return invalid;
        total += part;
        if (total > magnitude_max) return invalid;
    }
    if (!negative && total == magnitude_max) return invalid;
    return static_cast<std::int64_t>(negative ? 0 - total : total);
}

std::string format_duration(std::int64_t nanoseconds) {
    if (nanoseconds == 0) return "0s";
    const bool negative = nanoseconds < 0;
    const std::uint64_t total =
        negative ? 0 - static_cast<std::uint64_t>(nanoseconds) : static_cast<std::uint64_t>(nanoseconds);
    const auto decimal = [](std::uint64_t value, std::uint64_t unit, std::string_view name) {
        std::string out = std::to_string(value / unit);
        if (std::string fraction = std::to_string(value % unit + unit).substr(1); value % unit != 0) {
            while (fraction.back() == '0') fraction.pop_back();
            out += "." + fraction;
        }
        return out + std::string(name);
    };
    std::string out = negative ? "-" : "";
    if (total < 1000) return out + decimal(total, 1, "ns");
    if (total < 1'000'000) return out + decimal(total, 1000, "\xC2\xB5s");
    if (total < 1'000'000'000) return out + decimal(total, 1'000'000, "ms");
    const std::uint64_t minutes = total / 60'000'000'000;
    if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
    if (minutes > 0) out += std::to_string(minutes % 60) + "m";
    return out + decimal(total % 60'000'000'000, 1'000'000'000, "s");
}

Canonical duration(std::string_view text) {
    TRY_ASSIGN(const std::int64_t nanoseconds, parse_duration(text));
    return format_duration(nanoseconds);
}

}  // namespace kubemu::api::scalars

// Durations as Go reads them.
#include "api/values/go_duration.h"

#include <cctype>
#include <cstdint>
#include <optional>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::uint64_t most = std::uint64_t{1} << 63;

std::optional<std::uint64_t> nanoseconds_of(std::string_view unit) {
    if (unit == "ns") return 1;
    if (unit == "us" || unit == "\xc2\xb5s" || unit == "\xce\xbcs") return 1'000;
    if (unit == "ms") return 1'000'000;
    if (unit == "s") return 1'000'000'000;
    if (unit == "m") return 60'000'000'000;
    if (unit == "h") return 3'600'000'000'000;
    return std::nullopt;
}

bool digit_ahead(std::string_view text) { return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])); }

// Takes the digits before the point; nothing for too many.
std::optional<std::uint64_t> take_whole(std::string_view& text) {
    std::uint64_t value = 0;
    for (; digit_ahead(text); text.remove_prefix(1)) {
        if (value > most / 10) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(text[0] - '0');
        if (value > most) return std::nullopt;
    }
    return value;
}

// Takes the digits behind the point: what they count, in parts of `scale`. More than fit are left out.
std::uint64_t take_fraction(std::string_view& text, double& scale) {
    std::uint64_t value = 0;
    bool full = false;
    for (; digit_ahead(text); text.remove_prefix(1)) {
        if (full || value > (most - 1) / 10) {
            full = true;
            continue;
        }
        const std::uint64_t next = value * 10 + static_cast<std::uint64_t>(text[0] - '0');
        if (next > most) {
            full = true;
            continue;
        }
        value = next;
        scale *= 10;
    }
    return value;
}

}  // namespace

Result<std::chrono::nanoseconds, GoDurationError> parse_go_duration(std::string_view text) {
    const GoDurationError invalid{"time: invalid duration " + go_quote(text)};
    std::string_view rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest == "0") return std::chrono::nanoseconds(0);
    if (rest.empty()) return invalid;
    std::uint64_t sum = 0;
    while (!rest.empty()) {
        if (rest[0] != '.' && !digit_ahead(rest)) return invalid;
        const std::size_t before = rest.size();
        const auto whole = take_whole(rest);
        if (!whole) return invalid;
        bool digits = rest.size() != before;
        std::uint64_t fraction = 0;
        double scale = 1;
        if (rest.starts_with('.')) {
            rest.remove_prefix(1);
            const std::size_t behind = rest.size();
            fraction = take_fraction(rest, scale);
            digits = digits || rest.size() != behind;
        }
        if (!digits) return invalid;
        const std::string_view unit = rest.substr(0, rest.find_first_of(".0123456789"));
        if (unit.empty()) return GoDurationError{"time: missing unit in duration " + go_quote(text)};
        rest.remove_prefix(unit.size());
        const auto size = nanoseconds_of(unit);
        if (!size) return GoDurationError{"time: unknown unit " + go_quote(unit) + " in duration " + go_quote(text)};
        if (*whole > most / *size) return invalid;
        std::uint64_t part = *whole * *size;
        if (fraction > 0) {
            part += static_cast<std::uint64_t>(static_cast<double>(fraction) * (static_cast<double>(*size) / scale));
            if (part > most) return invalid;
        }
        sum += part;
        if (sum > most) return invalid;
    }
    if (negative) return std::chrono::nanoseconds(-static_cast<std::int64_t>(sum - 1) - 1);
    if (sum > most - 1) return invalid;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(sum));
}

}  // namespace kubemu::api

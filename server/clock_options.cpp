// See clock_options.h.
#include "server/clock_options.h"

#include <charconv>

#include "api/values/time.h"

namespace kubemu::server {
namespace {

// A day in a second is what the control loop can still follow.
constexpr double factor_max = 86400;

}  // namespace

std::optional<ClockOptions> ClockOptions::parse(std::string_view text) {
    constexpr std::string_view scaled = "scaled=", standing = "virtual=";
    ClockOptions options;
    if (text == "real") return options;
    if (text == "virtual") {
        options.factor = 0;
        return options;
    }
    if (text.substr(0, standing.size()) == standing) {
        options.factor = 0;
        options.start = api::parse_time(text.substr(standing.size()));
        return options.start ? std::optional(options) : std::nullopt;
    }
    if (text.substr(0, scaled.size()) != scaled) return std::nullopt;
    text.remove_prefix(scaled.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.factor, std::chars_format::fixed);
    const bool number = error == std::errc() && end == text.data() + text.size();
    return number && options.factor > 0 && options.factor <= factor_max ? std::optional(options) : std::nullopt;
}

}  // namespace kubemu::server

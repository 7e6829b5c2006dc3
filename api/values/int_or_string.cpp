// Percentages of a total.
#include "api/values/int_or_string.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace kubemu::api {

std::optional<int> scaled_value(const Json& value, int total, bool round_up) {
    if (value.is_number()) return value.get<int>();
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() < 2 || text.size() > 8 || text.back() != '%') return std::nullopt;
    int percent = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        percent = percent * 10 + (text[i] - '0');
    }
    const double share = static_cast<double>(percent) * total / 100.0;
    return static_cast<int>(round_up ? std::ceil(share) : std::floor(share));
}

}  // namespace kubemu::api

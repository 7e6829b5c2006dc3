// Parsing and formatting of quantities.
#include "api/values/quantity.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>

namespace kubemu::api {
namespace {

__extension__ using Wide = __int128;
constexpr Wide nano_one = 1'000'000'000;
// 10^27 in nano: far beyond the 2^63-1 that the real one caps at.
constexpr Wide nano_max = Wide{INT64_MAX} * nano_one;

struct Suffix {
    std::string_view text;
    int base;
    int exponent;
};
constexpr std::array<Suffix, 16> suffixes = {{{"", 10, 0},
                                              {"n", 10, -9},
                                              {"u", 10, -6},
                                              {"m", 10, -3},
                                              {"k", 10, 3},
                                              {"M", 10, 6},
                                              {"G", 10, 9},
                                              {"T", 10, 12},
                                              {"P", 10, 15},
                                              {"E", 10, 18},
                                              {"Ki", 2, 10},
                                              {"Mi", 2, 20},
                                              {"Gi", 2, 30},
                                              {"Ti", 2, 40},
                                              {"Pi", 2, 50},
                                              {"Ei", 2, 60}}};

bool digit(char c) { return c >= '0' && c <= '9'; }

std::string wide_text(Wide value) {
    if (value == 0) return "0";
    const bool negative = value < 0;
    if (negative) value = -value;
    std::string text;
    while (value > 0) {
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    }
    return negative ? "-" + text : text;
}

std::int64_t clamp(Wide value) {
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : static_cast<std::int64_t>(value);
}

Wide divide_up(Wide value, Wide by) {
    const Wide whole = value / by;
    return value % by > 0 ? whole + 1 : value % by < 0 ? whole - 1 : whole;
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
    std::string_view rest = text;
    bool negative = false;
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
        negative = rest[0] == '-';
        rest.remove_prefix(1);
    }
    std::size_t whole = 0;
    while (whole < rest.size() && digit(rest[whole])) ++whole;
    std::string digits(rest.substr(0, whole));
    rest.remove_prefix(whole);
    int scale = 0;
    if (!rest.empty() && rest[0] == '.') {
        std::size_t fraction = 1;
        while (fraction < rest.size() && digit(rest[fraction])) ++fraction;
        digits += rest.substr(1, fraction - 1);
        scale = -static_cast<int>(fraction - 1);
        rest.remove_prefix(fraction);
    }
    if (digits.empty() || digits.size() > 60) return std::nullopt;

    Quantity quantity;
    int base = 10, exponent = 0;
    if (rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E') && (digit(rest.back()))) {
        std::string_view power = rest.substr(1);
        bool minus = false;
        if (power[0] == '+' || power[0] == '-') {
            minus = power[0] == '-';
            power.remove_prefix(1);
        }
        if (power.empty() || power.size() > 3) return std::nullopt;
        for (const char c : power) {
            if (!digit(c)) return std::nullopt;
            exponent = exponent * 10 + (c - '0');
        }
        if (minus) exponent = -exponent;
        quantity.format_ = Format::decimal_exponent;
    } else {
        bool known = false;
        for (const Suffix& suffix : suffixes) {
            if (suffix.text == rest) {
                base = suffix.base;
                exponent = suffix.exponent;
                known = true;
            }
        }
        if (!known) return std::nullopt;
        if (base == 2) quantity.format_ = Format::binary_si;
    }
    // value in nano = digits * 10^(scale + 9 [+ exponent]) [* 2^exponent]
    Wide value = 0;
    int power = scale + 9 + (base == 10 ? exponent : 0);
    bool lost = false, capped = false;
    for (const char c : digits) {
        if (value > nano_max) {
            capped = true;
            ++power;
            continue;
        }
        value = value * 10 + (c - '0');
    }
    for (; power > 0 && value <= nano_max; --power) value *= 10;
    if (power > 0 && value != 0) capped = true;
    for (; power < 0; ++power) {
        if (value % 10 != 0) lost = true;
        value /= 10;
    }
    if (lost) ++value;  // rounded up, away from nothing
    if (base == 2) {
        for (int i = 0; i < exponent && value <= nano_max; ++i) value *= 2;
    }
    if (capped || value > nano_max) value = nano_max;
    quantity.nano_ = negative ? -value : value;
    return quantity;
}

Quantity Quantity::from_value(std::int64_t value, Format format) {
    Quantity quantity;
    quantity.nano_ = Wide{value} * nano_one;
    quantity.format_ = format;
    return quantity;
}

Quantity Quantity::from_milli(std::int64_t milli, Format format) {
    Quantity quantity;
    quantity.nano_ = Wide{milli} * (nano_one / 1000);
    quantity.format_ = format;
    return quantity;
}

std::int64_t Quantity::value() const { return clamp(divide_up(nano_, nano_one)); }
std::int64_t Quantity::milli_value() const { return clamp(divide_up(nano_, nano_one / 1000)); }

std::string Quantity::text() const {
    if (nano_ == 0) return "0";
    if (format_ == Format::binary_si && (nano_ >= 1024 * nano_one || nano_ <= -1024 * nano_one) && nano_ % nano_one == 0) {
        Wide value = nano_ / nano_one;
        int steps = 0;
        while (steps < 6 && value % 1024 == 0) {
            value /= 1024;
            ++steps;
        }
        static constexpr std::string_view binary[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
        return wide_text(value) + std::string(binary[steps]);
    }
    Wide value = nano_;
    int exponent = -9;
    while (exponent < 18 && value % 1000 == 0) {
        value /= 1000;
        exponent += 3;
    }
    if (format_ == Format::decimal_exponent) {
        return exponent == 0 ? wide_text(value) : wide_text(value) + "e" + std::to_string(exponent);
    }
    static constexpr std::string_view decimal[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
    return wide_text(value) + std::string(decimal[(exponent + 9) / 3]);
}

Quantity& Quantity::operator+=(const Quantity& other) {
    if (nano_ == 0) format_ = other.format_;
    nano_ += other.nano_;
    return *this;
}

Quantity& Quantity::operator-=(const Quantity& other) {
    if (nano_ == 0) format_ = other.format_;
    nano_ -= other.nano_;
    return *this;
}

bool is_kept_as_written(std::string_view text) {
    if (text == "0") return true;
    std::string_view rest = text;
    if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) rest.remove_prefix(1);
    while (!rest.empty() && rest[0] == '0') rest.remove_prefix(1);
    std::string digits;
    int scale = 0;
    bool fraction = false;
    std::size_t at = 0;
    for (; at < rest.size() && (digit(rest[at]) || rest[at] == '.'); ++at) {
        if (rest[at] == '.') {
            fraction = true;
            continue;
        }
        digits += rest[at];
        if (fraction) --scale;
    }
    rest.remove_prefix(at);
    if (digits.empty()) return false;
    if (rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E') && digit(rest.back())) {
        scale += std::atoi(std::string(rest.substr(1)).c_str());
    } else {
        const auto suffix = std::find_if(suffixes.begin(), suffixes.end(), [&](const Suffix& s) { return s.text == rest; });
        if (suffix == suffixes.end()) return false;
        if (suffix->base == 2) {
            const auto precision = 15 - static_cast<int>(digits.size()) - suffix->exponent * 3 / 10 - 1;
            return !fraction && precision >= 0 && (std::atoll(digits.c_str()) & 7) != 0;
        }
        scale += suffix->exponent;
    }
    return digits.size() <= 18 && scale >= -9 && scale % 3 == 0 && !digits.ends_with("000") && digits[0] != '0';
}

std::optional<std::string> canonical_quantity(std::string_view text) {
    const auto quantity = Quantity::parse(text);
    if (!quantity) return std::nullopt;
    return is_kept_as_written(text) ? std::string(text) : quantity->text();
}

}  // namespace kubemu::api

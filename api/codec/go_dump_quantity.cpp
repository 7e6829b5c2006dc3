// resource.Quantity as ParseQuantity leaves it: a scaled int64 where the text is short enough, else a big decimal in
// billionths; the text itself where it is canonical at a glance.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "api/codec/go_dump.h"

namespace kubemu::api {
namespace {

constexpr std::int32_t precision_max = 18;  // digits that an int64 surely holds
constexpr std::int32_t nano_scale = 9;

struct Parts {
    bool positive = true;
    std::string whole, decimals;  // digits before and after the point, without leading zeros
    std::string suffix;
};

struct Unit {
    std::string_view format;  // DecimalSI, BinarySI, DecimalExponent
    std::int32_t exponent = 0;
};

Parts split(std::string_view text) {
    Parts parts;
    if (text.starts_with('-') || text.starts_with('+')) {
        parts.positive = text.front() == '+';
        text.remove_prefix(1);
    }
    while (text.starts_with('0')) text.remove_prefix(1);
    const auto digits = [&text] {
        const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
        std::string found(text.substr(0, end));
        text.remove_prefix(end);
        return found;
    };
    parts.whole = digits();
    if (parts.whole.empty()) parts.whole = "0";
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        parts.decimals = digits();
    }
    parts.suffix = text;
    return parts;
}

Unit unit_of(const std::string& suffix) {
    static constexpr std::string_view decimal = "num kMGTPE", binary = "KMGTPE";
    if (suffix.empty()) return {"DecimalSI", 0};
    if (suffix.size() == 1) return {"DecimalSI", (static_cast<std::int32_t>(decimal.find(suffix[0])) - 3) * 3};
    if (suffix[1] == 'i') return {"BinarySI", (static_cast<std::int32_t>(binary.find(suffix[0])) + 1) * 10};
    return {"DecimalExponent", static_cast<std::int32_t>(std::strtol(suffix.c_str() + 1, nullptr, 10))};
}

// A whole number without bound, least significant word first as big.nat.
using Big = std::vector<std::uint64_t>;
__extension__ using Wide = unsigned __int128;

void multiply_add(Big& number, std::uint64_t factor, std::uint64_t term) {
    for (std::uint64_t& word : number) {
        const Wide product = static_cast<Wide>(word) * factor + term;
        word = static_cast<std::uint64_t>(product);
        term = static_cast<std::uint64_t>(product >> 64U);
    }
    if (term != 0) number.push_back(term);
}

// The number in billionths, rounded away from zero.
Big billionths(const Parts& parts, const Unit& unit) {
    Big number;
    std::string digits = parts.whole + parts.decimals;
    std::int32_t scale = static_cast<std::int32_t>(parts.decimals.size());
    if (unit.format != "BinarySI") scale -= unit.exponent;
    if (unit.format == "BinarySI") {
        for (const char digit : digits) multiply_add(number, 10, static_cast<std::uint64_t>(digit - '0'));
        multiply_add(number, std::uint64_t{1} << static_cast<unsigned>(unit.exponent), 0);
        digits.clear();
        // A number of decimals beyond nine needs a division, which decimal digits make easy.
        for (; scale < nano_scale; ++scale) multiply_add(number, 10, 0);
        for (bool inexact = false; scale > nano_scale; --scale) {
            std::uint64_t rest = 0;
            for (auto word = number.rbegin(); word != number.rend(); ++word) {
                const Wide value = (static_cast<Wide>(rest) << 64U) + *word;
                *word = static_cast<std::uint64_t>(value / 10);
                rest = static_cast<std::uint64_t>(value % 10);
            }
            inexact = inexact || rest != 0;
            if (scale == nano_scale + 1 && inexact) multiply_add(number, 1, 1);
        }
    } else {
        bool inexact = false;
        for (; scale < nano_scale; ++scale) digits += '0';
        for (; scale > nano_scale && !digits.empty(); --scale) {
            inexact = inexact || digits.back() != '0';
            digits.pop_back();
        }
        for (const char digit : digits) multiply_add(number, 10, static_cast<std::uint64_t>(digit - '0'));
        if (inexact) number.empty() ? number.push_back(1) : multiply_add(number, 1, 1);
    }
    while (!number.empty() && number.back() == 0) number.pop_back();
    return number;
}

void write(std::string& out, std::int64_t value, std::int32_t scale, const std::string& decimal, std::string_view text,
           std::string_view format) {
    out += "{i:(resource.int64Amount){value:(int64)" + std::to_string(value) + " scale:(resource.Scale)" + std::to_string(scale);
    out += "} d:(resource.infDecAmount){Dec:(*inf.Dec)" + decimal + "} s:(string)";
    out += text;
    out += " Format:(resource.Format)";
    out += format;
    out += '}';
}

// The quick way of ParseQuantity; false when the number takes the slow one.
bool write_int64(std::string& out, std::string_view text, const Parts& parts, const Unit& unit) {
    const bool binary = unit.format == "BinarySI";
    const std::string digits = parts.whole + parts.decimals;
    std::int32_t precision = precision_max - static_cast<std::int32_t>(digits.size());
    std::int64_t mantissa = 1;
    if (binary) {
        if (!parts.decimals.empty()) return false;
        mantissa = std::int64_t{1} << static_cast<unsigned>(unit.exponent);
        const auto factor = static_cast<std::int32_t>(static_cast<float>(unit.exponent) * 3 / 10);
        precision = 15 - static_cast<std::int32_t>(parts.whole.size()) - factor - 1;
    }
    const std::int32_t scale = (binary ? 0 : unit.exponent) - static_cast<std::int32_t>(parts.decimals.size());
    if (precision < 0 || scale < -nano_scale) return false;
    const std::int64_t number = std::strtoll(digits.c_str(), nullptr, 10);
    std::int64_t value = 0;
    if (__builtin_mul_overflow(number, mantissa, &value)) return false;
    const bool canonical = binary ? (unit.exponent % 10 == 0 && (number & 7) != 0)
                                  : (scale % 3 == 0 && !digits.ends_with("000") && digits[0] != '0');
    write(out, parts.positive ? value : -value, scale, "<nil>", canonical ? text : "", unit.format);
    return true;
}

}  // namespace

void go_dump_quantity(std::string& out, std::string_view text) {
    if (text.empty()) return write(out, 0, 0, "<nil>", "", "");
    if (text == "0") return write(out, 0, 0, "<nil>", text, "DecimalSI");
    const Parts parts = split(text);
    Unit unit = unit_of(parts.suffix);
    if (write_int64(out, text, parts, unit)) return;
    Big number = billionths(parts, unit);
    std::int32_t scale = nano_scale;
    if (unit.format == "BinarySI") {
        // 2^63-1 is the most; what is below 1 counts in decimals.
        static const Big most = [] {
            Big limit = {static_cast<std::uint64_t>(INT64_MAX)};
            multiply_add(limit, 1000000000, 0);
            return limit;
        }();
        if (number.size() > most.size() || (number.size() == most.size() && std::lexicographical_compare(
                most.rbegin(), most.rend(), number.rbegin(), number.rend()))) {
            number = {static_cast<std::uint64_t>(INT64_MAX)};
            scale = 0;
        }
        if (number.size() == 1 && scale == nano_scale && number[0] < 1000000000U) unit.format = "DecimalSI";
    }
    std::string decimal = "{unscaled:(big.Int){neg:(bool)";
    decimal += parts.positive ? "false" : "true";
    decimal += " abs:(big.nat)[";
    for (std::size_t i = 0; i < number.size(); ++i) decimal += (i > 0 ? " " : "") + std::to_string(number[i]);
    decimal += "]} scale:(inf.Scale)" + std::to_string(scale) + "}";
    write(out, 0, 0, decimal, "", unit.format);
}

}  // namespace kubemu::api

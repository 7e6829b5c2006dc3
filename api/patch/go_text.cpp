// fmt's %v for what encoding/json decodes into.
#include "api/patch/go_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace kubemu::api {
namespace {

// strconv's 'g' with the shortest digits: an exponent below 1e-4 and from 1e21 on.
std::string float_text(double number) {
    const double magnitude = std::abs(number);
    const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
    std::array<char, 64> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                            exponent ? std::chars_format::scientific : std::chars_format::fixed);
    return std::string(buffer.data(), error == std::errc() ? end : buffer.data());
}

}  // namespace

std::string go_text(const Json& value) {
    switch (value.type()) {
        case Json::value_t::object: {
            std::string out = "map[";
            for (const auto& [name, item] : value.items()) out += (out.size() > 4 ? " " : "") + name + ":" + go_text(item);
            return out + "]";
        }
        case Json::value_t::array: {
            std::string out = "[";
            for (std::size_t i = 0; i < value.size(); ++i) out += (i > 0 ? " " : "") + go_text(value[i]);
            return out + "]";
        }
        case Json::value_t::string: return value.get<std::string>();
        case Json::value_t::null: return "<nil>";
        case Json::value_t::number_float: return float_text(value.get<double>());
        default: return value.dump();
    }
}

std::string go_type_text(const Json& value) {
    switch (value.type()) {
        case Json::value_t::object: return "map[string]interface {}";
        case Json::value_t::array: return "[]interface {}";
        case Json::value_t::null: return "%!s(<nil>)";
        default: return std::string(go_kind_text(value));
    }
}

std::string_view go_kind_text(const Json& value) {
    switch (value.type()) {
        case Json::value_t::object: return "map";
        case Json::value_t::array: return "slice";
        case Json::value_t::string: return "string";
        case Json::value_t::boolean: return "bool";
        case Json::value_t::number_float: return "float64";
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned: return "int64";
        default: return "invalid";
    }
}

}  // namespace kubemu::api

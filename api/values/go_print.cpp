// fmt's verbs for decoded JSON.
#include "api/values/go_print.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/values/text.h"

namespace kubemu::api {

std::string go_float(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    const double magnitude = std::abs(number);
    const bool exponent = magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e21);
    std::array<char, 400> buffer{};
    const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                            exponent ? std::chars_format::scientific : std::chars_format::fixed);
    return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

std::string go_unstructured(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "interface {}(nil)";
        case Json::value_t::string:
            return go_quote(value.get_ref<const std::string&>());
        case Json::value_t::number_float:
            return go_float(value.get<double>());
        case Json::value_t::array: {
            std::string text = "[]interface {}{";
            for (std::size_t i = 0; i < value.size(); ++i) text += (i > 0 ? ", " : "") + go_unstructured(value[i]);
            return text + "}";
        }
        case Json::value_t::object: {
            std::string text = "map[string]interface {}{";
            bool first = true;
            for (const auto& [name, member] : value.items()) {
                text += (first ? "" : ", ") + go_quote(name) + ":" + go_unstructured(member);
                first = false;
            }
            return text + "}";
        }
        default:
            return value.dump();
    }
}

std::string go_typed(const Json& value) {
    const char* type = value.is_string()           ? "string"
                       : value.is_boolean()        ? "bool"
                       : value.is_number_integer() ? "int64"
                       : value.is_number()         ? "float64"
                       : value.is_array()          ? "[]interface {}"
                       : value.is_object()         ? "map[string]interface {}"
                                                   : "<nil>";
    return go_plain(value) + " is of the type " + type;
}

std::string go_plain(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "<nil>";
        case Json::value_t::string:
            return value.get<std::string>();
        case Json::value_t::number_float:
            return go_float(value.get<double>());
        case Json::value_t::array: {
            std::string text = "[";
            for (std::size_t i = 0; i < value.size(); ++i) text += (i > 0 ? " " : "") + go_plain(value[i]);
            return text + "]";
        }
        case Json::value_t::object: {
            std::string text = "map[";
            for (const auto& [name, member] : value.items()) text += (text.size() > 4 ? " " : "") + name + ":" + go_plain(member);
            return text + "]";
        }
        default:
            return value.dump();
    }
}

std::string go_bad_value(const Json& value) { return value.is_null() ? "\"null\"" : go_unstructured(value); }

}  // namespace kubemu::api

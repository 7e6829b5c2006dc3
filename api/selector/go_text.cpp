// The members in the order of the Go struct, maps by their keys.
#include "api/selector/go_text.h"

#include <nlohmann/json.hpp>

namespace kubemu::api {

std::string selector_as_string(const Json* selector) {
    if (selector == nullptr) return "nil";
    std::string text = "&LabelSelector{MatchLabels:map[string]string{";
    for (const auto& [key, value] : object_at(*selector, {"matchLabels"}).items())
        text += key + ": " + (value.is_string() ? value.get<std::string>() : "") + ",";
    text += "},MatchExpressions:[]LabelSelectorRequirement{";
    for (const Json& expression : array_at(*selector, {"matchExpressions"})) {
        text += "LabelSelectorRequirement{Key:" + std::string(string_at(expression, {"key"})) +
                ",Operator:" + std::string(string_at(expression, {"operator"})) + ",Values:[";
        std::string values;
        for (const Json& value : array_at(expression, {"values"}))
            values += (values.empty() ? "" : " ") + (value.is_string() ? value.get<std::string>() : "");
        text += values + "],},";
    }
    return text + "},}";
}

}  // namespace kubemu::api

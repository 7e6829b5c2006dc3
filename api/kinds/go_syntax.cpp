// Go's %#v of the values that messages echo.
#include "api/kinds/go_syntax.h"

#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Where a pointer points to is nobody's business; it looks like an address of Go's heap.
constexpr std::string_view address = "0xc000a1b2c8";

std::string go_scalar(std::string_view type, const Json* value) {
    if (type == "bool") return value != nullptr && value->is_boolean() && value->get<bool>() ? "true" : "false";
    if (type.find("int") != std::string_view::npos) {
        return value != nullptr && value->is_number() ? std::to_string(value->get<std::int64_t>()) : "0";
    }
    return go_quote(value != nullptr && value->is_string() ? std::string_view(value->get_ref<const std::string&>())
                                                           : std::string_view());
}

constexpr GoField requirement_fields[] = {
    {"Key", "key", "string"}, {"Operator", "operator", "string"}, {"Values", "values", "[]string"}};

std::string go_requirements(const Json* list) {
    std::string text = "[]v1.LabelSelectorRequirement";
    if (list == nullptr || !list->is_array() || list->empty()) return text + "(nil)";
    text += '{';
    for (std::size_t i = 0; i < list->size(); ++i) {
        if (i > 0) text += ", ";
        text += go_struct("v1.LabelSelectorRequirement", requirement_fields, (*list)[i]).text;
    }
    return text + '}';
}

}  // namespace

GoText go_value(std::string_view type, const Json* value) {
    if (type.starts_with('*')) {
        const std::string_view shown = value == nullptr ? "nil" : address;
        return {"(" + std::string(type) + ")(" + std::string(shown) + ")"};
    }
    if (type.starts_with("[]")) return go_strings(type, value);
    if (type == "map[string]string") return go_string_map(value);
    if (type == "intstr.IntOrString") return go_int_or_string(value);
    if (type == "v1.LabelSelector") return go_label_selector(value);
    return {go_scalar(type, value)};
}

GoText go_struct(std::string_view type, std::span<const GoField> fields, const Json& object) {
    std::string text(type);
    text += '{';
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) text += ", ";
        text += fields[i].name;
        text += ':';
        text += go_value(fields[i].type, find(object, fields[i].json)).text;
    }
    return {text + '}'};
}

GoText go_label_selector(const Json* selector) {
    if (selector == nullptr) return {"\"null\""};
    return {"v1.LabelSelector{MatchLabels:" + go_string_map(find(*selector, "matchLabels")).text +
            ", MatchExpressions:" + go_requirements(find(*selector, "matchExpressions")) + "}"};
}

GoText go_string_map(const Json* map) {
    std::string text = "map[string]string";
    if (map == nullptr || !map->is_object() || map->empty()) return {text + "(nil)"};
    text += '{';
    bool first = true;
    for (const auto& [key, value] : map->items()) {
        if (!first) text += ", ";
        first = false;
        text += go_quote(key) + ":" + go_scalar("string", &value);
    }
    return {text + '}'};
}

GoText go_int_or_string(const Json* value) {
    if (value == nullptr) return {"\"null\""};
    const bool number = value->is_number();
    return {std::string("intstr.IntOrString{Type:") + (number ? "0" : "1") +
            ", IntVal:" + (number ? std::to_string(value->get<std::int64_t>()) : "0") +
            ", StrVal:" + (number ? "\"\"" : go_scalar("string", value)) + "}"};
}

GoText go_strings(std::string_view type, const Json* list) {
    std::string text(type);
    if (list == nullptr || !list->is_array() || list->empty()) return {text + "(nil)"};
    const std::string_view item = type.substr(2);
    text += '{';
    for (std::size_t i = 0; i < list->size(); ++i) {
        if (i > 0) text += ", ";
        text += go_scalar(item.find("int") == 0 ? item : "string", &(*list)[i]);
    }
    return {text + '}'};
}

GoText go_quantity(std::string_view text, bool printed) {
    // resource.ParseQuantity: the digits without their point, and how far it is moved.
    std::string_view rest = text;
    std::string digits;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    int scale = 0;
    std::size_t at = 0;
    bool fraction = false;
    for (; at < rest.size() && ((rest[at] >= '0' && rest[at] <= '9') || rest[at] == '.'); ++at) {
        if (rest[at] == '.') {
            fraction = true;
            continue;
        }
        if (fraction) --scale;
        digits += rest[at];
    }
    rest.remove_prefix(at);
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    const bool binary = rest.ends_with('i');
    const bool exponent = rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E');
    std::string amount = "value:0, scale:0", decimal = "(nil)";
    if (binary && !fraction) {
        const auto quantity = Quantity::parse(text);
        amount = "value:" + std::to_string(quantity ? quantity->value() : 0) + ", scale:0";
    } else if (binary) {
        decimal = "(" + std::string(address) + ")";
    } else {
        constexpr std::string_view suffixes = "num kMGTPE";
        if (exponent) scale += std::atoi(std::string(rest.substr(1)).c_str());
        else if (!rest.empty()) scale += (static_cast<int>(suffixes.find(rest[0])) - 3) * 3;
        amount = "value:" + std::string(negative && !digits.empty() ? "-" : "") + (digits.empty() ? "0" : digits) +
                 ", scale:" + std::to_string(scale);
    }
    const std::string_view format = binary ? "BinarySI" : exponent ? "DecimalExponent" : "DecimalSI";
    return {"resource.Quantity{i:resource.int64Amount{" + amount + "}, d:resource.infDecAmount{Dec:(*inf.Dec)" + decimal +
            "}, s:" + go_quote(printed || is_kept_as_written(text) ? canonical_quantity(text).value_or("") : "") + ", Format:" + go_quote(format) + "}"};
}

}  // namespace kubemu::api

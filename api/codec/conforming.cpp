// The walk over document and schema that looks for anything a decoder would not leave alone.
#include "api/codec/conforming.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/codec/scalars.h"

namespace kubemu::api {
namespace {

bool is_int32(const Json& value) {
    if (!value.is_number_integer() || value.is_number_unsigned()) return false;
    const std::int64_t number = value.get<std::int64_t>();
    return number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max();
}

bool is_canonical(const Json& value, scalars::Canonical (*parse)(std::string_view)) {
    if (!value.is_string()) return false;
    const std::string& text = value.get_ref<const std::string&>();
    const scalars::Canonical canonical = parse(text);
    return canonical && *canonical == text;
}

bool is_value(const Json& value, const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string:
            return value.is_string();
        case ValueKind::boolean:
            return value.is_boolean();
        case ValueKind::int32:
            return is_int32(value);
        case ValueKind::int64:
            return value.is_number_integer() && !value.is_number_unsigned();
        case ValueKind::float64:
            return value.is_number_float();
        case ValueKind::bytes:
            return is_canonical(value, scalars::base64);
        case ValueKind::object:
            return value.is_object() && is_conforming(value, *field.type);
        case ValueKind::time:
            return is_canonical(value, scalars::time);
        case ValueKind::micro_time:
            return is_canonical(value, scalars::micro_time);
        case ValueKind::duration:
            return is_canonical(value, scalars::duration);
        case ValueKind::quantity:
            return is_canonical(value, scalars::quantity);
        case ValueKind::int_or_string:
            return value.is_string() || is_int32(value);
        case ValueKind::raw:
            // What stands in the place of a schema has a decoder of its own.
            if (field.wire_form != WireForm::plain) return field.wire_form == WireForm::schema_or_bool && value.is_boolean();
            return has_plain_numbers(value);
        case ValueKind::fields_v1:
            return has_plain_numbers(value);
    }
    return false;
}

bool is_list(const Json& value, const FieldInfo& field) {
    return value.is_array() && std::all_of(value.begin(), value.end(), [&field](const Json& item) {
               return !item.is_null() && is_value(item, field);
           });
}

bool is_member(const Json& value, const FieldInfo& field) {
    if (value.is_null()) return false;
    if (field.shape == Shape::single) return is_value(value, field);
    if (field.shape == Shape::list) return is_list(value, field);
    if (!value.is_object()) return false;
    return std::all_of(value.begin(), value.end(), [&field](const Json& item) {
        if (field.shape == Shape::map_of_lists) return is_list(item, field);
        return !item.is_null() && is_value(item, field);
    });
}

}  // namespace

// Numbers with a fraction may be written as whole ones, and whole ones beyond 64 bits as fractions.
bool has_plain_numbers(const Json& document) {
    if (document.is_number()) return document.is_number_integer() && !document.is_number_unsigned();
    return !document.is_structured() || std::all_of(document.begin(), document.end(), has_plain_numbers);
}

bool is_conforming(const Json& object, const TypeInfo& type) {
    const auto* members = object.get_ptr<const Json::object_t*>();
    if (members == nullptr) return false;
    auto from = type.fields_by_name.begin();
    for (const auto& [name, value] : *members) {
        from = std::lower_bound(
            from, type.fields_by_name.end(), std::string_view(name),
            [&type](std::uint16_t index, std::string_view wanted) { return type.fields[index].name < wanted; });
        if (from == type.fields_by_name.end() || type.fields[*from].name != name) return false;
        if (!is_member(value, type.fields[*from])) return false;
    }
    return true;
}

}  // namespace kubemu::api

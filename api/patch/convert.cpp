// A walk over document and type.
#include "api/patch/convert.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/patch/go_text.h"

namespace kubemu::api {
namespace {

using Error = std::optional<std::string>;

// Values with a parser of their own, which says what is wrong with them.
bool parses_itself(ValueKind kind) {
    switch (kind) {
        case ValueKind::time:
        case ValueKind::micro_time:
        case ValueKind::duration:
        case ValueKind::quantity:
        case ValueKind::int_or_string: return true;
        default: return false;
    }
}

Error parse_error(const Json& value, const FieldInfo& field) {
    // Decoded as the only member of a struct, and told without the place that the parser knows nothing of.
    FieldInfo alone = field;
    alone.shape = Shape::single;
    alone.name = "x";
    const std::uint16_t by_name[] = {0};
    const TypeInfo type{.name = "x/X", .fields = {&alone, 1}, .fields_by_name = by_name};
    std::vector<std::string> ignored;
    const auto decoded = decode_json("{\"x\":" + encode_raw(value) + "}", type, ignored);
    if (decoded) return std::nullopt;
    std::string message = decoded.error().message;
    const std::size_t at = message.find("Go struct field "), end = message.find(" of type ", at);
    if (at != std::string::npos && end != std::string::npos) message.replace(at, end - at, "Go value");
    return message;
}

std::string_view go_kind_of(ValueKind kind) {
    switch (kind) {
        case ValueKind::boolean: return "bool";
        case ValueKind::int32: return "int32";
        case ValueKind::int64: return "int64";
        case ValueKind::float64: return "float64";
        default: return "string";
    }
}

// Integers take what has no fraction, and lose what does not fit.
Error integer_error(Json& value, const FieldInfo& field, const std::string& go_type) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        if (number != std::trunc(number) || std::abs(number) > 9e18) return "cannot convert float64 to " + go_type;
        value = static_cast<std::int64_t>(number);
    }
    if (!value.is_number()) return "unrecognized type: " + std::string(go_kind_of(field.kind));
    if (field.kind == ValueKind::int32) value = static_cast<std::int32_t>(value.get<std::int64_t>());
    return std::nullopt;
}

Error scalar_error(Json& value, const FieldInfo& field, const std::string& go_type) {
    const Error unknown = "unrecognized type: " + std::string(go_kind_of(field.kind));
    switch (field.kind) {
        case ValueKind::boolean: return value.is_boolean() ? std::nullopt : unknown;
        case ValueKind::int32:
        case ValueKind::int64: return integer_error(value, field, go_type);
        case ValueKind::float64: return value.is_number() ? std::nullopt : unknown;
        default:
            if (value.is_string()) return std::nullopt;
            // Go can make a string of an integer, but the converter must not.
            return value.is_number_integer() ? Error("cannot convert int64 to " + go_type) : unknown;
    }
}

Error struct_error(Json& value, const TypeInfo& type);

// The Go type of an item or value, from that of its list or map.
std::string item_type(const std::string& go_type) {
    if (go_type.rfind("[]", 0) == 0) return go_type.substr(2);
    if (go_type.rfind("map[string]", 0) == 0) return go_type.substr(11);
    return go_type;
}

Error value_error(Json& value, const FieldInfo& field, const std::string& go_type) {
    if (value.is_null()) return std::nullopt;
    if (parses_itself(field.kind)) return parse_error(value, field);
    switch (field.kind) {
        case ValueKind::object: return struct_error(value, *field.type);
        case ValueKind::bytes:
            if (value.is_string()) {
                const Error wrong = parse_error(value, field);
                return wrong ? Error("error decoding from json: " + *wrong) : std::nullopt;
            }
            if (!value.is_array()) return "cannot restore slice from " + std::string(go_kind_text(value));
            return std::nullopt;
        case ValueKind::raw:
        case ValueKind::fields_v1: return std::nullopt;
        default: return scalar_error(value, field, go_type);
    }
}

Error list_error(Json& value, const FieldInfo& field, const std::string& go_type) {
    if (value.is_null()) return std::nullopt;
    if (!value.is_array()) return "cannot restore slice from " + std::string(go_kind_text(value));
    const std::string item_go_type = item_type(go_type);
    for (Json& item : value) {
        if (Error wrong = value_error(item, field, item_go_type)) return wrong;
    }
    return std::nullopt;
}

Error struct_error(Json& value, const TypeInfo& type) {
    if (!value.is_object()) return "cannot restore struct from: " + std::string(go_kind_text(value));
    for (const FieldInfo& field : type.fields) {
        const auto found = value.find(field.name);
        if (found == value.end() || found->is_null()) continue;
        const std::string go_type = go_type_of(field);
        Error wrong;
        if (field.shape == Shape::single) {
            wrong = value_error(*found, field, go_type);
        } else if (field.shape == Shape::list) {
            wrong = list_error(*found, field, go_type);
        } else if (!found->is_object()) {
            wrong = "cannot restore map from " + std::string(go_kind_text(*found));
        } else {
            for (Json& item : *found) {
                wrong = field.shape == Shape::map ? value_error(item, field, item_type(go_type))
                                                  : list_error(item, field, item_type(go_type));
                if (wrong) break;
            }
        }
        if (wrong) return wrong;
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> convert(Json& object, const TypeInfo& type) { return struct_error(object, type); }

}  // namespace kubemu::api

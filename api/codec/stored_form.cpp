// The rules of json_encode.cpp, applied to the document.
#include "api/codec/stored_form.h"

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/schema/members.h"

namespace kubemu::api {
namespace {

bool is_several(const FieldInfo& field) { return field.shape != Shape::single || field.kind == ValueKind::bytes; }

// A struct in Go, which omitempty does not leave out.
bool is_struct(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string:
        case ValueKind::boolean:
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64:
            return false;
        default:
            return true;
    }
}

// Written also where there is no value.
bool is_always_there(const FieldInfo& field) {
    return !field.omitempty || (!is_several(field) && !field.pointer && is_struct(field));
}

Json absent_value(const FieldInfo& field) {
    if (field.pointer || field.shape != Shape::single) return nullptr;
    switch (field.kind) {
        case ValueKind::string:
            return "";
        case ValueKind::boolean:
            return false;
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64:
        case ValueKind::int_or_string:
            return std::uint64_t{0};
        case ValueKind::quantity:
            return "0";
        case ValueKind::duration:
            return "0s";
        case ValueKind::object: {
            Json empty = Json::object();
            bring_into_stored_form(empty, *field.type);
            return empty;
        }
        default:
            return nullptr;
    }
}

bool is_zero(const Json& value, const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string:
            return value.is_string() && value.get_ref<const std::string&>().empty();
        case ValueKind::boolean:
            return value.is_boolean() && !value.get<bool>();
        case ValueKind::int32:
        case ValueKind::int64:
        case ValueKind::float64:
            return value.is_number() && value.get<double>() == 0;
        default:
            return false;
    }
}

bool is_empty(const Json& value) {
    return value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

// 5.0 is written 5.
void read_numbers_again(Json& value) {
    if (value.is_structured()) {
        for (Json& inside : value) read_numbers_again(inside);
    } else if (value.is_number_float()) {
        value = parse_stored_json(encode_raw(value));
    }
}

void one(Json& value, const FieldInfo& field) {
    if (field.kind == ValueKind::object && (value.is_object() || value.is_null())) {
        if (value.is_null()) value = Json::object();
        return bring_into_stored_form(value, *field.type);
    }
    const bool timed = field.kind == ValueKind::time || field.kind == ValueKind::micro_time;
    if (timed && value.is_string() && value.get_ref<const std::string&>().empty()) value = nullptr;
    read_numbers_again(value);
}

void all(Json& value, const FieldInfo& field) {
    if (field.shape == Shape::single) return one(value, field);
    const bool holds_more = field.shape == Shape::list ? value.is_array() : value.is_object();
    if (!holds_more) return read_numbers_again(value);
    for (Json& item : value) {
        if (field.shape == Shape::map_of_lists && item.is_array()) {
            for (Json& inner : item) one(inner, field);
        } else if (field.shape == Shape::map_of_lists) {
            read_numbers_again(item);
        } else {
            one(item, field);
        }
    }
}

// False when it is not written.
bool keep(Json& value, const FieldInfo& field) {
    if (value.is_null()) {
        if (!is_always_there(field)) return false;
        value = absent_value(field);
        return true;
    }
    if (is_several(field)) {
        const bool empty = is_empty(value);
        if (empty && field.omitempty && !field.pointer) return false;
        if (empty && !field.pointer && field.kind != ValueKind::bytes) {
            value = nullptr;
            return true;
        }
    } else if (!field.pointer && field.omitempty && is_zero(value, field)) {
        return false;
    }
    all(value, field);
    return true;
}

}  // namespace

void bring_into_stored_form(Json& object, const TypeInfo& type) {
    auto& members = object.get_ref<Json::object_t&>();
    FieldWalk fields(type);
    for (auto at = members.begin(); at != members.end();) {
        const std::size_t field = fields.next(at->first);
        const bool kept = field != FieldWalk::none && keep(at->second, type.fields[field]);
        at = kept ? std::next(at) : members.erase(at);
    }
    for (const FieldInfo& field : type.fields) {
        if (!is_always_there(field)) continue;
        const auto at = members.find(field.name);
        if (at == members.end()) members.emplace(field.name, absent_value(field));
    }
}

}  // namespace kubemu::api

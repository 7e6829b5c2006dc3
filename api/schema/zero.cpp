// Finds and drops zero values along the schema.
#include "api/schema/zero.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/schema/members.h"

namespace kubemu::api {
namespace {

// Whether the field would be encoded the same without this value.
bool means_nothing(const Json& value, const FieldInfo& field) {
    if (value.is_null()) return true;
    const bool record = field.kind == ValueKind::object && field.shape == Shape::single;
    if (record) return !field.pointer && value.empty();
    if (field.kind == ValueKind::raw && field.shape == Shape::single) return false;  // kept as it was given
    const bool pointer = field.pointer && field.shape == Shape::single;
    return field.omitempty && !pointer && is_zero(value);
}

void drop_inside(Json& value, const FieldInfo& field) {
    if (field.kind != ValueKind::object || field.type == nullptr || field.shape == Shape::map_of_lists)
        return;
    if (field.shape == Shape::single) return drop_zero_values(value, *field.type);
    if (!value.is_structured()) return;
    for (Json& item : value) drop_zero_values(item, *field.type);
}

// Empty lists and maps that are refused, where none at all is not: the rules of these fields ask for nil.
constexpr std::pair<std::string_view, std::string_view> refused_when_empty[] = {
    {"apiextensions/v1.JSONSchemaProps", "dependencies"},
    {"core/v1.EphemeralContainer", "ports"},
    {"core/v1.EphemeralContainer", "resizePolicy"},
    {"core/v1.EphemeralContainer", "restartPolicyRules"}};

bool is_refused_when_empty(const TypeInfo& type, const FieldInfo& field) {
    return field.shape != Shape::single &&
           std::find(std::begin(refused_when_empty), std::end(refused_when_empty), std::pair(type.name, field.name)) !=
               std::end(refused_when_empty);
}

// An empty list, map or byte string, as a Go program tells it from none.
bool is_empty_container(const Json& value, const FieldInfo& field) {
    if (field.shape != Shape::single) return value.is_structured() && value.empty();
    return field.kind == ValueKind::bytes && value == "";
}

}  // namespace

bool is_zero(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return true;
        case Json::value_t::string:
            return value.get_ref<const std::string&>().empty();
        case Json::value_t::boolean:
            return !value.get<bool>();
        case Json::value_t::number_integer:
            return value.get<std::int64_t>() == 0;
        case Json::value_t::number_unsigned:
            return value.get<std::uint64_t>() == 0;
        case Json::value_t::number_float:
            return value.get<double>() == 0;
        default:
            return value.empty();
    }
}

void drop_zero_values(Json& object, const TypeInfo& type) {
    if (!object.is_object()) return;
    auto& members = object.get_ref<Json::object_t&>();
    FieldWalk fields(type);
    for (auto at = members.begin(); at != members.end();) {
        const std::size_t index = fields.next(at->first);
        if (index == FieldWalk::none) {
            ++at;
            continue;
        }
        const FieldInfo& field = type.fields[index];
        drop_inside(at->second, field);
        const bool nothing = means_nothing(at->second, field);
        const bool drops = nothing && (at->second.is_null() || !is_refused_when_empty(type, field));
        at = drops ? members.erase(at) : std::next(at);
    }
}

bool holds_empty_containers(const Json& value, const FieldInfo& field) {
    if (is_empty_container(value, field)) return true;
    if (field.kind != ValueKind::object || field.type == nullptr || field.shape == Shape::map_of_lists) return false;
    const auto inside = [&](const Json& object) {
        if (!object.is_object()) return false;
        for (const FieldInfo& member : field.type->fields) {
            const Json* held = find(object, member.name);
            if (held != nullptr && holds_empty_containers(*held, member)) return true;
        }
        return false;
    };
    if (field.shape == Shape::single) return inside(value);
    return value.is_structured() && std::any_of(value.begin(), value.end(), inside);
}

}  // namespace kubemu::api

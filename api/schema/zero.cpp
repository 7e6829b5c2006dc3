// Finds and drops zero values along the schema.
#include "api/schema/zero.h"

#include <nlohmann/json.hpp>

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
        at = means_nothing(at->second, field) ? members.erase(at) : std::next(at);
    }
}

}  // namespace kubemu::api

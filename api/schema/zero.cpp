// Finds and drops zero values along the schema.
#include "api/schema/zero.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

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

// Whether empty lists stay that the rules of a kind refuse.
enum class Refused { stay, go };

void drop(Json& object, const TypeInfo& type, Refused refused);

void drop_inside(Json& value, const FieldInfo& field, Refused refused) {
    if (field.kind != ValueKind::object || field.type == nullptr || field.shape == Shape::map_of_lists)
        return;
    if (field.shape == Shape::single) return drop(value, *field.type, refused);
    if (!value.is_structured()) return;
    for (Json& item : value) drop(item, *field.type, refused);
}

// Empty lists and maps that are refused, where none at all is not: the rules of these fields ask for nil. A member of a
// member is refused in that place alone.
struct RefusedWhenEmpty {
    std::string_view type, member, inner;
};
constexpr RefusedWhenEmpty refused_when_empty[] = {
    {"apiextensions/v1.JSONSchemaProps", "dependencies", ""},
    {"core/v1.EphemeralContainer", "ports", ""},
    {"core/v1.EphemeralContainer", "resizePolicy", ""},
    {"core/v1.EphemeralContainer", "resources", "claims"},
    {"core/v1.EphemeralContainer", "resources", "limits"},
    {"core/v1.EphemeralContainer", "resources", "requests"},
    {"core/v1.EphemeralContainer", "restartPolicyRules", ""},
    {"core/v1.PersistentVolumeClaimTemplate", "metadata", "finalizers"},
    {"core/v1.PersistentVolumeClaimTemplate", "metadata", "ownerReferences"},
    {"core/v1.Pod", "spec", "overhead"},
    {"core/v1.PodSpec", "resources", "claims"},
    {"resource/v1.ResourceClaimTemplateSpec", "metadata", "finalizers"},
    {"resource/v1.ResourceClaimTemplateSpec", "metadata", "ownerReferences"},
    {"resource/v1.ResourceSliceSpec", "devices", ""},
    {"resource/v1.ResourceSliceSpec", "sharedCounters", ""}};

bool is_refused_when_empty(const TypeInfo& type, const FieldInfo& field) {
    return field.shape != Shape::single &&
           std::any_of(std::begin(refused_when_empty), std::end(refused_when_empty), [&](const RefusedWhenEmpty& one) {
               return one.inner.empty() && one.member == field.name && one.type == type.name;
           });
}

// Takes the empty lists and maps out of a member that are refused there, to be put back when the rest is dropped.
std::vector<std::pair<std::string, Json>> take_refused(Json& value, const TypeInfo& type, const FieldInfo& field) {
    std::vector<std::pair<std::string, Json>> taken;
    if (field.kind != ValueKind::object || field.shape != Shape::single || !value.is_object()) return taken;
    for (const RefusedWhenEmpty& one : refused_when_empty) {
        if (one.inner.empty() || one.member != field.name || one.type != type.name) continue;
        const Json* inner = find(value, one.inner);
        if (inner != nullptr && inner->is_structured() && inner->empty()) taken.emplace_back(one.inner, *inner);
    }
    return taken;
}

// An empty list, map or byte string, as a Go program tells it from none.
bool is_empty_container(const Json& value, const FieldInfo& field) {
    if (field.shape != Shape::single) return value.is_structured() && value.empty();
    return field.kind == ValueKind::bytes && value == "";
}

void drop(Json& object, const TypeInfo& type, Refused refused) {
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
        auto taken = refused == Refused::stay ? take_refused(at->second, type, field)
                                              : std::vector<std::pair<std::string, Json>>();
        drop_inside(at->second, field, refused);
        for (auto& [member, value] : taken) at->second[member] = std::move(value);
        const bool nothing = means_nothing(at->second, field);
        const bool stays = nothing && refused == Refused::stay && !at->second.is_null() && is_refused_when_empty(type, field);
        at = nothing && !stays ? members.erase(at) : std::next(at);
    }
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

void drop_zero_values(Json& object, const TypeInfo& type) { drop(object, type, Refused::stay); }

void drop_all_zero_values(Json& object, const TypeInfo& type) { drop(object, type, Refused::go); }

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

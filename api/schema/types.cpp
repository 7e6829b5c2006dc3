// Look-ups in the compiled tables.
#include <algorithm>
#include <string>

#include "api/schema/kind.h"
#include "api/values/name_order.h"

namespace kubemu::api {
namespace {

std::string go_element(const FieldInfo& field) {
    switch (field.kind) {
        case ValueKind::string:
            return "string";
        case ValueKind::boolean:
            return "bool";
        case ValueKind::int32:
            return "int32";
        case ValueKind::int64:
            return "int64";
        case ValueKind::float64:
            return "float64";
        case ValueKind::bytes:
            return "[]uint8";
        case ValueKind::object:
            return std::string(field.type->name.substr(field.type->name.find('/') + 1));
        case ValueKind::time:
            return "v1.Time";
        case ValueKind::micro_time:
            return "v1.MicroTime";
        case ValueKind::duration:
            return "v1.Duration";
        case ValueKind::quantity:
            return "resource.Quantity";
        case ValueKind::int_or_string:
            return "intstr.IntOrString";
        case ValueKind::raw:
            return "runtime.RawExtension";
        case ValueKind::fields_v1:
            return "v1.FieldsV1";
    }
    return "string";
}

}  // namespace

const FieldInfo* TypeInfo::field(std::string_view json_name) const {
    const auto at = std::lower_bound(
        fields_by_name.begin(), fields_by_name.end(), json_name,
        [this](std::uint16_t index, std::string_view name) { return name_before(fields[index].name, name); });
    return at != fields_by_name.end() && fields[*at].name == json_name ? &fields[*at] : nullptr;
}

std::string go_type_of(const FieldInfo& field) {
    if (!field.go_type.empty()) return std::string(field.go_type);
    switch (field.shape) {
        case Shape::single:
            return go_element(field);
        case Shape::list:
            return "[]" + go_element(field);
        case Shape::map:
            return "map[string]" + go_element(field);
        case Shape::map_of_lists:
            return "map[string][]" + go_element(field);
    }
    return go_element(field);
}

std::string_view go_name_of(const TypeInfo& type) {
    return type.name.substr(type.name.rfind('.') + 1);
}

// The table is not ordered by name; look-ups by name are for set-up code and tests, requests go through
// KindSpec.
const TypeInfo* find_type(std::string_view name) {
    const auto types = all_types();
    const auto at =
        std::find_if(types.begin(), types.end(), [name](const TypeInfo* type) { return type->name == name; });
    return at == types.end() ? nullptr : *at;
}

const SubresourceSpec* KindSpec::subresource(std::string_view wanted) const {
    const auto at = std::find_if(subresources.begin(), subresources.end(),
                                 [wanted](const SubresourceSpec& sub) { return sub.name == wanted; });
    return at == subresources.end() ? nullptr : &*at;
}

}  // namespace kubemu::api

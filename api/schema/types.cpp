// Look-ups in the compiled tables.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "api/schema/kind.h"

namespace kubemu::api {

const FieldInfo* TypeInfo::field(std::string_view json_name) const {
    const auto at = std::lower_bound(fields_by_name.begin(), fields_by_name.end(), json_name,
                                     [this](std::uint16_t index, std::string_view name) { return fields[index].name < name; });
    return at != fields_by_name.end() && fields[*at].name == json_name ? &fields[*at] : nullptr;
}

const TypeInfo* find_type(std::string_view name) {
    for (const TypeInfo* type : all_types()) {
        if (type->name == name) return type;
    }
    return nullptr;
}

const SubresourceSpec* KindSpec::subresource(std::string_view wanted) const {
    for (const SubresourceSpec& sub : subresources) {
        if (sub.name == wanted) return &sub;
    }
    return nullptr;
}

}  // namespace kubemu::api

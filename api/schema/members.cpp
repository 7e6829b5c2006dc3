// Walks names of a document and of its type side by side.
#include "api/schema/members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::api {

Members::Members(const Json& object, const TypeInfo& type) : object_(object), type_(type) {
    const auto* members = object.get_ptr<const Json::object_t*>();
    const std::size_t count = type.fields.size();
    if (members != nullptr && count > fields_max) return;
    indexed_ = true;
    std::fill_n(values_.begin(), std::min(count, fields_max), nullptr);
    if (members == nullptr) return;
    auto from = type.fields_by_name.begin();
    for (const auto& [name, value] : *members) {
        from = std::lower_bound(
            from, type.fields_by_name.end(), std::string_view(name),
            [&type](std::uint16_t index, std::string_view wanted) { return type.fields[index].name < wanted; });
        if (from == type.fields_by_name.end()) return;
        if (type.fields[*from].name == name && !value.is_null()) values_[*from] = &value;
    }
}

const Json* Members::operator[](std::size_t index) const {
    return indexed_ ? values_[index] : find(object_, type_.fields[index].name);
}

}  // namespace kubemu::api

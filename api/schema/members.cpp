// Walks names of a document and of its type side by side.
#include "api/schema/members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/name_order.h"

namespace kubemu::api {

// Documents hold a good part of what their type has, so that a step at a time is faster than a search.
std::size_t FieldWalk::next(std::string_view name) {
    const auto& order = type_.fields_by_name;
    while (at_ < order.size() && name_before(type_.fields[order[at_]].name, name)) ++at_;
    return at_ < order.size() && type_.fields[order[at_]].name == name ? order[at_] : none;
}

Members::Members(const Json& object, const TypeInfo& type) : object_(object), type_(type) {
    const auto* members = object.get_ptr<const Json::object_t*>();
    const std::size_t count = type.fields.size();
    if (members != nullptr && count > fields_max) return;
    indexed_ = true;
    std::fill_n(values_.begin(), std::min(count, fields_max), nullptr);
    if (members == nullptr) return;
    FieldWalk fields(type);
    for (const auto& [name, value] : *members) {
        const std::size_t field = fields.next(name);
        if (field != FieldWalk::none && !value.is_null()) values_[field] = &value;
    }
}

const Json* Members::operator[](std::size_t index) const {
    return indexed_ ? values_[index] : find(object_, type_.fields[index].name);
}

}  // namespace kubemu::api

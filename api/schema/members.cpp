// Walks names of a document and of its type side by side.
#include "api/schema/members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/name_order.h"

namespace kubemu::api {

// Some documents hold most of what their type has, others a few of forty fields: the steps grow until one is too far, and
// the place is looked for in the last of them.
std::size_t FieldWalk::next(std::string_view name) {
    const auto& order = type_.fields_by_name;
    const auto comes_before = [&](std::size_t at) { return name_before(type_.fields[order[at]].name, name); };
    std::size_t end = at_;
    for (std::size_t step = 1; end < order.size() && comes_before(end); step *= 2) {
        at_ = end + 1;
        end += step;
    }
    end = std::min(end, order.size());
    while (at_ < end) {
        const std::size_t middle = at_ + (end - at_) / 2;
        if (comes_before(middle)) at_ = middle + 1;
        else end = middle;
    }
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

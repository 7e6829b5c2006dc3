// Walks names of a document and of its type side by side.
#include "api/schema/members.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/values/name_order.h"

namespace kubemu::api {
namespace {

// The first eight letters of a name as a number: numbers compare as such names do.
std::uint64_t start_of(std::string_view name) {
    const auto letter = [&name](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(name[i])} << (56 - 8 * i); };
    if (name.size() >= 8)
        return letter(0) | letter(1) | letter(2) | letter(3) | letter(4) | letter(5) | letter(6) | letter(7);
    std::uint64_t start = 0;
    for (std::size_t i = 0; i < name.size(); ++i) start |= letter(i);
    return start;
}

// Of a built-in type: made when it is first asked for, and kept for ever. Null for other types.
const std::uint64_t* starts_of(const TypeInfo& type) {
    struct Made {
        const TypeInfo* const first = all_types().front();
        std::unique_ptr<std::atomic<const std::uint64_t*>[]> of{new std::atomic<const std::uint64_t*>[all_types().size()]{}};
    };
    static const Made& made = *new Made;  // also for those who still read documents when the program ends
    const auto index = static_cast<std::size_t>(&type - made.first);
    if (index >= all_types().size() || all_types()[index] != &type) return nullptr;
    std::atomic<const std::uint64_t*>& slot = made.of[index];
    if (const std::uint64_t* starts = slot.load(std::memory_order_acquire)) return starts;
    auto starts = std::make_unique<std::uint64_t[]>(type.fields_by_name.size() + 1);
    for (std::size_t i = 0; i < type.fields_by_name.size(); ++i) starts[i] = start_of(type.fields[type.fields_by_name[i]].name);
    const std::uint64_t* before = nullptr;
    if (!slot.compare_exchange_strong(before, starts.get(), std::memory_order_acq_rel)) return before;
    return starts.release();
}

}  // namespace

FieldWalk::FieldWalk(const TypeInfo& type) : type_(type), starts_(starts_of(type)) {}

// Documents hold a good part of what their type has, so that a step at a time is faster than a search.
std::size_t FieldWalk::next(std::string_view name) {
    const auto& order = type_.fields_by_name;
    const auto field_name = [&](std::size_t at) { return type_.fields[order[at]].name; };
    std::size_t at = at_, found = none;
    if (starts_ == nullptr) {
        while (at < order.size() && name_before(field_name(at), name)) ++at;
        if (at < order.size() && field_name(at) == name) found = order[at];
    } else {
        const std::uint64_t start = start_of(name);
        while (at < order.size() && starts_[at] < start) ++at;
        // Of names that begin alike the rest decides.
        for (; found == none && at < order.size() && starts_[at] == start; ++at) {
            if (field_name(at) == name) found = order[at];
            else if (name < field_name(at)) break;
        }
    }
    at_ = at;
    return found;
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

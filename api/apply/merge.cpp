// Lays an applied configuration over a live object (structured-merge-diff's TypedValue.Merge).
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/apply/shape.h"
#include "api/apply/typed.h"

namespace kubemu::api {
namespace {

using apply::Place;

std::optional<Json> merge(const Place& place, const Json* live, const Json* applied);

std::optional<Json> newest(const Json* live, const Json* applied) {
    if (applied != nullptr) return *applied;
    if (live != nullptr) return *live;
    return std::nullopt;
}

std::optional<Json> merge_members(const Place& place, const Json* live, const Json* applied) {
    static const Json none = Json::object();
    const Json& from = live != nullptr && live->is_object() ? *live : none;
    const Json& over = applied != nullptr && applied->is_object() ? *applied : none;
    Json result = Json::object();
    for (const auto& [name, value] : from.items()) {
        const auto at = over.find(name);
        auto merged = merge(apply::member_of(place, name), &value, at == over.end() ? nullptr : &*at);
        if (merged) result.emplace(name, std::move(*merged));
    }
    for (const auto& [name, value] : over.items()) {
        if (from.contains(name)) continue;
        auto merged = merge(apply::member_of(place, name), nullptr, &value);
        if (merged) result.emplace(name, std::move(*merged));
    }
    if (result.empty()) return std::nullopt;
    return result;
}

struct Items {
    std::vector<std::string> steps;
    std::vector<const Json*> values;
    std::map<std::string, const Json*> by_step;

    Items(const Place& place, const Json* list) {
        if (list == nullptr || !list->is_array()) return;
        for (const Json& item : *list) {
            static const Json nothing;
            steps.push_back(apply::item_step(place, item));
            values.push_back(&item);
            const auto [at, fresh] = by_step.emplace(steps.back(), &item);
            // What stands there twice is replaced by the applied item, not merged with it.
            if (!fresh) at->second = &nothing;
        }
    }
    const Json* find(const std::string& step) const {
        const auto at = by_step.find(step);
        return at == by_step.end() ? nullptr : at->second;
    }
};

// Both orders are kept as far as they agree: items of one side stay next to their neighbours, and where both
// sides name the same items in different orders the applied one wins.
std::optional<Json> merge_items(const Place& place, const Json* live, const Json* applied) {
    const Items left(place, live), right(place, applied);
    const Place element = apply::element_of(place);
    Json result = Json::array();
    const auto take = [&](const Json* from, const Json* over) {
        if (auto merged = merge(element, from, over)) result.push_back(std::move(*merged));
    };
    std::vector<std::string> shared;
    for (const std::string& step : right.steps) {
        if (left.find(step) != nullptr) shared.push_back(step);
    }
    std::size_t next_shared = 0;
    std::map<std::string, bool> done;
    std::size_t l = 0, r = 0;
    while (l < left.steps.size() || r < right.steps.size()) {
        if (l < left.steps.size() && r < right.steps.size()) {
            const std::string& step = left.steps[l];
            if (step == right.steps[r]) {
                done[step] = true;
                take(left.find(step), right.find(step));
                ++l, ++r, ++next_shared;
                continue;
            }
            if (right.find(step) != nullptr && next_shared < shared.size() && shared[next_shared] != step) {
                ++l;  // comes later, where the applied order has it
                continue;
            }
        }
        if (l < left.steps.size()) {
            const std::string& step = left.steps[l];
            if (right.find(step) == nullptr) {
                take(left.values[l], nullptr);
                ++l;
                continue;
            }
            if (done.contains(step)) ++l;
        }
        if (r < right.steps.size()) {
            const std::string& step = right.steps[r];
            done[step] = true;
            take(left.find(step), right.find(step));
            ++r;
            if (next_shared < shared.size() && shared[next_shared] == step) ++next_shared;
        }
    }
    if (result.empty()) return std::nullopt;
    return result;
}

std::optional<Json> merge(const Place& place, const Json* live, const Json* applied) {
    if (applied == nullptr && live != nullptr) return *live;  // all that lies below is taken as it is
    const bool nothing = apply::is_empty(place, live, false) && apply::is_empty(place, applied, false);
    switch (place.kind) {
        case Place::Kind::record:
        case Place::Kind::map:
            if (nothing) return newest(live, applied);
            return merge_members(place, live, applied);
        case Place::Kind::keyed_list:
        case Place::Kind::set:
            if (nothing) return newest(live, applied);
            return merge_items(place, live, applied);
        case Place::Kind::deduced:
            if (nothing || !apply::may_be_map(live) || !apply::may_be_map(applied))
                return newest(live, applied);
            return merge_members(place, live, applied);
        case Place::Kind::leaf:
            break;
    }
    return newest(live, applied);
}

}  // namespace

Json merge_applied(const Json& live, const Json& applied, const TypeInfo& type) {
    return merge(apply::place_of(type), &live, &applied).value_or(Json::object());
}

}  // namespace kubemu::api

// From objects to sets of paths and back (structured-merge-diff's ToFieldSet, RemoveItems and
// EnsureNamedFieldsAreMembers).
#include <map>
#include <nlohmann/json.hpp>

#include "api/apply/shape.h"
#include "api/apply/typed.h"

namespace kubemu::api {
namespace {

using apply::Place;

// Null for items that stand there more than once.
std::map<std::string, const Json*> items_by_step(const Place& place, const Json& list) {
    std::map<std::string, const Json*> items;
    for (const Json& item : list) {
        std::string step = apply::item_step(place, item);
        if (step.empty()) continue;
        const auto [at, fresh] = items.emplace(std::move(step), &item);
        if (!fresh) at->second = nullptr;
    }
    return items;
}

// The trie of what `value` sets; null for nothing.
Json paths_of(const Place& place, const Json& value) {
    Json tree;
    switch (place.kind) {
        case Place::Kind::leaf:
            return Json::object();
        case Place::Kind::deduced:
            if (!value.is_object()) return Json::object();
            [[fallthrough]];
        case Place::Kind::record:
        case Place::Kind::map:
            if (!value.is_object()) return tree;
            for (const auto& [name, member] : value.items()) {
                Json below = paths_of(apply::member_of(place, name), member);
                const bool empty = member.is_null() || (member.is_object() && member.empty());
                if (empty || !apply::declares(place, name)) FieldSet::add_member(below);
                FieldSet::adopt(tree, "f:" + name, std::move(below));
            }
            return tree;
        case Place::Kind::keyed_list:
        case Place::Kind::set:
            if (!value.is_array()) return tree;
            for (const auto& [step, item] : items_by_step(place, value)) {
                // Of what stands there twice nobody can tell which one is meant.
                Json below = item == nullptr ? Json::object() : paths_of(apply::element_of(place), *item);
                FieldSet::add_member(below);
                FieldSet::adopt(tree, step, std::move(below));
            }
            return tree;
    }
    return tree;
}

bool has_children(const Json& node) {
    return !node.empty() && !(node.size() == 1 && node.contains("."));
}

Json without(const Place& place, const Json& value, const Json& paths) {
    Json kept;
    if (place.kind == Place::Kind::keyed_list || place.kind == Place::Kind::set) {
        if (!value.is_array()) return kept;
        for (const Json& item : value) {
            const auto at = paths.find(apply::item_step(place, item));
            if (at == paths.end())
                kept.push_back(item);
            else if (FieldSet::is_member(*at))
                continue;
            else
                kept.push_back(without(apply::element_of(place), item, *at));
        }
        return kept;
    }
    if (!value.is_object() || place.kind == Place::Kind::leaf) return kept;
    for (const auto& [name, member] : value.items()) {
        const auto at = paths.find("f:" + name);
        if (at == paths.end())
            kept[name] = member;
        else if (FieldSet::is_member(*at))
            continue;
        else
            kept[name] = has_children(*at) ? without(apply::member_of(place, name), member, *at) : member;
    }
    return kept;
}

void name_parents(const Place& place, Json& node) {
    for (auto& [step, child] : node.items()) {
        if (step == "." || !has_children(child)) continue;
        Place below;
        if (step.starts_with("f:"))
            below = apply::member_of(place, std::string_view(step).substr(2));
        else
            below = apply::element_of(place);
        name_parents(below, child);
        if (step.starts_with("f:") && apply::declares(place, std::string_view(step).substr(2))) {
            FieldSet::add_member(child);
        }
    }
}

}  // namespace

FieldSet field_set_of(const Json& object, const TypeInfo& type) {
    return FieldSet(paths_of(apply::place_of(type), object));
}

Json remove_paths(const Json& object, const TypeInfo& type, const FieldSet& paths) {
    Json kept = without(apply::place_of(type), object, paths.tree());
    return kept.is_null() ? Json::object() : kept;
}

FieldSet with_named_parents(const FieldSet& paths, const TypeInfo& type) {
    Json tree = paths.tree();
    name_parents(apply::place_of(type), tree);
    return FieldSet(std::move(tree));
}

}  // namespace kubemu::api

// Brings sets of paths in line with a schema that has changed since they were written (structured-merge-diff's
// ReconcileFieldSetWithSchema): what was granular and is atomic now is owned as a whole by whoever owned a part of it.
// The other way round nothing is to be done.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/apply/shape.h"
#include "api/apply/typed.h"

namespace kubemu::api {
namespace {

using apply::Place;

bool is_atomic_container(const Place& place) {
    if (place.kind != Place::Kind::leaf) return false;
    if (place.schema != nullptr) return place.schema->type == "array" || place.schema->type == "object";
    return place.type != nullptr || (place.field != nullptr && place.field->shape != Shape::single);
}

Place below(const Place& place, std::string_view step) {
    if (step.starts_with("f:")) return apply::member_of(place, step.substr(2));
    return apply::element_of(place);
}

void reconcile(const Place& place, Json& node) {
    auto* steps = node.get_ptr<Json::object_t*>();
    if (steps == nullptr || steps->empty() || place.kind == Place::Kind::deduced) return;
    if (is_atomic_container(place)) {
        node = Json::object();
        return;
    }
    if (place.kind == Place::Kind::leaf) return;
    for (auto& [step, child] : *steps) {
        if (step != "." && !child.empty()) reconcile(below(place, step), child);
    }
}

bool settled(const Place& place, const Json& node) {
    const auto* steps = node.get_ptr<const Json::object_t*>();
    if (steps == nullptr || steps->empty() || place.kind == Place::Kind::deduced) return true;
    if (is_atomic_container(place)) return false;
    if (place.kind == Place::Kind::leaf) return true;
    return std::all_of(steps->begin(), steps->end(), [&place](const auto& entry) {
        return entry.first == "." || entry.second.empty() || settled(below(place, entry.first), entry.second);
    });
}

}  // namespace

bool is_settled_with_schema(const Json& tree, const TypeInfo& type) {
    return settled(apply::place_of(type), tree);
}

void reconcile_with_schema(FieldSet& set, const TypeInfo& type) {
    Json tree = std::move(set).release();
    reconcile(apply::place_of(type), tree);
    set = FieldSet(std::move(tree));
}

}  // namespace kubemu::api

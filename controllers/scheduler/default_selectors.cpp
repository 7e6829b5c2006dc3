// Selectors of services and of controllers, read once for each of their versions.
#include "controllers/scheduler/default_selectors.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers::scheduler {

using api::Json;

namespace {

// Controllers that went leave their selector behind until so many have been seen.
constexpr std::size_t owners_max = 4096;

const char* resource_of(const api::OwnerReference& owner) {
    if (owner.api_version == "apps/v1" && owner.kind == "ReplicaSet") return "replicasets.apps";
    if (owner.api_version == "apps/v1" && owner.kind == "StatefulSet") return "statefulsets.apps";
    return owner.api_version == "v1" && owner.kind == "ReplicationController" ? "replicationcontrollers" : nullptr;
}

}  // namespace

DefaultSelectors::DefaultSelectors(Manager& manager, const api::Client& reader) : manager_(manager), reader_(reader) {
    for (const char* resource : {"replicasets.apps", "statefulsets.apps", "replicationcontrollers"})
        manager.informer(resource);
    manager.informer("services").subscribe([this](const api::Informer::Change& change) {
        const storage::Record& record = change.after ? *change.after : *change.before;
        const std::string& space = api::view_of(record).namespace_name;
        const Json document = change.after ? reader_.document(*change.after) : Json::object();
        const Json& selector = api::object_at(document, {"spec", "selector"});
        if (!selector.empty()) {
            services_[space][record.key] = {api::labels_of(selector), api::LabelSelector::from_map(selector)};
            return;
        }
        const auto found = services_.find(space);
        if (found == services_.end()) return;
        found->second.erase(record.key);
        if (found->second.empty()) services_.erase(found);
    });
}

std::shared_ptr<const Json> DefaultSelectors::selector_of(const api::PodView& pod) {
    const api::OwnerReference* owner = pod.controller();
    const char* resource = owner == nullptr ? nullptr : resource_of(*owner);
    if (resource == nullptr) return nullptr;
    const storage::RecordPtr record = manager_.informer(resource).get(pod.namespace_name, owner->name);
    if (record == nullptr) return nullptr;
    const api::ObjectView& view = api::view_of(*record);
    const auto known = owners_.find(view.uid);
    if (known != owners_.end() && known->second.generation == view.generation) return known->second.selector;
    if (owners_.size() >= owners_max) owners_.clear();
    const Json document = reader_.document(*record);
    Json selector = api::object_at(document, {"spec", "selector"});
    if (owner->kind == "ReplicationController") selector = Json{{"matchLabels", std::move(selector)}};
    Owner& kept = owners_[view.uid];
    kept.generation = view.generation;
    kept.selector = std::make_shared<const Json>(std::move(selector));
    return kept.selector;
}

api::LabelSelector DefaultSelectors::of(const api::PodView& pod) {
    const auto owner = selector_of(pod);
    const auto services = services_.find(pod.namespace_name);
    // All of them select the pod, so that their labels agree.
    Json selector = owner != nullptr && owner->is_object() ? *owner : Json::object();
    if (services != services_.end()) {
        for (const auto& [key, service] : services->second) {
            if (!service.selector.matches(pod.labels)) continue;
            for (const auto& [label, value] : service.labels) api::ensure(selector, {"matchLabels"})[label] = value;
        }
    }
    return api::LabelSelector::from_object(selector);
}

}  // namespace kubemu::controllers::scheduler

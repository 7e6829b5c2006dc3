// When pods that ask for devices are looked at again
// (pkg/scheduler/framework/plugins/dynamicresources, EventsToRegister and its hints; noderesources/fit.go for the
// resources that device classes stand for).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/scheduler/controller.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Plugin;
using scheduler::Plugins;

void SchedulerController::watch_devices() {
    manager().informer("resourceclaims.resource.k8s.io").subscribe([this](const api::Informer::Change& change) {
        on_device_claim(change);
    });
    manager().informer("resourceslices.resource.k8s.io").subscribe([this](const api::Informer::Change& change) {
        if (change.after) wake({Plugin::dynamic_resources});
    });
    manager().informer("deviceclasses.resource.k8s.io").subscribe([this](const api::Informer::Change& change) {
        if (change.after) on_device_class(change);
    });
}

void SchedulerController::on_device_class(const api::Informer::Change& change) {
    wake({Plugin::dynamic_resources});
    if (!queue_.has_refused({Plugin::node_resources_fit})) return;
    const auto resource_of = [&](const storage::RecordPtr& record) {
        return record ? std::string(api::string_at(client().document(*record), {"spec", "extendedResourceName"}))
                      : std::string();
    };
    std::vector<std::string> given{resource_of(change.after)};
    if (change.before && given.front() == resource_of(change.before)) return;
    if (!change.before) given.push_back("deviceclass.resource.kubernetes.io/" + api::view_of(*change.after).name);
    wake({Plugin::node_resources_fit}, [&](const Entry& entry, Plugins) {
        return std::any_of(given.begin(), given.end(), [&](const std::string& name) {
            return entry.info->requests.extended.count(name) > 0;
        });
    });
}

void SchedulerController::on_device_claim(const api::Informer::Change& change) {
    devices_->on_claim(change);
    if (!change.after) return;
    for (const std::string& key : waiting_for_devices_) {
        const auto& held = entries_.at(key).devices->claims;
        if (std::any_of(held.begin(), held.end(), [&](const auto& claim) { return claim.key == change.after->key; }))
            enqueue(bind_key(key));
    }
    if (!queue_.has_refused({Plugin::dynamic_resources})) return;
    const Json after = client().document(*change.after);
    const Json before = change.before ? client().document(*change.before) : Json::object();
    const auto status = [](const Json& claim) { return api::object_at(claim, {"status"}); };
    const auto allocated = [](const Json& claim) { return api::find(claim, {"status", "allocation"}) != nullptr; };
    // Devices that a claim no longer has may be what others wait for; anything else concerns its own pods alone.
    const bool freed = change.before && allocated(before) && !allocated(after);
    const bool matters = freed || !change.before || status(before) != status(after);
    const api::ObjectView& view = api::view_of(*change.after);
    wake({Plugin::dynamic_resources}, [&](const Entry& entry, Plugins) {
        if (!matters || !devices_->not_ready(*entry.info).empty()) return false;
        const auto& wanted = entry.info->rules().device_claims;
        return freed || (entry.info->namespace_name == view.namespace_name &&
                         std::any_of(wanted.begin(), wanted.end(),
                                     [&](const auto& claim) { return claim.claim == view.name; }));
    });
}

}  // namespace kubemu::controllers

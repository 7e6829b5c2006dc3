// When pods that volumes keep from their nodes are looked at again: EventsToRegister and the hints of VolumeBinding,
// VolumeZone, VolumeRestrictions and NodeVolumeLimits (pkg/scheduler/framework/plugins/{volumebinding,volumezone,
// volumerestrictions,nodevolumelimits}).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "controllers/scheduler/controller.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Plugin;
using scheduler::Plugins;

namespace {

constexpr const char* migrated = "storage.alpha.kubernetes.io/migrated-plugins";

bool names(const std::vector<std::string>& claims, const std::string& name) {
    return std::find(claims.begin(), claims.end(), name) != claims.end();
}

// volumeLimit
std::optional<api::Quantity> limit_of(const Json& capacity) {
    const std::string_view largest = api::string_at(capacity, {"maximumVolumeSize"});
    return api::Quantity::parse(largest.empty() ? api::string_at(capacity, {"capacity"}) : largest);
}

bool more_volumes(const Json& before, const Json& after) {
    for (const Json& driver : api::array_at(after, {"spec", "drivers"})) {
        std::int64_t had = 0;
        for (const Json& old : api::array_at(before, {"spec", "drivers"}))
            if (api::string_at(old, {"name"}) == api::string_at(driver, {"name"}))
                had = api::int_at(old, {"allocatable", "count"});
        if (api::int_at(driver, {"allocatable", "count"}) > had) return true;
    }
    return false;
}

}  // namespace

void SchedulerController::watch_volumes() {
    claims_.subscribe([this](const api::Informer::Change& change) { on_claim(change); });
    volumes_.subscribe([this](const api::Informer::Change& change) { on_volume(change); });
    classes_.subscribe([this](const api::Informer::Change& change) { on_class(change); });
    const auto storage = [this](const char* resource) -> api::Informer& {
        return manager().informer(std::string(resource) + ".storage.k8s.io");
    };
    storage("csinodes").subscribe([this](const api::Informer::Change& change) {
        if (!change.after || !queue_.has_refused({Plugin::volume_binding, Plugin::node_volume_limits})) return;
        const Json after = client().document(*change.after);
        const Json before = change.before ? client().document(*change.before) : Json::object();
        Plugins hopes;
        if (!change.before || api::string_at(before, {"metadata", "annotations", migrated}) !=
                                  api::string_at(after, {"metadata", "annotations", migrated}))
            hopes.insert(Plugin::volume_binding);
        if (!change.before || more_volumes(before, after)) hopes.insert(Plugin::node_volume_limits);
        wake(hopes);
    });
    storage("csistoragecapacities").subscribe([this](const api::Informer::Change& change) {
        if (!change.after || !queue_.has_refused({Plugin::volume_binding})) return;
        if (change.before) {
            const auto had = limit_of(client().document(*change.before)), has = limit_of(client().document(*change.after));
            if (!has || (had && !(*had < *has))) return;
        }
        wake({Plugin::volume_binding});
    });
    storage("csidrivers").subscribe([this](const api::Informer::Change& change) {
        if (!change.before || !change.after || !queue_.has_refused({Plugin::volume_binding})) return;
        const auto tells = [&](const storage::RecordPtr& driver) {
            return api::bool_at(client().document(*driver), {"spec", "storageCapacity"});
        };
        if (!tells(change.before) || tells(change.after)) return;
        const std::string name = api::view_of(*change.after).name;
        wake({Plugin::volume_binding}, [&](const Entry& entry, Plugins) {
            const auto record = pods_.get(entry.info->key);
            if (record == nullptr) return false;
            const Json pod = client().document(*record);
            const Json& all = api::array_at(pod, {"spec", "volumes"});
            return std::any_of(all.begin(), all.end(), [&](const Json& volume) {
                return api::string_at(volume, {"csi", "driver"}) == name;
            });
        });
    });
    storage("volumeattachments").subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        wake({Plugin::node_volume_limits}, [](const Entry& entry, Plugins) {
            return entry.info->rules().claims.size() > entry.info->rules().ephemeral_claims.size();
        });
    });
}

void SchedulerController::on_claim(const api::Informer::Change& change) {
    wake_binders();
    if (!change.after) return;
    const api::ObjectView& view = api::view_of(*change.after);
    const bool came = change.before == nullptr;
    wake({Plugin::volume_binding, Plugin::volume_zone, Plugin::volume_restrictions, Plugin::node_volume_limits},
         [&](const Entry& entry, Plugins by) {
             const auto& rules = entry.info->rules();
             if (entry.info->namespace_name != view.namespace_name || !names(rules.claims, view.name)) return false;
             if (by.has(Plugin::volume_binding) || (came && by.has(Plugin::node_volume_limits))) return true;
             if (names(rules.ephemeral_claims, view.name)) return false;
             return by.has(Plugin::volume_zone) || (came && by.has(Plugin::volume_restrictions));
         });
}

void SchedulerController::on_volume(const api::Informer::Change& change) {
    wake_binders();
    if (!change.after) return;
    const Plugins both{Plugin::volume_binding, Plugin::volume_zone};
    if (!queue_.has_refused(both)) return;
    if (change.before) {
        const Json before = client().document(*change.before), after = client().document(*change.after);
        if (std::all_of(std::begin(scheduler::zone_labels), std::end(scheduler::zone_labels), [&](const auto& label) {
                const auto of = [&](const Json& volume) {
                    return api::string_at(api::object_at(volume, {"metadata", "labels"}), {label.name});
                };
                return of(before) == of(after);
            }))
            return wake({Plugin::volume_binding});
    }
    wake(both);
}

void SchedulerController::on_class(const api::Informer::Change& change) {
    if (!change.after || !queue_.has_refused({Plugin::volume_binding, Plugin::volume_zone})) return;
    const Json after = client().document(*change.after);
    if (!change.before) {
        wake({Plugin::volume_binding});
        if (api::string_at(after, {"volumeBindingMode"}) == "WaitForFirstConsumer") wake({Plugin::volume_zone});
        return;
    }
    const Json before = client().document(*change.before);
    if (api::array_at(before, {"allowedTopologies"}) != api::array_at(after, {"allowedTopologies"}))
        wake({Plugin::volume_binding});
}

void SchedulerController::wake_binders() {
    for (const std::string& key : waiting_for_volumes_) enqueue(bind_key(key));
}

}  // namespace kubemu::controllers

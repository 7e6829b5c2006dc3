// When pods that ask for devices are looked at again
// (pkg/scheduler/framework/plugins/dynamicresources, EventsToRegister and its hints).
#include <algorithm>

#include "controllers/scheduler/controller.h"

namespace kubemu::controllers {

void SchedulerController::wake_for_devices() {
    wake_parked("backoff of devices", [this](const Entry& entry) { return devices_->concerns(*entry.info); });
}

void SchedulerController::on_device_claim(const api::Informer::Change& change) {
    // Devices that a claim no longer has may be what others wait for; anything else concerns its own pods alone.
    const bool freed = devices_->on_claim(change);
    if (freed) wake_for_devices();
    if (!change.after) return;
    for (const std::string& key : waiting_for_devices_) {
        const auto& held = entries_.at(key).devices->claims;
        if (std::any_of(held.begin(), held.end(), [&](const auto& claim) { return claim.key == change.after->key; }))
            enqueue(bind_key(key));
    }
    if (freed) return;
    const api::ObjectView& view = api::view_of(*change.after);
    wake_parked(
        "backoff for claim " + change.after->key, [space = view.namespace_name, name = view.name](const Entry& entry) {
            const auto& wanted = entry.info->rules().device_claims;
            return entry.info->namespace_name == space &&
                   std::any_of(wanted.begin(), wanted.end(), [&](const auto& claim) { return claim.claim == name; });
        });
}

}  // namespace kubemu::controllers

// What wakes a claim or a volume.
#include "controllers/persistent_volume/controller.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers {

PersistentVolumeController::PersistentVolumeController(Manager& manager)
    : Controller(manager, "persistentvolume-binder", "persistent-volume-binder", "persistentvolume-controller"),
      claims_(manager.informer("persistentvolumeclaims")),
      volumes_(manager.informer("persistentvolumes")),
      classes_(manager.informer("storageclasses.storage.k8s.io")),
      pods_(manager.informer("pods")),
      pod_claims_(client(), pods_),
      expand_events_(manager, client(), "volume_expand") {
    enqueue_on_change(claims_);
    enqueue_on_change(volumes_);
    // A claim that goes releases its volume.
    claims_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        told_.erase(change.before->key);
        std::string volume(api::string_at(client().document(*change.before), {"spec", "volumeName"}));
        if (!volume.empty()) enqueue(std::move(volume));
    });
    // A new volume may serve claims that wait; one that is lost concerns its claim.
    volumes_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after) recycling_.erase(api::view_of(*change.before).uid);
        const api::Json volume = client().document(change.after ? *change.after : *change.before);
        if (const api::Json* reference = api::find(volume, {"spec", "claimRef"})) {
            enqueue(std::string(api::string_at(*reference, {"namespace"})) + "/" + std::string(api::string_at(*reference, {"name"})));
        } else if (change.after) {
            for (const auto& claim : claims_.list()) {
                if (client().document(*claim)["status"].value("phase", "") != "Bound") enqueue(claim->key);
            }
        }
    });
    classes_.subscribe([this](const api::Informer::Change&) {
        for (const auto& claim : claims_.list()) enqueue(claim->key);
    });
    pods_.subscribe([this](const api::Informer::Change& change) {
        // A claim that goes is let go by its last pod; one that waits for a consumer looks for itself.
        for (const std::string& key : pod_claims_.observe(change)) {
            const auto claim = claims_.get(key);
            if (claim && api::view_of(*claim).deleting) enqueue(key);
        }
        recycler_changed(change);
    });
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile(const std::string& key) {
    if (key.find('/') != std::string::npos) {
        const auto claim = claims_.get(key);
        return claim ? reconcile_claim(*claim) : api::ApiResult<Requeue>(Requeue{});
    }
    const auto volume = volumes_.get(key);
    return volume ? reconcile_volume(*volume) : api::ApiResult<Requeue>(Requeue{});
}

}  // namespace kubemu::controllers

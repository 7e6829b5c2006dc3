// The claim is named after pod and volume; a claim of that name that is not the pod's is left alone.
#include "controllers/ephemeral_volume/controller.h"

#include <nlohmann/json.hpp>

#include "controllers/runtime/owner_refs.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

EphemeralVolumeController::EphemeralVolumeController(Manager& manager)
    : Controller(manager, "ephemeral-volume", "ephemeral-volume-controller", "ephemeral_volume"),
      pods_(manager.informer("pods")),
      claims_(manager.informer("persistentvolumeclaims")) {
    has_workers(5);
    pods_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after || change.before || api::view_of(*change.after).deleting) return;
        if (contains_text(*change.after->bytes.get(), "\"ephemeral\"")) enqueue(change.after->key);
    });
    // A claim that is deleted under its pod is made again.
    claims_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        const api::OwnerReference* owner = api::view_of(*change.before).controller();
        if (owner != nullptr && owner->kind == "Pod") enqueue(api::view_of(*change.before).namespace_name + "/" + owner->name);
    });
}

api::ApiResult<bool> EphemeralVolumeController::make_claim(const api::ObjectView& pod, const api::Json& volume) {
    const std::string name = pod.name + "-" + std::string(api::string_at(volume, {"name"}));
    if (const auto claim = claims_.get(pod.namespace_name, name)) {
        const api::OwnerReference* owner = api::view_of(*claim).controller();
        if (owner != nullptr && owner->uid == pod.uid) return true;
        return api::Status::plain_500("PVC " + claim->key + " was not created for pod " + api::object_key(pod.namespace_name, pod.name) +
                                      " (pod is not owner)");
    }
    const api::Json& claim_template = api::object_at(volume, {"ephemeral", "volumeClaimTemplate"});
    api::Json claim = {{"metadata", {{"name", name}, {"ownerReferences", api::Json::array({controller_reference(kind("pods"), pod)})}}},
                       {"spec", api::object_at(claim_template, {"spec"})}};
    for (const char* member : {"labels", "annotations"}) {
        if (const api::Json* value = api::find(claim_template, {"metadata", member})) claim["metadata"][member] = *value;
    }
    const auto made = client().create(kind("persistentvolumeclaims"), pod.namespace_name, std::move(claim));
    if (!made) {
        api::StatusDetail failed = *made.error();
        failed.message = "create PVC " + name + ": " + failed.message;
        return api::Status(std::move(failed));
    }
    return true;
}

// What cannot be is told, and tried again.
api::ApiResult<Requeue> EphemeralVolumeController::reconcile(const std::string& key) {
    const storage::RecordPtr record = pods_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const api::Json document = client().document(*record);
    for (const api::Json& volume : api::array_at(document, {"spec", "volumes"})) {
        if (api::find(volume, "ephemeral") == nullptr) continue;
        const auto made = make_claim(api::view_of(*record), volume);
        if (made) continue;
        events().warning(object_reference(kind("pods"), *record), "FailedBinding",
                         "ephemeral volume " + std::string(api::string_at(volume, {"name"})) + ": " + made.error()->message);
        return made.error();
    }
    return Requeue{};
}

}  // namespace kubemu::controllers

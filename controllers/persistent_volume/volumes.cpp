// The phases of a volume, and what happens to it when its claim is gone.
#include <nlohmann/json.hpp>

#include "controllers/persistent_volume/controller.h"
#include "controllers/persistent_volume/plugins.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* protection = "kubernetes.io/pv-protection";
// Keeps a provisioned volume until its storage is gone; nothing is kept back here.
constexpr const char* provisioner_finalizer = "external-provisioner.volume.kubernetes.io/finalizer";

}  // namespace

api::ApiResult<bool> PersistentVolumeController::set_volume_phase(const storage::Record& record, const char* phase,
                                                                  const std::string& message) {
    const auto written = client().modify(kind("persistentvolumes"), {}, api::view_of(record).name, "status", [&](Json& object) {
        // The cache that called it free may be behind the claim that has taken it since.
        const bool taken = !api::string_at(object, {"spec", "claimRef", "uid"}).empty();
        if (taken && std::string_view(phase) == "Available") return false;
        Json& status = api::ensure(object, {"status"});
        if (api::string_at(status, {"phase"}) == phase && api::string_at(status, {"message"}) == message) return false;
        status["phase"] = phase;
        if (message.empty()) status.erase("message");
        else status["message"] = message;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_volume(const storage::Record& record) {
    const Json volume = client().document(record);
    const api::ObjectView& view = api::view_of(record);
    const std::string phase(api::string_at(volume, {"status", "phase"}));
    if (view.deleting) {
        if (phase == "Bound") {
            // Bound means in use, unless the claim has gone since.
            const auto claim = claims_.get(api::string_at(volume, {"spec", "claimRef", "namespace"}), api::string_at(volume, {"spec", "claimRef", "name"}));
            if (claim && api::view_of(*claim).uid == api::string_at(volume, {"spec", "claimRef", "uid"})) return Requeue{};
        }
        const auto freed = client().modify(kind("persistentvolumes"), {}, view.name, {}, [](Json& object) {
            const bool protected_before = drop_finalizer(object, protection);
            return drop_finalizer(object, provisioner_finalizer) || protected_before;
        });
        if (!freed && freed.error().code() != 404) return freed.error();
        return Requeue{};
    }
    const Json* reference = api::find(volume, {"spec", "claimRef"});
    if (reference == nullptr || api::string_at(*reference, {"uid"}).empty()) {
        TRY(set_volume_phase(record, "Available"));  // free, or reserved for a claim that is to come
        return Requeue{};
    }
    return reconcile_claimed_volume(record, volume);
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_claimed_volume(const storage::Record& record,
                                                                             const Json& volume) {
    const api::ObjectView& view = api::view_of(record);
    const Json& reference = api::object_at(volume, {"spec", "claimRef"});
    const std::string space(api::string_at(reference, {"namespace"})), name(api::string_at(reference, {"name"}));
    storage::RecordPtr claim = claims_.get(space, name);
    // Bound by somebody whose claim the cache does not have yet is no release.
    if (!claim || api::view_of(*claim).uid != api::string_at(reference, {"uid"})) {
        claim = client().get(kind("persistentvolumeclaims"), space, name).value_or(nullptr);
    }
    if (!claim || api::view_of(*claim).uid != api::string_at(reference, {"uid"})) return release(record, volume);
    const Json document = client().document(*claim);
    const std::string named(api::string_at(document, {"spec", "volumeName"}));
    if (named == view.name) {
        TRY(set_volume_phase(record, "Bound"));
        return Requeue{};
    }
    if (named.empty()) {
        const auto mode = [](const Json& object) {
            return api::string_at(object, {"spec", "volumeMode"}, "Filesystem");
        };
        if (mode(document) == mode(volume)) {
            enqueue(claim->key);
            return Requeue{};
        }
        events().warning(object_reference(kind("persistentvolumes"), record), "VolumeMismatch",
                         "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"" + name +
                             "\" due to incompatible volumeMode.");
        events().warning(object_reference(kind("persistentvolumeclaims"), *claim), "VolumeMismatch",
                         "Cannot bind PersistentVolume \"" + view.name +
                             "\" to requested PersistentVolumeClaim due to incompatible volumeMode.");
        return Requeue{resync_period};
    }
    // The claim has another volume: what was made for it goes, anything else is free again.
    const bool provisioned =
        api::find(volume, {"metadata", "annotations", "pv.kubernetes.io/provisioned-by"}) != nullptr;
    if (provisioned && api::string_at(volume, {"spec", "persistentVolumeReclaimPolicy"}) == "Delete")
        return release(record, volume);
    TRY(unbind(record));
    return Requeue{};
}

// Rolls a binding back: all of it, or what was added to the user's own.
api::ApiResult<bool> PersistentVolumeController::unbind(const storage::Record& record) {
    const auto written =
        client().modify(kind("persistentvolumes"), {}, api::view_of(record).name, {}, [](Json& object) {
            constexpr const char* bound_by = "pv.kubernetes.io/bound-by-controller";
            Json* annotations = api::find(object, {"metadata", "annotations"});
            if (annotations == nullptr || annotations->erase(bound_by) == 0) {
                if (Json* reference = api::find(object, {"spec", "claimRef"})) reference->erase("uid");
                return true;
            }
            object["spec"].erase("claimRef");
            if (annotations->empty()) object["metadata"].erase("annotations");
            return true;
        });
    if (!written) return written.error().code() == 404 ? api::ApiResult<bool>(true) : written.error();
    return set_volume_phase(**written, "Available");
}

// Tells why only when the volume fails, not at each further attempt.
api::ApiResult<bool> PersistentVolumeController::fail_volume(const storage::Record& record, std::string_view reason,
                                                             const std::string& why) {
    if (api::string_at(client().document(record), {"status", "phase"}) == "Failed") return true;
    TRY(set_volume_phase(record, "Failed", why));
    events().warning(object_reference(kind("persistentvolumes"), record), reason, why);
    return true;
}

// Its claim is gone: what becomes of it is said by its reclaim policy.
api::ApiResult<Requeue> PersistentVolumeController::release(const storage::Record& record, const Json& volume) {
    const std::string_view phase = api::string_at(volume, {"status", "phase"});
    if (phase != "Failed" && phase != "Released") TRY(set_volume_phase(record, "Released"));
    if (api::find(volume, {"metadata", "annotations", "pv.kubernetes.io/migrated-to"}) != nullptr) return Requeue{};
    const std::string_view policy = api::string_at(volume, {"spec", "persistentVolumeReclaimPolicy"}, "Retain");
    if (policy == "Recycle") return recycle(record, volume);
    if (policy != "Delete") return Requeue{};
    const Deletion deletion = find_deletion(volume);
    if (!deletion.error.empty()) {
        TRY(fail_volume(record, "VolumeFailedDelete", deletion.error));
        return Requeue{};
    }
    // Of the external ones, kubemu's provisioner deletes what was provisioned.
    const bool provisioned =
        !api::string_at(volume, {"metadata", "annotations", "pv.kubernetes.io/provisioned-by"}).empty();
    if (deletion.external && !provisioned) return Requeue{};
    const auto removed = client().remove(kind("persistentvolumes"), {}, api::view_of(record).name, {});
    if (!removed && removed.error().code() != 404) return removed.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

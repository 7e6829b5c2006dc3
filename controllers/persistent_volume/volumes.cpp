// The phases of a volume, and what happens to it when its claim is gone.
#include <nlohmann/json.hpp>

#include "controllers/persistent_volume/controller.h"
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
    const std::string space(api::string_at(*reference, {"namespace"})), name(api::string_at(*reference, {"name"}));
    storage::RecordPtr claim = claims_.get(space, name);
    // Bound by somebody whose claim the cache does not have yet is no release.
    if (!claim) claim = client().get(kind("persistentvolumeclaims"), space, name).value_or(nullptr);
    if (claim && api::view_of(*claim).uid == api::string_at(*reference, {"uid"})) {
        if (phase != "Bound") enqueue(claim->key);
        return Requeue{};
    }
    if (phase != "Failed") TRY(set_volume_phase(record, "Released"));
    TRY(reclaim(record, volume));
    return Requeue{};
}

api::ApiResult<bool> PersistentVolumeController::reclaim(const storage::Record& record, const Json& volume) {
    const std::string_view policy = api::string_at(volume, {"spec", "persistentVolumeReclaimPolicy"}, "Retain");
    const Json reference = object_reference(kind("persistentvolumes"), record);
    if (policy == "Delete") {
        const bool local = api::find(volume, {"spec", "hostPath"}) != nullptr || api::find(volume, {"spec", "csi"}) != nullptr;
        if (!local && api::string_at(volume, {"metadata", "annotations", "pv.kubernetes.io/provisioned-by"}).empty()) {
            const std::string why = "error getting deleter volume plugin for volume \"" + api::view_of(record).name +
                                    "\": no deletable volume plugin matched";
            events().warning(reference, "VolumeFailedDelete", why);
            return set_volume_phase(record, "Failed", why);
        }
        const auto removed = client().remove(kind("persistentvolumes"), {}, api::view_of(record).name, {});
        if (!removed && removed.error().code() != 404) return removed.error();
    } else if (policy == "Recycle") {
        // Scrubbed, and free again.
        events().normal(reference, "VolumeRecycled", "Volume recycled");
        const auto freed = client().modify(kind("persistentvolumes"), {}, api::view_of(record).name, {}, [](Json& object) {
            object["spec"].erase("claimRef");
            if (Json* annotations = api::find(object, {"metadata", "annotations"})) annotations->erase("pv.kubernetes.io/bound-by-controller");
            return true;
        });
        if (!freed && freed.error().code() != 404) return freed.error();
    }
    return true;
}

}  // namespace kubemu::controllers

// Claims and volumes brought together.
#include "controllers/persistent_volume/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/selector/label.h"
#include "api/values/quantity.h"

namespace kubemu::controllers {
namespace {

using api::Json;

std::string text(const Json& object, std::initializer_list<std::string_view> path) { return std::string(api::string_at(object, path)); }

Json claim_reference(const Json& claim) {
    return {{"kind", "PersistentVolumeClaim"},
            {"apiVersion", "v1"},
            {"namespace", api::namespace_of(claim)},
            {"name", api::name_of(claim)},
            {"uid", api::uid_of(claim)},
            {"resourceVersion", text(claim, {"metadata", "resourceVersion"})}};
}

bool drop_protection(Json& object, const char* finalizer) {
    Json* list = api::find(object, {"metadata", "finalizers"});
    if (list == nullptr || !list->is_array()) return false;
    const std::size_t before = list->size();
    list->erase(std::remove(list->begin(), list->end(), Json(finalizer)), list->end());
    return list->size() != before;
}

}  // namespace

PersistentVolumeController::PersistentVolumeController(Manager& manager)
    : Controller(manager, "persistentvolume-binder", "persistent-volume-binder", "persistentvolume-controller"),
      claims_(manager.informer("persistentvolumeclaims")),
      volumes_(manager.informer("persistentvolumes")),
      classes_(manager.informer("storageclasses.storage.k8s.io")),
      pods_(manager.informer("pods")) {
    enqueue_on_change(claims_);
    enqueue_on_change(volumes_);
    // A deleted claim releases its volume; a new volume or class may serve claims that wait.
    claims_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        const std::string volume = text(client().document(*change.before), {"spec", "volumeName"});
        if (!volume.empty()) enqueue(volume);
    });
    const auto wake_claims = [this](const api::Informer::Change&) {
        for (const auto& claim : claims_.list()) enqueue(claim->key);
    };
    volumes_.subscribe(wake_claims);
    classes_.subscribe(wake_claims);
    pods_.subscribe([this](const api::Informer::Change& change) {
        const api::ObjectView& view = api::view_of(change.after ? *change.after : *change.before);
        if (claims_.size() == 0) return;
        for (const auto& claim : claims_.list(view.namespace_name)) enqueue(claim->key);
    });
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile(const std::string& key) {
    if (const auto claim = claims_.get(key); claim && key.find('/') != std::string::npos) return reconcile_claim(*claim);
    if (const auto volume = volumes_.get(key)) return reconcile_volume(*volume);
    return Requeue{};
}

bool PersistentVolumeController::used_by_pod(const api::ObjectView& claim, bool scheduled_only) const {
    for (const auto& record : pods_.list(claim.namespace_name)) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.finished() || (scheduled_only && pod.node_name.empty())) continue;
        const Json document = const_cast<PersistentVolumeController*>(this)->client().document(*record);
        for (const Json& volume : api::array_at(document, {"spec", "volumes"})) {
            if (api::string_at(volume, {"persistentVolumeClaim", "claimName"}) == claim.name) return true;
        }
    }
    return false;
}

storage::RecordPtr PersistentVolumeController::matching_volume(const Json& claim) const {
    const auto wanted = api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
    const std::string storage_class = text(claim, {"spec", "storageClassName"}), named = text(claim, {"spec", "volumeName"});
    const Json* selector = api::find(claim, {"spec", "selector"});
    storage::RecordPtr best;
    std::optional<api::Quantity> best_size;
    for (const auto& record : volumes_.list()) {
        const Json volume = const_cast<PersistentVolumeController*>(this)->client().document(*record);
        const Json* reference = api::find(volume, {"spec", "claimRef"});
        const bool ours = reference != nullptr && api::string_at(*reference, {"name"}) == api::name_of(claim) &&
                          api::string_at(*reference, {"namespace"}) == api::namespace_of(claim) &&
                          (api::string_at(*reference, {"uid"}).empty() || api::string_at(*reference, {"uid"}) == api::uid_of(claim));
        if (ours) return record;
        if (reference != nullptr || api::view_of(*record).deleting) continue;
        if (!named.empty() && api::name_of(volume) != named) continue;
        if (text(volume, {"spec", "storageClassName"}) != storage_class) continue;
        if (api::string_at(volume, {"spec", "volumeMode"}, "Filesystem") != api::string_at(claim, {"spec", "volumeMode"}, "Filesystem")) continue;
        const Json& modes = api::array_at(volume, {"spec", "accessModes"});
        const Json& asked = api::array_at(claim, {"spec", "accessModes"});
        const bool fits = std::all_of(asked.begin(), asked.end(), [&](const Json& mode) { return std::find(modes.begin(), modes.end(), mode) != modes.end(); });
        if (!fits) continue;
        if (selector != nullptr && !api::LabelSelector::from_object(*selector).matches(api::view_of(*record).labels)) continue;
        const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
        if (!size || (wanted && *size < *wanted)) continue;
        if (!best || *size < *best_size) {
            best = record;
            best_size = size;
        }
    }
    return best;
}

api::ApiResult<bool> PersistentVolumeController::bind(const Json& claim, const storage::Record& volume) {
    const std::string name = api::view_of(volume).name, space(api::namespace_of(claim)), claim_name(api::name_of(claim));
    bool by_controller = false;
    TRY(client().modify(kind("persistentvolumes"), {}, name, {}, [&](Json& object) {
        const Json* reference = api::find(object, {"spec", "claimRef"});
        if (reference != nullptr && api::string_at(*reference, {"uid"}) == api::uid_of(claim)) return false;
        by_controller = reference == nullptr;
        object["spec"]["claimRef"] = claim_reference(claim);
        if (by_controller) api::ensure(object, {"metadata", "annotations"})["pv.kubernetes.io/bound-by-controller"] = "yes";
        return true;
    }));
    Json capacity, modes;
    TRY(client().modify(kind("persistentvolumes"), {}, name, "status", [&](Json& object) {
        capacity = api::object_at(object, {"spec", "capacity"});
        modes = api::array_at(object, {"spec", "accessModes"});
        object["status"] = {{"phase", "Bound"}};
        return true;
    }));
    TRY(client().modify(kind("persistentvolumeclaims"), space, claim_name, {}, [&](Json& object) {
        if (api::string_at(object, {"spec", "volumeName"}).empty()) {
            object["spec"]["volumeName"] = name;
            api::ensure(object, {"metadata", "annotations"})["pv.kubernetes.io/bound-by-controller"] = "yes";
        }
        api::ensure(object, {"metadata", "annotations"})["pv.kubernetes.io/bind-completed"] = "yes";
        return true;
    }));
    TRY(client().modify(kind("persistentvolumeclaims"), space, claim_name, "status", [&](Json& object) {
        object["status"] = {{"phase", "Bound"}, {"accessModes", modes}, {"capacity", capacity}};
        return true;
    }));
    return true;
}

api::ApiResult<bool> PersistentVolumeController::provision(const Json& claim, const Json& storage_class) {
    const std::string name = "pvc-" + std::string(api::uid_of(claim));
    Json volume = {{"metadata", {{"name", name}}}};
    volume["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] = text(storage_class, {"provisioner"});
    Json& spec = volume["spec"];
    spec["capacity"]["storage"] = text(claim, {"spec", "resources", "requests", "storage"});
    spec["accessModes"] = api::array_at(claim, {"spec", "accessModes"});
    spec["persistentVolumeReclaimPolicy"] = api::string_at(storage_class, {"reclaimPolicy"}, "Delete");
    spec["storageClassName"] = api::name_of(storage_class);
    spec["volumeMode"] = api::string_at(claim, {"spec", "volumeMode"}, "Filesystem");
    spec["claimRef"] = claim_reference(claim);
    spec["hostPath"] = {{"path", "/var/kubemu/volumes/" + name}, {"type", "DirectoryOrCreate"}};
    const auto made = client().create(kind("persistentvolumes"), {}, std::move(volume));
    if (!made && made.error().code() != 409) return made.error();
    if (made) events().normal(claim, "ProvisioningSucceeded", "Successfully provisioned volume " + name);
    return true;
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_claim(const storage::Record& record) {
    const Json claim = client().document(record);
    const api::ObjectView& view = api::view_of(record);
    if (view.deleting) {
        if (used_by_pod(view, false)) return Requeue{};
        const auto freed = client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, {},
                                           [](Json& object) { return drop_protection(object, "kubernetes.io/pvc-protection"); });
        if (!freed && freed.error().code() != 404) return freed.error();
        return Requeue{};
    }
    const std::string named = text(claim, {"spec", "volumeName"});
    if (!named.empty() && text(claim, {"status", "phase"}) == "Bound") {
        if (!volumes_.get(named)) {
            TRY(client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, "status", [](Json& object) {
                object["status"] = {{"phase", "Lost"}};
                return true;
            }));
        }
        return Requeue{};
    }
    if (const auto volume = matching_volume(claim)) {
        TRY(bind(claim, *volume));
        return Requeue{};
    }
    const std::string class_name = text(claim, {"spec", "storageClassName"});
    const auto class_record = class_name.empty() ? nullptr : classes_.get(class_name);
    if (!class_record) {
        if (class_name.empty()) {
            events().normal(claim, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
        } else {
            events().warning(claim, "ProvisioningFailed", "storageclass.storage.k8s.io \"" + class_name + "\" not found");
        }
        return Requeue{};
    }
    const Json storage_class = client().document(*class_record);
    if (text(storage_class, {"provisioner"}) == "kubernetes.io/no-provisioner") {
        events().normal(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
        return Requeue{};
    }
    if (text(storage_class, {"volumeBindingMode"}) == "WaitForFirstConsumer" && !used_by_pod(view, false)) {
        events().normal(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
        return Requeue{};
    }
    TRY(client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, {}, [&](Json& object) {
        Json& annotations = api::ensure(object, {"metadata", "annotations"});
        const std::string provisioner = text(storage_class, {"provisioner"});
        if (annotations.value("volume.kubernetes.io/storage-provisioner", "") == provisioner) return false;
        annotations["volume.kubernetes.io/storage-provisioner"] = provisioner;
        annotations["volume.beta.kubernetes.io/storage-provisioner"] = provisioner;
        return true;
    }));
    TRY(provision(claim, storage_class));
    return Requeue{};
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_volume(const storage::Record& record) {
    const Json volume = client().document(record);
    const api::ObjectView& view = api::view_of(record);
    const Json* reference = api::find(volume, {"spec", "claimRef"});
    const std::string claim_uid = reference == nullptr ? "" : text(*reference, {"uid"});
    const auto claim = reference == nullptr ? nullptr : claims_.get(text(*reference, {"namespace"}), text(*reference, {"name"}));
    const bool claimed = claim && (claim_uid.empty() || api::view_of(*claim).uid == claim_uid);
    if (view.deleting) {
        if (claimed && text(volume, {"status", "phase"}) == "Bound") return Requeue{};
        const auto freed = client().modify(kind("persistentvolumes"), {}, view.name, {},
                                           [](Json& object) { return drop_protection(object, "kubernetes.io/pv-protection"); });
        if (!freed && freed.error().code() != 404) return freed.error();
        return Requeue{};
    }
    std::string phase = "Available";
    if (reference != nullptr && !claim_uid.empty()) phase = claimed ? "Bound" : "Released";
    if (phase == "Bound" && text(volume, {"status", "phase"}) != "Bound") {
        enqueue(claim->key);
        return Requeue{};
    }
    if (text(volume, {"status", "phase"}) != phase) {
        TRY(client().modify(kind("persistentvolumes"), {}, view.name, "status", [&phase](Json& object) {
            object["status"]["phase"] = phase;
            return true;
        }));
    }
    if (phase == "Released" && text(volume, {"spec", "persistentVolumeReclaimPolicy"}) == "Delete") {
        const auto removed = client().remove(kind("persistentvolumes"), {}, view.name, {});
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return Requeue{};
}

}  // namespace kubemu::controllers

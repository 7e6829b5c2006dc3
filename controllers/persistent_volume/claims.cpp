// What a claim needs: to be freed, a volume that fits, one made for it, or patience.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/selector/label.h"
#include "api/values/quantity.h"
#include "api/values/text.h"
#include "controllers/persistent_volume/controller.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* protection = "kubernetes.io/pvc-protection";

std::string text(const Json& object, std::initializer_list<std::string_view> path) { return std::string(api::string_at(object, path)); }

// Everything but the size.
bool suits(const Json& volume, const api::Labels& labels, const Json& claim) {
    const std::string named = text(claim, {"spec", "volumeName"});
    if (!named.empty() && api::name_of(volume) != named) return false;
    if (text(volume, {"spec", "storageClassName"}) != text(claim, {"spec", "storageClassName"})) return false;
    if (api::string_at(volume, {"spec", "volumeMode"}, "Filesystem") != api::string_at(claim, {"spec", "volumeMode"}, "Filesystem")) {
        return false;
    }
    const Json& modes = api::array_at(volume, {"spec", "accessModes"});
    for (const Json& mode : api::array_at(claim, {"spec", "accessModes"})) {
        if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return false;
    }
    const Json* selector = api::find(claim, {"spec", "selector"});
    return selector == nullptr || api::LabelSelector::from_object(*selector).matches(labels);
}

// Why a volume that a claim names is not for it (checkVolumeSatisfyClaim); empty: it is.
std::string mismatch(const Json& volume, const api::ObjectView& view, const Json& claim) {
    if (view.deleting) return "the volume is marked for deletion \"" + view.name + "\"";
    const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
    const auto wanted = api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
    if (size && wanted && *size < *wanted) return "requested PV is too small";
    if (text(volume, {"spec", "storageClassName"}) != text(claim, {"spec", "storageClassName"})) return "storageClassName does not match";
    if (text(volume, {"spec", "volumeAttributesClassName"}) != text(claim, {"spec", "volumeAttributesClassName"}))
        return "volumeAttributesClassName does not match";
    if (api::string_at(volume, {"spec", "volumeMode"}, "Filesystem") != api::string_at(claim, {"spec", "volumeMode"}, "Filesystem"))
        return "incompatible volumeMode";
    const Json& modes = api::array_at(volume, {"spec", "accessModes"});
    for (const Json& mode : api::array_at(claim, {"spec", "accessModes"}))
        if (std::find(modes.begin(), modes.end(), mode) == modes.end()) return "incompatible accessMode";
    return {};
}

}  // namespace

api::ApiResult<bool> PersistentVolumeController::set_claim_phase(const storage::Record& record, const char* phase) {
    const api::ObjectView& view = api::view_of(record);
    const auto written = client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, "status", [&](Json& object) {
        if (api::string_at(object, {"status", "phase"}) == phase) return false;
        if (std::string_view(phase) == "Lost") object["status"] = Json::object();
        api::ensure(object, {"status"})["phase"] = phase;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_claim(const storage::Record& record) {
    const Json claim = client().document(record);
    const api::ObjectView& view = api::view_of(record);
    if (view.deleting) {
        if (!has_finalizer(view, protection) || !pod_claims_.users(record.key).empty()) return Requeue{};
        const auto freed = client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, {},
                                           [](Json& object) { return drop_finalizer(object, protection); });
        if (!freed && freed.error().code() != 404) return freed.error();
        return Requeue{};
    }
    const bool completed = api::string_at(claim, {"metadata", "annotations", "pv.kubernetes.io/bind-completed"}) == "yes";
    TRY(completed ? reconcile_bound_claim(record, claim) : reconcile_pending_claim(record, claim));
    return Requeue{};
}

api::ApiResult<bool> PersistentVolumeController::reconcile_bound_claim(const storage::Record& record, const Json& claim) {
    const std::string name = text(claim, {"spec", "volumeName"});
    const auto volume = volumes_.get(name);
    // The cache may not have the volume yet: ask for the newest state before the claim is given up.
    const auto newest = volume || name.empty() ? volume : client().get(kind("persistentvolumes"), {}, name).value_or(nullptr);
    const Json reference = object_reference(kind("persistentvolumeclaims"), record);
    if (newest == nullptr) {
        if (text(claim, {"status", "phase"}) == "Lost") return true;
        events().warning(reference, "ClaimLost", name.empty() ? "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
                                                              : "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
        return set_claim_phase(record, "Lost");
    }
    const Json document = client().document(*newest);
    const std::string owner = text(document, {"spec", "claimRef", "uid"});
    if (!owner.empty() && owner != api::view_of(record).uid) {
        if (text(claim, {"status", "phase"}) == "Lost") return true;
        events().warning(reference, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
        return set_claim_phase(record, "Lost");
    }
    const bool both_bound = text(claim, {"status", "phase"}) == "Bound" && text(document, {"status", "phase"}) == "Bound";
    if (owner.empty() || !both_bound) return bind(claim, *newest);
    return enlarge(record, claim, *newest);
}

// The smallest volume that fits; one that was reserved for the claim goes before all others.
storage::RecordPtr PersistentVolumeController::matching_volume(const storage::Record& record, const Json& claim) {
    const auto wanted = api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
    storage::RecordPtr best;
    std::optional<api::Quantity> best_size;
    for (const auto& candidate : volumes_.list()) {
        const Json volume = client().document(*candidate);
        const api::ObjectView& view = api::view_of(*candidate);
        if (const Json* reference = api::find(volume, {"spec", "claimRef"})) {
            const std::string uid = text(*reference, {"uid"});
            const bool ours = api::string_at(*reference, {"name"}) == api::name_of(claim) &&
                              api::string_at(*reference, {"namespace"}) == api::namespace_of(claim) &&
                              (uid.empty() || uid == api::view_of(record).uid);
            const std::string named = text(claim, {"spec", "volumeName"});
            if (ours && (named.empty() || named == view.name)) return candidate;
            continue;
        }
        if (view.deleting || !suits(volume, view.labels, claim)) continue;
        const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
        if (!size || (wanted && *size < *wanted)) continue;
        if (!best || *size < *best_size) {
            best = candidate;
            best_size = size;
        }
    }
    return best;
}

api::ApiResult<bool> PersistentVolumeController::bind(const Json& claim, const storage::Record& volume) {
    const std::string name = api::view_of(volume).name, space(api::namespace_of(claim)), claim_name(api::name_of(claim));
    TRY(client().modify(kind("persistentvolumes"), {}, name, {}, [&](Json& object) {
        Json* reference = api::find(object, {"spec", "claimRef"});
        if (reference != nullptr && api::string_at(*reference, {"uid"}) == api::uid_of(claim)) return false;
        if (reference == nullptr) api::ensure(object, {"metadata", "annotations"})["pv.kubernetes.io/bound-by-controller"] = "yes";
        object["spec"]["claimRef"] = {{"kind", "PersistentVolumeClaim"}, {"apiVersion", "v1"}, {"namespace", space}, {"name", claim_name},
                                      {"uid", api::uid_of(claim)}, {"resourceVersion", text(claim, {"metadata", "resourceVersion"})}};
        return true;
    }));
    TRY(set_volume_phase(volume, "Bound"));
    TRY_ASSIGN(const storage::RecordPtr bound, client().get(kind("persistentvolumes"), {}, name));
    const Json document = client().document(*bound);
    TRY(client().modify(kind("persistentvolumeclaims"), space, claim_name, {}, [&](Json& object) {
        Json& annotations = api::ensure(object, {"metadata", "annotations"});
        if (api::string_at(object, {"spec", "volumeName"}).empty()) {
            object["spec"]["volumeName"] = name;
            annotations["pv.kubernetes.io/bound-by-controller"] = "yes";
        }
        annotations["pv.kubernetes.io/bind-completed"] = "yes";
        return true;
    }));
    TRY(client().modify(kind("persistentvolumeclaims"), space, claim_name, "status", [&](Json& object) {
        Json& status = api::ensure(object, {"status"});
        status["phase"] = "Bound";
        status["accessModes"] = api::array_at(document, {"spec", "accessModes"});
        if (!status.contains("capacity")) status["capacity"] = api::object_at(document, {"spec", "capacity"});
        return true;
    }));
    return true;
}

// With WaitForFirstConsumer a claim waits until a pod that uses it has its node.
bool PersistentVolumeController::waits_for_consumer(const storage::Record& record, const Json& claim, const Json& storage_class) {
    if (text(storage_class, {"volumeBindingMode"}) != "WaitForFirstConsumer") return false;
    if (!text(claim, {"metadata", "annotations", "volume.kubernetes.io/selected-node"}).empty()) return false;
    std::vector<std::string> unscheduled;
    for (const auto& pod : pod_claims_.users(record.key)) {
        if (!api::pod_view_of(*pod).node_name.empty()) return false;
        unscheduled.push_back(api::view_of(*pod).name);
    }
    const Json reference = object_reference(kind("persistentvolumeclaims"), record);
    if (unscheduled.empty()) {
        events().normal(reference, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
        return true;
    }
    std::sort(unscheduled.begin(), unscheduled.end());
    events().normal(reference, "WaitForPodScheduled", "waiting for pod " + api::join(unscheduled, ",") + " to be scheduled");
    return true;
}

void PersistentVolumeController::tell_of_named_volume(const std::string& name, const Json& claim, const Json& reference) {
    const auto record = volumes_.get(name);
    if (record == nullptr) return;
    const Json volume = client().document(*record);
    if (api::find(volume, {"spec", "claimRef"}) != nullptr) {
        events().warning(reference, "FailedBinding", "volume \"" + name + "\" already bound to a different claim.");
        return;
    }
    const std::string why = mismatch(volume, api::view_of(*record), claim);
    if (!why.empty()) events().warning(reference, "VolumeMismatch", "Cannot bind to requested volume \"" + name + "\": " + why);
}

api::ApiResult<bool> PersistentVolumeController::reconcile_pending_claim(const storage::Record& record, const Json& claim) {
    if (text(claim, {"status", "phase"}).empty()) TRY(set_claim_phase(record, "Pending"));
    const std::string class_name = text(claim, {"spec", "storageClassName"}), named = text(claim, {"spec", "volumeName"});
    const Json reference = object_reference(kind("persistentvolumeclaims"), record);
    const auto class_record = class_name.empty() ? nullptr : classes_.get(class_name);
    const Json storage_class = class_record ? client().document(*class_record) : Json::object();
    const auto volume = matching_volume(record, claim);
    const bool reserved = volume && api::find(client().document(*volume), {"spec", "claimRef"}) != nullptr;
    if (!reserved && named.empty() && waits_for_consumer(record, claim, storage_class)) return true;
    if (volume) return bind(claim, *volume);
    if (!named.empty()) {
        tell_of_named_volume(named, claim, reference);
        return true;  // it will come, or be freed
    }
    if (class_name.empty()) {
        events().normal(reference, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
        return true;
    }
    if (!class_record) {
        events().warning(reference, "ProvisioningFailed", "storageclass.storage.k8s.io \"" + class_name + "\" not found");
        return true;
    }
    if (text(storage_class, {"provisioner"}) == "kubernetes.io/no-provisioner") {
        events().normal(reference, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
        return true;
    }
    return provision(claim, storage_class);
}

}  // namespace kubemu::controllers

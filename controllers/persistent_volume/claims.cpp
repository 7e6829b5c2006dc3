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

std::string class_of(const Json& object) {
    const std::string_view annotated =
        api::string_at(object, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
    return annotated.empty() ? text(object, {"spec", "storageClassName"}) : std::string(annotated);
}

bool same_mode(const Json& volume, const Json& claim) {
    return api::string_at(volume, {"spec", "volumeMode"}, "Filesystem") ==
           api::string_at(claim, {"spec", "volumeMode"}, "Filesystem");
}

bool offers_modes(const Json& volume, const Json& claim) {
    const Json& modes = api::array_at(volume, {"spec", "accessModes"});
    const Json& wanted = api::array_at(claim, {"spec", "accessModes"});
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const Json& mode) { return std::find(modes.begin(), modes.end(), mode) != modes.end(); });
}

bool large_enough(const Json& volume, const Json& claim) {
    const auto size = api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}));
    const auto wanted = api::Quantity::parse(api::string_at(claim, {"spec", "resources", "requests", "storage"}));
    return size && (!wanted || !(*size < *wanted));
}

bool same_attributes_class(const Json& volume, const Json& claim) {
    return text(volume, {"spec", "volumeAttributesClassName"}) == text(claim, {"spec", "volumeAttributesClassName"});
}

// The volume is reserved for the claim, or bound to it.
bool is_for(const Json& reference, const api::ObjectView& claim) {
    const std::string uid = text(reference, {"uid"});
    return api::string_at(reference, {"name"}) == claim.name &&
           api::string_at(reference, {"namespace"}) == claim.namespace_name && (uid.empty() || uid == claim.uid);
}

// Why a volume that a claim names is not for it (checkVolumeSatisfyClaim); empty: it is.
std::string mismatch(const Json& volume, const api::ObjectView& view, const Json& claim) {
    if (view.deleting) return "the volume is marked for deletion \"" + view.name + "\"";
    if (!large_enough(volume, claim)) return "requested PV is too small";
    if (class_of(volume) != class_of(claim)) return "storageClassName does not match";
    if (!same_attributes_class(volume, claim)) return "volumeAttributesClassName does not match";
    if (!same_mode(volume, claim)) return "incompatible volumeMode";
    if (!offers_modes(volume, claim)) return "incompatible accessMode";
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
    if (!completed) return reconcile_pending_claim(record, claim);
    TRY(reconcile_bound_claim(record, claim));
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

// The smallest volume that fits, of those that offer the fewest access modes; one that was reserved for the claim goes
// before all others, and is the only one where the scheduler chooses (volume.FindMatchingVolume).
storage::RecordPtr PersistentVolumeController::matching_volume(const storage::Record& record, const Json& claim,
                                                               bool delayed) {
    const Json* selector = api::find(claim, {"spec", "selector"});
    const api::LabelSelector labels =
        selector == nullptr ? api::LabelSelector() : api::LabelSelector::from_object(*selector);
    struct Fit {
        std::size_t modes = 0;
        bool reserved = false;
        api::Quantity size;
    };
    storage::RecordPtr best;
    Fit best_fit;
    for (const auto& candidate : volumes_.list()) {
        const api::ObjectView& view = api::view_of(*candidate);
        if (view.deleting) continue;
        const Json volume = client().document(*candidate);
        const Json* reference = api::find(volume, {"spec", "claimRef"});
        const bool reserved = reference != nullptr && is_for(*reference, api::view_of(record));
        if (reference != nullptr && !reserved) continue;
        if (!large_enough(volume, claim) || !same_mode(volume, claim) || !same_attributes_class(volume, claim))
            continue;
        if (!offers_modes(volume, claim)) continue;
        if (!reserved) {
            if (delayed || text(volume, {"status", "phase"}) != "Available" || class_of(volume) != class_of(claim))
                continue;
            if (selector != nullptr && !labels.matches(view.labels)) continue;
        }
        const Fit fit{api::array_at(volume, {"spec", "accessModes"}).size(), reserved,
                      *api::Quantity::parse(api::string_at(volume, {"spec", "capacity", "storage"}))};
        const bool better =
            best == nullptr || fit.modes < best_fit.modes ||
            (fit.modes == best_fit.modes && !best_fit.reserved && (fit.reserved || fit.size < best_fit.size));
        if (!better) continue;
        best = candidate;
        best_fit = fit;
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
        const Json* attributes = api::find(document, {"spec", "volumeAttributesClassName"});
        if (attributes != nullptr && api::string_at(status, {"phase"}) == "Pending")
            status["currentVolumeAttributesClassName"] = *attributes;
        status["phase"] = "Bound";
        status["accessModes"] = api::array_at(document, {"spec", "accessModes"});
        if (!status.contains("capacity")) status["capacity"] = api::object_at(document, {"spec", "capacity"});
        return true;
    }));
    return true;
}

// What is still so is told again only after a while.
Requeue PersistentVolumeController::tell_waiting(const storage::Record& claim, bool warning, std::string_view reason,
                                                 const std::string& message) {
    Told& told = told_[claim.key];
    std::string text = std::string(reason) + ": " + message;
    if (told.revision == claim.revision && told.text == text && now() < told.at + resync_period) {
        return Requeue{told.at + resync_period - now()};
    }
    told = {claim.revision, now(), std::move(text)};
    const Json reference = object_reference(kind("persistentvolumeclaims"), claim);
    if (warning)
        events().warning(reference, reason, message);
    else
        events().normal(reference, reason, message);
    return Requeue{resync_period};
}

// With WaitForFirstConsumer a claim waits until the scheduler has a node for a pod that uses it.
Requeue PersistentVolumeController::tell_of_consumers(const storage::Record& record) {
    std::vector<std::string> unscheduled;
    for (const auto& pod : pod_claims_.users(record.key)) {
        if (api::pod_view_of(*pod).node_name.empty()) unscheduled.push_back(api::view_of(*pod).name);
    }
    if (unscheduled.empty()) {
        return tell_waiting(record, false, "WaitForFirstConsumer",
                            "waiting for first consumer to be created before binding");
    }
    std::sort(unscheduled.begin(), unscheduled.end());
    return tell_waiting(record, false, "WaitForPodScheduled",
                        std::string(unscheduled.size() > 1 ? "waiting for pods " : "waiting for pod ") +
                            api::join(unscheduled, ",") + " to be scheduled");
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_named_volume(const storage::Record& record,
                                                                           const Json& claim) {
    const std::string name = text(claim, {"spec", "volumeName"});
    const auto candidate = volumes_.get(name);
    if (candidate == nullptr) return Requeue{};  // it will come
    const Json volume = client().document(*candidate);
    if (const Json* reference = api::find(volume, {"spec", "claimRef"})) {
        if (!is_for(*reference, api::view_of(record))) {
            return tell_waiting(record, true, "FailedBinding",
                                "volume \"" + name + "\" already bound to a different claim.");
        }
    } else if (const std::string why = mismatch(volume, api::view_of(*candidate), claim); !why.empty()) {
        return tell_waiting(record, true, "VolumeMismatch", "Cannot bind to requested volume \"" + name + "\": " + why);
    }
    TRY(bind(claim, *candidate));
    return Requeue{};
}

// A claim that was made before there was a default class takes it once there is one. True when it did.
api::ApiResult<bool> PersistentVolumeController::assign_default_class(const storage::Record& record,
                                                                      const Json& claim) {
    if (api::find(claim, {"spec", "storageClassName"}) != nullptr ||
        api::find(claim, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"}) != nullptr) {
        return false;
    }
    storage::RecordPtr newest;
    for (const auto& one : classes_.list()) {
        const Json candidate = client().document(*one);
        const Json& annotations = api::object_at(candidate, {"metadata", "annotations"});
        if (api::string_at(annotations, {"storageclass.kubernetes.io/is-default-class"}) != "true" &&
            api::string_at(annotations, {"storageclass.beta.kubernetes.io/is-default-class"}) != "true") {
            continue;
        }
        if (newest == nullptr || api::view_of(*newest).created < api::view_of(*one).created) newest = one;
    }
    if (newest == nullptr) return false;
    const api::ObjectView& view = api::view_of(record);
    TRY(client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, {}, [&](Json& object) {
        object["spec"]["storageClassName"] = api::view_of(*newest).name;
        return true;
    }));
    return true;
}

api::ApiResult<Requeue> PersistentVolumeController::reconcile_pending_claim(const storage::Record& record,
                                                                            const Json& claim) {
    if (text(claim, {"status", "phase"}).empty()) TRY(set_claim_phase(record, "Pending"));
    if (!text(claim, {"spec", "volumeName"}).empty()) return reconcile_named_volume(record, claim);
    const std::string class_name = class_of(claim);
    const auto class_record = class_name.empty() ? nullptr : classes_.get(class_name);
    const bool delayed =
        class_record && text(client().document(*class_record), {"volumeBindingMode"}) == "WaitForFirstConsumer";
    if (const auto volume = matching_volume(record, claim, delayed)) {
        TRY(bind(claim, *volume));
        return Requeue{};
    }
    TRY_ASSIGN(const bool assigned, assign_default_class(record, claim));
    if (assigned) return Requeue{};
    const bool chosen = api::find(claim, {"metadata", "annotations", "volume.kubernetes.io/selected-node"}) != nullptr;
    if (delayed && !chosen) return tell_of_consumers(record);
    if (!class_name.empty()) return provision(record, claim);
    return tell_waiting(record, false, "FailedBinding",
                        "no persistent volumes available for this claim and no storage class is set");
}

}  // namespace kubemu::controllers

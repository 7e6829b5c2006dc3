// What an external provisioner and resizer would do, at once: a volume made for a claim, and one that grows with it.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "api/values/quantity.h"
#include "controllers/persistent_volume/controller.h"
#include "controllers/persistent_volume/plugins.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

std::string text(const Json& object, std::initializer_list<std::string_view> path) { return std::string(api::string_at(object, path)); }

// Where the volume can be used: as the class allows it, and there where its first consumer is to run.
Json topology_terms(const Json& storage_class, const Json* node) {
    Json terms = Json::array();
    for (const Json& topology : api::array_at(storage_class, {"allowedTopologies"})) {
        Json expressions = Json::array();
        bool here = true;
        for (const Json& expression : api::array_at(topology, {"matchLabelExpressions"})) {
            Json values = api::array_at(expression, {"values"});
            const std::string key = text(expression, {"key"});
            if (node != nullptr) {
                const Json own = api::string_at(*node, {"metadata", "labels", key});
                here = here && std::find(values.begin(), values.end(), own) != values.end();
                values = Json::array({own});
            }
            expressions.push_back({{"key", key}, {"operator", "In"}, {"values", std::move(values)}});
        }
        if (here && !expressions.empty()) terms.push_back({{"matchExpressions", std::move(expressions)}});
    }
    return terms;
}

}  // namespace

// A user's Stages for claims are the provisioner then.
bool PersistentVolumeController::stages_provision() {
    constexpr std::string_view stages = "stages.kwok.x-k8s.io";
    if (manager().registry().kinds().find_stored(stages) == nullptr) return false;
    for (const auto& record : manager().registry().list(stages, {}))
        if (api::string_at(client().document(*record), {"spec", "resourceRef", "kind"}) == "PersistentVolumeClaim") return true;
    return false;
}

EventRecorder& PersistentVolumeController::speaker(const std::string& component) {
    auto& recorder = speakers_[component];
    if (recorder == nullptr) recorder = std::make_unique<EventRecorder>(manager(), client(), component);
    return *recorder;
}

// An external provisioner tells its name, its host's and a number of its own
// (sigs.k8s.io/sig-storage-lib-external-provisioner/controller).
EventRecorder& PersistentVolumeController::provisioner_events(const std::string& provisioner) {
    std::string& component = provisioner_components_[provisioner];
    if (component.empty()) component = provisioner + "_kubemu_" + manager().random().uuid("provisioner");
    return speaker(component);
}

api::ApiResult<Requeue> PersistentVolumeController::provision(const storage::Record& record, const Json& claim) {
    std::string class_name = text(claim, {"metadata", "annotations", "volume.beta.kubernetes.io/storage-class"});
    if (class_name.empty()) class_name = text(claim, {"spec", "storageClassName"});
    const auto class_record = classes_.get(class_name);
    if (!class_record) {
        return tell_waiting(record, true, "ProvisioningFailed",
                            "storageclass.storage.k8s.io \"" + class_name + "\" not found");
    }
    const Json storage_class = client().document(*class_record);
    const Provisioner provisioner = find_provisioner(text(storage_class, {"provisioner"}));
    if (!provisioner.error.empty()) return tell_waiting(record, true, "ProvisioningFailed", provisioner.error);
    const auto marked = client().modify(
        kind("persistentvolumeclaims"), api::namespace_of(claim), api::name_of(claim), {}, [&](Json& object) {
            Json& annotations = api::ensure(object, {"metadata", "annotations"});
            if (annotations.value("volume.kubernetes.io/storage-provisioner", "") == provisioner.name) return false;
            annotations["volume.kubernetes.io/storage-provisioner"] = provisioner.name;
            annotations["volume.beta.kubernetes.io/storage-provisioner"] = provisioner.name;
            return true;
        });
    if (!marked) {
        if (marked.error().code() == 409 || marked.error().code() == 404) return marked.error();
        return tell_waiting(record, true, "ProvisioningFailed", "Error saving claim: " + marked.error()->message);
    }
    const Requeue again =
        tell_waiting(**marked, false, "ExternalProvisioning",
                     "Waiting for a volume to be created either by the external provisioner '" + provisioner.name +
                         "' or manually by the system administrator. If volume creation is delayed, please verify "
                         "that the provisioner is running and correctly registered.");
    if (stages_provision()) return again;
    TRY(make_volume(claim, storage_class, provisioner.name));
    return again;
}

api::ApiResult<bool> PersistentVolumeController::make_volume(const Json& claim, const Json& storage_class,
                                                             const std::string& provisioner) {
    const std::string name = "pvc-" + std::string(api::uid_of(claim));
    const std::string space(api::namespace_of(claim)), claim_name(api::name_of(claim));
    Json volume = {{"metadata", {{"name", name}, {"annotations", {{"pv.kubernetes.io/provisioned-by", provisioner}}}}}};
    Json& spec = volume["spec"];
    spec["capacity"]["storage"] = text(claim, {"spec", "resources", "requests", "storage"});
    spec["accessModes"] = api::array_at(claim, {"spec", "accessModes"});
    spec["persistentVolumeReclaimPolicy"] = api::string_at(storage_class, {"reclaimPolicy"}, "Delete");
    spec["storageClassName"] = api::name_of(storage_class);
    spec["volumeMode"] = api::string_at(claim, {"spec", "volumeMode"}, "Filesystem");
    if (const Json* options = api::find(storage_class, "mountOptions")) spec["mountOptions"] = *options;
    spec["claimRef"] = {{"kind", "PersistentVolumeClaim"}, {"apiVersion", "v1"}, {"namespace", space}, {"name", claim_name},
                        {"uid", api::uid_of(claim)}, {"resourceVersion", text(claim, {"metadata", "resourceVersion"})}};
    spec["hostPath"] = {{"path", "/var/kubemu/volumes/" + name}, {"type", "DirectoryOrCreate"}};
    const auto selected = manager().registry().get("nodes", {}, text(claim, {"metadata", "annotations", "volume.kubernetes.io/selected-node"}));
    const Json node = selected == nullptr ? Json() : client().document(*selected);
    if (Json terms = topology_terms(storage_class, selected == nullptr ? nullptr : &node); !terms.empty())
        spec["nodeAffinity"]["required"]["nodeSelectorTerms"] = std::move(terms);
    if (volumes_.get(name) != nullptr) return true;
    EventRecorder& events = provisioner_events(provisioner);
    events.normal(claim, "Provisioning", "External provisioner is provisioning volume for claim \"" + space + "/" + claim_name + "\"");
    const auto made = client().create(kind("persistentvolumes"), {}, std::move(volume));
    if (!made && made.error().code() != 409) {
        events.warning(claim, "ProvisioningFailed", "failed to provision volume with StorageClass \"" + std::string(api::name_of(storage_class)) +
                                                          "\": " + made.error()->message);
        return made.error();
    }
    if (made) events.normal(claim, "ProvisioningSucceeded", "Successfully provisioned volume " + name);
    return true;
}

// A bound claim that asks for more than it has: the volume grows, then what the claim shows.
api::ApiResult<bool> PersistentVolumeController::enlarge(const storage::Record& record, const Json& claim, const storage::Record& volume) {
    const auto wanted = api::Quantity::parse(text(claim, {"spec", "resources", "requests", "storage"}));
    const auto has = api::Quantity::parse(text(claim, {"status", "capacity", "storage"}));
    if (!wanted || !has || !(*has < *wanted)) return true;
    const auto class_record = classes_.get(text(claim, {"spec", "storageClassName"}));
    if (!class_record || !api::bool_at(client().document(*class_record), {"allowVolumeExpansion"})) return true;
    const std::string name = api::view_of(volume).name;
    const Json reference = object_reference(kind("persistentvolumeclaims"), record);
    expand_events_.normal(reference, "ExternalExpanding", "waiting for an external controller to expand this PVC");
    EventRecorder& resizer = speaker("external-resizer " + find_provisioner(text(client().document(*class_record), {"provisioner"})).name);
    resizer.normal(reference, "Resizing", "External resizer is resizing volume " + name);
    TRY(client().modify(kind("persistentvolumes"), {}, name, {}, [&](Json& object) {
        const auto size = api::Quantity::parse(text(object, {"spec", "capacity", "storage"}));
        if (size && !(*size < *wanted)) return false;
        object["spec"]["capacity"]["storage"] = wanted->text();
        return true;
    }));
    const api::ObjectView& view = api::view_of(record);
    TRY(client().modify(kind("persistentvolumeclaims"), view.namespace_name, view.name, "status", [&](Json& object) {
        object["status"]["capacity"]["storage"] = wanted->text();
        return true;
    }));
    resizer.normal(reference, "VolumeResizeSuccessful", "Resize volume succeeded");
    return true;
}

}  // namespace kubemu::controllers

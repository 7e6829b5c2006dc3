// DefaultStorageClass and DefaultIngressClass: who names no class gets the default one.
#include "api/admission/default_class.h"

#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/values/time.h"

namespace kubemu::api {

std::string newest_default(const Lookup& lookup, std::string_view resource, std::string_view annotation) {
    std::string chosen;
    Time chosen_at{};
    for (const storage::RecordPtr& record : lookup.list(resource, {})) {
        const Json document = lookup.document(*record);
        if (string_at(document, {"metadata", "annotations", annotation}) != "true") continue;
        const Time created = parse_time_or_zero(string_at(document, {"metadata", "creationTimestamp"}));
        const std::string name(name_of(document));
        if (chosen.empty() || created > chosen_at || (created == chosen_at && name < chosen)) {
            chosen = name;
            chosen_at = created;
        }
    }
    return chosen;
}

ApiResult<bool> default_storage_class_mutate(AdmissionRequest& request) {
    if (!request.creates("persistentvolumeclaims")) return true;
    Json& spec = ensure(*request.object, {"spec"});
    const Json& annotations = object_at(*request.object, {"metadata", "annotations"});
    if (find(spec, "storageClassName") != nullptr ||
        find(annotations, "volume.beta.kubernetes.io/storage-class") != nullptr)
        return true;
    // The annotation's older name still counts.
    std::string name =
        newest_default(request.lookup, "storageclasses.storage.k8s.io", "storageclass.kubernetes.io/is-default-class");
    if (name.empty()) {
        name = newest_default(request.lookup, "storageclasses.storage.k8s.io",
                              "storageclass.beta.kubernetes.io/is-default-class");
    }
    if (!name.empty()) spec["storageClassName"] = name;
    return true;
}

ApiResult<bool> default_ingress_class_mutate(AdmissionRequest& request) {
    if (!request.creates("ingresses.networking.k8s.io")) return true;
    Json& spec = ensure(*request.object, {"spec"});
    const Json& annotations = object_at(*request.object, {"metadata", "annotations"});
    if (find(spec, "ingressClassName") != nullptr || find(annotations, "kubernetes.io/ingress.class") != nullptr)
        return true;
    const std::string name = newest_default(request.lookup, "ingressclasses.networking.k8s.io",
                                            "ingressclass.kubernetes.io/is-default-class");
    if (!name.empty()) spec["ingressClassName"] = name;
    return true;
}

}  // namespace kubemu::api

// StorageObjectInUseProtection: claims, volumes and classes of volume attributes stay while they are used; controllers
// take the finalizer off again.
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"

namespace kubemu::api {

ApiResult<bool> storage_protection_mutate(AdmissionRequest& request) {
    std::string finalizer;
    if (request.creates("persistentvolumes")) finalizer = "kubernetes.io/pv-protection";
    if (request.creates("persistentvolumeclaims")) finalizer = "kubernetes.io/pvc-protection";
    if (request.creates("volumeattributesclasses.storage.k8s.io")) finalizer = "kubernetes.io/vac-protection";
    if (finalizer.empty()) return true;
    Json& finalizers = ensure(*request.object, {"metadata"})["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    for (const Json& have : finalizers) {
        if (have == finalizer) return true;
    }
    finalizers.push_back(finalizer);
    return true;
}

}  // namespace kubemu::api

// PersistentVolumeClaimResize: a claim grows once it is bound, and when its class allows it.
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/kinds/validation.h"

namespace kubemu::api {
namespace {

std::string class_of(const Json& claim) {
    const Json& annotations = object_at(claim, {"metadata", "annotations"});
    constexpr const char* annotation = "volume.beta.kubernetes.io/storage-class";
    if (find(annotations, annotation) != nullptr) return std::string(string_at(annotations, {annotation}));
    return std::string(string_at(claim, {"spec", "storageClassName"}));
}

bool may_grow(const AdmissionRequest& request) {
    const std::string name = class_of(*request.object);
    if (name.empty() || name != class_of(*request.old)) return false;
    const storage::RecordPtr record = request.lookup.get("storageclasses.storage.k8s.io", {}, name);
    return record != nullptr && bool_at(request.lookup.document(*record), {"allowVolumeExpansion"});
}

}  // namespace

ApiResult<bool> claim_resize_validate(AdmissionRequest& request) {
    if (request.operation != AdmissionRequest::Operation::update || !request.is("persistentvolumeclaims") ||
        !request.subresource.empty()) {
        return true;
    }
    const Quantity size = quantity_of(find(*request.object, {"spec", "resources", "requests", "storage"}));
    const Quantity before = quantity_of(find(*request.old, {"spec", "resources", "requests", "storage"}));
    if (!(before < size)) return true;
    if (string_at(*request.old, {"status", "phase"}) != "Bound") {
        return request.forbidden("Only bound persistent volume claims can be expanded");
    }
    if (may_grow(request)) return true;
    return request.forbidden(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support "
        "resize");
}

}  // namespace kubemu::api

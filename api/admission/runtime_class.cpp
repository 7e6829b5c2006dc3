// RuntimeClass: a pod that names one gets its overhead and its scheduling rules (plugin/admission/runtimeclass).
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"

namespace kubemu::api {

ApiResult<bool> runtime_class_mutate(AdmissionRequest& request) {
    if (!request.creates("pods")) return true;
    Json& spec = ensure(*request.object, {"spec"});
    const std::string name(string_at(spec, {"runtimeClassName"}));
    if (name.empty()) {
        if (find(spec, "overhead") != nullptr) {
            return request.forbidden(
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        }
        return true;
    }
    const storage::RecordPtr record = request.lookup.get("runtimeclasses.node.k8s.io", {}, name);
    if (record == nullptr) {
        return request.forbidden("pod rejected: RuntimeClass \"" + name + "\" not found");
    }
    const Json runtime_class = request.lookup.document(*record);
    if (const Json* overhead = find(runtime_class, {"overhead", "podFixed"})) {
        const Json* given = find(spec, "overhead");
        if (given != nullptr && *given != *overhead) {
            return request.forbidden(
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }
        spec["overhead"] = *overhead;
    } else if (find(spec, "overhead") != nullptr) {
        return request.forbidden("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    for (const auto& [key, value] : object_at(runtime_class, {"scheduling", "nodeSelector"}).items()) {
        Json& selector = ensure(spec, {"nodeSelector"});
        if (const Json* given = find(selector, key); given != nullptr && *given != value) {
            return request.forbidden("conflict: runtimeClass.scheduling.nodeSelector[" + key + "] = " +
                                     value.get<std::string>() + "; pod.spec.nodeSelector[" + key + "] = " +
                                     given->get<std::string>());
        }
        selector[key] = value;
    }
    for (const Json& toleration : array_at(runtime_class, {"scheduling", "tolerations"})) {
        Json& tolerations = spec["tolerations"];
        if (!tolerations.is_array()) tolerations = Json::array();
        bool known = false;
        for (const Json& have : tolerations) known = known || have == toleration;
        if (!known) tolerations.push_back(toleration);
    }
    return true;
}

}  // namespace kubemu::api

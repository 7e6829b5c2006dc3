// RuntimeClass: a pod that names one gets its overhead and its scheduling rules (plugin/admission/runtimeclass).
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/admission/lookup_name.h"
#include "api/values/text.h"

namespace kubemu::api {

namespace {

// The class that the pod names; null when it names none.
ApiResult<Json> class_of(const AdmissionRequest& request) {
    const Json* name = find(*request.object, {"spec", "runtimeClassName"});
    if (name == nullptr) return Json();
    const std::string text = name->is_string() ? name->get<std::string>() : std::string();
    if (const std::string wrong = unusable_name(text); !wrong.empty()) return Status::plain_500(wrong);
    const storage::RecordPtr record = request.lookup.get("runtimeclasses.node.k8s.io", {}, text);
    if (record == nullptr) return request.forbidden("pod rejected: RuntimeClass " + go_quote(text) + " not found");
    return request.lookup.document(*record);
}

}  // namespace

ApiResult<bool> runtime_class_mutate(AdmissionRequest& request) {
    if (!request.creates("pods")) return true;
    TRY_ASSIGN(const Json runtime_class, class_of(request));
    if (runtime_class.is_null()) return true;
    Json& spec = ensure(*request.object, {"spec"});
    if (const Json* overhead = find(runtime_class, {"overhead", "podFixed"})) {
        const Json* given = find(spec, "overhead");
        if (given != nullptr && !given->empty() && *given != *overhead) {
            return request.forbidden("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
        }
        spec["overhead"] = *overhead;
    }
    for (const auto& [key, value] : object_at(runtime_class, {"scheduling", "nodeSelector"}).items()) {
        Json& selector = ensure(spec, {"nodeSelector"});
        if (const Json* given = find(selector, key); given != nullptr && *given != value) {
            return request.forbidden("conflict: runtimeClass.scheduling.nodeSelector[" + key +
                                     "] = " + value.get<std::string>() + "; pod.spec.nodeSelector[" + key +
                                     "] = " + given->get<std::string>());
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

ApiResult<bool> runtime_class_validate(AdmissionRequest& request) {
    if (!request.creates("pods")) return true;
    TRY_ASSIGN(const Json runtime_class, class_of(request));
    const Json* overhead = runtime_class.is_null() ? nullptr : find(runtime_class, {"overhead", "podFixed"});
    const Json* given = find(*request.object, {"spec", "overhead"});
    if (overhead == nullptr && given != nullptr) {
        return request.forbidden("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    if (overhead != nullptr && (given == nullptr || *given != *overhead)) {
        return request.forbidden("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    }
    return true;
}

}  // namespace kubemu::api

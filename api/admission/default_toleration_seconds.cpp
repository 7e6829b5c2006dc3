// DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or not reachable.
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"

namespace kubemu::api {

ApiResult<bool> default_toleration_seconds_mutate(AdmissionRequest& request) {
    constexpr int toleration_seconds = 300;
    if (!request.is("pods") || !request.subresource.empty() || request.object == nullptr) return true;
    Json& spec = ensure(*request.object, {"spec"});
    const Json given = array_at(spec, {"tolerations"});
    for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        bool tolerated = false;
        for (const Json& toleration : given) {
            const std::string_view have = string_at(toleration, {"key"}), effect = string_at(toleration, {"effect"});
            if ((have == key || have.empty()) && (effect == "NoExecute" || effect.empty())) tolerated = true;
        }
        if (tolerated) continue;
        Json& tolerations = spec["tolerations"];
        if (!tolerations.is_array()) tolerations = Json::array();
        tolerations.push_back(
            {{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", toleration_seconds}});
    }
    return true;
}

}  // namespace kubemu::api

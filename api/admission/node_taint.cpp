// TaintNodesByCondition: a node that registers itself takes no pods before its first heartbeat
// (kubernetes plugin/pkg/admission/nodetaint).
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"

namespace kubemu::api {

ApiResult<bool> node_taint_mutate(AdmissionRequest& request) {
    if (!request.creates("nodes")) return true;
    // A node that an administrator posts is taken as it is: nothing would take its taint off again.
    if (!request.user.name.starts_with("system:node:")) return true;
    Json& taints = ensure(*request.object, {"spec"})["taints"];
    if (!taints.is_array()) taints = Json::array();
    for (const Json& taint : taints) {
        if (string_at(taint, {"key"}) == "node.kubernetes.io/not-ready") return true;
    }
    taints.push_back({{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}});
    return true;
}

}  // namespace kubemu::api

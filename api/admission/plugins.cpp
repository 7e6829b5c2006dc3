// The list of admission plugins, and the small ones.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/authorization/escalation.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

ApiResult<bool> created_object(AdmissionRequest& request) {
    if (request.operation != AdmissionRequest::Operation::create || !request.subresource.empty()) return true;
    const HookContext context{request.kind, request.namespace_name, request.subresource, request.user,
                              request.now,  request.random,         request.lookup,      request.dry_run};
    return admit_create(*request.object, context);
}

// These must be there for a cluster to work (plugin/namespace/lifecycle).
ApiResult<bool> immortal_namespaces(AdmissionRequest& request) {
    if (request.operation != AdmissionRequest::Operation::remove || !request.is("namespaces")) return true;
    constexpr std::array<std::string_view, 3> immortal = {"default", "kube-system", "kube-public"};
    if (std::find(immortal.begin(), immortal.end(), request.name) == immortal.end()) return true;
    return request.forbidden("this namespace may not be deleted");
}

// A new node is not ready before its first heartbeat (plugin/admission/nodetaint); an existing taint stays one.
ApiResult<bool> taint_new_nodes(AdmissionRequest& request) {
    if (!request.creates("nodes")) return true;
    // Only the node's own kubelet registers unready; a node that an administrator posts is taken as it is.
    constexpr std::string_view node_user = "system:node:";
    if (request.user.name.compare(0, node_user.size(), node_user) != 0) return true;
    Json& taints = ensure(*request.object, {"spec"})["taints"];
    if (!taints.is_array()) taints = Json::array();
    for (const Json& taint : taints) {
        if (string_at(taint, {"key"}) == "node.kubernetes.io/not-ready") return true;
    }
    taints.push_back({{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}});
    return true;
}

constexpr AdmissionPlugin plugins[] = {
    {"NamespaceLifecycle", nullptr, immortal_namespaces},
    // Before the plugins below, because they look at what it adds (priority, containers' mounts).
    {"CreatedObject", created_object, nullptr},
    {"TaintNodesByCondition", taint_new_nodes, nullptr},
    {"LimitRanger", limit_ranger_mutate, limit_ranger_validate},
    {"RuntimeClass", runtime_class_mutate, nullptr},
    // After all that change the object, and before it is validated.
    {"PrivilegeEscalation", refuse_escalation, nullptr},
    // Last, because what another plugin refuses must not be charged.
    {"ResourceQuota", nullptr, resource_quota_validate},
};

}  // namespace

Status AdmissionRequest::forbidden(std::string_view why) const {
    // A generated name is not in the request; mutating plugins run before there is one.
    std::string_view which = name;
    if (which.empty() && object != nullptr) which = name_of(*object);
    if (which.empty() && object != nullptr) which = string_at(*object, {"metadata", "generateName"});
    return Status::forbidden(kind.group, kind.plural, which.empty() ? "Unknown!" : which, why);
}

std::span<const AdmissionPlugin> admission_plugins() { return plugins; }

ApiResult<bool> admit_mutating(AdmissionRequest& request) {
    for (const AdmissionPlugin& plugin : plugins) {
        if (plugin.mutate != nullptr) TRY(plugin.mutate(request));
    }
    return true;
}

ApiResult<bool> admit_validating(AdmissionRequest& request) {
    for (const AdmissionPlugin& plugin : plugins) {
        if (plugin.validate != nullptr) TRY(plugin.validate(request));
    }
    return true;
}

}  // namespace kubemu::api

// NamespaceLifecycle: nothing is written into a namespace that is not there, nothing new into one that is going, and
// some namespaces stay (k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle).
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/kinds/views.h"

namespace kubemu::api {
namespace {

bool immortal(std::string_view name) {
    return name == "default" || name == "kube-system" || name == "kube-public";
}

}  // namespace

ApiResult<bool> namespace_lifecycle(AdmissionRequest& request) {
    using Operation = AdmissionRequest::Operation;
    if (request.operation == Operation::remove) {
        if (request.is("namespaces") && immortal(request.name))
            return request.forbidden("this namespace may not be deleted");
        return true;
    }
    // What is asked about a namespace that is not there tells nothing about it.
    if (!request.kind.namespaced || request.namespace_name.empty() || request.is("localsubjectaccessreviews.authorization.k8s.io")) return true;
    const storage::RecordPtr space = request.lookup.get("namespaces", {}, request.namespace_name);
    if (space == nullptr) return Status::not_found({}, "namespaces", request.namespace_name);
    if (request.operation != Operation::create || !view_of(*space).deleting) return true;
    const std::string name(request.namespace_name);
    StatusDetail detail =
        *request.forbidden("unable to create new content in namespace " + name + " because it is being terminated");
    detail.causes.push_back(
        {"NamespaceTerminating", "namespace " + name + " is being terminated", "metadata.namespace"});
    return Status(std::move(detail));
}

}  // namespace kubemu::api

// The list of admission plugins.
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/admission/reinvocation.h"
#include "api/authorization/escalation.h"

namespace kubemu::api {
namespace {

// kubernetes pkg/kubeapiserver/options/plugins.go, AllOrderedPlugins.
constexpr AdmissionPlugin plugins[] = {
    {"NamespaceLifecycle", namespace_lifecycle, nullptr},
    {"LimitRanger", limit_ranger_mutate, limit_ranger_validate},
    {"ServiceAccount", service_account_mutate, service_account_validate},
    {"TaintNodesByCondition", node_taint_mutate, nullptr},
    {"PodSecurity", nullptr, pod_security_validate},
    {"Priority", priority_mutate, priority_validate},
    {"DefaultTolerationSeconds", default_toleration_seconds_mutate, nullptr},
    {"DefaultStorageClass", default_storage_class_mutate, nullptr},
    {"StorageObjectInUseProtection", storage_protection_mutate, nullptr},
    {"PersistentVolumeClaimResize", nullptr, claim_resize_validate},
    {"RuntimeClass", runtime_class_mutate, runtime_class_validate},
    {"CertificateApproval", nullptr, certificate_approval_validate},
    {"CertificateSigning", nullptr, certificate_signing_validate},
    {"CertificateSubjectRestriction", nullptr, certificate_subject_validate},
    {"DefaultIngressClass", default_ingress_class_mutate, nullptr},
    {"MutatingAdmissionPolicy", mutating_policies, nullptr},
    {"MutatingAdmissionWebhook", mutating_webhooks, nullptr},
    // After all that change the object, and before it is validated.
    {"PrivilegeEscalation", refuse_escalation, nullptr},
    {"ValidatingAdmissionPolicy", nullptr, validating_policies},
    {"ValidatingAdmissionWebhook", nullptr, validating_webhooks},
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

std::span<const AdmissionPlugin> admission_plugins() {
    return plugins;
}

ApiResult<bool> admit_mutating(AdmissionRequest& request) {
    Reinvocation again;
    request.reinvocation = &again;
    do {
        again.running = again.needed;
        for (const AdmissionPlugin& plugin : plugins) {
            if (plugin.mutate != nullptr) TRY(plugin.mutate(request));
        }
    } while (again.needed && !again.running);
    request.reinvocation = nullptr;
    return true;
}

ApiResult<bool> admit_validating(AdmissionRequest& request) {
    for (const AdmissionPlugin& plugin : plugins) {
        if (plugin.validate != nullptr) TRY(plugin.validate(request));
    }
    return true;
}

ApiResult<bool> admit_by_users(AdmissionRequest& request) {
    Reinvocation again;
    request.reinvocation = &again;
    do {
        again.running = again.needed;
        TRY(mutating_policies(request));
        TRY(mutating_webhooks(request));
    } while (again.needed && !again.running);
    request.reinvocation = nullptr;
    TRY(validating_policies(request));
    return validating_webhooks(request);
}

}  // namespace kubemu::api

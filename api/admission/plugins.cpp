// The list of admission plugins.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/admission/reinvocation.h"
#include "api/authorization/claim_status.h"
#include "api/authorization/escalation.h"

namespace kubemu::api {
namespace {

// No plugin of kube-apiserver, which does the same in its storage of roles.
constexpr std::string_view escalation = "PrivilegeEscalation";
// The same of claims.
constexpr std::string_view claim_status = "ResourceClaimStatus";

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
    {"PodTopologyLabels", pod_topology_labels_mutate, nullptr},
    {"MutatingAdmissionPolicy", mutating_policies, nullptr},
    {"MutatingAdmissionWebhook", mutating_webhooks, nullptr},
    // After all that change the object, and before it is validated.
    {escalation, refuse_escalation, nullptr},
    {claim_status, refuse_claim_status, nullptr},
    {"ValidatingAdmissionPolicy", nullptr, validating_policies},
    {"ValidatingAdmissionWebhook", nullptr, validating_webhooks},
    // Last, because what another plugin refuses must not be charged.
    {"ResourceQuota", nullptr, resource_quota_validate},
};

// Those of kube-apiserver that do not run here: most of them do not run there either, unless they are asked for.
constexpr std::string_view plugins_elsewhere[] = {
    "AlwaysAdmit", "AlwaysDeny", "AlwaysPullImages", "ClusterTrustBundleAttest", "DenyServiceExternalIPs", "EventRateLimit",
    "ExtendedResourceToleration", "ImagePolicyWebhook", "JobValidation", "LimitPodHardAntiAffinityTopology",
    "NamespaceAutoProvision", "NamespaceExists", "NodeDeclaredFeatureValidator", "NodeRestriction",
    "OwnerReferencesPermissionEnforcement", "PodGroupProtection", "PodGroupWorkloadExists", "PodNodeSelector",
    "PodResizeValidator", "PodTolerationRestriction"};

// Those that look at what is connected to, and at what is posted to subresources.
constexpr AdmissionPlugin plugins_of_subresources[] = {
    {"PodTopologyLabels", pod_topology_labels_mutate, nullptr},
    {"MutatingAdmissionPolicy", mutating_policies, nullptr},
    {"MutatingAdmissionWebhook", mutating_webhooks, nullptr},
    {"ValidatingAdmissionPolicy", nullptr, validating_policies},
    {"ValidatingAdmissionWebhook", nullptr, validating_webhooks},
};

bool runs(std::string_view plugin, const AdmissionRequest& request) {
    if (request.disabled == nullptr) return true;
    return std::find(request.disabled->begin(), request.disabled->end(), plugin) == request.disabled->end();
}

ApiResult<bool> mutate(AdmissionRequest& request, std::span<const AdmissionPlugin> chosen) {
    Reinvocation again;
    request.reinvocation = &again;
    do {
        again.running = again.needed;
        for (const AdmissionPlugin& plugin : chosen) {
            if (plugin.mutate != nullptr && runs(plugin.name, request)) TRY(plugin.mutate(request));
        }
    } while (again.needed && !again.running);
    request.reinvocation = nullptr;
    return true;
}

ApiResult<bool> validate(AdmissionRequest& request, std::span<const AdmissionPlugin> chosen) {
    for (const AdmissionPlugin& plugin : chosen) {
        if (plugin.validate != nullptr && runs(plugin.name, request)) TRY(plugin.validate(request));
    }
    return true;
}

}  // namespace

Status AdmissionRequest::forbidden(std::string_view why) const {
    // A generated name is not in the request; mutating plugins run before there is one.
    std::string_view which = name;
    if (which.empty() && object != nullptr) which = name_of(*object);
    if (which.empty() && object != nullptr) which = string_at(*object, {"metadata", "generateName"});
    return Status::forbidden(kind.group, kind.plural, which.empty() ? "Unknown!" : which, why);
}

bool is_admission_plugin(std::string_view name) {
    const auto named = [name](const AdmissionPlugin& plugin) { return plugin.name == name; };
    return (name != escalation && name != claim_status && std::any_of(std::begin(plugins), std::end(plugins), named)) ||
           std::find(std::begin(plugins_elsewhere), std::end(plugins_elsewhere), name) != std::end(plugins_elsewhere);
}

ApiResult<bool> admit_mutating(AdmissionRequest& request) {
    return mutate(request, plugins);
}

ApiResult<bool> admit_validating(AdmissionRequest& request) {
    return validate(request, plugins);
}

ApiResult<bool> admit_by_users(AdmissionRequest& request) {
    TRY(mutate(request, plugins_of_subresources));
    return validate(request, plugins_of_subresources);
}

}  // namespace kubemu::api

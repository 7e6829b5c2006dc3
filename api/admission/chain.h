// Admission: what the cluster itself adds to, or refuses of, a write that its author was allowed to make.
//
// The built-in plugins of kube-apiserver (k8s.io/kubernetes/plugin/pkg/admission) in its order: all mutate first,
// then all validate. To add one: a file here and a line in plugins.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/kinds/rules.h"
#include "api/schema/kind.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

class Authorizer;
class CompiledCache;
class KindRegistry;
class RemoteCalls;
struct Reinvocation;

struct AdmissionRequest {
    enum class Operation { create, update, remove, connect };
    Operation operation;
    const KindSpec& kind;  // as the request named it
    std::string_view namespace_name;
    std::string_view name;
    std::string_view subresource;
    const User& user;
    Time now;
    Random& random;
    const Lookup& lookup;
    const KindRegistry& kinds;
    bool dry_run = false;
    Json* object = nullptr;     // in the version of `kind`; null for a removal
    const Json* old = nullptr;  // null for a creation
    const Authorizer* authorizer = nullptr;  // null: everybody may do everything
    // Other objects to write in the same transaction (a quota that is charged). A lost race repeats the admission.
    std::vector<storage::Draft>* charges = nullptr;
    std::vector<std::string>* warnings = nullptr;  // receives Warning header texts
    const std::string* options = nullptr;          // see WriteContext
    bool admitted = false;                         // see WriteContext
    CompiledCache* compiled = nullptr;             // of policies; null: they are compiled each time
    RemoteCalls* calls = nullptr;                  // the answers of webhooks; null: none are asked
    Reinvocation* reinvocation = nullptr;          // set while the plugins that mutate run
    const std::vector<std::string>* disabled = nullptr;  // names of plugins that do not run; null: all do

    bool is(std::string_view resource) const { return kind.resource == resource; }
    bool creates(std::string_view resource) const {
        return operation == Operation::create && subresource.empty() && is(resource);
    }
    // 403 with `why`, about the object of the request.
    Status forbidden(std::string_view why) const;
};

struct AdmissionPlugin {
    std::string_view name;
    ApiResult<bool> (*mutate)(AdmissionRequest& request) = nullptr;
    ApiResult<bool> (*validate)(AdmissionRequest& request) = nullptr;
};

// Whether kube-apiserver has a plugin of this name, so that somebody may want to do without it.
bool is_admission_plugin(std::string_view name);

// Each says at its top what it is for.
ApiResult<bool> namespace_lifecycle(AdmissionRequest& request);
ApiResult<bool> limit_ranger_mutate(AdmissionRequest& request);
ApiResult<bool> limit_ranger_validate(AdmissionRequest& request);
ApiResult<bool> service_account_mutate(AdmissionRequest& request);
ApiResult<bool> service_account_validate(AdmissionRequest& request);
ApiResult<bool> node_taint_mutate(AdmissionRequest& request);
ApiResult<bool> pod_security_validate(AdmissionRequest& request);
ApiResult<bool> priority_mutate(AdmissionRequest& request);
ApiResult<bool> priority_validate(AdmissionRequest& request);
ApiResult<bool> default_toleration_seconds_mutate(AdmissionRequest& request);
ApiResult<bool> default_storage_class_mutate(AdmissionRequest& request);
ApiResult<bool> storage_protection_mutate(AdmissionRequest& request);
ApiResult<bool> claim_resize_validate(AdmissionRequest& request);
ApiResult<bool> runtime_class_mutate(AdmissionRequest& request);
ApiResult<bool> runtime_class_validate(AdmissionRequest& request);
ApiResult<bool> certificate_approval_validate(AdmissionRequest& request);
ApiResult<bool> certificate_signing_validate(AdmissionRequest& request);
ApiResult<bool> certificate_subject_validate(AdmissionRequest& request);
ApiResult<bool> default_ingress_class_mutate(AdmissionRequest& request);
ApiResult<bool> pod_topology_labels_mutate(AdmissionRequest& request);
// By the expressions of MutatingAdmissionPolicies.
ApiResult<bool> mutating_policies(AdmissionRequest& request);
// By servers that the cluster's users run.
ApiResult<bool> mutating_webhooks(AdmissionRequest& request);
ApiResult<bool> validating_webhooks(AdmissionRequest& request);
// By the expressions of ValidatingAdmissionPolicies.
ApiResult<bool> validating_policies(AdmissionRequest& request);
// Charges the namespace's ResourceQuotas.
ApiResult<bool> resource_quota_validate(AdmissionRequest& request);

ApiResult<bool> admit_mutating(AdmissionRequest& request);
ApiResult<bool> admit_validating(AdmissionRequest& request);
// Of what is no object of its own (a Binding, the options of a connection): mostly by the policies and webhooks that the
// users of the cluster have configured.
ApiResult<bool> admit_by_users(AdmissionRequest& request);

}  // namespace kubemu::api

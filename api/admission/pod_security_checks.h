// The checks of the Pod Security Standards (k8s.io/pod-security-admission/policy).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/admission/pod_security_policy.h"
#include "api/values/object.h"

namespace kubemu::api {

// What a pod violates: "host namespaces" in a word, "hostNetwork=true" in detail.
struct PodSecurityViolation {
    std::string reason;
    std::string detail;
};

// In the order of the real messages. `metadata` and `spec` are a pod's or those of a pod template.
std::vector<PodSecurityViolation> pod_security_violations(const PodSecurityStandard& standard, const Json& metadata,
                                                          const Json& spec);

// One check since a minor version of Kubernetes: empty reason when the pod is fine.
struct PodSecurityCheck {
    std::string_view id;
    int since_minor;
    PodSecurityViolation (*check)(const Json& metadata, const Json& spec);
    std::string_view overrides = {};  // the baseline check that a restricted one replaces
};
// Sorted by id, then by version.
std::span<const PodSecurityCheck> baseline_checks();
std::span<const PodSecurityCheck> restricted_checks();

// Names of containers of all three kinds that `bad` says are bad, in the order of the lists.
using ContainerTest = bool (*)(const Json& container);
std::vector<std::string> containers_where(const Json& spec, ContainerTest bad);
// `container "a"`, `containers "a", "b"`.
std::string quoted_containers(const std::vector<std::string>& names);
std::string join_quoted(const std::vector<std::string>& items);
std::string pluralize(const char* one, const char* many, std::size_t count);
// In a user namespace of its own, root is nobody outside (hostUsers: false).
bool has_user_namespace(const Json& spec);

PodSecurityViolation check_proc_mount(const Json& metadata, const Json& spec);

}  // namespace kubemu::api

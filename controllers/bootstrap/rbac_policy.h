// Default roles and bindings of RBAC: made at the first start, mended at every later one
// (k8s.io/kubernetes/pkg/registry/rbac/rest, k8s.io/component-helpers/auth/rbac/reconciliation).
//
// An administrator may take a role or binding out of this by the annotation
// rbac.authorization.kubernetes.io/autoupdate: "false".
#pragma once

#include <span>
#include <string_view>

#include "api/registry.h"

namespace kubemu::controllers {

struct BootstrapRole {
    std::string_view name{};
    std::string_view namespace_name{};  // empty for a ClusterRole
    std::string_view aggregate_to{};    // label rbac.authorization.k8s.io/aggregate-to-...
    std::string_view aggregates{};      // its rules are those of the roles with this label
    // One rule a line: "VERBS | GROUPS | RESOURCES", maybe "| NAMES", or "VERBS | PATHS"; the group "core" is the one
    // without a name. A line that begins with a blank goes on with the one before.
    std::string_view rules{};
};

struct BootstrapBinding {
    std::string_view name{};
    std::string_view namespace_name{};  // empty for a ClusterRoleBinding
    std::string_view role{};             // a Role when there is a namespace, else a ClusterRole
    std::string_view subjects{};         // "User NAME", "Group NAME" and "ServiceAccount NAMESPACE/NAME", with commas
};

std::span<const BootstrapRole> bootstrap_cluster_roles();
std::span<const BootstrapRole> bootstrap_controller_roles();
std::span<const BootstrapRole> bootstrap_namespace_roles();
std::span<const BootstrapBinding> bootstrap_bindings();

// Makes what is missing and gives existing ones the rules, subjects, labels and annotations that they lack.
void reconcile_rbac_policy(api::Registry& registry);

}  // namespace kubemu::controllers

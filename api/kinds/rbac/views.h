// Views of roles and bindings: grants as the authorizer reads them on every request, made once at the write.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/kinds/rbac/policy_rule.h"
#include "api/kinds/views.h"

namespace kubemu::api {

// Role and ClusterRole.
struct RoleView final : ObjectView {
    std::vector<PolicyRule> rules;
    bool aggregates = false;  // it has an aggregationRule
};

struct RbacSubject {
    std::string kind;  // User, Group or ServiceAccount
    std::string name;
    std::string namespace_name;  // of a service account; empty for the binding's own
};

// RoleBinding and ClusterRoleBinding.
struct BindingView final : ObjectView {
    std::string role_kind;  // Role or ClusterRole
    std::string role_name;
    std::vector<RbacSubject> subjects;
};

// The `project` hooks of these kinds.
std::shared_ptr<ObjectView> project_role(const Json& object);
std::shared_ptr<ObjectView> project_binding(const Json& object);

}  // namespace kubemu::api

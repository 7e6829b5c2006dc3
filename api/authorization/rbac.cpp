// Evaluation of roles and bindings.
#include "api/authorization/rbac.h"

#include <algorithm>

#include "api/authentication/service_account.h"
#include "api/registry.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view cluster_roles = "clusterroles.rbac.authorization.k8s.io";
constexpr std::string_view roles = "roles.rbac.authorization.k8s.io";
constexpr std::string_view cluster_role_bindings = "clusterrolebindings.rbac.authorization.k8s.io";
constexpr std::string_view role_bindings = "rolebindings.rbac.authorization.k8s.io";
constexpr std::string_view rbac_group = "rbac.authorization.k8s.io";

bool is(const RbacSubject& subject, const User& user, std::string_view binding_namespace) {
    if (subject.kind == "User") return user.name == subject.name;
    if (subject.kind == "Group") return user.in_group(subject.name);
    if (subject.kind != "ServiceAccount") return false;
    const std::string_view space = subject.namespace_name.empty() ? binding_namespace : std::string_view(subject.namespace_name);
    return !space.empty() && is_service_account(user.name, space, subject.name);
}

std::string description(const BindingView& binding, const RbacSubject& subject) {
    const bool in_namespace = !binding.namespace_name.empty();
    std::string who = subject.name;
    if (subject.kind == "ServiceAccount") {
        who += "/" + (subject.namespace_name.empty() ? binding.namespace_name : subject.namespace_name);
    }
    return std::string(in_namespace ? "RoleBinding " : "ClusterRoleBinding ") +
           go_quote(in_namespace ? binding.name + "/" + binding.namespace_name : binding.name) + " of " + binding.role_kind +
           " " + go_quote(binding.role_name) + " to " + subject.kind + " " + go_quote(who);
}

// utilerrors.NewAggregate: equal ones once.
std::string aggregate(std::vector<std::string> errors) {
    std::vector<std::string> distinct;
    for (std::string& error : errors) {
        if (std::find(distinct.begin(), distinct.end(), error) == distinct.end()) distinct.push_back(std::move(error));
    }
    if (distinct.empty()) return {};
    return distinct.size() == 1 ? distinct[0] : "[" + join(distinct, ", ") + "]";
}

bool allows(const PolicyRule& rule, const Attributes& attributes) {
    if (!attributes.resource_request) return rule.allows_path(attributes.verb, attributes.path);
    return rule.allows_resource(attributes.verb, attributes.group, attributes.resource, attributes.subresource, attributes.name);
}

}  // namespace

storage::RecordPtr Rbac::role_of(const BindingView& binding, std::string_view namespace_name) const {
    if (binding.role_kind == "ClusterRole") return store_.get(cluster_roles, binding.role_name);
    return store_.get(roles, object_key(namespace_name, binding.role_name));
}

bool Rbac::visit_bindings(const User& user, std::string_view resource, std::string_view namespace_name,
                          std::vector<std::string>& errors, const Visit& visit) const {
    const std::string prefix = namespace_name.empty() ? std::string() : std::string(namespace_name) + "/";
    const storage::Snapshot bindings = store_.list(resource, prefix);
    for (const storage::RecordPtr& record : bindings.records) {
        const auto& binding = static_cast<const BindingView&>(view_of(*record));
        const auto subject = std::find_if(binding.subjects.begin(), binding.subjects.end(),
                                          [&](const RbacSubject& one) { return is(one, user, namespace_name); });
        if (subject == binding.subjects.end()) continue;
        const storage::RecordPtr role = role_of(binding, namespace_name);
        if (role == nullptr) {
            errors.push_back((binding.role_kind == "ClusterRole" ? "clusterrole." : "role.") + std::string(rbac_group) + " " +
                             go_quote(binding.role_name) + " not found");
            continue;
        }
        for (const PolicyRule& rule : static_cast<const RoleView&>(view_of(*role)).rules) {
            if (!visit(binding, *subject, rule)) return false;
        }
    }
    return true;
}

void Rbac::visit(const User& user, std::string_view namespace_name, std::vector<std::string>& errors, const Visit& visit) const {
    if (!visit_bindings(user, cluster_role_bindings, {}, errors, visit) || namespace_name.empty()) return;
    visit_bindings(user, role_bindings, namespace_name, errors, visit);
}

Rbac::Answer Rbac::authorize(const User& user, const Attributes& attributes) const {
    Answer answer;
    std::vector<std::string> errors;
    visit(user, attributes.namespace_name, errors,
          [&](const BindingView& binding, const RbacSubject& subject, const PolicyRule& rule) {
              if (!allows(rule, attributes)) return true;
              answer = {true, "RBAC: allowed by " + description(binding, subject)};
              return false;
          });
    if (!answer.allowed && !errors.empty()) answer.reason = "RBAC: " + aggregate(std::move(errors));
    return answer;
}

Rbac::Grants Rbac::grants_of(const User& user, std::string_view namespace_name) const {
    Grants grants;
    std::vector<std::string> errors;
    visit(user, namespace_name, errors, [&](const BindingView&, const RbacSubject&, const PolicyRule& rule) {
        grants.rules.push_back(rule);
        return true;
    });
    grants.error = aggregate(std::move(errors));
    return grants;
}

ApiResult<std::vector<PolicyRule>> Rbac::rules_of_role(std::string_view role_kind, std::string_view role_name,
                                                       std::string_view namespace_name) const {
    BindingView reference;
    reference.role_kind = role_kind;
    reference.role_name = role_name;
    const storage::RecordPtr role = role_of(reference, namespace_name);
    if (role == nullptr) return Status::not_found(rbac_group, role_kind == "ClusterRole" ? "clusterroles" : "roles", role_name);
    return static_cast<const RoleView&>(view_of(*role)).rules;
}

}  // namespace kubemu::api

// Rules of RoleBinding and ClusterRoleBinding.
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/rbac/views.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* rbac_group = "rbac.authorization.k8s.io";

void set_defaults(Json& object, const HookContext&) {
    Json& reference = ensure(object, {"roleRef"});
    if (string_at(reference, {"apiGroup"}).empty()) reference["apiGroup"] = rbac_group;
    Json* subjects = find(object, "subjects");
    if (subjects == nullptr || !subjects->is_array()) return;
    for (Json& subject : *subjects) {
        const std::string_view kind = string_at(subject, {"kind"});
        if (string_at(subject, {"apiGroup"}).empty() && (kind == "User" || kind == "Group"))
            subject["apiGroup"] = rbac_group;
    }
}

void validate_subject(const Json& subject, bool namespaced, const FieldPath& path, FieldErrors& errors) {
    const std::string kind(string_at(subject, {"kind"})), group(string_at(subject, {"apiGroup"}));
    const std::string_view name = string_at(subject, {"name"});
    validate_required(name, path.child("name"), errors);
    if (kind == "ServiceAccount") {
        if (!name.empty()) add_invalid(check_dns1123_subdomain(name), path.child("name"), name, errors);
        if (!group.empty()) errors.not_supported(path.child("apiGroup"), group, {""});
        if (!namespaced)
            validate_required(string_at(subject, {"namespace"}), path.child("namespace"), errors);
    } else if (kind == "User" || kind == "Group") {
        if (group != rbac_group) errors.not_supported(path.child("apiGroup"), group, {rbac_group});
    } else {
        errors.not_supported(path.child("kind"), kind, {"ServiceAccount", "User", "Group"});
    }
}

void validate_binding(const Json& object, bool namespaced, FieldErrors& errors) {
    const FieldPath reference("roleRef");
    const std::string group(string_at(object, {"roleRef", "apiGroup"})),
        kind(string_at(object, {"roleRef", "kind"}));
    if (group != rbac_group) errors.not_supported(reference.child("apiGroup"), group, {rbac_group});
    if (kind != "ClusterRole" && !(namespaced && kind == "Role")) {
        const std::vector<std::string> kinds = namespaced ? std::vector<std::string>{"Role", "ClusterRole"}
                                                          : std::vector<std::string>{"ClusterRole"};
        errors.not_supported(reference.child("kind"), kind, kinds);
    }
    const std::string_view name = string_at(object, {"roleRef", "name"});
    if (validate_required(name, reference.child("name"), errors)) {
        add_invalid(check_path_segment(name, false), reference.child("name"), name, errors);
    }
    const Json& subjects = array_at(object, {"subjects"});
    for (std::size_t i = 0; i < subjects.size(); ++i)
        validate_subject(subjects[i], namespaced, FieldPath("subjects").index(i), errors);
}

void validate_role_binding(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_binding(object, true, errors);
}
void validate_cluster_binding(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_binding(object, false, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    constexpr GoField fields[] = {
        {"APIGroup", "apiGroup", "string"}, {"Kind", "kind", "string"}, {"Name", "name", "string"}};
    const Json& reference = object_at(object, {"roleRef"});
    if (reference == object_at(old, {"roleRef"})) return;
    errors.invalid(FieldPath("roleRef"), go_struct("rbac.RoleRef", fields, reference),
                   "cannot change roleRef");
}

}  // namespace

KUBEMU_RULES(role_binding_rules){.set_defaults = set_defaults,
                                 .validate = validate_role_binding,
                                 .validate_update = validate_update,
                                 .validate_name = check_path_segment,
                                 .project = project_binding};
KUBEMU_RULES(cluster_role_binding_rules){.set_defaults = set_defaults,
                                         .validate = validate_cluster_binding,
                                         .validate_update = validate_update,
                                         .validate_name = check_path_segment,
                                         .project = project_binding};

}  // namespace kubemu::api::kinds

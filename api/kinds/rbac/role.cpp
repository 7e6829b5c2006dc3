// Rules of Role and ClusterRole (kubernetes pkg/apis/rbac/validation).
#include <nlohmann/json.hpp>

#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/rbac/views.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void validate_rule(const Json& rule, bool namespaced, const FieldPath& path, FieldErrors& errors) {
    if (array_at(rule, {"verbs"}).empty())
        errors.required(path.child("verbs"), "verbs must contain at least one value");
    const Json& urls = array_at(rule, {"nonResourceURLs"});
    if (!urls.empty()) {
        const FieldPath at = path.child("nonResourceURLs");
        const GoText echo = go_strings("[]string", &urls);
        if (namespaced) errors.invalid(at, echo, "namespaced rules cannot apply to non-resource URLs");
        for (const char* member : {"apiGroups", "resources", "resourceNames"}) {
            if (array_at(rule, {member}).empty()) continue;
            errors.invalid(at, echo, "rules cannot apply to both regular resources and non-resource URLs");
            break;
        }
        return;
    }
    if (array_at(rule, {"apiGroups"}).empty()) {
        errors.required(path.child("apiGroups"), "resource rules must supply at least one api group");
    }
    if (array_at(rule, {"resources"}).empty()) {
        errors.required(path.child("resources"), "resource rules must supply at least one resource");
    }
}

void validate_rules(const Json& object, bool namespaced, FieldErrors& errors) {
    const Json& rules = array_at(object, {"rules"});
    for (std::size_t i = 0; i < rules.size(); ++i)
        validate_rule(rules[i], namespaced, FieldPath("rules").index(i), errors);
}

void validate_role(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_rules(object, true, errors);
}

void validate_cluster_role(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_rules(object, false, errors);
    const Json* aggregation = find(object, "aggregationRule");
    if (aggregation == nullptr) return;
    const FieldPath path = FieldPath("aggregationRule").child("clusterRoleSelectors");
    const Json& selectors = array_at(*aggregation, {"clusterRoleSelectors"});
    if (selectors.empty()) {
        errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
    }
    for (std::size_t i = 0; i < selectors.size(); ++i) {
        const std::size_t before = errors.all().size();
        validate_label_selector(selectors[i], path.index(i), errors);
        // A selector that cannot be used is named once more, as nothing.
        if (errors.all().size() > before)
            errors.invalid(path.index(i), GoText{"\"null\""}, "invalid label selector.");
    }
}

}  // namespace

KUBEMU_RULES(role_rules){
    .validate = validate_role, .validate_name = check_path_segment, .project = project_role};
KUBEMU_RULES(cluster_role_rules){
    .validate = validate_cluster_role, .validate_name = check_path_segment, .project = project_role};

}  // namespace kubemu::api::kinds

// Rules of ResourceQuotas: which resources can be limited, and under which scopes.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

void validate_hard_name(const std::string& name, const FieldPath& path, FieldErrors& errors) {
    validate_resource_name(name, path, errors);
    if (name.find('/') == std::string::npos && !is_standard_quota_resource(name)) {
        errors.invalid(path, name, "must be a standard resource for quota");
    }
}

void validate_amounts(const Json& amounts, const FieldPath& path, FieldErrors& errors) {
    for (const auto& [name, quantity] : amounts.items()) {
        validate_hard_name(name, path.key(name), errors);
        validate_resource_quantity(name, quantity_of(&quantity), path.key(name), errors);
    }
}

bool is_scope(std::string_view scope) {
    return scope == "Terminating" || scope == "NotTerminating" || scope == "BestEffort" || scope == "NotBestEffort" ||
           scope == "PriorityClass" || scope == "CrossNamespacePodAffinity" || scope == "VolumeAttributesClass";
}

// IsResourceQuotaScopeValidForResource.
bool scope_fits(std::string_view scope, std::string_view name) {
    const bool pods = name == "pods";
    const bool compute = name == "cpu" || name == "memory" || name == "limits.cpu" || name == "limits.memory" ||
                         name == "requests.cpu" || name == "requests.memory";
    if (scope == "BestEffort") return pods;
    if (scope == "VolumeAttributesClass") return name == "persistentvolumeclaims" || name == "requests.storage";
    return !is_scope(scope) || pods || compute;
}

GoText scopes_text(const Json& spec) {
    return go_strings("[]core.ResourceQuotaScope", find(spec, "scopes"));
}

void validate_fit(std::string_view scope, const Json& hard, const FieldPath& path, const GoText& echo,
                  FieldErrors& errors) {
    for (const auto& [name, quantity] : hard.items()) {
        if (is_standard_quota_resource(name) && !scope_fits(scope, name)) {
            errors.invalid(path, echo, "unsupported scope applied to resource");
        }
    }
}

void validate_pairs(const std::set<std::string>& scopes, const FieldPath& path, const GoText& echo,
                    FieldErrors& errors) {
    for (const char* scope : {"BestEffort", "Terminating"}) {
        if (scopes.contains(scope) && scopes.contains(std::string("Not") + scope))
            errors.invalid(path, echo, "conflicting scopes");
    }
}

void validate_scopes(const Json& spec, FieldErrors& errors) {
    const FieldPath path("spec.scopes");
    const GoText echo = scopes_text(spec);
    std::set<std::string> seen;
    for (const Json& item : array_at(spec, {"scopes"})) {
        const std::string& scope = item.get_ref<const std::string&>();
        if (!is_scope(scope)) errors.invalid(path, echo, "unsupported scope");
        validate_fit(scope, object_at(spec, {"hard"}), path, echo, errors);
        seen.insert(scope);
    }
    validate_pairs(seen, path, echo, errors);
}

void validate_requirement(const Json& requirement, const FieldPath& path, FieldErrors& errors) {
    const std::string scope(string_at(requirement, {"scopeName"})), op(string_at(requirement, {"operator"}));
    const Json& values = array_at(requirement, {"values"});
    const bool by_value = scope == "PriorityClass" || scope == "VolumeAttributesClass";
    if (is_scope(scope) && !by_value && op != "Exists") {
        errors.invalid(
            path.child("operator"), op,
            "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
            "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
            "ResourceQuotaScopeCrossNamespacePodAffinity");
    }
    if (op == "In" || op == "NotIn") {
        if (values.empty()) {
            errors.required(path.child("values"),
                            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
        }
    } else if (op == "Exists" || op == "DoesNotExist") {
        if (!values.empty()) {
            errors.invalid(path.child("values"), go_strings("[]string", &values),
                           "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
        }
    } else {
        errors.invalid(path.child("operator"), op, "not a valid selector operator");
    }
}

constexpr GoField requirement_fields[] = {
    {"ScopeName", "scopeName", "string"}, {"Operator", "operator", "string"}, {"Values", "values", "[]string"}};

// The whole selector, of which the server holds a pointer.
GoText selector_text(const Json& selector) {
    std::string text = "core.ScopeSelector{MatchExpressions:[]core.ScopedResourceSelectorRequirement{";
    bool first = true;
    for (const Json& requirement : array_at(selector, {"matchExpressions"})) {
        if (!first) text += ", ";
        first = false;
        text += go_struct("core.ScopedResourceSelectorRequirement", requirement_fields, requirement).text;
    }
    return {text + "}}"};
}

void validate_selector(const Json& spec, FieldErrors& errors) {
    const Json* selector = find(spec, "scopeSelector");
    if (selector == nullptr) return;
    const FieldPath path("spec.scopeSelector.matchExpressions");
    std::set<std::string> seen;
    for (const Json& requirement : array_at(*selector, {"matchExpressions"})) {
        const std::string scope(string_at(requirement, {"scopeName"}));
        if (!is_scope(scope)) errors.invalid(path.child("scopeName"), scope, "unsupported scope");
        validate_fit(scope, object_at(spec, {"hard"}), path, selector_text(*selector), errors);
        validate_requirement(requirement, path, errors);
        seen.insert(scope);
    }
    validate_pairs(seen, path, scopes_text(spec), errors);
}

void validate_spec(const Json& object, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    validate_amounts(object_at(spec, {"hard"}), FieldPath("spec.hard"), errors);
    validate_scopes(spec, errors);
    validate_selector(spec, errors);
}

void validate_status(const Json& object, FieldErrors& errors) {
    for (const char* list : {"hard", "used"}) {
        validate_amounts(object_at(object, {"status", list}), FieldPath("status").child(list), errors);
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_spec(object, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    Json now = array_at(object, {"spec", "scopes"}), before = array_at(old, {"spec", "scopes"});
    std::sort(now.begin(), now.end());
    std::sort(before.begin(), before.end());
    now.erase(std::unique(now.begin(), now.end()), now.end());
    before.erase(std::unique(before.begin(), before.end()), before.end());
    if (now != before) {
        errors.invalid(FieldPath("spec.scopes"), scopes_text(object_at(object, {"spec"})), "field is immutable");
    }
}

void validate_status_update(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    validate_status(object, errors);
}

void prepare_for_create(Json& object, const HookContext&) {
    object["status"] = Json::object();
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status")) object["status"] = *status;
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* spec = find(old, "spec")) object["spec"] = *spec;
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& out) {
    if (old != nullptr) return;
    const Json& hard = object_at(object, {"spec", "hard"});
    for (const std::string resource : {"cpu", "memory", "storage", "ephemeral-storage"}) {
        std::string request = "requests." + resource;
        const std::string limit = "limits." + resource;
        if (!hard.contains(request) && (resource == "cpu" || resource == "memory")) request = resource;
        if (!hard.contains(request) || !hard.contains(limit)) continue;
        const Quantity asked = quantity_of(find(hard, request)), most = quantity_of(find(hard, limit));
        if (!(most < asked)) continue;
        out.push_back("ResourceQuota " + request + " (" + asked.text() + ") should be less than " + limit + " (" +
                      most.text() + ")");
    }
}

}  // namespace

extern const KindRules resource_quota_rules;
const KindRules resource_quota_rules{.prepare_for_create = prepare_for_create,
                                     .prepare_for_update = prepare_for_update,
                                     .prepare_for_status_update = prepare_for_status_update,
                                     .validate = validate,
                                     .validate_update = validate_update,
                                     .validate_status_update = validate_status_update,
                                     .warnings = warnings};

}  // namespace kubemu::api::kinds

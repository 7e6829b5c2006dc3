// Rules and match conditions.
#include "api/kinds/admissionregistration/admission_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/admission.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t conditions_max = 64;

bool has_wildcard(const Json& list) {
    return std::find(list.begin(), list.end(), Json("*")) != list.end();
}

// '*' stands alone.
void validate_wildcard(const Json& list, std::string_view go_type, const FieldPath& path,
                       std::string_view others, FieldErrors& errors) {
    if (list.size() > 1 && has_wildcard(list)) {
        errors.invalid(path, go_strings(go_type, &list),
                       "if '*' is present, must not specify other " + std::string(others));
    }
}

void validate_resources(const Json& resources, const FieldPath& path, FieldErrors& errors) {
    if (resources.empty()) errors.required(path, "");
    std::set<std::string> all_of_resource, all_of_subresource;  // x/*, */x
    bool everything = false, all = false, plain = false;        // */*, *, x
    for (std::size_t i = 0; i < resources.size(); ++i) {
        const std::string text = resources[i].is_string() ? resources[i].get<std::string>() : "";
        if (text.empty()) {
            errors.required(path.index(i), "");
            continue;
        }
        everything = everything || text == "*/*";
        all = all || text == "*";
        const std::size_t slash = text.find('/');
        if (slash == std::string::npos) {
            plain = text != "*";
            continue;
        }
        const std::string resource = text.substr(0, slash), sub = text.substr(slash + 1);
        if (all_of_resource.contains(resource)) {
            errors.invalid(path.index(i), text,
                           "if '" + resource + "/*' is present, must not specify " + text);
        }
        if (all_of_subresource.contains(sub)) {
            errors.invalid(path.index(i), text, "if '*/" + sub + "' is present, must not specify " + text);
        }
        if (sub == "*") all_of_resource.insert(resource);
        if (resource == "*") all_of_subresource.insert(sub);
    }
    const GoText echo = go_strings("[]string", &resources);
    if (resources.size() > 1 && everything)
        errors.invalid(path, echo, "if '*/*' is present, must not specify other resources");
    if (all && plain) {
        errors.invalid(path, echo,
                       "if '*' is present, must not specify other resources without subresources");
    }
}

}  // namespace

void validate_choice(const Json& object, const char* member, bool required,
                     const std::vector<std::string>& supported, const FieldPath& parent,
                     FieldErrors& errors) {
    const Json* value = find(object, member);
    if (value == nullptr) {
        if (required) errors.required(parent.child(member), "");
        return;
    }
    const std::string text = value->is_string() ? value->get<std::string>() : "";
    if (std::find(supported.begin(), supported.end(), text) == supported.end()) {
        errors.not_supported(parent.child(member), text, supported);
    }
}

void validate_admission_rule(const Json& rule, const FieldPath& path, FieldErrors& errors) {
    const FieldPath operations_path = path.child("operations");
    const Json& operations = array_at(rule, {"operations"});
    if (operations.empty()) errors.required(operations_path, "");
    validate_wildcard(operations, "[]admissionregistration.OperationType", operations_path, "operations",
                      errors);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const std::string operation = operations[i].is_string() ? operations[i].get<std::string>() : "";
        const std::vector<std::string> supported = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE"};
        if (std::find(supported.begin(), supported.end(), operation) == supported.end()) {
            errors.not_supported(operations_path.index(i), operation, supported);
        }
    }
    const Json& groups = array_at(rule, {"apiGroups"});
    if (groups.empty()) errors.required(path.child("apiGroups"), "");
    validate_wildcard(groups, "[]string", path.child("apiGroups"), "API groups", errors);
    const Json& versions = array_at(rule, {"apiVersions"});
    if (versions.empty()) errors.required(path.child("apiVersions"), "");
    validate_wildcard(versions, "[]string", path.child("apiVersions"), "API versions", errors);
    for (std::size_t i = 0; i < versions.size(); ++i) {
        if (versions[i] == "") errors.required(path.child("apiVersions").index(i), "");
    }
    validate_resources(array_at(rule, {"resources"}), path.child("resources"), errors);
    validate_choice(rule, "scope", false, {"*", "Cluster", "Namespaced"}, path, errors);
}

void refuse_expression(const cel::AdmissionExpression& compiled, const std::string& source, const FieldPath& path, FieldErrors& errors) {
    if (compiled.internal) errors.internal(path, compiled.error);
    else errors.invalid(path, source, compiled.error);
}

void validate_match_conditions(const Json& conditions, bool params, const FieldPath& path, FieldErrors& errors) {
    cel::AdmissionEnvironment environment;
    environment.params = params;
    environment.variables = false;
    if (conditions.size() > conditions_max) errors.too_many(path, conditions.size(), conditions_max);
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const FieldPath at = path.index(i);
        const std::string expression(trim(string_at(conditions[i], {"expression"})));
        if (expression.empty()) {
            errors.required(at.child("expression"), "");
        } else if (const auto compiled = cel::compile_admission(expression, environment, cel::AdmissionScope::authorizer, {"bool"});
                   compiled.program == nullptr) {
            refuse_expression(compiled, expression, at.child("expression"), errors);
        }
        const std::string_view name = string_at(conditions[i], {"name"});
        if (!validate_required(name, at.child("name"), errors)) continue;
        validate_qualified_name(name, at.child("name"), errors);
        if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
    }
}

}  // namespace kubemu::api::kinds

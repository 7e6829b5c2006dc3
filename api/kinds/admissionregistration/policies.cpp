// Rules of admission policies and their bindings. Expressions must compile.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/admission.h"
#include "api/kinds/admissionregistration/admission_rules.h"
#include "api/kinds/conditions.h"
#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t audit_annotations_max = 20, value_expression_bytes_max = 5 * 1024;

// ---------------------------------------------------------------- what both kinds of policy match

void validate_param_kind(const Json& kind, const FieldPath& path, FieldErrors& errors) {
    const std::string text(string_at(kind, {"apiVersion"}));
    const FieldPath at = path.child("apiVersion");
    if (validate_required(text, at, errors)) {
        if (std::count(text.begin(), text.end(), '/') > 1) {
            errors.invalid(at, text, "unexpected GroupVersion string: " + text);
        } else {
            const std::size_t slash = text.find('/');
            const std::string group = slash == std::string::npos ? "" : text.substr(0, slash);
            const std::string version = slash == std::string::npos ? text : text.substr(slash + 1);
            if (const Messages wrong = check_dns1123_subdomain(group); !group.empty() && !wrong.empty()) {
                errors.invalid(at, group, join(wrong, ","));
            }
            if (version.empty()) {
                errors.invalid(at, text, "version must be specified");
            } else if (const Messages wrong = check_dns1035_label(version); !wrong.empty()) {
                errors.invalid(at, version, join(wrong, ","));
            }
        }
    }
    const std::string name(string_at(kind, {"kind"}));
    if (!validate_required(name, path.child("kind"), errors)) return;
    if (const Messages wrong = check_dns1035_label(lower(name)); !wrong.empty()) {
        errors.invalid(path.child("kind"), name,
                       "may have mixed case, but should otherwise match: " + join(wrong, ","));
    }
}

void validate_named_rules(const Json& rules, const FieldPath& path, FieldErrors& errors) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const FieldPath names_path = path.index(i).child("resourceNames");
        const Json& names = array_at(rules[i], {"resourceNames"});
        std::set<std::string> seen;
        for (std::size_t j = 0; j < names.size(); ++j) {
            const std::string name = names[j].is_string() ? names[j].get<std::string>() : "";
            add_invalid(check_path_segment(name, false), names_path.index(j), name, errors);
            if (!seen.insert(name).second) errors.duplicate(names_path.index(j), name);
        }
        validate_admission_rule(rules[i], path.index(i), errors);
    }
}

void validate_match_resources(const Json& match, const FieldPath& path, FieldErrors& errors) {
    validate_choice(match, "matchPolicy", true, {"Equivalent", "Exact"}, path, errors);
    for (const char* member : {"namespaceSelector", "objectSelector"}) {
        const Json* selector = find(match, member);
        if (selector == nullptr) {
            errors.required(path.child(member), "");
        } else {
            validate_label_selector(*selector, path.child(member), errors);
        }
    }
    for (const char* member : {"resourceRules", "excludeResourceRules"}) {
        validate_named_rules(array_at(match, {member}), path.child(member), errors);
    }
}

bool is_identifier(const std::string& name) {
    static const std::set<std::string_view> reserved = {
        "true",     "false",   "null",      "in",       "as",  "break",  "const",
        "continue", "else",    "for",       "function", "if",  "import", "let",
        "loop",     "package", "namespace", "return",   "var", "void",   "while"};
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0 || reserved.contains(name)) return false;
    return std::all_of(name.begin(), name.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

// `source` as it is compiled and echoed.
void must_compile(const std::string& source, const cel::AdmissionEnvironment& environment, cel::AdmissionScope scope,
                  std::initializer_list<std::string_view> types, const FieldPath& path, FieldErrors& errors) {
    const auto compiled = cel::compile_admission(source, environment, scope, types);
    if (compiled.program == nullptr) refuse_expression(compiled, source, path, errors);
}

// Declares them for the expressions that follow.
void validate_variables(const Json& variables, cel::AdmissionEnvironment& environment, const FieldPath& path,
                        FieldErrors& errors) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const std::string name(string_at(variables[i], {"name"}));
        if (trim(name).empty()) {
            errors.required(path.index(i).child("name"), "name is not specified");
        } else if (!is_identifier(name)) {
            errors.invalid(path.index(i).child("name"), name, "must be a valid CEL identifier");
        }
        const std::string expression(string_at(variables[i], {"expression"}));
        if (trim(expression).empty()) {
            errors.required(path.index(i).child("expression"), "expression is not specified");
        } else if (const auto compiled = cel::compile_variable(name, expression, environment); compiled.program == nullptr) {
            refuse_expression(compiled, expression, path.index(i).child("expression"), errors);
        }
    }
}

// The environment of the policy's own expressions.
cel::AdmissionEnvironment validate_common(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    cel::AdmissionEnvironment environment;
    environment.params = find(spec, "paramKind") != nullptr;
    validate_choice(spec, "failurePolicy", true, {"Fail", "Ignore"}, path, errors);
    if (const Json* kind = find(spec, "paramKind"))
        validate_param_kind(*kind, path.child("paramKind"), errors);
    const Json* match = find(spec, "matchConstraints");
    const FieldPath constraints = path.child("matchConstraints");
    if (match == nullptr) {
        errors.required(constraints, "");
    } else {
        validate_match_resources(*match, constraints, errors);
        if (array_at(*match, {"resourceRules"}).empty())
            errors.required(constraints.child("resourceRules"), "");
    }
    validate_match_conditions(array_at(spec, {"matchConditions"}), environment.params, path.child("matchConditions"), errors);
    const Json& variables = array_at(spec, {"variables"});
    environment.variables = !variables.empty();
    validate_variables(variables, environment, path.child("variables"), errors);
    return environment;
}

// ---------------------------------------------------------------- ValidatingAdmissionPolicy

void validate_validation(const Json& validation, const cel::AdmissionEnvironment& environment, const FieldPath& path,
                         FieldErrors& errors) {
    const std::string expression(string_at(validation, {"expression"}));
    if (trim(expression).empty()) {
        errors.required(path.child("expression"), "expression is not specified");
    } else {
        must_compile(expression, environment, cel::AdmissionScope::authorizer, {"bool"}, path.child("expression"), errors);
    }
    const std::string message_expression(string_at(validation, {"messageExpression"})),
        message(string_at(validation, {"message"}));
    if (!message_expression.empty() && trim(message_expression).empty()) {
        errors.invalid(path.child("messageExpression"), message_expression, "must be non-empty if specified");
    } else if (!message_expression.empty()) {
        must_compile(message_expression, environment, cel::AdmissionScope::plain, {"string"}, path.child("messageExpression"),
                     errors);
    }
    if (!message.empty() && trim(message).empty()) {
        errors.invalid(path.child("message"), message, "message must be non-empty if specified");
    } else if (trim(message).find_first_of("\r\n") != std::string_view::npos) {
        errors.invalid(path.child("message"), message, "message must not contain line breaks");
    }
    validate_choice(validation, "reason", false, {"Forbidden", "Invalid", "RequestEntityTooLarge"}, path,
                    errors);
}

void validate_audit_annotations(const Json& object, const Json& annotations, const cel::AdmissionEnvironment& environment,
                                const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Key", "key", "string"}, {"ValueExpression", "valueExpression", "string"}};
    if (annotations.size() > audit_annotations_max) {
        std::string echo = "[]admissionregistration.AuditAnnotation{";
        for (const Json& annotation : annotations) {
            echo += (echo.back() == '{' ? "" : ", ") +
                    go_struct("admissionregistration.AuditAnnotation", fields, annotation).text;
        }
        errors.invalid(path, GoText{echo + "}"}, "must not have more than 20 auditAnnotations");
    }
    std::set<std::string_view> keys;
    for (std::size_t i = 0; i < annotations.size(); ++i) {
        const FieldPath at = path.index(i);
        const std::string_view key = string_at(annotations[i], {"key"});
        if (name_of(object).empty()) {
            errors.invalid(at.child("key"), std::string(key), "requires metadata.name be non-empty");
        } else {
            validate_qualified_name(std::string(name_of(object)) + "/" + std::string(key), at.child("key"),
                                    errors);
        }
        const std::string_view expression = trim(string_at(annotations[i], {"valueExpression"}));
        if (expression.empty()) {
            errors.required(at.child("valueExpression"), "valueExpression is not specified");
        } else if (expression.size() > value_expression_bytes_max) {
            errors.required(at.child("valueExpression"), "must not exceed 5120 bytes in length");
        } else if (const auto compiled = cel::compile_admission(std::string(expression), environment, cel::AdmissionScope::authorizer,
                                                                {"string", "null_type"});
                   compiled.program == nullptr) {
            refuse_expression(compiled, std::string(string_at(annotations[i], {"valueExpression"})), at.child("valueExpression"), errors);
        }
        if (!keys.insert(key).second) errors.duplicate(at.child("key"), std::string(key));
    }
}

void validate_validating(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const cel::AdmissionEnvironment environment = validate_common(spec, path, errors);
    const Json& validations = array_at(spec, {"validations"});
    const Json& annotations = array_at(spec, {"auditAnnotations"});
    if (validations.empty() && annotations.empty()) {
        for (const char* member : {"validations", "auditAnnotations"}) {
            errors.required(path.child(member),
                            "validations or auditAnnotations must contain at least one item");
        }
        return;
    }
    for (std::size_t i = 0; i < validations.size(); ++i)
        validate_validation(validations[i], environment, path.child("validations").index(i), errors);
    validate_audit_annotations(object, annotations, environment, path.child("auditAnnotations"), errors);
}

void validate_validating_status(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const FieldPath path("status");
    const Json& warnings = array_at(object, {"status", "typeChecking", "expressionWarnings"});
    for (std::size_t i = 0; i < warnings.size(); ++i) {
        const FieldPath at = path.child("typeChecking").child("expressionWarnings").index(i);
        validate_required(string_at(warnings[i], {"warning"}), at.child("warning"), errors);
        validate_required(trim(string_at(warnings[i], {"fieldRef"})), at.child("fieldRef"), errors);
    }
    validate_conditions(array_at(object, {"status", "conditions"}), path.child("conditions"), errors);
}

// ---------------------------------------------------------------- MutatingAdmissionPolicy

void validate_mutation(const Json& mutation, const cel::AdmissionEnvironment& environment, const FieldPath& path,
                       FieldErrors& errors) {
    const std::string type(string_at(mutation, {"patchType"}));
    if (!validate_required(type, path.child("patchType"), errors)) return;
    if (type != "ApplyConfiguration" && type != "JSONPatch") {
        return errors.not_supported(path.child("patchType"), type, {"ApplyConfiguration", "JSONPatch"});
    }
    const bool applies = type == "ApplyConfiguration";
    const char* own = applies ? "applyConfiguration" : "jsonPatch";
    const char* other = applies ? "jsonPatch" : "applyConfiguration";
    const Json* patch = find(mutation, own);
    if (patch == nullptr) {
        errors.required(path.child(own), "must be specified when patchType is " + type);
    } else if (const std::string expression(trim(string_at(*patch, {"expression"}))); expression.empty()) {
        errors.required(path.child(own).child("expression"), "");
    } else {
        must_compile(expression, environment, cel::AdmissionScope::patches, {applies ? "Object" : "list(JSONPatch)"},
                     path.child(own).child("expression"), errors);
    }
    if (find(mutation, other) != nullptr) {
        errors.invalid(path.child(other), "{" + std::string(other) + "}", "must not be specified when patchType is " + type);
    }
}

// What is deleted cannot be changed.
void validate_mutable_operations(const Json& match, const FieldPath& path, FieldErrors& errors) {
    for (const Json& rule : array_at(match, {"resourceRules"})) {
        for (const Json& item : array_at(rule, {"operations"})) {
            const std::string operation = item.is_string() ? item.get<std::string>() : "";
            if (operation == "*" || operation == "CREATE" || operation == "UPDATE" || operation == "CONNECT") continue;
            errors.not_supported(path.child("resourceRules").child("operations"), operation,
                                 {"*", "CONNECT", "CREATE", "UPDATE"});
        }
    }
}

void validate_mutating(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    cel::AdmissionEnvironment environment = validate_common(spec, path, errors);
    environment.variables = true;
    validate_mutable_operations(object_at(spec, {"matchConstraints"}), path.child("matchConstraints"), errors);
    const Json& mutations = array_at(spec, {"mutations"});
    if (mutations.empty())
        errors.required(path.child("mutations"), "mutations must contain at least one item");
    for (std::size_t i = 0; i < mutations.size(); ++i)
        validate_mutation(mutations[i], environment, path.child("mutations").index(i), errors);
    validate_choice(spec, "reinvocationPolicy", true, {"IfNeeded", "Never"}, path, errors);
}

// ---------------------------------------------------------------- bindings

void validate_param_ref(const Json& reference, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = string_at(reference, {"name"});
    const Json* selector = find(reference, "selector");
    constexpr const char* exclusive = "name and selector are mutually exclusive";
    add_invalid(check_path_segment(name, false), path.child("name"), name, errors);
    if (!name.empty() && selector != nullptr) errors.forbidden(path.child("name"), exclusive);
    if (selector != nullptr) {
        validate_label_selector(*selector, path.child("selector"), errors);
        if (!name.empty()) errors.forbidden(path.child("selector"), exclusive);
    }
    if (name.empty() && selector == nullptr)
        errors.required(path, "one of name or selector must be specified");
    const std::string action(string_at(reference, {"parameterNotFoundAction"}));
    if (action.empty()) {
        errors.required(path.child("parameterNotFoundAction"), "");
    } else if (action != "Deny" && action != "Allow") {
        errors.not_supported(path.child("parameterNotFoundAction"), action, {"Deny", "Allow"});
    }
}

void validate_binding(const Json& object, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const std::string_view policy = string_at(spec, {"policyName"});
    if (validate_required(policy, path.child("policyName"), errors)) {
        add_invalid(check_dns1123_subdomain(policy), path.child("policyName"), policy, errors);
    }
    if (const Json* reference = find(spec, "paramRef"))
        validate_param_ref(*reference, path.child("paramRef"), errors);
    // The name of this path is misspelt in the real server.
    if (const Json* match = find(spec, "matchResources"))
        validate_match_resources(*match, path.child("matchResources"), errors);
}

void validate_validating_binding(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_binding(object, errors);
    const FieldPath path = FieldPath("spec").child("validationActions");
    const Json& actions = array_at(object, {"spec", "validationActions"});
    std::set<std::string> seen;
    for (std::size_t i = 0; i < actions.size(); ++i) {
        const std::string action = actions[i].is_string() ? actions[i].get<std::string>() : "";
        if (action != "Deny" && action != "Warn" && action != "Audit") {
            errors.not_supported(path.index(i), action, {"Audit", "Deny", "Warn"});
        }
        if (!seen.insert(action).second) errors.duplicate(path.index(i), action);
    }
    if (seen.contains("Deny") && seen.contains("Warn")) {
        errors.invalid(path, go_strings("[]admissionregistration.ValidationAction", &actions),
                       "must not contain both Deny and Warn (repeating the same validation failure "
                       "information in the API "
                       "response and headers serves no purpose)");
    }
    if (seen.empty()) errors.required(path, "at least one validation action is required");
}

void validate_mutating_binding(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_binding(object, errors);
    validate_mutable_operations(object_at(object, {"spec", "matchResources"}), FieldPath("spec").child("matchResources"),
                                errors);
}

}  // namespace

KUBEMU_RULES(validating_admission_policy_rules){.validate = validate_validating,
                                                .validate_status_update = validate_validating_status};
KUBEMU_RULES(validating_admission_policy_binding_rules){.validate = validate_validating_binding};
KUBEMU_RULES(mutating_admission_policy_rules){.validate = validate_mutating};
KUBEMU_RULES(mutating_admission_policy_binding_rules){.validate = validate_mutating_binding};

}  // namespace kubemu::api::kinds

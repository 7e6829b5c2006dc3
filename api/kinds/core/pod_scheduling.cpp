// Where a pod may run: affinity, tolerations, scheduling gates.
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view required_terms = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view preferred_terms = "preferredDuringSchedulingIgnoredDuringExecution";

std::string_view text(const Json& object, std::string_view member) { return string_at(object, {member}); }

void validate_node_expression(const Json& expression, bool values_checked, const FieldPath& path, FieldErrors& errors) {
    const std::string_view op = text(expression, "operator"), key = text(expression, "key");
    const Json& values = array_at(expression, {"values"});
    if (op == "In" || op == "NotIn") {
        if (values.empty()) errors.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
        if (!values.empty()) {
            errors.forbidden(path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
    } else if (op == "Gt" || op == "Lt") {
        if (values.size() != 1) {
            errors.required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
    } else {
        errors.invalid(path.child("operator"), std::string(op), "not a valid selector operator");
    }
    add_invalid(check_qualified_name(key), path.child("key"), key, errors);
    if (!values_checked) return;
    std::size_t i = 0;
    for (const Json& value : values) {
        const std::size_t index = i++;
        if (!value.is_string()) continue;
        const auto& label = value.get_ref<const std::string&>();
        add_invalid(check_label_value(label), path.child("values").index(index), label, errors);
    }
}

void validate_node_field(const Json& field, const FieldPath& path, FieldErrors& errors) {
    const std::string_view op = text(field, "operator"), key = text(field, "key");
    const Json& values = array_at(field, {"values"});
    if (op == "In" || op == "NotIn") {
        if (values.size() != 1) {
            errors.required(path.child("values"),
                            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
        }
    } else {
        errors.invalid(path.child("operator"), std::string(op), "not a valid selector operator");
    }
    if (key != "metadata.name") {
        return errors.invalid(path.child("key"), std::string(key), "not a valid field selector key");
    }
    std::size_t i = 0;
    for (const Json& value : values) {
        const FieldPath at = path.child("values").index(i++);
        if (value.is_string()) validate_dns1123_subdomain(value.get_ref<const std::string&>(), at, errors);
    }
}

void validate_node_term(const Json& term, bool values_checked, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& expression : array_at(term, {"matchExpressions"})) {
        validate_node_expression(expression, values_checked, path.child("matchExpressions").index(i++), errors);
    }
    i = 0;
    for (const Json& field : array_at(term, {"matchFields"})) {
        validate_node_field(field, path.child("matchFields").index(i++), errors);
    }
}

void validate_weight(const Json& term, const FieldPath& path, FieldErrors& errors) {
    const std::int64_t weight = int_at(term, {"weight"});
    if (weight <= 0 || weight > 100) errors.invalid(path.child("weight"), weight, "must be in the range 1-100");
}

void validate_node_affinity(const Json& affinity, const FieldPath& path, FieldErrors& errors) {
    if (const Json* required = find(affinity, required_terms)) {
        validate_node_selector(*required, path.child(required_terms), errors);
    }
    std::size_t i = 0;
    for (const Json& term : array_at(affinity, {preferred_terms})) {
        const FieldPath at = path.child(preferred_terms).index(i++);
        validate_weight(term, at, errors);
        validate_node_term(object_at(term, {"preference"}), false, at.child("preference"), errors);
    }
}

void validate_pod_term(const Json& term, const FieldPath& path, FieldErrors& errors) {
    for (const char* member : {"labelSelector", "namespaceSelector"}) {
        if (const Json* selector = find(term, member)) validate_label_selector(*selector, path.child(member), errors);
    }
    for (const Json& space : array_at(term, {"namespaces"})) {
        if (space.is_string()) validate_dns1123_label(space.get_ref<const std::string&>(), path.child("namespace"), errors);
    }
    pods::validate_match_label_keys(term, path, errors);
    const std::string_view key = text(term, "topologyKey");
    if (key.empty()) errors.required(path.child("topologyKey"), "can not be empty");
    add_invalid(check_qualified_name(key), path.child("topologyKey"), key, errors);
}

void validate_pod_affinity(const Json& affinity, const FieldPath& path, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& term : array_at(affinity, {required_terms})) {
        validate_pod_term(term, path.child(required_terms).index(i++), errors);
    }
    i = 0;
    for (const Json& term : array_at(affinity, {preferred_terms})) {
        const FieldPath at = path.child(preferred_terms).index(i++);
        validate_weight(term, at, errors);
        validate_pod_term(object_at(term, {"podAffinityTerm"}), at.child("podAffinityTerm"), errors);
    }
}

}  // namespace

void validate_node_selector(const Json& selector, const FieldPath& path, FieldErrors& errors) {
    const Json& terms = array_at(selector, {"nodeSelectorTerms"});
    const FieldPath list = path.child("nodeSelectorTerms");
    if (terms.empty()) return errors.required(list, "must have at least one node selector term");
    for (std::size_t i = 0; i < terms.size(); ++i) validate_node_term(terms[i], true, list.index(i), errors);
}

}  // namespace kubemu::api

namespace kubemu::api::pods {

void validate_affinity(const Json& affinity, const FieldPath& path, FieldErrors& errors) {
    if (const Json* node = find(affinity, "nodeAffinity")) validate_node_affinity(*node, path.child("nodeAffinity"), errors);
    for (const char* member : {"podAffinity", "podAntiAffinity"}) {
        if (const Json* pod = find(affinity, member)) validate_pod_affinity(*pod, path.child(member), errors);
    }
}

void validate_tolerations(const Json& tolerations, const FieldPath& path, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Key", "key", "string"},
                                  {"Operator", "operator", "string"},
                                  {"Value", "value", "string"},
                                  {"Effect", "effect", "string"},
                                  {"TolerationSeconds", "tolerationSeconds", "*int64"}};
    std::size_t i = 0;
    for (const Json& toleration : tolerations) {
        const FieldPath at = path.index(i++);
        const std::string_view key = text(toleration, "key"), op = text(toleration, "operator");
        const std::string_view value = text(toleration, "value"), effect = text(toleration, "effect");
        if (!key.empty()) add_invalid(check_qualified_name(key), at.child("key"), key, errors);
        if (key.empty() && op != "Exists") {
            errors.invalid(at.child("operator"), std::string(op),
                           "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
        }
        if (find(toleration, "tolerationSeconds") != nullptr && effect != "NoExecute") {
            errors.invalid(at.child("effect"), std::string(effect), "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }
        if (op.empty() || op == "Equal") {
            if (const Messages messages = check_label_value(value); !messages.empty()) {
                errors.invalid(at.child("operator"), std::string(value), join(messages, ";"));
            }
        } else if (op == "Exists") {
            if (!value.empty()) {
                errors.invalid(at.child("operator"), go_struct("core.Toleration", fields, toleration),
                               "value must be empty when `operator` is 'Exists'");
            }
        } else if (op == "Lt" || op == "Gt") {
            // Comparisons of numbers are behind a gate that is off (TaintTolerationComparisonOperators).
            errors.not_supported(at.child("operator"), op, {"Equal", "Exists", "Lt", "Gt"});
        } else {
            errors.not_supported(at.child("operator"), op, {"Equal", "Exists"});
        }
        validate_optional_enum(effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"}, at.child("effect"), errors);
    }
}

void validate_scheduling_gates(const Json& gates, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string_view> seen;
    std::size_t i = 0;
    for (const Json& gate : gates) {
        const FieldPath at = path.index(i++);
        const std::string_view name = text(gate, "name");
        validate_qualified_name(name, at, errors);
        if (!seen.insert(name).second) errors.duplicate(at, std::string(name));
    }
}

}  // namespace kubemu::api::pods

// Validation of autoscalers in the form of v2, metrics aside.
#include "api/kinds/validation.h"

#include <nlohmann/json.hpp>

#include "api/kinds/autoscaling/autoscaler.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::int64_t period_seconds_max = 1800, window_seconds_max = 3600;

void validate_policy(const Json& policy, const FieldPath& path, FieldErrors& errors) {
    const std::string type(string_at(policy, {"type"}));
    if (type != "Pods" && type != "Percent")
        errors.not_supported(path.child("type"), type, {"Percent", "Pods"});
    const std::int64_t value = int_at(policy, {"value"}), period = int_at(policy, {"periodSeconds"});
    if (value <= 0) errors.invalid(path.child("value"), value, "must be greater than zero");
    if (period <= 0) errors.invalid(path.child("periodSeconds"), period, "must be greater than zero");
    if (period > period_seconds_max)
        errors.invalid(path.child("periodSeconds"), period, "must be less than or equal to 1800");
}

void validate_scaling(const Json& rules, const FieldPath& path, FieldErrors& errors) {
    if (const Json* window = find(rules, "stabilizationWindowSeconds");
        window != nullptr && window->is_number()) {
        const FieldPath at = path.child("stabilizationWindowSeconds");
        const auto seconds = window->get<std::int64_t>();
        if (seconds < 0) errors.invalid(at, *window, "must be greater than or equal to zero");
        if (seconds > window_seconds_max) errors.invalid(at, *window, "must be less than or equal to 3600");
    }
    if (find(rules, "selectPolicy") != nullptr) {
        const std::string select(string_at(rules, {"selectPolicy"}));
        if (select != "Max" && select != "Min" && select != "Disabled") {
            errors.not_supported(path.child("selectPolicy"), select, {"Disabled", "Max", "Min"});
        }
    }
    const Json& policies = array_at(rules, {"policies"});
    if (policies.empty()) errors.required(path.child("policies"), "must specify at least one Policy");
    for (std::size_t i = 0; i < policies.size(); ++i)
        validate_policy(policies[i], path.child("policies").index(i), errors);
    if (const Json* tolerance = find(rules, "tolerance")) {
        validate_non_negative_quantity(quantity_of(tolerance), path.child("tolerance"), errors);
    }
}

}  // namespace

void validate_object_reference(const Json& reference, const FieldPath& path, FieldErrors& errors) {
    for (const char* member : {"kind", "name"}) {
        const std::string_view text = string_at(reference, {member});
        if (!validate_required(text, path.child(member), errors)) continue;
        add_invalid(check_path_segment(text, false), path.child(member), text, errors);
    }
    const std::string version(string_at(reference, {"apiVersion"}));
    if (std::count(version.begin(), version.end(), '/') > 1) {
        errors.invalid(path.child("apiVersion"), version, "unexpected GroupVersion string: " + version);
    }
}

void validate_autoscaler(const Json& object, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const Json* least = find(spec, "minReplicas");
    const std::int64_t most = int_at(spec, {"maxReplicas"});
    if (least != nullptr && int_at(spec, {"minReplicas"}) < 1) {
        errors.invalid(path.child("minReplicas"), *least, "must be greater than or equal to 1");
    }
    if (most < 1) errors.invalid(path.child("maxReplicas"), most, "must be greater than 0");
    if (least != nullptr && most < int_at(spec, {"minReplicas"})) {
        errors.invalid(path.child("maxReplicas"), most, "must be greater than or equal to `minReplicas`");
    }
    validate_object_reference(object_at(spec, {"scaleTargetRef"}), path.child("scaleTargetRef"), errors);
    validate_autoscaler_metrics(array_at(spec, {"metrics"}), least, path.child("metrics"), errors);
    for (const char* direction : {"scaleUp", "scaleDown"}) {
        const Json* rules = find(spec, {"behavior", direction});
        if (rules != nullptr) validate_scaling(*rules, path.child("behavior").child(direction), errors);
    }
}

void validate_autoscaler_status(const Json& object, FieldErrors& errors) {
    const Json& status = object_at(object, {"status"});
    for (const char* member : {"currentReplicas", "desiredReplicas"}) {
        validate_non_negative(status, member, FieldPath("status"), errors);
    }
}

}  // namespace kubemu::api::kinds

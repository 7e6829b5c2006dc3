// Rules of the other groups: budgets, autoscalers, RBAC, priorities, access reviews.
#include <nlohmann/json.hpp>

#include "api/kinds/rules.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

// ---------------------------------------------------------------- PodDisruptionBudget

void budget_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const Json* least = find(object, {"spec", "minAvailable"});
    const Json* most = find(object, {"spec", "maxUnavailable"});
    if (least != nullptr && most != nullptr) errors.invalid(spec, object_at(object, {"spec"}), "minAvailable and maxUnavailable cannot be both set");
    if (const Json* selector = find(object, {"spec", "selector"})) validate_label_selector(*selector, spec.child("selector"), errors);
}

// ---------------------------------------------------------------- HorizontalPodAutoscaler

void autoscaler_defaults(Json& object, const HookContext&) {
    Json& metrics = ensure(object, {"spec"})["metrics"];
    if (!metrics.is_array() || metrics.empty()) {
        metrics = Json::array({{{"type", "Resource"},
                                {"resource", {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", 80}}}}}}});
    }
}

void autoscaler_v1_defaults(Json& object, const HookContext&) {
    if (find(object, {"spec", "targetCPUUtilizationPercentage"}) == nullptr) {
        const Json& annotations = object_at(object, {"metadata", "annotations"});
        if (!annotations.contains("autoscaling.alpha.kubernetes.io/metrics")) ensure(object, {"spec"})["targetCPUUtilizationPercentage"] = 80;
    }
}

void autoscaler_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const std::int64_t least = int_at(object, {"spec", "minReplicas"}, 1), most = int_at(object, {"spec", "maxReplicas"});
    if (least < 1) errors.invalid(spec.child("minReplicas"), least, "must be greater than or equal to 1");
    if (most < 1) errors.invalid(spec.child("maxReplicas"), most, "must be greater than 0");
    if (most < least) errors.invalid(spec.child("maxReplicas"), most, "must be greater than or equal to `minReplicas`");
    if (string_at(object, {"spec", "scaleTargetRef", "kind"}).empty()) errors.required(spec.child("scaleTargetRef").child("kind"), "");
    if (string_at(object, {"spec", "scaleTargetRef", "name"}).empty()) errors.required(spec.child("scaleTargetRef").child("name"), "");
}

void autoscaler_to_v2(Json& object) {
    Json& spec = ensure(object, {"spec"});
    if (const Json* percent = find(spec, "targetCPUUtilizationPercentage")) {
        const Json target = {{"type", "Utilization"}, {"averageUtilization", *percent}};
        spec["metrics"] = Json::array({{{"type", "Resource"}, {"resource", {{"name", "cpu"}, {"target", target}}}}});
        erase(spec, "targetCPUUtilizationPercentage");
    }
    if (Json* status = find(object, "status")) {
        if (const Json* percent = find(*status, "currentCPUUtilizationPercentage")) {
            const Json current = {{"averageUtilization", *percent}};
            (*status)["currentMetrics"] = Json::array({{{"type", "Resource"}, {"resource", {{"name", "cpu"}, {"current", current}}}}});
            erase(*status, "currentCPUUtilizationPercentage");
        }
    }
}

void autoscaler_from_v2(Json& object) {
    Json& spec = ensure(object, {"spec"});
    for (const Json& metric : array_at(spec, {"metrics"})) {
        const Json* percent = find(metric, {"resource", "target", "averageUtilization"});
        if (string_at(metric, {"resource", "name"}) == "cpu" && percent != nullptr) {
            const Json value = *percent;
            spec["targetCPUUtilizationPercentage"] = value;
            break;
        }
    }
    erase(spec, "metrics");
    erase(spec, "behavior");
    if (Json* status = find(object, "status")) {
        for (const Json& metric : array_at(*status, {"currentMetrics"})) {
            if (const Json* percent = find(metric, {"resource", "current", "averageUtilization"})) {
                const Json value = *percent;
                (*status)["currentCPUUtilizationPercentage"] = value;
                break;
            }
        }
        erase(*status, "currentMetrics");
        erase(*status, "conditions");
    }
}

// ---------------------------------------------------------------- RBAC

void role_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& rule : array_at(object, {"rules"})) {
        const FieldPath at = FieldPath("rules").index(i++);
        if (array_at(rule, {"verbs"}).empty()) errors.required(at.child("verbs"), "verbs must contain at least one value");
        if (!array_at(rule, {"nonResourceURLs"}).empty()) continue;
        if (array_at(rule, {"apiGroups"}).empty()) errors.required(at.child("apiGroups"), "resource rules must supply at least one api group");
        if (array_at(rule, {"resources"}).empty()) errors.required(at.child("resources"), "resource rules must supply at least one resource");
    }
}

void binding_defaults(Json& object, const HookContext&) {
    if (string_at(object, {"roleRef", "apiGroup"}).empty() && find(object, "roleRef") != nullptr) {
        object["roleRef"]["apiGroup"] = "rbac.authorization.k8s.io";
    }
    if (Json* subjects = find(object, "subjects"); subjects != nullptr && subjects->is_array()) {
        for (Json& subject : *subjects) {
            const std::string_view kind = string_at(subject, {"kind"});
            if (string_at(subject, {"apiGroup"}).empty() && (kind == "User" || kind == "Group")) subject["apiGroup"] = "rbac.authorization.k8s.io";
        }
    }
}

void binding_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath reference("roleRef");
    const std::string kind(string_at(object, {"roleRef", "kind"}));
    if (kind != "Role" && kind != "ClusterRole") errors.not_supported(reference.child("kind"), kind, {"ClusterRole", "Role"});
    if (string_at(object, {"roleRef", "name"}).empty()) errors.required(reference.child("name"), "");
}

void binding_validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (object_at(object, {"roleRef"}) != object_at(old, {"roleRef"})) {
        errors.invalid(FieldPath("roleRef"), object_at(object, {"roleRef"}), "cannot change roleRef");
    }
}

// ---------------------------------------------------------------- PriorityClass

void priority_class_validate(const Json& object, const HookContext& context, FieldErrors& errors) {
    const std::string name(name_of(object));
    const bool system = name.substr(0, 7) == "system-";
    const bool known = name == "system-cluster-critical" || name == "system-node-critical";
    if (system && !known) {
        errors.forbidden(FieldPath("metadata.name"), "priority class names with 'system-' prefix are reserved for system use only. error: " +
                                                         name + " is not a known system priority class");
    }
    if (!known && int_at(object, {"value"}) > 1000000000) {
        errors.forbidden(FieldPath("value"), "maximum allowed value of a user defined priority is 1000000000");
    }
    (void)context;
}

void priority_class_validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (int_at(object, {"value"}) != int_at(old, {"value"})) errors.forbidden(FieldPath("value"), "may not be changed in an update.");
}

// ---------------------------------------------------------------- access reviews

// There is no authorization: every request is made as the administrator, who may do everything.
ApiResult<Json> allow(Json review, const HookContext&) {
    review["status"] = {{"allowed", true}, {"reason", "kubemu does not restrict access"}};
    return review;
}

ApiResult<Json> all_rules(Json review, const HookContext&) {
    const Json any = Json::array({"*"});
    review["status"] = {{"resourceRules", Json::array({{{"verbs", any}, {"apiGroups", any}, {"resources", any}}})},
                        {"nonResourceRules", Json::array({{{"verbs", any}, {"nonResourceURLs", any}}})},
                        {"incomplete", false}};
    return review;
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(pod_disruption_budget_rules){.validate = budget_validate};
KUBEMU_RULES(horizontal_pod_autoscaler_rules){.set_defaults = autoscaler_defaults, .validate = autoscaler_validate};
KUBEMU_RULES(horizontal_pod_autoscaler_v1_rules){.set_defaults = autoscaler_v1_defaults,
                                                 .validate = autoscaler_validate,
                                                 .to_storage = autoscaler_to_v2,
                                                 .from_storage = autoscaler_from_v2};
KUBEMU_RULES(role_rules){.validate = role_validate, .validate_name = check_path_segment};
KUBEMU_RULES(cluster_role_rules){.validate = role_validate, .validate_name = check_path_segment};
KUBEMU_RULES(role_binding_rules){.set_defaults = binding_defaults,
                                 .validate = binding_validate,
                                 .validate_update = binding_validate_update,
                                 .validate_name = check_path_segment};
KUBEMU_RULES(cluster_role_binding_rules){.set_defaults = binding_defaults,
                                         .validate = binding_validate,
                                         .validate_update = binding_validate_update,
                                         .validate_name = check_path_segment};
KUBEMU_RULES(priority_class_rules){.validate = priority_class_validate, .validate_update = priority_class_validate_update};
KUBEMU_RULES(self_subject_access_review_rules){.answer = allow};
KUBEMU_RULES(subject_access_review_rules){.answer = allow};
KUBEMU_RULES(local_subject_access_review_rules){.answer = allow};
KUBEMU_RULES(self_subject_rules_review_rules){.answer = all_rules};

}  // namespace kubemu::api::kinds

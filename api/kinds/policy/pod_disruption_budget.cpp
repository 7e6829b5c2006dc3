// Rules of PodDisruptionBudget, and of policy/v1beta1, where an empty selector means no pod and not every pod
// (kubernetes pkg/apis/policy/validation, pkg/apis/policy/v1beta1/conversion.go).
#include <nlohmann/json.hpp>

#include "api/kinds/conditions.h"
#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr GoField spec_fields[] = {
    {"MinAvailable", "minAvailable", "*intstr.IntOrString"},
    {"Selector", "selector", "*v1.LabelSelector"},
    {"MaxUnavailable", "maxUnavailable", "*intstr.IntOrString"},
    {"UnhealthyPodEvictionPolicy", "unhealthyPodEvictionPolicy", "*policy.UnhealthyPodEvictionPolicyType"}};

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    const Json* least = find(spec, "minAvailable");
    const Json* most = find(spec, "maxUnavailable");
    if (least != nullptr && most != nullptr) {
        errors.invalid(path, go_struct("policy.PodDisruptionBudgetSpec", spec_fields, spec),
                       "minAvailable and maxUnavailable cannot be both set");
    }
    for (const char* member : {"minAvailable", "maxUnavailable"}) {
        validate_int_or_percent(find(spec, member), path.child(member), errors);
        validate_at_most_100_percent(find(spec, member), path.child(member), errors);
    }
    if (const Json* selector = find(spec, "selector"))
        validate_label_selector(*selector, path.child("selector"), errors);
    if (find(spec, "unhealthyPodEvictionPolicy") != nullptr) {
        const std::string policy(string_at(spec, {"unhealthyPodEvictionPolicy"}));
        if (policy != "AlwaysAllow" && policy != "IfHealthyBudget") {
            errors.not_supported(path.child("unhealthyPodEvictionPolicy"), policy,
                                 {"AlwaysAllow", "IfHealthyBudget"});
        }
    }
}

void validate_status_update(const Json& object, const Json&, const HookContext& context,
                            FieldErrors& errors) {
    const FieldPath path("status");
    const Json& status = object_at(object, {"status"});
    validate_conditions(array_at(status, {"conditions"}), path.child("conditions"), errors);
    if (context.kind.version == "v1beta1") return;  // it never had the others
    for (const char* member : {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"}) {
        validate_non_negative(status, member, path, errors);
    }
}

// The label that says in v1beta1 what an empty selector says in v1, and the other way round.
constexpr const char* beta_label = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

Json match_none() {
    return {{"matchExpressions", Json::array({{{"key", beta_label}, {"operator", "Exists"}}})}};
}
Json match_all() {
    return {{"matchExpressions", Json::array({{{"key", beta_label}, {"operator", "DoesNotExist"}}})}};
}

bool empty_selector(const Json& selector) {
    return object_at(selector, {"matchLabels"}).empty() && array_at(selector, {"matchExpressions"}).empty();
}

// A user's selector never goes together with the label.
void strip_label(Json& selector) {
    if (Json* labels = find(selector, "matchLabels")) erase(*labels, beta_label);
    Json* expressions = find(selector, "matchExpressions");
    if (expressions == nullptr || !expressions->is_array()) return;
    Json kept = Json::array();
    for (Json& expression : *expressions) {
        if (string_at(expression, {"key"}) != beta_label) kept.push_back(std::move(expression));
    }
    *expressions = std::move(kept);
}

void set_defaults(Json& object, const HookContext&) {
    Json* selector = find(object, {"spec", "selector"});
    if (selector == nullptr || *selector == match_none() || empty_selector(*selector)) return;
    strip_label(*selector);
}

void to_storage(Json& object) {
    Json* selector = find(object, {"spec", "selector"});
    if (selector == nullptr) return;
    if (empty_selector(*selector)) {
        *selector = match_none();
    } else if (*selector == match_all()) {
        *selector = Json::object();
    } else {
        strip_label(*selector);
    }
}

void from_storage(Json& object) {
    Json* selector = find(object, {"spec", "selector"});
    if (selector == nullptr) return;
    if (*selector == match_none()) {
        *selector = Json::object();
    } else if (empty_selector(*selector)) {
        *selector = match_all();
    }
}

}  // namespace

KUBEMU_RULES(pod_disruption_budget_rules){
    .set_defaults = set_defaults, .validate = validate, .validate_status_update = validate_status_update};
KUBEMU_RULES(pod_disruption_budget_v1beta1_rules){.validate = validate,
                                                  .validate_status_update = validate_status_update,
                                                  .to_storage = to_storage,
                                                  .from_storage = from_storage};

}  // namespace kubemu::api::kinds

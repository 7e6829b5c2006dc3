// Rules of Deployment and ReplicaSet, whose specs have the selector and the template in common, and of
// ReplicationController, whose selector is a plain map.
#include <nlohmann/json.hpp>

#include "api/kinds/apps/workload.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::string_view above_replicas = "cannot be greater than status.replicas";
constexpr std::string_view above_ready = "cannot be greater than readyReplicas";
const FieldPath spec_path("spec");

// ValidatePodTemplateSpecForReplicaSet, and the selector before it.
void validate_selected_template(const Json& spec, FieldErrors& errors) {
    validate_selector(spec, "empty selector is invalid for deployment", errors);
    const Json* selector = find(spec, "selector");
    if (!usable_selector(selector)) {
        return errors.invalid(spec_path.child("selector"), go_label_selector(selector), "invalid label selector");
    }
    validate_template_matches(spec, selects_template(selector, spec), errors);
    validate_pod_template(object_at(spec, {"template"}), spec_path.child("template"), errors);
    validate_endless(spec, "ReplicaSet", errors);
}

// ---------------------------------------------------------------- Deployment

void deployment_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    Json& strategy = ensure(object, {"spec", "strategy"});
    if (string_at(strategy, {"type"}) != "RollingUpdate") return;
    Json& rolling = strategy["rollingUpdate"];
    if (!rolling.is_object()) rolling = Json::object();
    for (const char* member : {"maxUnavailable", "maxSurge"}) {
        if (find(rolling, member) == nullptr) rolling[member] = "25%";
    }
}

// The generation rises with annotations too.
void deployment_update(Json& object, const Json& old, const HookContext&) {
    if (object_at(object, {"metadata", "annotations"}) == object_at(old, {"metadata", "annotations"})) return;
    object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

void validate_strategy(const Json& spec, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Type", "type", "string"}, {"RollingUpdate", "rollingUpdate", "*apps.RollingUpdateDeployment"}};
    const FieldPath path = spec_path.child("strategy");
    const Json& strategy = object_at(spec, {"strategy"});
    const std::string_view type = string_at(strategy, {"type"});
    const Json* rolling = find(strategy, "rollingUpdate");
    if (type == "Recreate") {
        if (rolling != nullptr) {
            errors.forbidden(path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
        }
        return;
    }
    if (type != "RollingUpdate") {
        return errors.not_supported(path, go_struct("apps.DeploymentStrategy", fields, strategy), {"Recreate", "RollingUpdate"});
    }
    if (rolling == nullptr) return;
    const FieldPath at = path.child("rollingUpdate");
    const Json* unavailable = find(*rolling, "maxUnavailable");
    const Json* surge = find(*rolling, "maxSurge");
    validate_int_or_percent(unavailable, at.child("maxUnavailable"), errors);
    validate_int_or_percent(surge, at.child("maxSurge"), errors);
    if (is_zero_int_or_percent(unavailable) && is_zero_int_or_percent(surge)) {
        errors.invalid(at.child("maxUnavailable"), go_int_or_string(unavailable), "may not be 0 when `maxSurge` is 0");
    }
    validate_at_most_100_percent(unavailable, at.child("maxUnavailable"), errors);
}

void deployment_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    validate_non_negative(spec, "replicas", spec_path, errors);
    validate_selected_template(spec, errors);
    validate_strategy(spec, errors);
    for (const char* member : {"minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"}) {
        validate_non_negative(spec, member, spec_path, errors);
    }
    const Json* deadline = find(spec, "progressDeadlineSeconds");
    if (deadline != nullptr && int_at(spec, {"progressDeadlineSeconds"}) <= int_at(spec, {"minReadySeconds"})) {
        errors.invalid(spec_path.child("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds");
    }
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    immutable_selector(object, old, errors);
}

void deployment_status(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json& status = object_at(object, {"status"});
    validate_counters(status,
                      {"observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                       "unavailableReplicas", "terminatingReplicas", "collisionCount"},
                      errors);
    for (const char* member : {"updatedReplicas", "readyReplicas", "availableReplicas"}) {
        validate_at_most(status, member, "replicas", above_replicas, errors);
    }
    validate_at_most(status, "availableReplicas", "readyReplicas", above_ready, errors);
    validate_collision_count(object, old, errors);
}

// Of Deployment, ReplicaSet and ReplicationController.
void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& all) {
    warn_of_name(object, old, all);
    warn_of_template(object, old, all);
}

// ---------------------------------------------------------------- ReplicaSet and ReplicationController

void replica_set_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    validate_non_negative(spec, "replicas", spec_path, errors);
    validate_non_negative(spec, "minReadySeconds", spec_path, errors);
    validate_selected_template(spec, errors);
}

void replica_set_status(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    const Json& status = object_at(object, {"status"});
    validate_counters(status,
                      {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas",
                       "observedGeneration"},
                      errors);
    for (const char* member : {"fullyLabeledReplicas", "readyReplicas", "availableReplicas"}) {
        validate_at_most(status, member, "replicas", above_replicas, errors);
    }
    validate_at_most(status, "availableReplicas", "readyReplicas", above_ready, errors);
}

void replication_controller_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    const Json& labels = object_at(object, {"spec", "template", "metadata", "labels"});
    if (labels.empty()) return;
    if (object_at(object, {"spec", "selector"}).empty()) object["spec"]["selector"] = labels;
    if (object_at(object, {"metadata", "labels"}).empty()) object["metadata"]["labels"] = labels;
}

bool contains(const Json& labels, const Json& wanted) {
    for (const auto& [key, value] : wanted.items()) {
        const Json* label = find(labels, key);
        if (label == nullptr || *label != value) return false;
    }
    return true;
}

void replication_controller_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    const Json& selector = object_at(spec, {"selector"});
    validate_non_negative(spec, "minReadySeconds", spec_path, errors);
    if (selector.empty()) errors.required(spec_path.child("selector"), "");
    validate_non_negative(spec, "replicas", spec_path, errors);
    const Json* pod_template = find(spec, "template");
    if (pod_template == nullptr) return errors.required(spec_path.child("template"), "");
    validate_template_matches(spec, contains(object_at(*pod_template, {"metadata", "labels"}), selector), errors);
    validate_pod_template(*pod_template, spec_path.child("template"), errors);
    validate_endless(spec, "ReplicationController", errors);
}

// What a name is generated from may look like anything that fits into a path.
Messages check_controller_name(std::string_view name, bool prefix) {
    return prefix ? Messages{} : check_name_as_subdomain(name, false);
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(deployment_rules){.set_defaults = deployment_defaults,
                               .prepare_for_update = deployment_update,
                               .validate = deployment_validate,
                               .validate_update = validate_update,
                               .validate_status_update = deployment_status,
                               .warnings = warnings};
KUBEMU_RULES(replica_set_rules){.set_defaults = default_template,
                                .validate = replica_set_validate,
                                .validate_update = validate_update,
                                .validate_status_update = replica_set_status,
                                .warnings = warnings};
KUBEMU_RULES(replication_controller_rules){.set_defaults = replication_controller_defaults,
                                           .validate = replication_controller_validate,
                                           .validate_status_update = replica_set_status,
                                           .validate_name = check_controller_name,
                                           .warnings = warnings};

}  // namespace kubemu::api::kinds

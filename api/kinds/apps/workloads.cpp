// Rules of Deployment, ReplicaSet, StatefulSet, DaemonSet and ReplicationController.
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_spec.h"
#include "api/kinds/rules.h"
#include "api/values/int_or_string.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void default_template(Json& object, const HookContext&) {
    if (Json* spec = find(object, {"spec", "template", "spec"})) default_pod_spec(*spec);
}

void non_negative(const Json& object, const char* member, FieldErrors& errors) {
    const Json* value = find(object, {"spec", member});
    if (value != nullptr && value->is_number() && value->get<std::int64_t>() < 0) {
        errors.invalid(FieldPath("spec").child(member), *value, "must be greater than or equal to 0");
    }
}

// A percentage must look like one; numbers must not be negative.
void check_int_or_percent(const Json* value, const FieldPath& path, FieldErrors& errors) {
    if (value == nullptr) return;
    if (value->is_string() && !scaled_value(*value, 100, true)) {
        errors.invalid(path, *value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
    } else if (value->is_number() && value->get<std::int64_t>() < 0) {
        errors.invalid(path, *value, "must be greater than or equal to 0");
    }
}

bool is_zero(const Json* value) { return value != nullptr && (*value == 0 || *value == "0%"); }

void immutable_selector(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json& before = object_at(old, {"spec", "selector"});
    const Json& after = object_at(object, {"spec", "selector"});
    if (before != after) errors.invalid(FieldPath("spec.selector"), after, "field is immutable");
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

void deployment_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    non_negative(object, "replicas", errors);
    validate_template(object, spec, false, errors);
    const FieldPath strategy = spec.child("strategy");
    const Json* rolling = find(object, {"spec", "strategy", "rollingUpdate"});
    if (string_at(object, {"spec", "strategy", "type"}) == "Recreate") {
        if (rolling != nullptr) {
            errors.forbidden(strategy.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'");
        }
    } else if (rolling != nullptr) {
        const FieldPath at = strategy.child("rollingUpdate");
        check_int_or_percent(find(*rolling, "maxUnavailable"), at.child("maxUnavailable"), errors);
        check_int_or_percent(find(*rolling, "maxSurge"), at.child("maxSurge"), errors);
        if (is_zero(find(*rolling, "maxUnavailable")) && is_zero(find(*rolling, "maxSurge"))) {
            errors.invalid(at.child("maxUnavailable"), *find(*rolling, "maxUnavailable"), "may not be 0 when `maxSurge` is 0");
        }
    }
    for (const char* member : {"minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"}) non_negative(object, member, errors);
    const Json* deadline = find(object, {"spec", "progressDeadlineSeconds"});
    if (deadline != nullptr && deadline->get<std::int64_t>() <= int_at(object, {"spec", "minReadySeconds"})) {
        errors.invalid(spec.child("progressDeadlineSeconds"), *deadline, "must be greater than minReadySeconds");
    }
}

// ---------------------------------------------------------------- ReplicaSet and ReplicationController

void replica_set_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    non_negative(object, "replicas", errors);
    non_negative(object, "minReadySeconds", errors);
    validate_template(object, FieldPath("spec"), false, errors);
}

void replication_controller_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    const Json& labels = object_at(object, {"spec", "template", "metadata", "labels"});
    if (labels.empty()) return;
    if (object_at(object, {"spec", "selector"}).empty()) object["spec"]["selector"] = labels;
    if (object_at(object, {"metadata", "labels"}).empty()) object["metadata"]["labels"] = labels;
}

void replication_controller_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    non_negative(object, "replicas", errors);
    non_negative(object, "minReadySeconds", errors);
    validate_template(object, FieldPath("spec"), true, errors);
}

// ---------------------------------------------------------------- StatefulSet

void stateful_set_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    Json& strategy = ensure(object, {"spec", "updateStrategy"});
    if (string_at(strategy, {"type"}) == "RollingUpdate") {
        Json& rolling = strategy["rollingUpdate"];
        if (!rolling.is_object()) rolling = Json::object();
        if (find(rolling, "partition") == nullptr) rolling["partition"] = 0;
    }
    if (Json* claims = find(object, {"spec", "volumeClaimTemplates"}); claims != nullptr && claims->is_array()) {
        for (Json& claim : *claims) {
            if (!claim.is_object()) continue;
            claim["kind"] = "PersistentVolumeClaim";
            claim["apiVersion"] = "v1";
            ensure(claim, {"status"})["phase"] = "Pending";
            if (string_at(claim, {"spec", "volumeMode"}).empty()) ensure(claim, {"spec"})["volumeMode"] = "Filesystem";
        }
    }
}

void stateful_set_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    non_negative(object, "replicas", errors);
    non_negative(object, "minReadySeconds", errors);
    // A template's claims are volumes of its pods, so mounts may name them.
    Json with_claims = object;
    Json& volumes = ensure(with_claims, {"spec", "template", "spec"})["volumes"];
    if (!volumes.is_array()) volumes = Json::array();
    for (const Json& claim : array_at(object, {"spec", "volumeClaimTemplates"})) {
        volumes.push_back({{"name", name_of(claim)}, {"emptyDir", Json::object()}});
    }
    validate_template(with_claims, spec, false, errors);
    const std::string policy(string_at(object, {"spec", "podManagementPolicy"}));
    if (policy != "OrderedReady" && policy != "Parallel") {
        errors.invalid(spec.child("podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'");
    }
}

void stateful_set_validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    Json before = object_at(old, {"spec"}), after = object_at(object, {"spec"});
    for (Json* spec : {&before, &after}) {
        for (const char* member : {"replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
                                   "minReadySeconds", "revisionHistoryLimit"}) {
            spec->erase(member);
        }
    }
    if (before != after) {
        errors.forbidden(FieldPath("spec"),
                         "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                         "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    }
}

// ---------------------------------------------------------------- DaemonSet

void daemon_set_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    Json& strategy = ensure(object, {"spec", "updateStrategy"});
    if (string_at(strategy, {"type"}) == "RollingUpdate") {
        Json& rolling = strategy["rollingUpdate"];
        if (!rolling.is_object()) rolling = Json::object();
        if (find(rolling, "maxUnavailable") == nullptr) rolling["maxUnavailable"] = 1;
        if (find(rolling, "maxSurge") == nullptr) rolling["maxSurge"] = 0;
    }
    Json& annotations = ensure(object, {"metadata", "annotations"});
    if (string_at(annotations, {"deprecated.daemonset.template.generation"}).empty()) {
        annotations["deprecated.daemonset.template.generation"] = "1";
    }
}

void daemon_set_prepare_update(Json& object, const Json& old, const HookContext&) {
    // The old templateGeneration lives on as an annotation; it follows changes of the template.
    const std::int64_t before = std::atoll(
        std::string(string_at(old, {"metadata", "annotations", "deprecated.daemonset.template.generation"}, "0")).c_str());
    const bool changed = object_at(object, {"spec", "template"}) != object_at(old, {"spec", "template"});
    ensure(object, {"metadata", "annotations"})["deprecated.daemonset.template.generation"] = std::to_string(before + (changed ? 1 : 0));
}

void daemon_set_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_template(object, FieldPath("spec"), false, errors);
    const Json* rolling = find(object, {"spec", "updateStrategy", "rollingUpdate"});
    if (rolling != nullptr) {
        const FieldPath at("spec.updateStrategy.rollingUpdate");
        check_int_or_percent(find(*rolling, "maxUnavailable"), at.child("maxUnavailable"), errors);
        check_int_or_percent(find(*rolling, "maxSurge"), at.child("maxSurge"), errors);
        if (is_zero(find(*rolling, "maxUnavailable")) && is_zero(find(*rolling, "maxSurge"))) {
            errors.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
        }
    }
}

}  // namespace

#define KUBEMU_RULES(name) extern const KindRules name; const KindRules name
KUBEMU_RULES(deployment_rules){
    .set_defaults = deployment_defaults, .validate = deployment_validate, .validate_update = immutable_selector};
KUBEMU_RULES(replica_set_rules){
    .set_defaults = default_template, .validate = replica_set_validate, .validate_update = immutable_selector};
KUBEMU_RULES(replication_controller_rules){.set_defaults = replication_controller_defaults,
                                           .validate = replication_controller_validate};
KUBEMU_RULES(stateful_set_rules){
    .set_defaults = stateful_set_defaults, .validate = stateful_set_validate, .validate_update = stateful_set_validate_update};
KUBEMU_RULES(daemon_set_rules){.set_defaults = daemon_set_defaults,
                               .prepare_for_update = daemon_set_prepare_update,
                               .validate = daemon_set_validate,
                               .validate_update = immutable_selector};

}  // namespace kubemu::api::kinds

// Rules of DaemonSet and ControllerRevision.
#include <nlohmann/json.hpp>

#include "api/kinds/apps/workload.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* template_generation = "deprecated.daemonset.template.generation";
const FieldPath spec_path("spec");

void set_defaults(Json& object, const HookContext& context) {
    default_template(object, context);
    Json& strategy = ensure(object, {"spec", "updateStrategy"});
    if (string_at(strategy, {"type"}) == "RollingUpdate") {
        Json& rolling = strategy["rollingUpdate"];
        if (!rolling.is_object()) rolling = Json::object();
        if (find(rolling, "maxUnavailable") == nullptr) rolling["maxUnavailable"] = 1;
        if (find(rolling, "maxSurge") == nullptr) rolling["maxSurge"] = 0;
    }
    Json& annotations = ensure(object, {"metadata", "annotations"});
    if (string_at(annotations, {template_generation}).empty()) annotations[template_generation] = "1";
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    // The old templateGeneration lives on as an annotation; it follows changes of the template.
    const std::int64_t before =
        std::atoll(std::string(string_at(old, {"metadata", "annotations", template_generation}, "0")).c_str());
    const bool changed = object_at(object, {"spec", "template"}) != object_at(old, {"spec", "template"});
    ensure(object, {"metadata", "annotations"})[template_generation] = std::to_string(before + (changed ? 1 : 0));
}

void validate_update_strategy(const Json& strategy, FieldErrors& errors) {
    constexpr GoField fields[] = {{"Type", "type", "string"}, {"RollingUpdate", "rollingUpdate", "*apps.RollingUpdateDaemonSet"}};
    const FieldPath path = spec_path.child("updateStrategy");
    const std::string_view type = string_at(strategy, {"type"});
    if (type == "OnDelete") return;
    if (type != "RollingUpdate") {
        return errors.not_supported(path, go_struct("apps.DaemonSetUpdateStrategy", fields, strategy), {"RollingUpdate", "OnDelete"});
    }
    const FieldPath at = path.child("rollingUpdate");
    const Json* rolling = find(strategy, "rollingUpdate");
    if (rolling == nullptr) return errors.required(at, "");
    const Json* unavailable = find(*rolling, "maxUnavailable");
    const Json* surge = find(*rolling, "maxSurge");
    validate_int_or_percent(unavailable, at.child("maxUnavailable"), errors);
    validate_int_or_percent(surge, at.child("maxSurge"), errors);
    validate_at_most_100_percent(unavailable, at.child("maxUnavailable"), errors);
    validate_at_most_100_percent(surge, at.child("maxSurge"), errors);
    const bool none_unavailable = is_zero_int_or_percent(unavailable), no_surge = is_zero_int_or_percent(surge);
    if (!none_unavailable && !no_surge) {
        errors.invalid(at.child("maxSurge"), go_int_or_string(surge), "may not be set when maxUnavailable is non-zero");
    } else if (none_unavailable && no_surge) {
        errors.required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0");
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json& spec = object_at(object, {"spec"});
    const Json* selector = find(spec, "selector");
    if (selector != nullptr) validate_label_selector(*selector, spec_path.child("selector"), errors);
    if (usable_selector(selector)) validate_template_matches(spec, selects_template(selector, spec), errors);
    if (selector != nullptr && object_at(*selector, {"matchLabels"}).empty() && array_at(*selector, {"matchExpressions"}).empty()) {
        errors.invalid(spec_path.child("selector"), go_label_selector(selector), "empty selector is invalid for daemonset");
    }
    validate_pod_template(object_at(spec, {"template"}), spec_path.child("template"), errors);
    validate_endless(spec, "DaemonSet", errors);
    validate_non_negative(spec, "minReadySeconds", spec_path, errors);
    validate_update_strategy(object_at(spec, {"updateStrategy"}), errors);
    validate_non_negative(spec, "revisionHistoryLimit", spec_path, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    immutable_selector(object, old, errors);
}

void validate_status(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_counters(object_at(object, {"status"}),
                      {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
                       "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"},
                      errors);
    validate_collision_count(object, old, errors);
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& all) {
    warn_of_template(object, old, all);
}

// ---------------------------------------------------------------- ControllerRevision

void revision_validate(const Json& object, const HookContext&, FieldErrors& errors) {
    if (int_at(object, {"revision"}) < 0) {
        errors.invalid(FieldPath("revision"), object["revision"], "must be greater than or equal to 0");
    }
}

void revision_create(const Json& object, const HookContext&, FieldErrors& errors) {
    const Json* data = find(object, "data");
    if (data == nullptr) errors.required(FieldPath("data"), "data is mandatory");
    else if (!data->is_object()) errors.required(FieldPath("data"), "data must be a valid JSON object");
}

void revision_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    const Json* now = find(object, "data");
    validate_immutable(now, find(old, "data"), GoText{now == nullptr ? "null" : now->dump()}, FieldPath("data"), errors);
}

}  // namespace

extern const KindRules daemon_set_rules;
const KindRules daemon_set_rules{.set_defaults = set_defaults,
                                 .prepare_for_update = prepare_for_update,
                                 .validate = validate,
                                 .validate_update = validate_update,
                                 .validate_status_update = validate_status,
                                 .warnings = warnings};
extern const KindRules controller_revision_rules;
const KindRules controller_revision_rules{
    .validate = revision_validate, .validate_create = revision_create, .validate_update = revision_update};

}  // namespace kubemu::api::kinds

// Rules of HorizontalPodAutoscaler in each of its versions.
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kinds/autoscaling/autoscaler.h"
#include "api/kinds/define.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

constexpr const char* metrics_annotation = "autoscaling.alpha.kubernetes.io/metrics";
constexpr const char* statuses_annotation = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr const char* conditions_annotation = "autoscaling.alpha.kubernetes.io/conditions";
constexpr const char* behavior_annotation = "autoscaling.alpha.kubernetes.io/behavior";
constexpr const char* scale_down_tolerance = "autoscaling.alpha.kubernetes.io/scale-down-tolerance";
constexpr const char* scale_up_tolerance = "autoscaling.alpha.kubernetes.io/scale-up-tolerance";

Json cpu_utilization(const Json& percent) {
    return {{"type", "Resource"},
            {"resource",
             {{"name", "cpu"}, {"target", {{"type", "Utilization"}, {"averageUtilization", percent}}}}}};
}

void default_metrics(Json& object) {
    Json& metrics = ensure(object, {"spec"})["metrics"];
    if (!metrics.is_array() || metrics.empty()) metrics = Json::array({cpu_utilization(80)});
}

// Sets what is absent of the rules for one direction.
void default_scaling(Json& behavior, const char* direction, const Json& defaults) {
    Json& rules = ensure(behavior, {direction});
    for (const auto& [member, value] : defaults.items()) {
        if (find(rules, member) == nullptr) rules[member] = value;
    }
}

// What the annotation holds as a list of `type`, or null when it is absent or no such list.
Json list_in_annotation(const Json& object, const char* annotation, std::string_view type) {
    const auto parsed = parse_json(string_at(object, {"metadata", "annotations", annotation}));
    if (!parsed || !parsed->is_array()) return nullptr;
    Json list = *parsed;
    std::vector<std::string> complaints;
    for (Json& item : list) {
        if (!item.is_object() || !conform(item, *find_type(type), type, complaints)) return nullptr;
    }
    return list;
}

void annotate(Json& object, const char* annotation, const Json& list, std::string_view type) {
    if (list.empty()) return;
    std::string text = "[";
    for (const Json& item : list) text += (text.size() > 1 ? "," : "") + encode_value(item, *find_type(type));
    ensure(object, {"metadata", "annotations"})[annotation] = text + "]";
}

void behavior_from_annotation(Json& object) {
    const std::string_view text = string_at(object, {"metadata", "annotations", behavior_annotation});
    if (text.empty()) return;
    if (Json behavior = behavior_from_text(text); !behavior.is_null())
        ensure(object, {"spec"})["behavior"] = std::move(behavior);
}

void behavior_to_annotation(Json& object) {
    const Json* behavior = find(object, {"spec", "behavior"});
    if (behavior == nullptr) return;
    const std::string text = behavior_text(*behavior);
    erase(object["spec"], "behavior");
    ensure(object, {"metadata", "annotations"})[behavior_annotation] = text;
}

bool is_cpu_utilization(const Json& metric) {
    return string_at(metric, {"type"}) == "Resource" && string_at(metric, {"resource", "name"}) == "cpu" &&
           find(metric, {"resource", "target", "averageUtilization"}) != nullptr;
}

// ---------------------------------------------------------------- v1

void v1_to_storage(Json& object) {
    Json& spec = ensure(object, {"spec"});
    Json metrics = Json::array();
    if (const Json* percent = find(spec, "targetCPUUtilizationPercentage"))
        metrics.push_back(cpu_utilization(*percent));
    erase(spec, "targetCPUUtilizationPercentage");
    Json others = list_in_annotation(object, metrics_annotation, "autoscaling/v1.MetricSpec");
    if (others.is_array()) {
        Json all = nested_metrics(others);
        all.insert(all.end(), metrics.begin(), metrics.end());
        metrics = std::move(all);
    }
    if (metrics.empty()) metrics.push_back(cpu_utilization(80));
    spec["metrics"] = std::move(metrics);
    behavior_from_annotation(object);

    if (Json* status = find(object, "status")) {
        if (const Json* percent = find(*status, "currentCPUUtilizationPercentage")) {
            const Json current = {{"averageUtilization", *percent}};
            (*status)["currentMetrics"] =
                Json::array({{{"type", "Resource"}, {"resource", {{"name", "cpu"}, {"current", current}}}}});
        }
        erase(*status, "currentCPUUtilizationPercentage");
    }
    const Json statuses = list_in_annotation(object, statuses_annotation, "autoscaling/v1.MetricStatus");
    if (statuses.is_array()) ensure(object, {"status"})["currentMetrics"] = nested_metric_statuses(statuses);
    Json conditions =
        list_in_annotation(object, conditions_annotation, "autoscaling/v1.HorizontalPodAutoscalerCondition");
    if (conditions.is_array()) ensure(object, {"status"})["conditions"] = std::move(conditions);
    drop_round_trip_annotations(object);
}

void v1_from_storage(Json& object) {
    drop_round_trip_annotations(object);
    Json& spec = ensure(object, {"spec"});
    Json others = Json::array();
    for (const Json& metric : array_at(spec, {"metrics"})) {
        if (!is_cpu_utilization(metric)) {
            others.push_back(metric);
        } else if (find(spec, "targetCPUUtilizationPercentage") == nullptr) {
            const Json percent = metric.at("resource").at("target").at("averageUtilization");
            spec["targetCPUUtilizationPercentage"] = percent;
        }
    }
    erase(spec, "metrics");
    annotate(object, metrics_annotation, flat_metrics(others), "autoscaling/v1.MetricSpec");
    behavior_to_annotation(object);

    Json* status = find(object, "status");
    if (status == nullptr) return;
    const Json statuses = array_at(*status, {"currentMetrics"}),
               conditions = array_at(*status, {"conditions"});
    erase(*status, "currentMetrics");
    erase(*status, "conditions");
    for (const Json& metric : statuses) {
        const Json* percent = find(metric, {"resource", "current", "averageUtilization"});
        if (string_at(metric, {"resource", "name"}) != "cpu" || percent == nullptr) continue;
        (*status)["currentCPUUtilizationPercentage"] = *percent;
        break;
    }
    annotate(object, statuses_annotation, flat_metric_statuses(statuses), "autoscaling/v1.MetricStatus");
    annotate(object, conditions_annotation, conditions, "autoscaling/v1.HorizontalPodAutoscalerCondition");
}

// ---------------------------------------------------------------- v2beta1

void v2beta1_to_storage(Json& object) {
    if (Json* metrics = find(object, {"spec", "metrics"})) *metrics = nested_metrics(*metrics);
    if (Json* statuses = find(object, {"status", "currentMetrics"}))
        *statuses = nested_metric_statuses(*statuses);
    behavior_from_annotation(object);
    drop_round_trip_annotations(object);
}

void v2beta1_from_storage(Json& object) {
    drop_round_trip_annotations(object);
    if (Json* metrics = find(object, {"spec", "metrics"})) *metrics = flat_metrics(*metrics);
    if (Json* statuses = find(object, {"status", "currentMetrics"}))
        *statuses = flat_metric_statuses(*statuses);
    behavior_to_annotation(object);
}

// ---------------------------------------------------------------- v2beta2

void v2beta2_to_storage(Json& object) {
    for (const auto& [annotation, direction] :
         {std::pair{scale_down_tolerance, "scaleDown"}, std::pair{scale_up_tolerance, "scaleUp"}}) {
        const auto tolerance = canonical_quantity(string_at(object, {"metadata", "annotations", annotation}));
        if (tolerance) ensure(object, {"spec", "behavior", direction})["tolerance"] = *tolerance;
    }
    drop_round_trip_annotations(object);
}

void v2beta2_from_storage(Json& object) {
    drop_round_trip_annotations(object);
    for (const auto& [annotation, direction] :
         {std::pair{scale_down_tolerance, "scaleDown"}, std::pair{scale_up_tolerance, "scaleUp"}}) {
        Json* rules = find(object, {"spec", "behavior", direction});
        if (rules == nullptr || find(*rules, "tolerance") == nullptr) continue;
        const Json tolerance = rules->at("tolerance");
        erase(*rules, "tolerance");
        ensure(object, {"metadata", "annotations"})[annotation] = tolerance;
    }
}

// ---------------------------------------------------------------- hooks

void v2_defaults(Json& object, const HookContext&) {
    drop_round_trip_annotations(object);
    default_autoscaler(object);
}

// The other versions are defaulted by what they mean.
void v1_defaults(Json& object, const HookContext&) {
    v1_to_storage(object);
    v1_from_storage(object);
}
void v2beta1_defaults(Json& object, const HookContext&) {
    v2beta1_to_storage(object);
    default_metrics(object);
    v2beta1_from_storage(object);
}
void v2beta2_defaults(Json& object, const HookContext&) {
    v2beta2_to_storage(object);
    default_autoscaler(object);
    v2beta2_from_storage(object);
}

template <void (*to_storage)(Json&)>
void validate_as_stored(const Json& object, const HookContext&, FieldErrors& errors) {
    Json stored = object;
    to_storage(stored);
    validate_autoscaler(stored, errors);
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_autoscaler(object, errors);
}

void validate_status_update(const Json& object, const Json&, const HookContext&, FieldErrors& errors) {
    validate_autoscaler_status(object, errors);
}

}  // namespace

void default_autoscaler_behavior(Json& object) {
    Json* behavior = find(object, {"spec", "behavior"});
    if (behavior == nullptr || !behavior->is_object()) return;
    const Json four_pods = {{"type", "Pods"}, {"value", 4}, {"periodSeconds", 15}};
    const Json all_of_them = {{"type", "Percent"}, {"value", 100}, {"periodSeconds", 15}};
    default_scaling(*behavior, "scaleUp",
                    {{"stabilizationWindowSeconds", 0},
                     {"selectPolicy", "Max"},
                     {"policies", Json::array({four_pods, all_of_them})}});
    default_scaling(*behavior, "scaleDown",
                    {{"selectPolicy", "Max"}, {"policies", Json::array({all_of_them})}});
}

void default_autoscaler(Json& object) {
    default_metrics(object);
    default_autoscaler_behavior(object);
}

KUBEMU_RULES(horizontal_pod_autoscaler_rules){
    .set_defaults = v2_defaults, .validate = validate, .validate_status_update = validate_status_update};
KUBEMU_RULES(horizontal_pod_autoscaler_v1_rules){.set_defaults = v1_defaults,
                                                 .validate = validate_as_stored<v1_to_storage>,
                                                 .validate_status_update = validate_status_update,
                                                 .to_storage = v1_to_storage,
                                                 .from_storage = v1_from_storage};
KUBEMU_RULES(horizontal_pod_autoscaler_v2beta1_rules){.set_defaults = v2beta1_defaults,
                                                      .validate = validate_as_stored<v2beta1_to_storage>,
                                                      .validate_status_update = validate_status_update,
                                                      .to_storage = v2beta1_to_storage,
                                                      .from_storage = v2beta1_from_storage};
KUBEMU_RULES(horizontal_pod_autoscaler_v2beta2_rules){.set_defaults = v2beta2_defaults,
                                                      .validate = validate_as_stored<v2beta2_to_storage>,
                                                      .validate_status_update = validate_status_update,
                                                      .to_storage = v2beta2_to_storage,
                                                      .from_storage = v2beta2_from_storage};

}  // namespace kubemu::api::kinds

// Between the flat metrics of autoscaling/v1 and v2beta1 and the nested ones of v2, and the annotations in
// which versions keep what they have no field for (kubernetes
// pkg/apis/autoscaling/{v1,v2beta1,v2beta2}/conversion.go).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/kinds/autoscaling/autoscaler.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

void copy(const Json& from, std::initializer_list<std::string_view> path, Json& to, const char* member) {
    if (const Json* value = find(from, path)) to[member] = *value;
}

// A Quantity that is no pointer is written even when nobody set it.
void copy_quantity(const Json& from, std::initializer_list<std::string_view> path, Json& to,
                   const char* member) {
    const Json* value = find(from, path);
    to[member] = value != nullptr ? *value : Json("0");
}

Json nested_metric_name(const Json& source, const char* selector) {
    Json metric = Json::object();
    copy(source, {"metricName"}, metric, "name");
    copy(source, {selector}, metric, "selector");
    return metric;
}

Json flat_source(const std::string& member, const Json& source) {
    Json flat = Json::object();
    copy(source, {"name"}, flat, "name");
    copy(source, {"container"}, flat, "container");
    copy(source, {"metric", "name"}, flat, "metricName");
    const bool named = member == "resource" || member == "containerResource";
    copy(source, {"metric", "selector"}, flat, member == "external" ? "metricSelector" : "selector");
    copy(source, {"describedObject"}, flat, "target");
    if (named) {
        copy(source, {"target", "averageUtilization"}, flat, "targetAverageUtilization");
        copy(source, {"target", "averageValue"}, flat, "targetAverageValue");
    } else if (member == "object") {
        copy_quantity(source, {"target", "value"}, flat, "targetValue");
        copy(source, {"target", "averageValue"}, flat, "averageValue");
    } else if (member == "pods") {
        copy_quantity(source, {"target", "averageValue"}, flat, "targetAverageValue");
    } else {
        copy(source, {"target", "value"}, flat, "targetValue");
        copy(source, {"target", "averageValue"}, flat, "targetAverageValue");
    }
    return flat;
}

Json nested_source(const std::string& member, const Json& source) {
    Json nested = Json::object();
    Json& target = nested["target"] = Json::object();
    if (member == "resource" || member == "containerResource") {
        copy(source, {"name"}, nested, "name");
        copy(source, {"container"}, nested, "container");
        copy(source, {"targetAverageUtilization"}, target, "averageUtilization");
        copy(source, {"targetAverageValue"}, target, "averageValue");
        target["type"] = find(target, "averageUtilization") != nullptr ? "Utilization" : "AverageValue";
        return nested;
    }
    nested["metric"] = nested_metric_name(source, member == "external" ? "metricSelector" : "selector");
    if (member == "object") {
        copy(source, {"target"}, nested, "describedObject");
        copy_quantity(source, {"targetValue"}, target, "value");
        copy(source, {"averageValue"}, target, "averageValue");
        target["type"] = find(source, "averageValue") != nullptr ? "AverageValue" : "Value";
    } else if (member == "pods") {
        copy_quantity(source, {"targetAverageValue"}, target, "averageValue");
        target["type"] = "AverageValue";
    } else {
        copy(source, {"targetValue"}, target, "value");
        copy(source, {"targetAverageValue"}, target, "averageValue");
        target["type"] = find(source, "targetValue") != nullptr ? "Value" : "AverageValue";
    }
    return nested;
}

Json flat_status(const std::string& member, const Json& source) {
    Json flat = Json::object();
    copy(source, {"name"}, flat, "name");
    copy(source, {"container"}, flat, "container");
    copy(source, {"metric", "name"}, flat, "metricName");
    copy(source, {"metric", "selector"}, flat, member == "external" ? "metricSelector" : "selector");
    copy(source, {"describedObject"}, flat, "target");
    if (member == "object" || member == "external") {
        copy_quantity(source, {"current", "value"}, flat, "currentValue");
        copy(source, {"current", "averageValue"}, flat,
             member == "object" ? "averageValue" : "currentAverageValue");
    } else {
        copy(source, {"current", "averageUtilization"}, flat, "currentAverageUtilization");
        copy_quantity(source, {"current", "averageValue"}, flat, "currentAverageValue");
    }
    return flat;
}

Json nested_status(const std::string& member, const Json& source) {
    Json nested = Json::object();
    Json& current = nested["current"] = Json::object();
    if (member == "resource" || member == "containerResource") {
        copy(source, {"name"}, nested, "name");
        copy(source, {"container"}, nested, "container");
        copy(source, {"currentAverageUtilization"}, current, "averageUtilization");
        copy_quantity(source, {"currentAverageValue"}, current, "averageValue");
        return nested;
    }
    nested["metric"] = nested_metric_name(source, member == "external" ? "metricSelector" : "selector");
    if (member == "object") copy(source, {"target"}, nested, "describedObject");
    if (member == "pods") {
        copy_quantity(source, {"currentAverageValue"}, current, "averageValue");
    } else {
        copy_quantity(source, {"currentValue"}, current, "value");
        copy(source, {member == "object" ? "averageValue" : "currentAverageValue"}, current, "averageValue");
    }
    return nested;
}

Json convert_each(const Json& list, Json (*convert)(const std::string&, const Json&)) {
    Json out = Json::array();
    for (const Json& metric : list) {
        Json made = Json::object();
        if (!metric.is_object()) continue;
        for (const auto& [member, value] : metric.items()) {
            made[member] = value.is_object() ? convert(member, value) : value;
        }
        out.push_back(std::move(made));
    }
    return out;
}

std::string number_or_null(const Json* value) {
    return value == nullptr ? "null" : value->dump();
}

std::string scaling_text(const Json* rules) {
    if (rules == nullptr) return "null";
    std::string text =
        "{\"StabilizationWindowSeconds\":" + number_or_null(find(*rules, "stabilizationWindowSeconds")) +
        ",\"SelectPolicy\":" + number_or_null(find(*rules, "selectPolicy")) + ",\"Policies\":";
    const Json* policies = find(*rules, "policies");
    if (policies == nullptr || !policies->is_array()) {
        text += "null";
    } else {
        text += '[';
        for (const Json& policy : *policies) {
            if (text.back() != '[') text += ',';
            text += "{\"Type\":";
            append_json_string(text, string_at(policy, {"type"}));
            text += ",\"Value\":" + std::to_string(int_at(policy, {"value"})) +
                    ",\"PeriodSeconds\":" + std::to_string(int_at(policy, {"periodSeconds"})) + "}";
        }
        text += ']';
    }
    if (const Json* tolerance = find(*rules, "tolerance")) text += ",\"Tolerance\":" + tolerance->dump();
    return text + "}";
}

// The members of the internal types have their Go names.
void external_names(const Json& from, Json& to) {
    for (const auto& [name, value] : from.items()) {
        if (value.is_null() || name.empty()) continue;
        std::string member = name;
        member[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(member[0])));
        if (value.is_object()) {
            external_names(value, to[member] = Json::object());
        } else if (value.is_array()) {
            Json& list = to[member] = Json::array();
            for (const Json& item : value) {
                list.push_back(Json::object());
                if (item.is_object()) external_names(item, list.back());
            }
        } else {
            to[member] = value;
        }
    }
}

}  // namespace

Json flat_metrics(const Json& metrics) {
    return convert_each(metrics, flat_source);
}
Json nested_metrics(const Json& metrics) {
    return convert_each(metrics, nested_source);
}
Json flat_metric_statuses(const Json& statuses) {
    return convert_each(statuses, flat_status);
}
Json nested_metric_statuses(const Json& statuses) {
    return convert_each(statuses, nested_status);
}

void drop_round_trip_annotations(Json& object) {
    Json* annotations = find(object, {"metadata", "annotations"});
    if (annotations == nullptr) return;
    for (const char* name : {"metrics", "behavior", "scale-down-tolerance", "scale-up-tolerance",
                             "current-metrics", "conditions"}) {
        erase(*annotations, std::string("autoscaling.alpha.kubernetes.io/") + name);
    }
    if (annotations->empty()) erase(object["metadata"], "annotations");
}

std::string behavior_text(const Json& behavior) {
    return "{\"ScaleUp\":" + scaling_text(find(behavior, "scaleUp")) +
           ",\"ScaleDown\":" + scaling_text(find(behavior, "scaleDown")) + "}";
}

Json behavior_from_text(std::string_view text) {
    const auto parsed = parse_json(text);
    if (!parsed || !parsed->is_object()) return nullptr;
    Json behavior = Json::object();
    external_names(*parsed, behavior);
    std::vector<std::string> complaints;
    if (!conform(behavior, *find_type("autoscaling/v2.HorizontalPodAutoscalerBehavior"),
                 "HorizontalPodAutoscalerBehavior", complaints)) {
        return nullptr;
    }
    return behavior.empty() ? Json(nullptr) : behavior;
}

}  // namespace kubemu::api::kinds

// Validation of an autoscaler's metrics.
#include <nlohmann/json.hpp>

#include "api/kinds/autoscaling/autoscaler.h"
#include "api/kinds/validation.h"

namespace kubemu::api::kinds {
namespace {

void validate_target(const Json& target, const FieldPath& path, FieldErrors& errors) {
    const std::string type(string_at(target, {"type"}));
    if (type.empty()) errors.required(path.child("type"), "must specify a metric target type");
    if (type != "Utilization" && type != "Value" && type != "AverageValue") {
        errors.invalid(path.child("type"), type, "must be either Utilization, Value, or AverageValue");
    }
    for (const char* member : {"value", "averageValue"}) {
        const Json* value = find(target, member);
        if (value == nullptr) continue;
        const Quantity quantity = quantity_of(value);
        if (quantity.is_negative() || quantity.is_zero()) {
            errors.invalid(path.child(member), quantity.text(), "must be positive");
        }
    }
    const Json* percent = find(target, "averageUtilization");
    if (percent != nullptr && int_at(target, {"averageUtilization"}) < 1) {
        errors.invalid(path.child("averageUtilization"), *percent, "must be greater than 0");
    }
}

void validate_identifier(const Json& metric, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = string_at(metric, {"name"});
    if (name.empty()) return errors.required(path.child("name"), "must specify a metric name");
    add_invalid(check_path_segment(name, false), path.child("name"), name, errors);
}

void validate_object_metric(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_object_reference(object_at(source, {"describedObject"}), path.child("describedObject"), errors);
    validate_identifier(object_at(source, {"metric"}), path.child("metric"), errors);
    validate_target(object_at(source, {"target"}), path.child("target"), errors);
    if (find(source, {"target", "value"}) == nullptr && find(source, {"target", "averageValue"}) == nullptr) {
        errors.required(path.child("target").child("averageValue"),
                        "must set either a target value or averageValue");
    }
}

void validate_external_metric(const Json& source, const FieldPath& path, FieldErrors& errors) {
    const Json* value = find(source, {"target", "value"});
    const Json* average = find(source, {"target", "averageValue"});
    validate_identifier(object_at(source, {"metric"}), path.child("metric"), errors);
    validate_target(object_at(source, {"target"}), path.child("target"), errors);
    if (value == nullptr && average == nullptr) {
        errors.required(path.child("target").child("averageValue"),
                        "must set either a target value for metric or a per-pod target");
    }
    if (value != nullptr && average != nullptr) {
        errors.forbidden(path.child("target").child("value"),
                         "may not set both a target value for metric and a per-pod target");
    }
}

void validate_pods_metric(const Json& source, const FieldPath& path, FieldErrors& errors) {
    validate_identifier(object_at(source, {"metric"}), path.child("metric"), errors);
    validate_target(object_at(source, {"target"}), path.child("target"), errors);
    if (find(source, {"target", "averageValue"}) == nullptr) {
        errors.required(path.child("target").child("averageValue"),
                        "must specify a positive target averageValue");
    }
}

void validate_resource_metric(const Json& source, bool of_container, const FieldPath& path,
                              FieldErrors& errors) {
    const std::string_view name = string_at(source, {"name"}), container = string_at(source, {"container"});
    if (name.empty()) {
        errors.required(path.child("name"), "must specify a resource name");
    } else if (of_container) {
        validate_container_resource_name(name, path.child("name"), errors);
    }
    if (of_container && container.empty()) {
        errors.required(path.child("container"), "must specify a container");
    } else if (of_container) {
        validate_dns1123_label(container, path.child("container"), errors);
    }
    const FieldPath target = path.child("target");
    validate_target(object_at(source, {"target"}), target, errors);
    const Json* percent = find(source, {"target", "averageUtilization"});
    const Json* value = find(source, {"target", "averageValue"});
    if (percent == nullptr && value == nullptr) {
        errors.required(target.child("averageUtilization"),
                        "must set either a target raw value or a target utilization");
    }
    if (percent != nullptr && value != nullptr) {
        errors.forbidden(target.child("averageValue"),
                         "may not set both a target raw value and a target utilization");
    }
}

void validate_source(std::string_view member, const Json& source, const FieldPath& path,
                     FieldErrors& errors) {
    if (member == "object") return validate_object_metric(source, path, errors);
    if (member == "external") return validate_external_metric(source, path, errors);
    if (member == "pods") return validate_pods_metric(source, path, errors);
    validate_resource_metric(source, member == "containerResource", path, errors);
}

void validate_metric(const Json& metric, const FieldPath& path, FieldErrors& errors) {
    struct Source {
        std::string_view type, member;
    };
    constexpr Source sources[] = {{"Object", "object"},
                                  {"External", "external"},
                                  {"Pods", "pods"},
                                  {"Resource", "resource"},
                                  {"ContainerResource", "containerResource"}};
    const std::vector<std::string> types = {"ContainerResource", "External", "Object", "Pods", "Resource"};
    const std::string type(string_at(metric, {"type"}));
    if (type.empty()) errors.required(path.child("type"), "must specify a metric source type");
    std::string_view expected;
    for (const Source& source : sources) {
        if (source.type == type) expected = source.member;
    }
    if (expected.empty()) errors.not_supported(path.child("type"), type, types);
    std::vector<std::string_view> present;
    for (const Source& source : sources) {
        const Json* value = find(metric, source.member);
        if (value == nullptr) continue;
        present.push_back(source.member);
        if (present.size() == 1) validate_source(source.member, *value, path.child(source.member), errors);
    }
    if (expected.empty()) {
        errors.not_supported(path.child("type"), type, types);
    } else if (find(metric, expected) == nullptr) {
        errors.required(path.child(expected), "must populate information for the given metric source");
    }
    if (present.size() == 1) return;
    for (const std::string_view member : present) {
        if (member != expected)
            errors.forbidden(path.child(member), "must populate the given metric source only");
    }
}

}  // namespace

void validate_autoscaler_metrics(const Json& metrics, const Json* least, const FieldPath& path,
                                 FieldErrors& errors) {
    bool scales_from_zero = false;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        validate_metric(metrics[i], path.index(i), errors);
        const std::string_view type = string_at(metrics[i], {"type"});
        scales_from_zero = scales_from_zero || type == "Object" || type == "External";
    }
    if (least != nullptr && least->is_number() && least->get<std::int64_t>() == 0 && !scales_from_zero) {
        errors.forbidden(
            path, "must specify at least one Object or External metric to support scaling to zero replicas");
    }
}

}  // namespace kubemu::api::kinds

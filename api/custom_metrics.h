// Simulated custom and external metrics: what annotations say is measured, and the API that a metrics adapter serves
// (k8s.io/metrics/pkg/apis/custom_metrics/v1beta2, external_metrics/v1beta1, sigs.k8s.io/custom-metrics-apiserver).
//
//   kubemu.io/metric.NAME: VALUE            of a pod, service, ingress, namespace...: the metric NAME of that object
//   kubemu.io/external-metric.NAME: VALUE   of a namespace: a metric of nothing in the cluster, seen from there
// VALUE is a quantity, or a JSON list of series: [{"value": "30", "labels": {"queue": "mail"}}, ...].
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/aggregation.h"
#include "api/registry.h"
#include "api/selector/label.h"
#include "api/values/object.h"
#include "api/values/quantity.h"

namespace kubemu::api {

enum class MetricFamily { custom, external };

struct MetricGroup {
    std::string_view group, version;
    std::string name() const { return std::string(version) + "." + std::string(group); }  // of its APIService
};
MetricGroup metric_group(MetricFamily family);

// True when the text of an object may have such an annotation.
bool shows_metrics(std::string_view text, MetricFamily family);

struct MetricSample {
    Quantity value;
    LabelSpan labels;
};
// The series of this metric that the object's annotation has; those alone that the selector matches. What is no
// quantity is passed over.
std::vector<MetricSample> metric_samples(const Json& object, MetricFamily family, std::string_view name,
                                         const LabelSelector& selector);
// The names of all metrics of the object.
std::vector<std::string> metric_names(const Json& object, MetricFamily family);
// An object's one value: the sum of its series, in thousandths. Nothing when there are none.
std::optional<std::int64_t> metric_value_milli(const Json& object, MetricFamily family, std::string_view name,
                                               const LabelSelector& selector);

// The entry of AggregatedServices that answers for the group in this process. `resources` are the names that its
// discovery has: "pods/requests_per_second" (custom), "queue_length" (external).
AggregatedServicePtr simulated_metrics_service(Registry& registry, MetricFamily family, const std::vector<std::string>& resources);

}  // namespace kubemu::api

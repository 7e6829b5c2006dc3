// How many replicas one metric asks for (pkg/controller/podautoscaler/replica_calculator.go).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::api {
class DeclaredUsage;
}

namespace kubemu::controllers {

constexpr double default_tolerance = 0.1;  // --horizontal-pod-autoscaler-tolerance

// What was measured of one pod, in thousandths; when, and over which time, as far as it is known.
struct PodMetric {
    std::int64_t milli = 0;
    std::optional<Time> timestamp{};
    Duration window{};
};

struct MetricQuestion {
    std::string resource;   // "cpu"
    std::string container;  // "" for the whole pod
    // One of both: percent of the request, or thousandths of the resource's unit.
    std::int64_t target_utilization = 0;
    std::int64_t target_average_milli = 0;
    // A custom metric, or what another server measured: its value for each pod that has one. Null: what the model says
    // that pods use of the resource.
    const std::map<std::string, PodMetric>* values = nullptr;
    const api::DeclaredUsage* declared = nullptr;  // of the model
    double tolerance_up = default_tolerance, tolerance_down = default_tolerance;

    bool tolerates(double ratio) const { return 1 - tolerance_down <= ratio && ratio <= 1 + tolerance_up; }
};

struct MetricAnswer {
    std::int64_t replicas = 0;
    std::int64_t average_milli = 0;
    std::int64_t utilization = 0;  // percent; only for a question about utilization
};

// `pods` are all that the target's selector matches. The error is the sentence for condition and event.
Result<MetricAnswer, std::string> replicas_for_metric(const MetricQuestion& question, std::int64_t current_replicas,
                                                      const std::vector<api::Json>& pods, Time now);

}  // namespace kubemu::controllers

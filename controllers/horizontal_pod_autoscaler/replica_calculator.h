// How many replicas one metric asks for (pkg/controller/podautoscaler/replica_calculator.go).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::controllers {

constexpr double default_tolerance = 0.1;  // --horizontal-pod-autoscaler-tolerance

struct MetricQuestion {
    std::string resource;   // "cpu"
    std::string container;  // "" for the whole pod
    // One of both: percent of the request, or thousandths of the resource's unit.
    std::int64_t target_utilization = 0;
    std::int64_t target_average_milli = 0;
    // A custom metric: its value for each pod that has one, in thousandths. Null: what the pods use of the resource.
    const std::map<std::string, std::int64_t>* values = nullptr;
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

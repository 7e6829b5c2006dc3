// How many replicas one metric asks for (pkg/controller/podautoscaler/replica_calculator.go).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::controllers {

struct MetricQuestion {
    std::string resource;   // "cpu"
    std::string container;  // "" for the whole pod
    // One of both: percent of the request, or thousandths of the resource's unit.
    std::int64_t target_utilization = 0;
    std::int64_t target_average_milli = 0;
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

// How fast an autoscaler may follow its metrics: stabilization windows and rate limits
// (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

// What one autoscaler has recommended and done, in memory as in the real one.
struct ScaleHistory {
    struct Recommendation {
        Time at{};
        std::int64_t replicas = 0;
    };
    struct Event {
        Time at{};
        std::int64_t change = 0;
    };
    std::vector<Recommendation> recommendations;
    std::vector<Event> ups, downs;
};

struct Limits {
    std::int64_t current = 0, least = 1, most = 1;
};

struct Normalized {
    std::int64_t replicas = 0;
    struct Condition {
        bool holds = false;
        std::string reason, message;
    };
    Condition able_to_scale, scaling_limited;
};

// Brings a recommendation within what spec.behavior (null: the defaults of old) and the limits allow, and remembers it.
Normalized normalize(const api::Json* behavior, ScaleHistory& history, std::int64_t recommended, Limits limits, Time now);
void remember_scaling(ScaleHistory& history, std::int64_t before, std::int64_t after, Time now);

}  // namespace kubemu::controllers

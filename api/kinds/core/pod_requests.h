// What a pod asks of a node: the sum that the scheduler and quotas count (k8s.io/component-helpers/resource).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "api/values/object.h"

namespace kubemu::api {

struct PodRequests {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    std::map<std::string, std::int64_t> other;  // ephemeral-storage, extended resources: whole units
};

// Containers and sidecars together, or the largest init container with the sidecars before it, whichever is more;
// plus overhead.
PodRequests effective_requests(const Json& pod_spec);

// Guaranteed, Burstable or BestEffort.
std::string quality_of_service(const Json& pod_spec);

}  // namespace kubemu::api

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

// What a container that asks for no cpu, or no memory, is taken to ask for.
struct MissingRequests {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
};
// With these the scheduler compares how full nodes are (pkg/scheduler/util/pod_resources.go).
inline constexpr MissingRequests nonzero_requests{100, 200LL << 20};

// Containers and sidecars together, or the largest init container with the sidecars before it, whichever is more;
// what the pod asks for as a whole (spec.resources) instead of that; plus overhead.
PodRequests effective_requests(const Json& pod_spec, const MissingRequests& missing = {});

// Guaranteed, Burstable or BestEffort.
std::string quality_of_service(const Json& pod_spec);

}  // namespace kubemu::api

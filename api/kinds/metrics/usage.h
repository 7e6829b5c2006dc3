// What simulated containers and nodes use: the one model behind metrics.k8s.io and the autoscaler.
//
// A pure function of the pod and of the time, so that everybody who asks is told the same. A container uses a
// part of what it requests, or a few millicores when it requests nothing, and goes up and down a little
// around that within minutes; what requests of other containers cost it comes on top (served_load.h), and its limit
// bounds both. Annotations of the pod say otherwise, the first of these that is there:
//   kubemu.io/cpu-usage.NAME, kubemu.io/memory-usage.NAME            what the container NAME uses
//   kubemu.io/cpu-usage, kubemu.io/memory-usage                      the whole pod, shared by the containers'
//   requests
//   kwok.x-k8s.io/usage-cpu, kwok.x-k8s.io/usage-memory              each container, as KWOK's usage-from-annotation
// KWOK's ResourceUsages and ClusterResourceUsages come after kubemu's own annotations and before the rest.
// A node uses what its pods use and a little for itself; its own kubemu.io/cpu-usage and
// kubemu.io/memory-usage replace that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::api {

struct Usage {
    std::int64_t cpu_nano = 0;  // billionths of a core
    std::int64_t memory_bytes = 0;

    Usage& operator+=(const Usage& other);
};

struct ContainerUsage {
    std::string name;
    Usage usage;
};

struct PodUsage {
    Time timestamp{};                        // end of the window
    std::vector<ContainerUsage> containers;  // those that run

    Usage total() const;
};

// How long a sample takes: numbers change once in this time (metrics-server's --metric-resolution).
constexpr Duration usage_window = std::chrono::seconds(15);

class DeclaredUsage;

// What the command of a load generator asks for: stress --vm 1 --vm-bytes 150M, --cpu 2, -cpus 2, -mem-total 1Gi.
// Zero where it asks for none. `words` begins with a program or, for an image of its own, with a flag.
Usage stress_demand(const std::vector<std::string>& words);
// Nothing when no container of the pod runs: it has no sample then. `declared` are the ResourceUsages; null: none.
std::optional<PodUsage> usage_of_pod(const Json& pod, Time now, const DeclaredUsage* declared = nullptr);
Usage usage_of_node(const Json& node, const Usage& pods, Time now);
// The end of the newest window.
Time usage_time(Time now);

}  // namespace kubemu::api

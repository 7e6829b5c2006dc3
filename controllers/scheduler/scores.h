// Which of the nodes that would do is best? The score plugins of kube-scheduler's default profile, each 0 to 100 for a
// node, with their weights (pkg/scheduler/framework/plugins, pkg/scheduler/apis/config/v1/default_plugins.go).
//
// Example (tests/unit/controllers/scheduler/scores_test.cpp): a node with 4 cores and 8Gi has 3 cores and 2Gi taken; a pod
// asks for 500m and 1Gi. LeastAllocated: cpu (4000-3500)*100/4000 = 12, memory (8-3)*100/8 = 62, so (12+62)/2 = 37.
// BalancedAllocation: with the pod |0.875-0.375|/2 = 0.25 makes 75, without |0.75-0.25|/2 = 0.25 makes 75 too; so
// 50 + (50+75-75)/2 = 75.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controllers/scheduler/match_counts.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler {

// On how many nodes an image is, by the name that nodes list it under.
using ImageNodes = std::map<std::string, int, std::less<>>;

struct Scoring {
    const PodInfo& pod;
    const Nodes& nodes;
    const Namespaces& namespaces;
    const ImageNodes& image_nodes;
    MatchCounts& matches;
    std::vector<const NodeInfo*> feasible;
    // What the pod's containers and init containers run, as its spec names it; and images that it mounts.
    std::vector<std::string> images, mounted_images;
    // Of the pod's services and controller: by it pods without constraints of their own spread. Empty when it has none.
    api::LabelSelector default_selector;
    // Of DynamicResources, before they are normalised; empty when the pod asks for no devices.
    std::vector<std::int64_t> devices;
};

// One value for each feasible node, normalised, before weighing.
using Scores = std::vector<std::int64_t>;
Scores least_allocated(const Scoring& scoring);
Scores balanced_allocation(const Scoring& scoring);
Scores image_locality(const Scoring& scoring);
Scores taint_toleration(const Scoring& scoring);
Scores node_affinity(const Scoring& scoring);
Scores topology_spread(const Scoring& scoring);
Scores inter_pod_affinity(const Scoring& scoring);
Scores dynamic_resources(const Scoring& scoring);
// The weighed sum of all.
Scores total_scores(const Scoring& scoring);

// The name with ":latest" where it has neither tag nor digest.
std::string normalized_image_name(std::string name);

// May nodes count for a spread constraint (its nodeAffinityPolicy and nodeTaintsPolicy)?
bool counts_for_spread(const SpreadConstraint& constraint, const Constraints& rules, const NodeInfo& node);

}  // namespace kubemu::controllers::scheduler

// May this pod run on that node? The filter plugins of kube-scheduler, in their order, with their reasons.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler {

using Nodes = std::map<std::string, NodeInfo, std::less<>>;

// Why a node was refused; empty when it fits.
struct Verdict {
    std::vector<std::string> reasons;
    bool resolvable = true;  // removing pods could help (Unschedulable, not UnschedulableAndUnresolvable)

    bool fits() const { return reasons.empty(); }
};

// A claim's volume as far as placement is concerned.
struct VolumeRule {
    bool has_affinity = false;
    std::vector<NodeTerm> terms;  // of the bound volume
};

// What is the same for all nodes in one attempt, computed once.
class Filter {
  public:
    Filter(const PodInfo& pod, const Nodes& nodes, std::vector<VolumeRule> volumes);

    // `removed` are pods of the node that are taken as gone; `extra` are pods that were promised room on it.
    Verdict check(const NodeInfo& node, const std::vector<PodInfoPtr>& removed = {},
                  const std::vector<PodInfoPtr>& extra = {}) const;
    // How well soft spread constraints and preferred pod terms like the node; higher is better.
    double preference(const NodeInfo& node) const;

  private:
    using Counts = std::unordered_map<std::string, int>;  // by topology value
    Counts count_pods(const PodTerm& term) const;
    bool static_ok(const NodeInfo& node) const;
    void check_spread(const NodeInfo& node, const std::vector<PodInfoPtr>& removed, Verdict& verdict) const;
    void check_pod_affinity(const NodeInfo& node, const std::vector<PodInfoPtr>& removed, Verdict& verdict) const;

    const PodInfo& pod_;
    const Constraints& rules_;
    const Nodes& nodes_;
    std::vector<VolumeRule> volumes_;
    std::vector<Counts> spread_counts_, affinity_counts_, anti_counts_, preferred_counts_, unwanted_counts_;
    bool first_of_its_group_ = false;
    // Topology (key, value) pairs that a pod elsewhere keeps this pod away from, and by how many.
    std::map<std::pair<std::string, std::string>, int> forbidden_;
};

// 0 to 100 each, weighed as kube-scheduler does by default.
double score(const PodInfo& pod, const NodeInfo& node, const Filter& filter);

bool ports_clash(const std::vector<api::HostPort>& a, const std::vector<api::HostPort>& b);

}  // namespace kubemu::controllers::scheduler

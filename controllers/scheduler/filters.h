// May this pod run on that node? The filter plugins of kube-scheduler, in their order, with their reasons.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "controllers/scheduler/plugins.h"
#include "controllers/scheduler/pod_info.h"
#include "controllers/scheduler/volume_use.h"

namespace kubemu::controllers::scheduler {

// Why a node was refused; empty when it fits.
struct Verdict {
    std::vector<std::string> reasons;
    bool resolvable = true;  // removing pods could help (Unschedulable, not UnschedulableAndUnresolvable)
    Plugin by = Plugin::node_name;  // who refused it

    bool fits() const { return reasons.empty(); }
};

// By which labels volumes and nodes say where they are, and the newer name of each.
struct ZoneLabel {
    std::string_view name, newer;
};
inline constexpr ZoneLabel zone_labels[] = {
    {"topology.kubernetes.io/zone", "topology.kubernetes.io/zone"},
    {"topology.kubernetes.io/region", "topology.kubernetes.io/region"},
    {"failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"},
    {"failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"},
};

// A claim's volume as far as placement is concerned.
struct VolumeRule {
    enum class Kind {
        affinity,    // bound: the volume's terms, if any, and its labels of zone and region
        missing,     // bound to a volume that is not there
        taken,       // ReadWriteOncePod, and another pod uses it
        selectable,  // waits for its first consumer: one of the volumes whose terms fit, or one that is made in the topology
    } kind = Kind::affinity;
    std::string user;                                           // taken: the key of the pod that has it
    std::vector<NodeTerm> terms;                                // affinity
    std::vector<std::pair<std::string, std::set<std::string>>> zones;  // affinity: label and values that will do
    // selectable: free volumes that fit the claim, the smallest first, with their terms (none: anywhere).
    std::vector<std::pair<std::string, std::vector<NodeTerm>>> free_volumes;
    bool can_be_made = false;
    std::string selected_node;  // where it is being made already
    std::vector<NodeTerm> topologies;  // where; none: anywhere
    bool needs_capacity = false;       // the driver publishes where it has room (CSIStorageCapacity)
    std::vector<api::LabelSelector> with_capacity;  // the nodes from which enough can be reached
};
// The free volume that each selectable claim gets on this node, no volume twice; empty where one has to be made. In the
// order of `rules`, where smaller claims come first.
std::vector<std::string> volumes_for(const std::vector<VolumeRule>& rules, const NodeInfo& node);

// What differs between releases in what the scheduler says.
struct Release {
    int minor = 36;
    bool names_taints() const { return minor < 35; }            // "untolerated taint {key: value}"
    bool knows_too_small() const { return minor >= 31; }        // a node that never has room is not worth an eviction
    bool allocates_devices() const { return minor >= 34; }      // DynamicResources is one of its plugins
};

class DeviceAttempt;

// What is the same for all nodes in one attempt, computed once.
class Filter {
  public:
    struct Cluster {
        const Nodes& nodes;
        const Namespaces& namespaces;
        Release release{};
        const VolumeUse* volume_use = nullptr;  // null: nodes take any number of volumes
        DeviceAttempt* devices = nullptr;       // null: the pod asks for none
    };
    Filter(const PodInfo& pod, Cluster cluster, std::vector<VolumeRule> volumes);

    // `removed` are pods of the node that are taken as gone; `extra` are pods that were promised room on it. They may come
    // or not, so that the pod has to fit with them and without.
    Verdict check(const NodeInfo& node, const std::vector<PodInfoPtr>& removed = {},
                  const std::vector<PodInfoPtr>& extra = {}) const;

  private:
    using Pods = std::vector<PodInfoPtr>;
    Verdict check_once(const NodeInfo& node, const Pods& removed, const Pods& extra) const;
    bool ports_are_free(const NodeInfo& node, const Pods& removed, const Pods& extra) const;
    using Counts = std::unordered_map<std::string, int>;  // by topology value
    Counts count_pods(const PodTerm& term) const;
    void count_affinity();
    void count_spread();
    void find_forbidden();
    void check_volumes(const NodeInfo& node, const std::vector<PodInfoPtr>& removed, Verdict& verdict) const;
    bool in_right_zone(const NodeInfo& node) const;
    void check_spread(const NodeInfo& node, const Pods& removed, const Pods& extra, Verdict& verdict) const;
    void check_pod_affinity(const NodeInfo& node, const Pods& removed, const Pods& extra, Verdict& verdict) const;

    const PodInfo& pod_;
    const Constraints& rules_;
    const Nodes& nodes_;
    const Namespaces& namespaces_;
    Release release_;
    std::vector<VolumeRule> volumes_;
    // The only nodes that the pod names (matchFields metadata.name in every term), as DaemonSet pods do.
    std::optional<std::set<std::string>> named_nodes_;
    std::vector<Counts> spread_counts_, affinity_counts_, anti_counts_;
    const VolumeUse* volume_use_;
    DeviceAttempt* devices_;
    DriverVolumes asked_volumes_;
    bool wants_its_like_ = false;  // it matches its own affinity
    // Topology (key, value) pairs that a pod elsewhere keeps this pod away from, and by how many.
    std::map<std::pair<std::string, std::string>, int> forbidden_;
};

// Why a node is not looked at when the pod names others; `also`: who refused the node that the pod was promised.
std::string not_named(std::optional<Plugin> also = std::nullopt);
bool tolerates_taints(const Constraints& rules, const NodeInfo& node);  // those that keep pods from being placed
bool tolerates_unschedulable(const Constraints& rules);
bool matches_node_rules(const Constraints& rules, const NodeInfo& node);  // spec.nodeSelector and required node affinity
bool ports_clash(const std::vector<api::HostPort>& a, const std::vector<api::HostPort>& b);

}  // namespace kubemu::controllers::scheduler

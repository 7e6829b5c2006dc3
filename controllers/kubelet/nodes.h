// The Node objects of simulated nodes: what they say about themselves, and their leases.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers::kubelet {

// The first of the nodes that --nodes counts; what runs beside the API server says that it runs there.
constexpr const char* control_plane_node = "kubemu-control-plane";

struct NodeIdentity {
    std::string name;      // kubemu-control-plane, kubemu-worker, kubemu-worker2...
    std::string ip;        // 172.18.0.N
    std::string pod_cidr;  // 10.244.N.0/24
};

// What a Node's annotations ask of its kubelet:
//   kubemu.io/condition.TYPE: "True", "False" or "Unknown"   the condition has this status (Ready,
//   MemoryPressure,
//                                                            DiskPressure, PIDPressure); Ready: Unknown also
//                                                            silences it
//   kubemu.io/kubelet: stopped                               it falls silent: no lease, no status, its pods
//   stand still
struct NodeWishes {
    std::map<std::string, std::string> conditions;
    std::map<std::string, std::string> signals;  // what it measures, see pressure.h
    bool stopped = false;

    bool silent() const;
    bool operator==(const NodeWishes& other) const {
        return conditions == other.conditions && signals == other.signals && stopped == other.stopped;
    }
};
NodeWishes read_wishes(const api::Json& node);

// The address and range of the node with this number, from 0 on.
NodeIdentity numbered_identity(std::string name, int number);

// The nodes of a cluster of `count`: the first is the control plane, with its taint unless it is alone.
std::vector<api::Json> default_nodes(int count);
// Adds what a kubelet writes into its Node when it registers: labels, annotations and pod range that are not
// there.
void register_node(api::Json& node, const NodeIdentity& identity);
// Writes capacity (where nobody set it), addresses, node info and conditions into `node`. `pressures` are the
// conditions that its kubelet observes beside what the wishes say.
void fill_node_status(api::Json& node, const NodeIdentity& identity, const NodeWishes& wishes,
                      const std::set<std::string>& pressures, const std::string& kubernetes_version, Time now);
api::Json make_lease(const std::string& node_name, const std::string& node_uid, Time now);

// The reason of a kubelet's event about a condition that turned to this status: NodeReady,
// NodeHasDiskPressure...
std::string condition_event(std::string_view type, std::string_view status);

}  // namespace kubemu::controllers::kubelet

// The Node objects of simulated nodes: what they say about themselves, and their leases.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers::kubelet {

struct NodeIdentity {
    std::string name;      // kubemu-control-plane, kubemu-worker, kubemu-worker2...
    std::string ip;        // 172.18.0.N
    std::string pod_cidr;  // 10.244.N.0/24
    bool control_plane = false;
};

// The first is the control plane; a single node is one without its taint.
std::vector<NodeIdentity> node_identities(int count);
api::Json make_node(const NodeIdentity& node, bool single, const std::string& kubernetes_version, Time now);
// Writes capacity (unless somebody set more), addresses, node info and conditions into `node`.
void fill_node_status(api::Json& node, const NodeIdentity& identity, const std::string& kubernetes_version, Time now);
api::Json make_lease(const NodeIdentity& node, const std::string& node_uid, Time now);

}  // namespace kubemu::controllers::kubelet

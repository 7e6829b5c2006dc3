// Allocator: which devices a pod's claims get on a node (k8s.io/dynamic-resource-allocation/structured).
//
// A search through all that is possible, which takes the first that does: claims, their requests and the devices of a
// request one after the other, for each device the pools by driver and name, their slices by name, and devices in the
// order of their slice. What leads nowhere is taken back. So who publishes devices decides by names and order which are
// taken first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/cel/device.h"
#include "controllers/scheduler/devices/request.h"
#include "controllers/scheduler/devices/slice.h"

namespace kubemu::controllers::scheduler::devices {

// What other claims have.
struct Allocated {
    std::set<DeviceId> whole;
    std::set<DeviceId> shared;             // in part
    std::map<DeviceId, Amounts> consumed;  // of what is shared

    bool has(const DeviceId& id) const { return whole.count(id) > 0 || shared.count(id) > 0 || consumed.count(id) > 0; }
    // The results of a claim's status.allocation; access for administrators takes nothing.
    void add(const api::Json& allocation);
};

// Compiled selectors, the last few.
class Selectors {
  public:
    std::shared_ptr<const api::cel::DeviceSelector> get(const std::string& expression);

  private:
    std::map<std::string, std::shared_ptr<const api::cel::DeviceSelector>> compiled_;
};

// One of: `found`; an `error` that no other node mends; a `refusal` by this node with its reason; nothing of these when
// there are not enough devices.
struct Outcome {
    bool found = false;
    std::vector<Document> allocations;  // status.allocation of each claim
    std::string error;
    std::string refusal;
};

// What is the same for all nodes.
struct World {
    std::vector<SlicePtr> slices;
    Allocated allocated;
    ClassLookup classes;
    Selectors& selectors;
    std::function<std::string()> share_id;  // a new uid for a part of a shared device
};

Outcome allocate(const World& world, const NodeInfo& node, const std::vector<ClaimSpec>& claims);

}  // namespace kubemu::controllers::scheduler::devices

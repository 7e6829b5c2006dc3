// DynamicResources: gives the ResourceClaims of pods devices on the node where the pod goes
// (pkg/scheduler/framework/plugins/dynamicresources).
//
// A DeviceAttempt is what one attempt to place a pod knows of its claims: `begin` (PreFilter), `check` for each node
// (Filter), `make_room` when none would do (PostFilter), `reserve` when one was chosen. What was reserved is a
// Reservation: its devices count as taken from then on; `bind` writes it into the claims (PreBind), `release` takes it
// back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "controllers/runtime/manager.h"
#include "controllers/scheduler/devices/allocator.h"
#include "controllers/scheduler/filters.h"

namespace kubemu::controllers::scheduler {

// A claim of the pod in the state in which the attempt found it.
struct PodClaim {
    std::string key;  // namespace/name
    std::string namespace_name, name, uid;
    devices::Document document;
    std::optional<std::vector<NodeTerm>> nodes;  // where its devices can be reached, when that is not everywhere
    devices::Document made;                      // the allocation that this pod brings it; null: it has one
    bool extended = false;  // stands for extended resources of the pod; without a name it is yet to be made

    bool allocated() const;
    bool reserved_for(const std::string& pod_uid) const;
};

// What is to be written before the pod is bound.
struct Reservation {
    std::vector<PodClaim> claims;
    devices::Document mappings;  // of extended resources to requests, for the pod's status
    bool written = false;
    bool announced = false;  // that devices are waited for
};

class DynamicResources;

class DeviceAttempt {
  public:
    DeviceAttempt(DynamicResources& plugin, const PodInfo& pod) : plugin_(plugin), pod_(pod) {}

    std::string refusal;  // nothing can be done on any node
    std::string error;    // something is wrong with a claim or class: to be tried again

    void check(const NodeInfo& node, Verdict& verdict);
    // Whether a DeviceClass stands for this resource of the pod's requests.
    bool stands_for(const std::string& resource) const { return extended_.count(resource) > 0; }
    // How far up in their lists the alternatives are that the node would give; nothing when it allocates nothing.
    std::int64_t score_of(const NodeInfo& node) const;
    // Lets go of devices that nobody uses; says what it did.
    std::string make_room();
    std::shared_ptr<Reservation> reserve(const NodeInfo& node);

  private:
    friend class DynamicResources;
    struct OfNode {
        std::vector<devices::Document> allocations;
        devices::Document requests, mappings;  // for its extended resources
    };
    // False when the claim for extended resources is left of an earlier attempt.
    bool extend(const NodeInfo& node, OfNode& found, std::vector<devices::ClaimSpec>& specs) const;

    DynamicResources& plugin_;
    const PodInfo& pod_;
    std::vector<PodClaim> claims_;
    std::map<std::string, std::string> extended_;  // resource to class
    devices::Document pod_document_;               // with extended resources only
    std::optional<devices::World> world_;          // when there is something to allocate
    std::map<std::string, OfNode> by_node_;
    std::set<std::size_t> unavailable_;  // claims whose devices are elsewhere, or failed
};

class DynamicResources {
  public:
    // Writes as `client`.
    DynamicResources(Manager& manager, api::Client& client);

    // Keeps what is allocated up to date.
    void on_claim(const api::Informer::Change& change);
    // Why the pod cannot be looked at yet (PreEnqueue); empty when it can.
    std::string not_ready(const PodInfo& pod) const;
    // Null when the pod asks for no devices.
    std::shared_ptr<DeviceAttempt> begin(const PodInfo& pod);
    // Whether a DeviceClass gives what is asked for under the name of this extended resource.
    bool stand_for(const std::string& resource);
    // Whether devices could ever matter to the pod.
    bool concerns(const PodInfo& pod) const;

    enum class Bound { ready, waiting, failed };
    struct BindResult {
        Bound state = Bound::ready;
        std::string why;
        std::optional<Time> until;  // waiting: at the latest
    };
    BindResult bind(const PodInfo& pod, Reservation& reservation);
    // Writes, unless nothing has been written. `pod` is not bound.
    void release(const PodInfo& pod, Reservation& reservation);
    // Its devices are free again, as far as they have not been written down.
    void forget(const Reservation& reservation);

  private:
    friend class DeviceAttempt;
    // Chosen but not seen by the informer yet.
    struct Pending {
        devices::Document allocation;
        storage::Revision written = 0;  // 0: not yet
    };
    std::string find_claim(const PodInfo& pod, const DeviceClaim& wanted, storage::RecordPtr& found) const;
    std::string unknown_class(const api::Json& claim) const;
    void find_extended(DeviceAttempt& attempt);
    devices::World world();
    devices::ClassPtr class_of(const std::string& name);
    std::map<std::string, std::string> resource_classes();

    std::string write_claim(const PodInfo& pod, PodClaim& claim);
    std::string make_extended_claim(const PodInfo& pod, PodClaim& claim);
    std::string record_extended(const PodInfo& pod, const PodClaim& claim, const api::Json& mappings);
    std::string delete_claim(const PodClaim& claim);
    BindResult conditions(Reservation& reservation) const;
    // Its devices say that they cannot be had, or did not say for too long that they can.
    bool has_failed(const PodClaim& claim) const;

    const api::KindSpec& claim_kind() const;

    Manager& manager_;
    api::Client& client_;
    api::Informer& claims_;
    api::Informer& classes_;
    api::Informer& slices_;
    std::map<std::string, devices::Document> allocated_;  // claims' allocations, by key
    std::map<std::string, Pending> pending_;
    // Read when first needed; as old as the record that they are of.
    std::map<std::string, std::pair<storage::Revision, devices::SlicePtr>> read_slices_;
    std::map<std::string, std::pair<storage::Revision, devices::ClassPtr>> read_classes_;
    devices::Selectors selectors_;
};

// The requests by which a pod's extended resources become devices, and which container uses which
// (spec.devices.requests and status.extendedResourceClaimStatus.requestMappings). `classes`: resource to class, those
// that the node has not itself.
struct ExtendedRequests {
    devices::Document requests, mappings;
};
ExtendedRequests extended_requests(const api::Json& pod, const std::map<std::string, std::string>& classes);

}  // namespace kubemu::controllers::scheduler

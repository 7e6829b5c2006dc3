// Node life cycle: what becomes of a node whose kubelet falls silent, and the taints that follow its conditions
// (pkg/controller/nodelifecycle).
//
// A node is heard of when its status or its Lease in kube-node-lease changes. Times are kept in memory, as in the
// real one: after a restart every node has its full grace period. Who falls silent within one monitor period is noticed
// together, and the zones are judged when all of them are known: then only does a node get the taint that evicts.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "controllers/node_lifecycle/zones.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class NodeLifecycleController final : public Controller {
  public:
    explicit NodeLifecycleController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void node_changed(const api::Informer::Change& change);
    void heard_of(const std::string& node_name);
    api::ApiResult<bool> mark_unknown(const storage::Record& node, api::Json& document);
    api::ApiResult<bool> mark_pods_unready(const std::string& node_name);
    // When to look again, because the zone lets nobody be evicted just now.
    api::ApiResult<std::optional<Time>> keep_taints(const storage::Record& node, const api::Json& document);
    void judge_zones();

    struct Health {
        std::string uid;
        Time heard{};       // the last sign of life
        bool ready = false; // as seen last, to notice the transition
        bool judged = false, counts = true;  // for the state of its zone; counts: it is not excluded
        bool weighed = false;                // the state of its zone knows of its last transition
        std::string zone;
        storage::Revision in_order = 0;  // of the node that was found ready, with nothing left to be done for it
        std::string conditions;  // as seen last; a change of them is a sign of life
    };
    api::Informer& nodes_;
    api::Informer& pods_;
    api::Informer& leases_;
    std::unordered_map<std::string, Health> health_;  // by node name
    EvictionZones zones_;
};

}  // namespace kubemu::controllers

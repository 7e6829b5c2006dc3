// DaemonSet: a pod on every node that fits (pkg/controller/daemon).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "controllers/daemonset/node_fit.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/controller_revisions.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

class DaemonSetController final : public Controller {
  public:
    explicit DaemonSetController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    using Pods = std::vector<storage::RecordPtr>;  // oldest first
    struct NodeState {
        NodeFit fit;
        Pods pods;
    };
    struct Look;  // one look at a set: its document, hash and nodes
    struct Changes {
        std::vector<std::string> create_on;  // node names
        Pods remove;
    };

    void node_changed(const api::Informer::Change& change);
    void pod_changed(const api::Informer::Change& change);
    std::string target_of(const storage::Record& pod);
    api::ApiResult<bool> drop_duplicates(const Look& look, const std::vector<RevisionState>& duplicates);
    api::ApiResult<bool> manage(Look& look);
    api::ApiResult<bool> roll(Look& look);
    void keep_one(const Look& look, const Pods& running, Changes& changes) const;
    api::ApiResult<bool> apply(const Look& look, const Changes& changes);
    api::ApiResult<bool> write_status(const Look& look);

    api::Informer& sets_;
    api::Informer& pods_;
    api::Informer& nodes_;
    api::Informer& revisions_;
    SelectorCache selectors_;
    RevisionHistory history_;
    PodControl pod_control_;
    // Pods that are not bound yet, by uid: the node that their affinity names.
    std::unordered_map<std::string, std::string> targets_;
};

}  // namespace kubemu::controllers

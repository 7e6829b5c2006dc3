// ReplicaSet and ReplicationController: as many pods as asked for, whatever happens to them.
//
// The two kinds differ in name, group and the form of their selector only (pkg/controller/replicaset, replication).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controllers/runtime/controller.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

class ReplicaKeeper : public Controller {
  public:
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  protected:
    struct Parameters {
        std::string_view name, account;
        std::string_view resource;       // "replicasets.apps"
        bool plain_map_selector = false;
    };
    ReplicaKeeper(Manager& manager, const Parameters& parameters);

  private:
    struct Failure {
        std::string reason, message;
    };
    void pod_changed(const api::Informer::Change& change);
    api::ApiResult<bool> scale(const storage::Record& owner, const api::Json& pod_template, std::int64_t replicas,
                               std::vector<storage::RecordPtr> pods, std::optional<Failure>& failure);
    api::ApiResult<bool> create_pods(const storage::Record& owner, const api::Json& pod_template, std::int64_t count);
    std::vector<storage::RecordPtr> related_pods(const storage::Record& owner) const;
    api::ApiResult<bool> write_status(const storage::Record& owner, const api::Json& object,
                                      const std::vector<storage::RecordPtr>& pods, bool failure_is_current,
                                      const std::optional<Failure>& failure);

    const api::KindSpec& kind_;
    const api::KindSpec& pod_kind_;
    api::Informer& owners_;
    api::Informer& pods_;
    SelectorCache selectors_;
    PodControl pod_control_;
};

class ReplicaSetController final : public ReplicaKeeper {
  public:
    explicit ReplicaSetController(Manager& manager)
        : ReplicaKeeper(manager, {"replicaset", "replicaset-controller", "replicasets.apps", false}) {}
};

class ReplicationController final : public ReplicaKeeper {
  public:
    explicit ReplicationController(Manager& manager)
        : ReplicaKeeper(manager, {"replicationcontroller", "replication-controller", "replicationcontrollers", true}) {}
};

}  // namespace kubemu::controllers

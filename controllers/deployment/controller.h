// Deployment: keeps ReplicaSets, one a template, and moves pods from the old ones to the new one at a chosen pace.
#pragma once

#include "controllers/runtime/controller.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

class DeploymentController final : public Controller {
  public:
    explicit DeploymentController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void replica_set_changed(const api::Informer::Change& change);
    void pod_changed(const api::Informer::Change& change);

    api::Informer& deployments_;
    api::Informer& replica_sets_;
    api::Informer& pods_;
    SelectorCache selectors_;
};

}  // namespace kubemu::controllers

// ClusterRoles with an aggregationRule get the rules of those that it selects
// (k8s.io/kubernetes/pkg/controller/clusterroleaggregation).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class ClusterRoleAggregationController final : public Controller {
  public:
    explicit ClusterRoleAggregationController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& roles_;
};

}  // namespace kubemu::controllers

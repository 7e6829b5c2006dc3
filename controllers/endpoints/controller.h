// Endpoints: the addresses of a Service's pods in one object named like the Service (pkg/controller/endpoint).
#pragma once

#include <string>
#include <unordered_set>

#include "controllers/endpoints/service_pods.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EndpointsController final : public Controller {
  public:
    explicit EndpointsController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Json subsets_of(const api::Json& service, const std::vector<storage::RecordPtr>& pods);

    api::Informer& services_;
    api::Informer& pods_;
    api::Informer& endpoints_;
    ServicePods service_pods_;
    TriggerTimes triggers_;
    // Services that were seen to go; Endpoints that never had a service are left to whoever made them.
    std::unordered_set<std::string> gone_;
};

}  // namespace kubemu::controllers

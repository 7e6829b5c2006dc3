// EndpointSlices: the addresses of a Service's pods in pieces of at most 100 (k8s.io/endpointslice).
#pragma once

#include "controllers/endpoints/service_pods.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EndpointSliceController final : public Controller {
  public:
    explicit EndpointSliceController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Wanted;  // the endpoints that share one list of ports
    std::vector<Wanted> wanted_of(const api::Json& service, const std::vector<storage::RecordPtr>& pods);
    api::ApiResult<bool> write(const api::Json& service, const storage::RecordPtr& slice, const api::Json& ports,
                               const api::Json& endpoints, std::optional<Time> trigger);

    api::Informer& services_;
    api::Informer& pods_;
    api::Informer& nodes_;
    api::Informer& slices_;
    ServicePods service_pods_;
    TriggerTimes triggers_;
};

}  // namespace kubemu::controllers

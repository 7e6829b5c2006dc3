// Tells by a flow schema's condition Dangling whether its priority level exists. The API server does this
// itself (k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go), so --controllers has no say in it.
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class FlowSchemaController final : public Controller {
  public:
    explicit FlowSchemaController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& schemas_;
    api::Informer& levels_;
};

}  // namespace kubemu::controllers

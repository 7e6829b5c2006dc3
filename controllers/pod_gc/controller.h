// Pod garbage collector: pods of nodes that no longer exist, and unscheduled pods that are being deleted
// (kubernetes pkg/controller/podgc).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class PodGarbageCollectorController final : public Controller {
  public:
    explicit PodGarbageCollectorController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& pods_;
    api::Informer& nodes_;
};

}  // namespace kubemu::controllers

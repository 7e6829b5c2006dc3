// TTL after finished: deletes Jobs whose ttlSecondsAfterFinished has passed since they ended
// (kubernetes pkg/controller/ttlafterfinished).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class TtlAfterFinishedController final : public Controller {
  public:
    explicit TtlAfterFinishedController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::Informer& jobs_;
};

}  // namespace kubemu::controllers

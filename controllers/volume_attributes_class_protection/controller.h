// VolumeAttributesClasses in use stay: their finalizer goes when a deleted class is named by no claim and no volume
// (pkg/controller/volume/vacprotection).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are names of classes.
class VolumeAttributesClassProtectionController final : public Controller {
  public:
    explicit VolumeAttributesClassProtectionController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    bool is_used(const std::string& name);

    api::Informer& classes_;
    api::Informer& claims_;
    api::Informer& volumes_;
};

}  // namespace kubemu::controllers

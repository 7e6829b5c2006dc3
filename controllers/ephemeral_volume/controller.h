// Ephemeral volumes: a claim for each volume of a pod that brings a volumeClaimTemplate of its own
// (pkg/controller/volume/ephemeral). The claim belongs to the pod and goes with it.
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class EphemeralVolumeController final : public Controller {
  public:
    explicit EphemeralVolumeController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::ApiResult<bool> make_claim(const api::ObjectView& pod, const api::Json& volume);

    api::Informer& pods_;
    api::Informer& claims_;
};

}  // namespace kubemu::controllers

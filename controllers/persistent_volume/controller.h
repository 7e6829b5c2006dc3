// Volume binding: claims find volumes, or get one made for them; volumes follow their claims' end
// (kubernetes pkg/controller/volume/persistentvolume).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys: "namespace/name" for claims, "name" for volumes.
class PersistentVolumeController final : public Controller {
  public:
    explicit PersistentVolumeController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::ApiResult<Requeue> reconcile_claim(const storage::Record& record);
    api::ApiResult<Requeue> reconcile_volume(const storage::Record& record);
    storage::RecordPtr matching_volume(const api::Json& claim) const;
    api::ApiResult<bool> provision(const api::Json& claim, const api::Json& storage_class);
    api::ApiResult<bool> bind(const api::Json& claim, const storage::Record& volume);
    bool used_by_pod(const api::ObjectView& claim, bool scheduled_only) const;

    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    api::Informer& pods_;
};

}  // namespace kubemu::controllers

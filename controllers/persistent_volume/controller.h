// Persistent volumes: claims and volumes brought together, made to measure, enlarged, protected while in use and
// reclaimed (pkg/controller/volume/persistentvolume, pvcprotection, pvprotection, expand; provisioners are simulated).
//
// claims.cpp answers what a claim needs, volumes.cpp what becomes of a volume, provisioning.cpp makes and enlarges.
#pragma once

#include "api/values/object.h"
#include "controllers/persistent_volume/pod_claims.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

// Keys are "namespace/name" of claims and "name" of volumes.
class PersistentVolumeController final : public Controller {
  public:
    explicit PersistentVolumeController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    // claims.cpp
    api::ApiResult<Requeue> reconcile_claim(const storage::Record& record);
    api::ApiResult<bool> reconcile_bound_claim(const storage::Record& record, const api::Json& claim);
    api::ApiResult<bool> reconcile_pending_claim(const storage::Record& record, const api::Json& claim);
    void tell_of_named_volume(const std::string& name, const api::Json& claim, const api::Json& reference);
    bool waits_for_consumer(const storage::Record& record, const api::Json& claim, const api::Json& storage_class);
    storage::RecordPtr matching_volume(const storage::Record& record, const api::Json& claim);
    api::ApiResult<bool> bind(const api::Json& claim, const storage::Record& volume);
    api::ApiResult<bool> set_claim_phase(const storage::Record& record, const char* phase);
    // volumes.cpp
    api::ApiResult<Requeue> reconcile_volume(const storage::Record& record);
    api::ApiResult<bool> set_volume_phase(const storage::Record& record, const char* phase, const std::string& message = {});
    api::ApiResult<bool> reclaim(const storage::Record& record, const api::Json& volume);
    // provisioning.cpp
    bool stages_provision();
    api::ApiResult<bool> provision(const api::Json& claim, const api::Json& storage_class);
    api::ApiResult<bool> enlarge(const storage::Record& record, const api::Json& claim, const storage::Record& volume);

    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    api::Informer& pods_;
    PodClaims pod_claims_;
};

}  // namespace kubemu::controllers

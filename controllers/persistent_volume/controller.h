// Persistent volumes: claims and volumes brought together, made to measure, enlarged, protected while in use and
// reclaimed (pkg/controller/volume/persistentvolume, pvcprotection, pvprotection, expand; provisioners are simulated).
//
// claims.cpp answers what a claim needs, volumes.cpp what becomes of a volume, recycling.cpp scrubs one for its next
// claim, provisioning.cpp makes and enlarges.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

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
    // What a claim that waits was last told, and when: again every resync period, or sooner when it is news.
    struct Told {
        storage::Revision revision = 0;
        Time at{};
        std::string text;
    };
    // A volume whose recycler pod runs.
    struct Recycling {
        std::string pod_uid;
        std::set<std::string> told;  // the pod's events that were passed on
    };
    // How often all claims and volumes are looked at anew (--pvclaimbinder-sync-period).
    static constexpr Duration resync_period = std::chrono::seconds(15);

    // claims.cpp
    api::ApiResult<Requeue> reconcile_claim(const storage::Record& record);
    api::ApiResult<bool> reconcile_bound_claim(const storage::Record& record, const api::Json& claim);
    api::ApiResult<Requeue> reconcile_pending_claim(const storage::Record& record, const api::Json& claim);
    api::ApiResult<Requeue> reconcile_named_volume(const storage::Record& record, const api::Json& claim);
    api::ApiResult<bool> assign_default_class(const storage::Record& record, const api::Json& claim);
    Requeue tell_waiting(const storage::Record& claim, bool warning, std::string_view reason,
                         const std::string& message);
    Requeue tell_of_consumers(const storage::Record& record);
    storage::RecordPtr matching_volume(const storage::Record& record, const api::Json& claim, bool delayed);
    api::ApiResult<bool> bind(const api::Json& claim, const storage::Record& volume);
    api::ApiResult<bool> set_claim_phase(const storage::Record& record, const char* phase);
    // volumes.cpp
    api::ApiResult<Requeue> reconcile_volume(const storage::Record& record);
    api::ApiResult<Requeue> reconcile_claimed_volume(const storage::Record& record, const api::Json& volume);
    api::ApiResult<bool> set_volume_phase(const storage::Record& record, const char* phase, const std::string& message = {});
    api::ApiResult<bool> fail_volume(const storage::Record& record, std::string_view reason, const std::string& why);
    api::ApiResult<bool> unbind(const storage::Record& record);
    api::ApiResult<Requeue> release(const storage::Record& record, const api::Json& volume);
    // recycling.cpp
    void recycler_changed(const api::Informer::Change& change);
    void forward_events(const api::Json& volume, const std::string& pod_name, Recycling& recycling);
    api::ApiResult<Requeue> fail_recycling(const storage::Record& record, const std::string& why);
    api::ApiResult<Requeue> begin_recycling(const storage::Record& record, const api::Json& volume);
    api::ApiResult<Requeue> recycle(const storage::Record& record, const api::Json& volume);
    // provisioning.cpp
    bool stages_provision();
    api::ApiResult<Requeue> provision(const storage::Record& record, const api::Json& claim);
    api::ApiResult<bool> make_volume(const api::Json& claim, const api::Json& storage_class,
                                     const std::string& provisioner);
    api::ApiResult<bool> enlarge(const storage::Record& record, const api::Json& claim, const storage::Record& volume);
    EventRecorder& speaker(const std::string& component);
    EventRecorder& provisioner_events(const std::string& provisioner);

    api::Informer& claims_;
    api::Informer& volumes_;
    api::Informer& classes_;
    api::Informer& pods_;
    PodClaims pod_claims_;
    EventRecorder expand_events_;                 // of what is a controller of its own elsewhere
    // Of provisioners and resizers, which are programs of their own: by component.
    std::map<std::string, std::unique_ptr<EventRecorder>> speakers_;
    std::map<std::string, std::string> provisioner_components_;  // by provisioner
    std::map<std::string, Told> told_;            // by claim key
    std::map<std::string, Recycling> recycling_;  // by volume uid
};

}  // namespace kubemu::controllers

// Recreate: the last old pod goes before the first new one comes.
#include <nlohmann/json.hpp>

#include "controllers/deployment/rollout.h"

namespace kubemu::controllers {

api::ApiResult<bool> Rollout::recreate() {
    TRY(find_replica_sets(false));
    bool scaled_down = false;
    for (const ReplicaSetPtr& set : with_replicas(old_)) {
        TRY_ASSIGN(const bool changed, scale_if_needed(*set, 0));
        scaled_down |= changed;
    }
    if (scaled_down || old_pods_run()) return sync_rollout_status();
    if (new_ == nullptr) TRY(find_replica_sets(true));
    TRY(scale_if_needed(*new_, replicas()));
    if (is_complete(api::object_at(document(), {"status"}))) TRY(clean_up());
    return sync_rollout_status();
}

bool Rollout::old_pods_run() const {
    for (const ReplicaSetPtr& set : old_) {
        if (set->status_replicas > 0) return true;
        for (const storage::RecordPtr& pod : environment_.pods.owned_by(set->uid)) {
            if (!api::pod_view_of(*pod).finished()) return true;
        }
    }
    return false;
}

}  // namespace kubemu::controllers

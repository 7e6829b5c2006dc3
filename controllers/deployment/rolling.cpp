// RollingUpdate: up by at most maxSurge, down by at most maxUnavailable, one move a look.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/deployment/rollout.h"

namespace kubemu::controllers {

api::ApiResult<bool> Rollout::roll() {
    TRY(find_replica_sets(true));
    TRY_ASSIGN(const bool scaled_up, scale_up_new());
    if (scaled_up) return sync_rollout_status();
    TRY_ASSIGN(const bool scaled_down, scale_down_old());
    if (scaled_down) return sync_rollout_status();
    if (is_complete(api::object_at(document(), {"status"}))) TRY(clean_up());
    return sync_rollout_status();
}

api::ApiResult<bool> Rollout::scale_up_new() {
    if (new_->replicas == replicas()) return false;
    if (new_->replicas > replicas()) return scale_if_needed(*new_, replicas());
    return scale_if_needed(*new_, new_replica_set_size(new_->replicas));
}

api::ApiResult<bool> Rollout::scale_down_old() {
    if (total_replicas(old_) == 0) return false;
    const std::int64_t least = replicas() - max_unavailable();
    const std::int64_t new_unavailable = new_->replicas - new_->available;
    const std::int64_t most = total_replicas(all()) - least - new_unavailable;
    if (most <= 0) return false;

    // First the old replicas that serve nobody, or a rollout of broken pods could never be undone.
    std::int64_t cleaned = 0;
    for (const ReplicaSetPtr& set : old_) {
        if (cleaned >= most) break;
        if (set->replicas == 0 || set->replicas == set->available) continue;
        // Its status is behind the size that it was just given: what it counts as available may be going.
        if (set->available > set->replicas) return false;
        const std::int64_t count = std::min(most - cleaned, set->replicas - set->available);
        TRY(scale_if_needed(*set, set->replicas - count));
        cleaned += count;
    }
    // Then as many as the availability allows, oldest first.
    const std::int64_t spare = total_available(all()) - least;
    std::int64_t stopped = 0;
    for (const ReplicaSetPtr& set : old_) {
        if (stopped >= spare) break;
        if (set->replicas == 0) continue;
        const std::int64_t count = std::min(spare - stopped, set->replicas);
        TRY(scale_if_needed(*set, set->replicas - count));
        stopped += count;
    }
    return cleaned + stopped > 0;
}

}  // namespace kubemu::controllers

// Rollout: one look at a Deployment and its ReplicaSets, and the steps that may be taken from there.
//
// The controller makes one for each reconcile. What a step writes is also put into the values here, so that the next
// step of the same reconcile sees it. The rules are those of pkg/controller/deployment; the files: sync.cpp (which
// ReplicaSet is the new one, scaling, clean-up), rolling.cpp, recreate.cpp, progress.cpp (status and conditions).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/client.h"
#include "api/informer.h"
#include "api/kinds/views.h"
#include "controllers/runtime/event_recorder.h"

namespace kubemu::controllers {

// What a rollout reads of a ReplicaSet; `document` is the whole of it.
struct ReplicaSetState {
    storage::RecordPtr record;
    std::shared_ptr<const api::Json> document;
    std::string name, uid;
    Time created{};
    bool deleting = false;
    std::int64_t replicas = 0;  // spec.replicas, as last written
    std::int64_t status_replicas = 0, ready = 0, available = 0;
    bool observed = true;  // status.observedGeneration has caught up

    std::string_view annotation(std::string_view name) const;
    std::int64_t revision() const;  // 0 when the annotation is missing or malformed
};
using ReplicaSetPtr = std::shared_ptr<ReplicaSetState>;
using ReplicaSets = std::vector<ReplicaSetPtr>;

class Rollout {
  public:
    struct Environment {
        api::Client& client;
        EventRecorder& events;
        const api::KindSpec& deployments;
        const api::KindSpec& replica_sets;
        api::Informer& pods;
        Time now;
    };
    // `records`: the ReplicaSets that the deployment controls.
    Rollout(Environment environment, storage::RecordPtr deployment, const std::vector<storage::RecordPtr>& records);
    ~Rollout();

    // Brings the world one step on. The value: when to look again, if not because of a change.
    api::ApiResult<std::optional<Duration>> step();

  private:
    // sync.cpp
    api::ApiResult<bool> find_replica_sets(bool create);
    api::ApiResult<bool> update_new_replica_set(std::int64_t revision);
    api::ApiResult<bool> create_new_replica_set(std::int64_t revision);
    api::ApiResult<bool> sync();
    api::ApiResult<bool> scale_all();
    api::ApiResult<bool> scale(ReplicaSetState& replica_set, std::int64_t replicas);
    api::ApiResult<bool> scale_if_needed(ReplicaSetState& replica_set, std::int64_t replicas);
    api::ApiResult<bool> clean_up();
    bool is_scaling_event() const;
    std::int64_t new_replica_set_size(std::int64_t current) const;
    bool is_saturated() const;
    std::int64_t proportion_of(const ReplicaSetState& replica_set, std::int64_t to_add, std::int64_t added) const;
    ReplicaSets all() const;
    // rolling.cpp
    api::ApiResult<bool> roll();
    api::ApiResult<bool> scale_up_new();
    api::ApiResult<bool> scale_down_old();
    // recreate.cpp
    api::ApiResult<bool> recreate();
    bool old_pods_run() const;
    // progress.cpp
    api::ApiResult<bool> check_paused();
    api::ApiResult<bool> sync_status();          // counts only, while paused or scaling
    api::ApiResult<bool> sync_rollout_status();  // with the progress condition
    api::Json calculate_status() const;
    bool is_complete(const api::Json& status) const;
    bool is_progressing(const api::Json& status) const;
    bool timed_out(const api::Json& status) const;
    void look_again_at_deadline(const api::Json& status);
    std::optional<std::int64_t> progress_deadline() const;
    void set_condition(api::Json& status, std::string_view type, std::string_view value, std::string_view reason,
                       std::string_view message) const;
    api::ApiResult<bool> write_status(const api::Json& status);

    const api::Json& document() const { return *document_; }
    std::int64_t replicas() const;
    bool rolling_update() const;
    bool paused() const;
    std::int64_t max_surge() const;
    std::int64_t max_unavailable() const;

    Environment environment_;
    storage::RecordPtr record_;
    std::unique_ptr<api::Json> document_;
    api::Json reference_() const;
    ReplicaSets sets_;     // all that are controlled
    ReplicaSetPtr new_;    // of the current template; may be null
    ReplicaSets old_;      // the others
    std::optional<Duration> again_;
};

const api::Json* find_condition(const api::Json& status, std::string_view type);
std::int64_t total_replicas(const ReplicaSets& sets);
std::int64_t total_available(const ReplicaSets& sets);
ReplicaSets with_replicas(const ReplicaSets& sets);  // spec.replicas > 0
ReplicaSetPtr read_replica_set(const api::Client& client, storage::RecordPtr record);

}  // namespace kubemu::controllers

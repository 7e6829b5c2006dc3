// Job controller: pods that run to their end, counted once each (kubernetes pkg/controller/job).
#pragma once

#include "controllers/runtime/controller.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

class JobController final : public Controller {
  public:
    explicit JobController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct State;  // one look at a job and its pods

    api::ApiResult<bool> count_finished(State& state);
    void decide_end(State& state);
    api::ApiResult<bool> remove_active(State& state, std::size_t keep);
    api::ApiResult<bool> start_pods(State& state);
    api::ApiResult<bool> create_pod(State& state, int index);
    api::ApiResult<bool> write_status(State& state, const api::Json& uncounted);
    api::ApiResult<bool> release(const storage::Record& pod);
    void add_condition(State& state, const char* type, bool holds, const std::string& reason, const std::string& message);

    const api::KindSpec& jobs_kind_;
    const api::KindSpec& pods_kind_;
    api::Informer& jobs_;
    api::Informer& pods_;
    PodControl pod_control_;
};

}  // namespace kubemu::controllers

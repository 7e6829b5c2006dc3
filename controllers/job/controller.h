// Job controller: pods that run to their end, counted once each (kubernetes pkg/controller/job).
//
// controller.cpp decides whether the Job has ended, pods.cpp keeps as many pods as it wants, tracking.cpp counts what
// has ended and lets it go.
#pragma once

#include "controllers/job/backoff.h"
#include "controllers/runtime/controller.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

struct JobLook;

// News of a job's status and of its pods wait this long for more of their kind (SyncJobBatchPeriod).
inline constexpr Duration job_batch_period = std::chrono::seconds(1);

class JobController final : public Controller {
  public:
    // Without `gathers_news` news act at once: nobody wants to wait where pods take no time.
    explicit JobController(Manager& manager, bool gathers_news = true);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    void enqueue_job(const std::string& key, bool specified);
    void pod_changed(const api::Informer::Change& change);
    api::ApiResult<Requeue> reconcile_pod(const std::string& pod_key);
    api::ApiResult<Requeue> let_pods_go(const storage::Record& job);
    void decide_end(JobLook& look);
    void decide_indexed_end(JobLook& look);
    api::ApiResult<bool> carry_on(JobLook& look);

    // pods.cpp
    api::ApiResult<bool> manage_pods(JobLook& look);
    api::ApiResult<bool> remove_pods(JobLook& look, std::vector<storage::RecordPtr> pods);
    api::ApiResult<bool> end_active_pods(JobLook& look);
    api::ApiResult<bool> create_pods(JobLook& look, std::int64_t count);
    std::vector<storage::RecordPtr> pods_to_remove(const JobLook& look, std::size_t at_least);
    std::vector<int> indexes_to_start(JobLook& look, std::int64_t count) const;
    api::Json pod_for(const JobLook& look, int index) const;

    // tracking.cpp
    api::ApiResult<bool> track(JobLook& look);
    bool collect_ended(JobLook& look, std::vector<storage::RecordPtr>& to_release);
    void count_released(JobLook& look) const;
    bool finish(JobLook& look);
    void announce_end(const JobLook& look);
    api::ApiResult<bool> release(const storage::Record& pod);
    api::ApiResult<bool> write_status(JobLook& look);

    const api::KindSpec& jobs_kind_;
    const api::KindSpec& pods_kind_;
    api::Informer& jobs_;
    api::Informer& pods_;
    SelectorCache selectors_;
    PodControl pod_control_;
    JobBackoff backoff_;
    const bool gathers_news_;
};

}  // namespace kubemu::controllers

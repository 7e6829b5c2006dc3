// CronJob controller: makes a Job for each activation of a schedule (kubernetes pkg/controller/cronjob).
#pragma once

#include <vector>

#include "controllers/runtime/controller.h"

namespace kubemu::api {
class TimeZone;
}

namespace kubemu::controllers {

class CronJobController final : public Controller {
  public:
    explicit CronJobController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    struct Look;  // a CronJob, its status as it will be written, and its Jobs

    void cron_changed(const api::Informer::Change& change);
    void follow_jobs(Look& look);
    api::ApiResult<std::optional<Duration>> start_due(Look& look);
    api::ApiResult<bool> replace_active(Look& look);
    api::ApiResult<bool> start_job(Look& look, Time scheduled, const api::TimeZone& zone);
    api::ApiResult<bool> take_up(Look& look, const std::string& name, Time scheduled);
    void clean_up(Look& look);
    bool remove_job(Look& look, const api::ObjectView& job);
    api::ApiResult<bool> write_status(Look& look);

    const api::KindSpec& crons_kind_;
    const api::KindSpec& jobs_kind_;
    api::Informer& crons_;
    api::Informer& jobs_;
};

}  // namespace kubemu::controllers

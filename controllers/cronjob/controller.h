// CronJob controller: makes a Job for each activation of a schedule (kubernetes pkg/controller/cronjob).
#pragma once

#include "controllers/runtime/controller.h"

namespace kubemu::controllers {

class CronJobController final : public Controller {
  public:
    explicit CronJobController(Manager& manager);
    api::ApiResult<Requeue> reconcile(const std::string& key) override;

  private:
    api::ApiResult<bool> clean_up(const storage::Record& owner, const api::Json& cron);
    api::ApiResult<bool> start_job(const storage::Record& owner, const api::Json& cron, Time scheduled, api::Json& status);

    const api::KindSpec& crons_kind_;
    const api::KindSpec& jobs_kind_;
    api::Informer& crons_;
    api::Informer& jobs_;
};

}  // namespace kubemu::controllers

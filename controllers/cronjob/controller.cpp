// Activations, concurrency and history of CronJobs.
#include "controllers/cronjob/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/batch/cron_syntax.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

// "Complete" or "Failed" when the job has ended.
std::string end_of(const Json& job) {
    for (const Json& condition : api::array_at(job, {"status", "conditions"})) {
        const std::string type(api::string_at(condition, {"type"}));
        if ((type == "Complete" || type == "Failed") && api::string_at(condition, {"status"}) == "True") return type;
    }
    return {};
}

}  // namespace

CronJobController::CronJobController(Manager& manager)
    : Controller(manager, "cronjob", "cronjob-controller"),
      crons_kind_(manager.kind("cronjobs.batch")),
      jobs_kind_(manager.kind("jobs.batch")),
      crons_(manager.informer("cronjobs.batch")),
      jobs_(manager.informer("jobs.batch")) {
    enqueue_on_change(crons_);
    enqueue_owner_on_change(jobs_, "CronJob");
}

api::ApiResult<bool> CronJobController::clean_up(const storage::Record& owner, const Json& cron) {
    std::vector<std::pair<Time, storage::RecordPtr>> complete, failed;
    for (const auto& record : jobs_.owned_by(api::view_of(owner).uid)) {
        if (api::view_of(*record).deleting) continue;
        const Json job = client().document(*record);
        const std::string end = end_of(job);
        if (end.empty()) continue;
        const Time started = api::parse_time_or_zero(api::string_at(job, {"status", "startTime"}));
        (end == "Complete" ? complete : failed).emplace_back(started, record);
    }
    const auto trim = [&](auto& list, std::int64_t keep) -> api::ApiResult<bool> {
        std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i + static_cast<std::size_t>(std::max<std::int64_t>(keep, 0)) < list.size(); ++i) {
            const api::ObjectView& job = api::view_of(*list[i].second);
            api::DeleteOptions options;
            options.propagation_policy = "Background";
            const auto removed = client().remove(jobs_kind_, job.namespace_name, job.name, options);
            if (!removed && removed.error().code() != 404) return removed.error();
            events().normal(object_reference(crons_kind_, owner), "SuccessfulDelete", "Deleted job " + job.name);
        }
        return true;
    };
    TRY(trim(complete, api::int_at(cron, {"spec", "successfulJobsHistoryLimit"}, 3)));
    TRY(trim(failed, api::int_at(cron, {"spec", "failedJobsHistoryLimit"}, 1)));
    return true;
}

api::ApiResult<bool> CronJobController::start_job(const storage::Record& owner, const Json& cron, Time scheduled, Json& status) {
    const api::ObjectView& view = api::view_of(owner);
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(scheduled.time_since_epoch()).count();
    const Json& job_template = api::object_at(cron, {"spec", "jobTemplate"});
    Json job = {{"metadata", {{"name", view.name + "-" + std::to_string(minutes)}}}, {"spec", api::object_at(job_template, {"spec"})}};
    for (const char* member : {"labels", "annotations"}) {
        if (const Json* value = api::find(job_template, {"metadata", member})) job["metadata"][member] = *value;
    }
    api::ensure(job, {"metadata", "annotations"})["batch.kubernetes.io/cronjob-scheduled-timestamp"] = api::format_time(scheduled);
    job["metadata"]["ownerReferences"] = Json::array({controller_reference(crons_kind_, view)});
    const Json reference = object_reference(crons_kind_, owner);
    const auto made = client().create(jobs_kind_, view.namespace_name, std::move(job));
    if (!made) {
        if (made.error().code() == 409) return true;
        events().warning(reference, "FailedCreate", "Error creating job: " + made.error()->message);
        return made.error();
    }
    events().normal(reference, "SuccessfulCreate", "Created job " + api::view_of(**made).name);
    Json& active = status["active"];
    if (!active.is_array()) active = Json::array();
    active.push_back(object_reference(jobs_kind_, **made));
    status["lastScheduleTime"] = api::format_time(scheduled);
    return true;
}

api::ApiResult<Requeue> CronJobController::reconcile(const std::string& key) {
    const auto record = crons_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    const Json cron = client().document(*record);
    const Json reference = object_reference(crons_kind_, *record);
    Json status = api::object_at(cron, {"status"});

    // Which of the active jobs have ended, which are gone, which run.
    std::vector<storage::RecordPtr> running;
    Json active = Json::array();
    for (const Json& listed : api::array_at(status, {"active"})) {
        const auto job = jobs_.get(view.namespace_name, api::string_at(listed, {"name"}));
        if (!job || api::view_of(*job).uid != api::string_at(listed, {"uid"})) {
            const auto newest = client().get(jobs_kind_, view.namespace_name, api::string_at(listed, {"name"}));
            if (newest && api::view_of(**newest).uid == api::string_at(listed, {"uid"})) active.push_back(listed);
            else events().normal(reference, "MissingJob", "Active job went missing: " + std::string(api::string_at(listed, {"name"})));
            continue;
        }
        const Json document = client().document(*job);
        const std::string end = end_of(document);
        if (end.empty()) {
            active.push_back(listed);
            running.push_back(job);
            continue;
        }
        events().normal(reference, "SawCompletedJob", "Saw completed job: " + api::view_of(*job).name + ", status: " + end);
        const std::string completed(api::string_at(document, {"status", "completionTime"}));
        if (end == "Complete" && completed > std::string(api::string_at(status, {"lastSuccessfulTime"}))) status["lastSuccessfulTime"] = completed;
    }
    status["active"] = active;
    TRY(clean_up(*record, cron));

    std::optional<Duration> requeue;
    const auto schedule = api::CronSchedule::parse(api::string_at(cron, {"spec", "schedule"}));
    const auto zone = api::TimeZone::load(api::string_at(cron, {"spec", "timeZone"}));
    if (!schedule || !zone) {
        events().warning(reference, "UnparseableSchedule", "unparseable schedule: " + std::string(api::string_at(cron, {"spec", "schedule"})));
    } else if (!api::bool_at(cron, {"spec", "suspend"})) {
        Time earliest = api::parse_time(api::string_at(status, {"lastScheduleTime"})).value_or(view.created);
        const Json* deadline = api::find(cron, {"spec", "startingDeadlineSeconds"});
        if (deadline != nullptr) earliest = std::max(earliest, now() - std::chrono::seconds(deadline->get<std::int64_t>()));
        std::optional<Time> due;
        int missed = 0;
        for (auto next = schedule->next(earliest, *zone); next && *next <= now() && missed <= 100; next = schedule->next(*next, *zone)) {
            due = next;
            ++missed;
        }
        if (missed > 100) {
            events().warning(reference, "TooManyMissedTimes",
                             "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
            // Only the latest of them counts.
            for (auto next = schedule->next(std::max(earliest, now() - std::chrono::hours(24)), *zone); next && *next <= now();
                 next = schedule->next(*next, *zone)) {
                due = next;
            }
        }
        if (due) {
            const std::string policy(api::string_at(cron, {"spec", "concurrencyPolicy"}, "Allow"));
            const bool late = deadline != nullptr && *due + std::chrono::seconds(deadline->get<std::int64_t>()) < now();
            if (late) {
                events().warning(reference, "MissSchedule", "Missed scheduled time to start a job: " + api::format_time(*due));
            } else if (policy == "Forbid" && !active.empty()) {
                events().normal(reference, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid");
            } else {
                if (policy == "Replace") {
                    for (const auto& job : running) {
                        api::DeleteOptions options;
                        options.propagation_policy = "Background";
                        const auto removed = client().remove(jobs_kind_, view.namespace_name, api::view_of(*job).name, options);
                        if (!removed && removed.error().code() != 404) return removed.error();
                        events().normal(reference, "SuccessfulDelete", "Deleted job " + api::view_of(*job).name);
                    }
                    status["active"] = Json::array();
                }
                TRY(start_job(*record, cron, *due, status));
            }
        }
        if (const auto next = schedule->next(now(), *zone)) requeue = *next - now();
    }
    if (api::array_at(status, {"active"}).empty()) status.erase("active");
    if (status != api::object_at(cron, {"status"})) {
        const auto written = client().modify(crons_kind_, view.namespace_name, view.name, "status", [&](Json& object) {
            if (api::uid_of(object) != view.uid) return false;
            object["status"] = status;
            return true;
        });
        if (!written && written.error().code() != 404) return written.error();
    }
    return Requeue{requeue};
}

}  // namespace kubemu::controllers

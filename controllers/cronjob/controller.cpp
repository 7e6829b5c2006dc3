// Activations, concurrency and history of CronJobs.
#include "controllers/cronjob/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "api/values/time.h"
#include "controllers/cronjob/schedule.h"
#include "controllers/job/job_end.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {
namespace {

using api::Json;

bool drop_active(Json& status, std::string_view uid) {
    Json& active = status["active"];
    const auto keep = std::remove_if(active.begin(), active.end(),
                                     [uid](const Json& one) { return api::string_at(one, {"uid"}) == uid; });
    const bool found = keep != active.end();
    active.erase(keep, active.end());
    return found;
}

std::string job_name(const api::ObjectView& cron, Time scheduled) {
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(scheduled.time_since_epoch()).count();
    return cron.name + "-" + std::to_string(minutes);
}

Time last_acted(const Json& status, const api::ObjectView& cron) {
    return api::parse_time(api::string_at(status, {"lastScheduleTime"})).value_or(cron.created);
}

}  // namespace

struct CronJobController::Look {
    storage::RecordPtr record;
    std::shared_ptr<const Json> document;
    Json reference;
    Json status;  // with "active" always there
    struct Child {
        storage::RecordPtr record;
        std::shared_ptr<const Json> document;
        std::string end;
    };
    std::vector<Child> jobs;

    const api::ObjectView& view() const { return api::view_of(*record); }
    const Json& cron() const { return *document; }
};

CronJobController::CronJobController(Manager& manager)
    : Controller(manager, "cronjob", "cronjob-controller"),
      crons_kind_(manager.kind("cronjobs.batch")),
      jobs_kind_(manager.kind("jobs.batch")),
      crons_(manager.informer("cronjobs.batch")),
      jobs_(manager.informer("jobs.batch")) {
    has_workers(5);
    crons_.subscribe([this](const api::Informer::Change& change) { cron_changed(change); });
    enqueue_owner_on_change(jobs_, "CronJob");
}

// Another schedule or time zone is looked at when it next comes, and what it would have missed is not made up for.
void CronJobController::cron_changed(const api::Informer::Change& change) {
    const storage::RecordPtr& record = change.after ? change.after : change.before;
    if (!change.before || !change.after) return enqueue(record->key);
    const api::ObjectView& view = api::view_of(*record);
    if (api::view_of(*change.before).generation == view.generation) return enqueue(record->key);
    const auto before = client().read(*change.before), cron = client().read(*record);
    const auto spec = [](const Json& one, const char* member) { return api::string_at(one, {"spec", member}); };
    const std::string_view text = spec(*cron, "schedule"), zone_name = spec(*cron, "timeZone");
    if (spec(*before, "schedule") == text && spec(*before, "timeZone") == zone_name) return enqueue(record->key);
    const auto zone = api::TimeZone::load(zone_name);
    const auto schedule = api::CronSchedule::parse(text);
    if (!zone || !schedule) return enqueue(record->key);
    const Time earliest = last_acted(api::object_at(*cron, {"status"}), view);
    enqueue_after(record->key, next_activation(*schedule, *zone, earliest, now()).value_or(now()) - now());
}

// Which of the active jobs have ended or are gone.
void CronJobController::follow_jobs(Look& look) {
    const Json& active = look.status["active"];
    const auto listed = [&active](const std::string& uid) {
        return std::any_of(active.begin(), active.end(),
                           [&uid](const Json& one) { return api::string_at(one, {"uid"}) == uid; });
    };
    for (const Look::Child& child : look.jobs) {
        const api::ObjectView& job = api::view_of(*child.record);
        if (!listed(job.uid) && child.end.empty()) {
            events().warning(look.reference, "UnexpectedJob",
                             "Saw a job that the controller did not create or forgot: " + job.name);
        } else if (!child.end.empty() && drop_active(look.status, job.uid)) {
            events().normal(look.reference, "SawCompletedJob",
                            "Saw completed job: " + job.name + ", status: " + child.end);
        }
        if (child.end != "Complete") continue;
        const std::string completed(api::string_at(*child.document, {"status", "completionTime"}));
        if (completed > std::string(api::string_at(look.status, {"lastSuccessfulTime"}))) {
            look.status["lastSuccessfulTime"] = completed;
        }
    }
    const Json still_active = look.status["active"];
    for (const Json& one : still_active) {
        const std::string_view uid = api::string_at(one, {"uid"});
        const bool known = std::any_of(look.jobs.begin(), look.jobs.end(), [uid](const Look::Child& child) {
            return api::view_of(*child.record).uid == uid;
        });
        if (known) continue;
        // The cache may not have it yet.
        const std::string name(api::string_at(one, {"name"}));
        if (client().get(jobs_kind_, look.view().namespace_name, name)) continue;
        events().normal(look.reference, "MissingJob", "Active job went missing: " + name);
        drop_active(look.status, uid);
    }
}

bool CronJobController::remove_job(Look& look, const api::ObjectView& job) {
    api::DeleteOptions options;
    options.propagation_policy = "Background";
    const auto removed = client().remove(jobs_kind_, job.namespace_name, job.name, options);
    if (!removed) {
        events().warning(look.reference, "FailedDelete", "Deleted job: " + removed.error()->message);
        return false;
    }
    drop_active(look.status, job.uid);
    events().normal(look.reference, "SuccessfulDelete", "Deleted job " + job.name);
    return true;
}

// Ended jobs beyond the history limits go, oldest first; one that cannot go is tried again next time.
void CronJobController::clean_up(Look& look) {
    for (const auto& [end, member] : {std::pair("Complete", "successfulJobsHistoryLimit"), std::pair("Failed", "failedJobsHistoryLimit")}) {
        const Json* limit = api::find(look.cron(), {"spec", member});
        if (limit == nullptr) continue;
        std::vector<std::pair<Time, const api::ObjectView*>> ended;
        for (const Look::Child& child : look.jobs) {
            if (child.end != end) continue;
            const auto started = api::parse_time(api::string_at(*child.document, {"status", "startTime"}));
            ended.emplace_back(started.value_or(Time::max()), &api::view_of(*child.record));
        }
        std::sort(ended.begin(), ended.end(), [](const auto& a, const auto& b) {
            return std::tie(a.first, a.second->name) < std::tie(b.first, b.second->name);
        });
        const std::int64_t surplus = static_cast<std::int64_t>(ended.size()) - limit->get<std::int64_t>();
        for (std::int64_t i = 0; i < surplus; ++i) remove_job(look, *ended[static_cast<std::size_t>(i)].second);
    }
}

// Made before the last status was written, or somebody else's: only the former counts as started.
api::ApiResult<bool> CronJobController::take_up(Look& look, const std::string& name, Time scheduled) {
    const auto taken = client().get(jobs_kind_, look.view().namespace_name, name);
    if (!taken) return taken.error();
    const api::ObjectView& job = api::view_of(**taken);
    const api::OwnerReference* owner = job.controller();
    if (owner == nullptr || owner->uid != look.view().uid) return false;
    drop_active(look.status, job.uid);
    look.status["active"].push_back(reference_to(jobs_kind_, **taken));
    look.status["lastScheduleTime"] = api::format_time(scheduled);
    return true;
}

// False when another's job has the name: then the next change of the CronJob or its jobs is waited for.
api::ApiResult<bool> CronJobController::start_job(Look& look, Time scheduled, const api::TimeZone& zone) {
    const api::ObjectView& view = look.view();
    const std::string name = job_name(view, scheduled);
    const Json& job_template = api::object_at(look.cron(), {"spec", "jobTemplate"});
    Json job = {{"metadata", {{"name", name}}}, {"spec", api::object_at(job_template, {"spec"})}};
    for (const char* member : {"labels", "annotations"}) {
        if (const Json* value = api::find(job_template, {"metadata", member})) job["metadata"][member] = *value;
    }
    api::ensure(job, {"metadata", "annotations"})["batch.kubernetes.io/cronjob-scheduled-timestamp"] = format_in_zone(scheduled, zone);
    job["metadata"]["ownerReferences"] = Json::array({controller_reference(crons_kind_, view)});
    auto made = client().create(jobs_kind_, view.namespace_name, std::move(job));
    if (!made) {
        if (namespace_terminating(made.error())) return true;
        if (made.error()->reason != "AlreadyExists") {
            events().warning(look.reference, "FailedCreate", "Error creating job: " + made.error()->message);
            return made.error();
        }
        return take_up(look, name, scheduled);
    }
    events().normal(look.reference, "SuccessfulCreate", "Created job " + name);
    look.status["active"].push_back(reference_to(jobs_kind_, **made));
    look.status["lastScheduleTime"] = api::format_time(scheduled);
    return true;
}

api::ApiResult<bool> CronJobController::replace_active(Look& look) {
    const Json active = look.status["active"];
    for (const Json& one : active) {
        const auto job = client().get(jobs_kind_, look.view().namespace_name, api::string_at(one, {"name"}));
        if (!job) {
            events().warning(look.reference, "FailedGet", "Get job: " + job.error()->message);
            return job.error();
        }
        const api::ObjectView& view = api::view_of(**job);
        if (!remove_job(look, view)) {
            return api::Status::internal("could not replace job " + view.namespace_name + "/" + view.name);
        }
    }
    return true;
}

// Starts what is due; the value is how long until the next activation.
api::ApiResult<std::optional<Duration>> CronJobController::start_due(Look& look) {
    using Wait = std::optional<Duration>;
    const std::string text(api::string_at(look.cron(), {"spec", "schedule"})), zone_name(api::string_at(look.cron(), {"spec", "timeZone"}));
    const auto zone = api::TimeZone::load(zone_name);
    if (!zone) {
        events().warning(look.reference, "UnknownTimeZone",
                         "invalid timeZone: \"" + zone_name + "\": unknown time zone " + zone_name);
        return Wait{};
    }
    if (api::bool_at(look.cron(), {"spec", "suspend"})) return Wait{};
    if (text.find("TZ") != std::string::npos) {
        events().warning(look.reference, "UnsupportedSchedule", "CRON_TZ or TZ used in schedule \"" + text +
                             "\" is not officially supported, see "
                             "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
    }
    const auto schedule = api::CronSchedule::parse(text);
    if (!schedule) {
        events().warning(look.reference, "UnparseableSchedule", "unparseable schedule: \"" + text + "\" : " + schedule.error());
        return Wait{};
    }
    const auto until_next = [&] {
        const auto next = next_activation(*schedule, *zone, last_acted(look.status, look.view()), now());
        return next ? Wait(*next - now()) : Wait{};
    };
    Time earliest = last_acted(look.status, look.view());
    const Json* deadline = api::find(look.cron(), {"spec", "startingDeadlineSeconds"});
    if (deadline != nullptr) earliest = std::max(earliest, now() - std::chrono::seconds(deadline->get<std::int64_t>()));
    const std::optional<Activation> activation = due_activation(*schedule, *zone, earliest, now());
    if (!activation) {  // the 31st of February
        events().warning(look.reference, "InvalidSchedule",
                         "invalid schedule: " + text + " : time difference between two schedules is less than 1 second");
        return Wait{};
    }
    if (!activation->due) return until_next();
    const Time due = *activation->due;
    if (activation->many_missed) {
        events().warning(look.reference, "TooManyMissedTimes",
                         "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
    }
    if (deadline != nullptr && due + std::chrono::seconds(deadline->get<std::int64_t>()) < now()) {
        events().warning(look.reference, "MissSchedule", "Missed scheduled time to start a job: " + format_rfc1123(due));
        return until_next();
    }
    const std::string_view policy = api::string_at(look.cron(), {"spec", "concurrencyPolicy"}, "Allow");
    const std::string name = job_name(look.view(), due);
    const Json& active = look.status["active"];
    const bool started = std::any_of(active.begin(), active.end(),
                                     [&name](const Json& one) { return api::string_at(one, {"name"}) == name; });
    if (started) return until_next();
    if (policy == "Forbid" && !active.empty()) {
        events().normal(look.reference, "JobAlreadyActive",
                        "Not starting job because prior execution is running and concurrency policy is Forbid");
        return until_next();
    }
    if (policy == "Replace") TRY(replace_active(look));
    TRY_ASSIGN(const bool has_job, start_job(look, due, *zone));
    return has_job ? until_next() : Wait{};
}

api::ApiResult<bool> CronJobController::write_status(Look& look) {
    Json status = look.status;
    if (status["active"].empty()) status.erase("active");
    if (status == api::object_at(look.cron(), {"status"})) return true;
    look.document.reset();  // so that the write may change it where it is
    const auto written = client().modify(crons_kind_, look.view().namespace_name, look.view().name, "status", [&](Json& object) {
        if (api::uid_of(object) != look.view().uid) return false;
        object["status"] = status;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

api::ApiResult<Requeue> CronJobController::reconcile(const std::string& key) {
    Look look;
    look.record = crons_.get(key);
    if (!look.record) return Requeue{};
    look.document = client().read(*look.record);
    look.reference = object_reference(crons_kind_, *look.record);
    look.status = api::object_at(look.cron(), {"status"});
    if (!look.status["active"].is_array()) look.status["active"] = Json::array();
    for (storage::RecordPtr& record : jobs_.owned_by(look.view().uid)) {
        const api::OwnerReference* owner = api::view_of(*record).controller();
        if (owner == nullptr || owner->uid != look.view().uid) continue;
        auto job = client().read(*record);
        std::string end = end_of_job(*job);
        look.jobs.push_back({std::move(record), std::move(job), std::move(end)});
    }
    // Jobs beyond the limits of the history go first: of those nobody is told that they have ended.
    clean_up(look);
    follow_jobs(look);
    std::optional<Duration> wait;
    std::optional<api::Status> error;
    if (!look.view().deleting) {
        const auto started = start_due(look);
        if (started) wait = *started;
        else error = started.error();
    }
    TRY(write_status(look));
    if (error) return *error;
    return Requeue{wait};
}

}  // namespace kubemu::controllers

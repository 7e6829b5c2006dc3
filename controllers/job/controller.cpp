// One reconcile: look, decide whether the job has ended, keep its pods or end them, count.
#include "controllers/job/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/time.h"
#include "controllers/job/job_end.h"
#include "controllers/job/job_look.h"
#include "controllers/job/success_policy.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view pod_prefix = "pod:";

bool past_restart_limit(const JobLook& look) {
    if (api::string_at(look.job, {"spec", "template", "spec", "restartPolicy"}) != "OnFailure") return false;
    std::int64_t restarts = 0;
    for (const storage::RecordPtr& record : look.pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.phase != api::PodPhase::running && pod.phase != api::PodPhase::pending) continue;
        if (pod.restarts == 0) continue;
        for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
            for (const api::Json& status : api::array_at(look.document(*record), {"status", list})) {
                restarts += api::int_at(status, {"restartCount"});
            }
        }
    }
    const std::int64_t limit = look.spec("backoffLimit", 6);
    return limit == 0 ? restarts > 0 : restarts >= limit;
}

JobEnd failure(const JobLook& look, std::string reason, std::string message) {
    return {look.interim_conditions ? "FailureTarget" : "Failed", std::move(reason), std::move(message)};
}

}  // namespace

JobController::JobController(Manager& manager, bool gathers_news)
    : Controller(manager, "job", "job-controller"),
      jobs_kind_(manager.kind("jobs.batch")),
      pods_kind_(manager.kind("pods")),
      jobs_(manager.informer("jobs.batch")),
      pods_(manager.informer("pods")),
      selectors_(client()),
      pod_control_(client(), events(), pods_kind_, jobs_kind_),
      gathers_news_(gathers_news) {
    has_workers(5);
    jobs_.subscribe([this](const api::Informer::Change& change) {
        const bool specified = !change.before || !change.after ||
                               api::view_of(*change.before).generation != api::view_of(*change.after).generation;
        enqueue_job((change.after ? change.after : change.before)->key, specified);
    });
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
    // Pods of a job that is gone need nobody to count them.
    jobs_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        const std::string& uid = api::view_of(*change.before).uid;
        selectors_.forget(*change.before);
        backoff_.forget(uid);
        for (const auto& pod : pods_.owned_by(uid)) enqueue(std::string(pod_prefix) + pod->key);
    });
}

// What a job is to do is looked at at once; news of its status and of its pods wait for more of their kind. No news
// lets anything be tried again sooner that has failed.
void JobController::enqueue_job(const std::string& key, bool specified) {
    if (!specified && (gathers_news_ || failing(key))) enqueue_after(key, job_batch_period);
    else enqueue(key);
}

void JobController::pod_changed(const api::Informer::Change& change) {
    for (const auto& record : {change.before, change.after}) {
        if (!record) continue;
        const api::OwnerReference* owner = api::view_of(*record).controller();
        if (owner != nullptr && owner->kind == "Job")
            enqueue_job(api::object_key(api::view_of(*record).namespace_name, owner->name), false);
    }
    if (!change.after) return;
    const api::ObjectView& pod = api::view_of(*change.after);
    const api::OwnerReference* owner = pod.controller();
    if (owner == nullptr) {
        if (pod.deleting) return;
        for (const auto& job : jobs_.list(pod.namespace_name)) {
            if (selectors_.of(*job).matches(pod.labels)) enqueue_job(job->key, false);
        }
        if (has_finalizer(pod, job_tracking_finalizer)) enqueue(std::string(pod_prefix) + change.after->key);
    } else if (owner->kind == "Job" && has_finalizer(pod, job_tracking_finalizer) && !jobs_.get(pod.namespace_name, owner->name)) {
        enqueue(std::string(pod_prefix) + change.after->key);
    }
}

// A tracked pod without its job: nobody will count it, so it is let go.
api::ApiResult<Requeue> JobController::reconcile_pod(const std::string& pod_key) {
    const storage::RecordPtr pod = pods_.get(pod_key);
    if (!pod || !has_finalizer(api::view_of(*pod), job_tracking_finalizer)) return Requeue{};
    const api::ObjectView& view = api::view_of(*pod);
    if (const api::OwnerReference* owner = view.controller()) {
        const auto job = jobs_.get(view.namespace_name, owner->name);
        if (job && api::view_of(*job).uid == owner->uid) return Requeue{};
    } else {
        for (const auto& job : jobs_.list(view.namespace_name)) {
            if (selectors_.of(*job).matches(view.labels)) return Requeue{};  // it will be adopted
        }
    }
    TRY(release(*pod));
    return Requeue{};
}

// Of a job that has ended: nothing of it is left to be counted, and it adopts no more pods.
api::ApiResult<Requeue> JobController::let_pods_go(const storage::Record& job) {
    const std::string& uid = api::view_of(job).uid;
    backoff_.forget(uid);
    for (const auto& pod : pods_.owned_by(uid)) {
        if (has_finalizer(api::view_of(*pod), job_tracking_finalizer)) TRY(release(*pod));
    }
    return Requeue{};
}

api::ApiResult<Requeue> JobController::reconcile(const std::string& key) {
    if (key.starts_with(pod_prefix)) return reconcile_pod(key.substr(pod_prefix.size()));
    const storage::RecordPtr record = jobs_.get(key);
    if (!record) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    {
        const auto job = client().read(*record);
        const std::string_view manager_name = api::string_at(*job, {"spec", "managedBy"});
        if (!manager_name.empty() && manager_name != "kubernetes.io/job-controller") return Requeue{};
        if (!end_of_job(*job).empty()) return let_pods_go(*record);
    }
    const api::LabelSelector selector = selectors_.of(*record);
    std::vector<storage::RecordPtr> candidates = pods_.owned_by(view.uid);
    for (storage::RecordPtr& pod : pods_.list(view.namespace_name)) {
        const api::ObjectView& pod_view = api::view_of(*pod);
        if (pod_view.controller() == nullptr && selector.matches(pod_view.labels)) candidates.push_back(std::move(pod));
    }
    TRY_ASSIGN(std::vector<storage::RecordPtr> pods,
               claim({client(), jobs_kind_, *record, selector, job_tracking_finalizer}, pods_kind_, candidates));
    JobLook look(client(), record, std::move(pods), now());
    // A job that is resumed has its deadline from here.
    if (!look.suspended && (look.has_condition("Suspended") || api::string_at(look.status, {"startTime"}).empty())) {
        look.status["startTime"] = api::format_time(now());
    }
    std::vector<Time> succeeded, failed;
    for (const auto& pod : look.newly_succeeded) succeeded.push_back(finished_at(look.document(*pod)));
    // What a policy ignores is not counted, but waited for all the same.
    for (const auto* list : {&look.newly_failed, &look.newly_ignored})
        for (const auto& pod : *list) failed.push_back(finished_at(look.document(*pod)));
    look.failures = backoff_.of(view.uid).after(succeeded, failed);
    decide_end(look);
    const auto moved = look.end ? end_active_pods(look) : carry_on(look);
    TRY(track(look));
    if (!moved) return moved.error();
    return Requeue{look.requeue};
}

void JobController::decide_end(JobLook& look) {
    for (const api::Json& condition : api::array_at(look.status, {"conditions"})) {
        const std::string_view type = api::string_at(condition, {"type"});
        if (type != "FailureTarget" && type != "SuccessCriteriaMet") continue;
        if (api::string_at(condition, {"status"}) != "True") continue;
        look.end = JobEnd{std::string(type), std::string(api::string_at(condition, {"reason"})),
                          std::string(api::string_at(condition, {"message"}))};
        return;  // decided before
    }
    if (api::find(look.job, {"spec", "podFailurePolicy"}) != nullptr) {
        for (const storage::RecordPtr& pod : look.pods) {
            if (!look.is_failed(api::pod_view_of(*pod))) continue;
            const FailureVerdict verdict = look.verdict(*pod);
            if (verdict.action != FailureVerdict::Action::fail_job) continue;
            look.end = JobEnd{"FailureTarget", "PodFailurePolicy", verdict.message};
            return;
        }
    }
    if (look.failed > look.spec("backoffLimit", 6) || past_restart_limit(look)) {
        look.end = failure(look, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        return;
    }
    const api::Json* deadline = api::find(look.job, {"spec", "activeDeadlineSeconds"});
    const auto started = api::parse_time(api::string_at(look.status, {"startTime"}));
    if (deadline != nullptr && started && !look.suspended) {
        const Time due = *started + std::chrono::seconds(deadline->get<std::int64_t>());
        if (now() >= due) {
            look.end = failure(look, "DeadlineExceeded", "Job was active longer than specified deadline");
            return;
        }
        look.requeue_in(due - now());
    }
    if (look.indexed) decide_indexed_end(look);
}

void JobController::decide_indexed_end(JobLook& look) {
    const std::int64_t failed = static_cast<std::int64_t>(look.failed_indexes.size());
    if (look.per_index) {
        const api::Json* most = api::find(look.job, {"spec", "maxFailedIndexes"});
        if (most != nullptr && failed > most->get<std::int64_t>()) {
            look.end = failure(look, "MaxFailedIndexesExceeded",
                               "Job has exceeded the specified maximal number of failed indexes");
        } else if (failed > 0 && failed + look.succeeded >= look.completions.value_or(0)) {
            look.end = failure(look, "FailedIndexes", "Job has failed indexes");
        }
    }
    if (look.end) return;
    if (const auto message = success_policy_met(look.job, look.succeeded_indexes)) {
        look.end = JobEnd{"SuccessCriteriaMet", "SuccessPolicy", *message};
    }
}

// Not ended so far: as many pods as there should be, and whether that was the last one.
api::ApiResult<bool> JobController::carry_on(JobLook& look) {
    std::optional<api::Status> error;
    const bool managed = !look.view().deleting;
    if (managed) {
        const auto done = manage_pods(look);
        if (!done) error = done.error();
    }
    const bool enough = look.completions ? look.succeeded >= *look.completions : look.succeeded > 0;
    const auto reference = [&] { return object_reference(jobs_kind_, *look.record); };
    if (enough && look.active.empty()) {
        look.end = look.interim_conditions ? JobEnd{"SuccessCriteriaMet", "CompletionsReached",
                                                    "Reached expected number of succeeded pods"}
                                           : JobEnd{"Complete", {}, {}};
    } else if (managed && look.suspended) {
        if (look.set_condition("Suspended", true, "JobSuspended", "Job suspended")) {
            events().normal(reference(), "Suspended", "Job suspended");
        }
    } else if (managed && look.set_condition("Suspended", false, "JobResumed", "Job resumed")) {
        events().normal(reference(), "Resumed", "Job resumed");
    }
    if (error) return *error;
    return true;
}

}  // namespace kubemu::controllers

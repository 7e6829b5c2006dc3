// One reconcile: count what has ended, decide whether the job has, keep as many pods running as it wants.
#include "controllers/job/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/job/indexes.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

using api::Json;

constexpr const char* tracking = "batch.kubernetes.io/job-tracking";
constexpr const char* index_annotation = "batch.kubernetes.io/job-completion-index";
constexpr std::chrono::seconds backoff_first{10};
constexpr std::chrono::minutes backoff_most{10};

bool tracked(const api::ObjectView& pod) {
    return std::find(pod.finalizers.begin(), pod.finalizers.end(), tracking) != pod.finalizers.end();
}

bool has_condition(const Json& status, std::string_view type) {
    for (const Json& condition : api::array_at(status, {"conditions"})) {
        if (api::string_at(condition, {"type"}) == type && api::string_at(condition, {"status"}) == "True") return true;
    }
    return false;
}

int index_of(const api::ObjectView& pod) {
    const std::string* label = pod.label(index_annotation);
    return label == nullptr ? -1 : std::atoi(label->c_str());
}

// When a pod ended: the latest end of its containers.
Time finished_at(const Json& pod, Time fallback) {
    Time latest{};
    for (const Json& status : api::array_at(pod, {"status", "containerStatuses"})) {
        latest = std::max(latest, api::parse_time_or_zero(api::string_at(status, {"state", "terminated", "finishedAt"})));
    }
    return latest == Time{} ? fallback : latest;
}

// What podFailurePolicy makes of a failed pod: Count unless a rule says otherwise.
std::string failure_action(const Json& job, const Json& pod, std::string& message) {
    std::size_t rule_index = 0;
    for (const Json& rule : api::array_at(job, {"spec", "podFailurePolicy", "rules"})) {
        const std::string action(api::string_at(rule, {"action"}));
        if (const Json* codes = api::find(rule, "onExitCodes")) {
            for (const Json& status : api::array_at(pod, {"status", "containerStatuses"})) {
                const Json* terminated = api::find(status, {"state", "terminated"});
                if (terminated == nullptr || api::int_at(*terminated, {"exitCode"}) == 0) continue;
                const std::string_view name = api::string_at(*codes, {"containerName"});
                if (!name.empty() && name != api::string_at(status, {"name"})) continue;
                const Json& values = api::array_at(*codes, {"values"});
                const std::int64_t code = api::int_at(*terminated, {"exitCode"});
                const bool listed = std::find(values.begin(), values.end(), Json(code)) != values.end();
                if (listed != (api::string_at(*codes, {"operator"}) == "In")) continue;
                message = "Container " + std::string(api::string_at(status, {"name"})) + " for pod " + std::string(api::namespace_of(pod)) + "/" +
                          std::string(api::name_of(pod)) + " failed with exit code " + std::to_string(code) + " matching " + action +
                          " rule at index " + std::to_string(rule_index);
                return action;
            }
        }
        for (const Json& pattern : api::array_at(rule, {"onPodConditions"})) {
            for (const Json& condition : api::array_at(pod, {"status", "conditions"})) {
                if (api::string_at(condition, {"type"}) != api::string_at(pattern, {"type"}) ||
                    api::string_at(condition, {"status"}) != api::string_at(pattern, {"status"}, "True")) {
                    continue;
                }
                message = "Pod " + std::string(api::namespace_of(pod)) + "/" + std::string(api::name_of(pod)) + " has condition " +
                          std::string(api::string_at(pattern, {"type"})) + " matching " + action + " rule at index " + std::to_string(rule_index);
                return action;
            }
        }
        ++rule_index;
    }
    return "Count";
}

}  // namespace

struct JobController::State {
    storage::RecordPtr record;
    Json job;
    Json status;
    std::vector<storage::RecordPtr> active, terminating;
    std::vector<storage::RecordPtr> to_release;  // counted; their finalizer can go
    Json counted_succeeded = Json::array(), counted_failed = Json::array();
    std::set<int> completed;
    std::int64_t counted_failures_now = 0;
    Time last_failure{};
    bool finished = false, suspended = false, indexed = false;
    std::string fail_reason, fail_message;
    std::optional<Duration> requeue;

    const api::ObjectView& view() const { return api::view_of(*record); }
    std::int64_t spec(std::string_view member, std::int64_t fallback) const { return api::int_at(job, {"spec", member}, fallback); }
};

JobController::JobController(Manager& manager)
    : Controller(manager, "job", "job-controller"),
      jobs_kind_(manager.kind("jobs.batch")),
      pods_kind_(manager.kind("pods")),
      jobs_(manager.informer("jobs.batch")),
      pods_(manager.informer("pods")),
      pod_control_(client(), events(), pods_kind_, jobs_kind_) {
    enqueue_on_change(jobs_);
    enqueue_owner_on_change(pods_, "Job");
    // Pods of a job that is gone need nobody to count them.
    pods_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after || !tracked(api::view_of(*change.after))) return;
        const api::OwnerReference* owner = api::view_of(*change.after).controller();
        if (owner != nullptr && !jobs_.get(api::view_of(*change.after).namespace_name, owner->name)) {
            enqueue("pod:" + change.after->key);
        }
    });
    jobs_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        for (const auto& pod : pods_.owned_by(api::view_of(*change.before).uid)) enqueue("pod:" + pod->key);
    });
}

api::ApiResult<bool> JobController::release(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    const auto freed = client().modify(pods_kind_, view.namespace_name, view.name, {}, [&view](Json& object) {
        Json* list = api::find(object, {"metadata", "finalizers"});
        if (list == nullptr || !list->is_array() || api::uid_of(object) != view.uid) return false;
        list->erase(std::remove(list->begin(), list->end(), Json(tracking)), list->end());
        return true;
    });
    if (!freed && freed.error().code() != 404) return freed.error();
    return true;
}

void JobController::add_condition(State& state, const char* type, bool holds, const std::string& reason, const std::string& message) {
    const std::string time = api::format_time(now());
    Json& conditions = state.status["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json condition = {{"type", type}, {"status", holds ? "True" : "False"}, {"lastProbeTime", time}, {"lastTransitionTime", time}};
    if (!reason.empty()) condition["reason"] = reason;
    if (!message.empty()) condition["message"] = message;
    for (Json& had : conditions) {
        if (api::string_at(had, {"type"}) == type) {
            had = condition;
            return;
        }
    }
    conditions.push_back(std::move(condition));
}

api::ApiResult<bool> JobController::count_finished(State& state) {
    const Json& uncounted = api::object_at(state.status, {"uncountedTerminatedPods"});
    const auto known = [&uncounted](const std::string& uid) {
        for (const char* list : {"succeeded", "failed"}) {
            const Json& uids = api::array_at(uncounted, {list});
            if (std::find(uids.begin(), uids.end(), Json(uid)) != uids.end()) return true;
        }
        return false;
    };
    std::int64_t succeeded = api::int_at(state.status, {"succeeded"}), failed = api::int_at(state.status, {"failed"});
    for (const storage::RecordPtr& record : pods_.owned_by(state.view().uid)) {
        const api::PodView& pod = api::pod_view_of(*record);
        const bool ended = pod.finished() || (pod.deleting && pod.node_name.empty());
        if (!ended) {
            (pod.deleting ? state.terminating : state.active).push_back(record);
            continue;
        }
        if (!tracked(pod)) continue;
        state.to_release.push_back(record);
        if (known(pod.uid)) continue;
        const Json document = client().document(*record);
        if (pod.phase == api::PodPhase::succeeded) {
            const int index = index_of(pod);
            if (state.indexed && (index < 0 || !state.completed.insert(index).second)) continue;
            ++succeeded;
            state.counted_succeeded.push_back(pod.uid);
            continue;
        }
        std::string message;
        const std::string action = failure_action(state.job, document, message);
        state.counted_failed.push_back(pod.uid);
        if (action == "Ignore") continue;
        ++failed;
        ++state.counted_failures_now;
        state.last_failure = std::max(state.last_failure, finished_at(document, now()));
        if (action == "FailJob") {
            state.fail_reason = "PodFailurePolicy";
            state.fail_message = message;
        }
    }
    const auto set = [&state](const char* member, std::int64_t value) {
        if (value > 0) state.status[member] = value;
    };
    set("succeeded", succeeded);
    set("failed", failed);
    if (state.indexed && !state.completed.empty()) state.status["completedIndexes"] = format_indexes(state.completed);
    return true;
}

void JobController::decide_end(State& state) {
    const std::int64_t failed = api::int_at(state.status, {"failed"}), succeeded = api::int_at(state.status, {"succeeded"});
    std::int64_t failures = failed;
    // With restartPolicy OnFailure the restarts inside of running pods count too.
    if (api::string_at(state.job, {"spec", "template", "spec", "restartPolicy"}) == "OnFailure") {
        std::int64_t restarts = 0;
        for (const auto& pod : state.active) restarts += api::pod_view_of(*pod).restarts;
        if (restarts > state.spec("backoffLimit", 6)) failures = restarts;
    }
    if (state.fail_reason.empty() && failures > state.spec("backoffLimit", 6)) {
        state.fail_reason = "BackoffLimitExceeded";
        state.fail_message = "Job has reached the specified backoff limit";
    }
    const auto started = api::parse_time(api::string_at(state.status, {"startTime"}));
    if (const Json* deadline = api::find(state.job, {"spec", "activeDeadlineSeconds"}); deadline != nullptr && started && !state.suspended) {
        const Time end = *started + std::chrono::seconds(deadline->get<std::int64_t>());
        if (now() >= end) {
            if (state.fail_reason.empty()) {
                state.fail_reason = "DeadlineExceeded";
                state.fail_message = "Job was active longer than specified deadline";
            }
        } else {
            state.requeue = end - now();
        }
    }
    if (!state.fail_reason.empty()) return;
    const Json* completions = api::find(state.job, {"spec", "completions"});
    state.finished = completions != nullptr ? succeeded >= completions->get<std::int64_t>() && state.active.empty()
                                            : succeeded > 0 && state.active.empty();
    if (completions != nullptr && succeeded >= completions->get<std::int64_t>()) state.finished = true;
}

api::ApiResult<bool> JobController::remove_active(State& state, std::size_t keep) {
    sort_for_deletion(state.active, state.active, now(), client());
    while (state.active.size() > keep) {
        TRY(pod_control_.remove(*state.record, api::view_of(*state.active.front())));
        state.active.erase(state.active.begin());
    }
    return true;
}

api::ApiResult<bool> JobController::create_pod(State& state, int index) {
    Json pod = pod_control_.pod_from_template(*state.record, api::object_at(state.job, {"spec", "template"}));
    Json& finalizers = api::ensure(pod, {"metadata"})["finalizers"];
    if (!finalizers.is_array()) finalizers = Json::array();
    finalizers.push_back(tracking);
    if (index >= 0) {
        const std::string text = std::to_string(index), name(state.view().name);
        pod["metadata"]["generateName"] = name + "-" + text + "-";
        api::ensure(pod, {"metadata", "annotations"})[index_annotation] = text;
        api::ensure(pod, {"metadata", "labels"})[index_annotation] = text;
        pod["spec"]["hostname"] = name + "-" + text;
        const Json from = {{"fieldRef", {{"fieldPath", std::string("metadata.labels['") + index_annotation + "']"}}}};
        for (const char* list : {"containers", "initContainers"}) {
            Json* containers = api::find(pod, {"spec", list});
            if (containers == nullptr || !containers->is_array()) continue;
            for (Json& container : *containers) {
                Json& env = container["env"];
                if (!env.is_array()) env = Json::array();
                env.push_back({{"name", "JOB_COMPLETION_INDEX"}, {"valueFrom", from}});
            }
        }
    }
    const auto made = pod_control_.create(*state.record, std::move(pod));
    if (!made && !namespace_terminating(made.error())) return made.error();
    if (made) state.active.push_back(*made);
    return true;
}

api::ApiResult<bool> JobController::start_pods(State& state) {
    const std::int64_t parallelism = state.spec("parallelism", 1), succeeded = api::int_at(state.status, {"succeeded"});
    const Json* completions = api::find(state.job, {"spec", "completions"});
    std::int64_t wanted = parallelism;
    if (completions != nullptr) wanted = std::min(parallelism, std::max<std::int64_t>(0, completions->get<std::int64_t>() - succeeded));
    else if (succeeded > 0) wanted = std::min<std::int64_t>(parallelism, static_cast<std::int64_t>(state.active.size()));
    if (static_cast<std::int64_t>(state.active.size()) > wanted) return remove_active(state, static_cast<std::size_t>(wanted));
    std::int64_t missing = wanted - static_cast<std::int64_t>(state.active.size());
    if (api::string_at(state.job, {"spec", "podReplacementPolicy"}) == "Failed") missing -= static_cast<std::int64_t>(state.terminating.size());
    if (missing <= 0) return true;
    // Each failure doubles the wait for the next pod.
    const std::int64_t failed = api::int_at(state.status, {"failed"});
    if (failed > 0 && api::string_at(state.job, {"spec", "template", "spec", "restartPolicy"}) == "Never") {
        Time last = state.last_failure;
        for (const auto& record : pods_.owned_by(state.view().uid)) {
            if (api::pod_view_of(*record).phase == api::PodPhase::failed) last = std::max(last, finished_at(client().document(*record), now()));
        }
        const Duration delay = std::min<Duration>(backoff_first * (std::int64_t{1} << std::min<std::int64_t>(failed - 1, 10)), backoff_most);
        if (last != Time{} && now() < last + delay) {
            const Duration left = last + delay - now();
            state.requeue = state.requeue ? std::min(*state.requeue, left) : left;
            return true;
        }
    }
    missing = std::min<std::int64_t>(missing, 500);
    if (!state.indexed) {
        for (; missing > 0; --missing) TRY(create_pod(state, -1));
        return true;
    }
    std::set<int> busy = state.completed;
    for (const auto& pod : state.active) busy.insert(index_of(api::view_of(*pod)));
    for (const auto& pod : state.terminating) busy.insert(index_of(api::view_of(*pod)));
    for (int index = 0; index < state.spec("completions", 0) && missing > 0; ++index) {
        if (busy.contains(index)) continue;
        TRY(create_pod(state, index));
        --missing;
    }
    return true;
}

api::ApiResult<bool> JobController::write_status(State& state, const Json& uncounted) {
    const auto set = [&state](const char* member, std::int64_t value) {
        if (value == 0) state.status.erase(member);
        else state.status[member] = value;
    };
    std::int64_t ready = 0;
    for (const auto& pod : state.active) ready += api::pod_view_of(*pod).ready ? 1 : 0;
    set("active", static_cast<std::int64_t>(state.active.size()));
    state.status["ready"] = ready;
    if (!state.terminating.empty() || state.status.contains("terminating")) {
        state.status["terminating"] = static_cast<std::int64_t>(state.terminating.size());
    }
    state.status["uncountedTerminatedPods"] = uncounted;
    if (state.status == api::object_at(state.job, {"status"})) return true;
    const auto written = client().modify(jobs_kind_, state.view().namespace_name, state.view().name, "status", [&state](Json& object) {
        if (api::uid_of(object) != state.view().uid) return false;
        object["status"] = state.status;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    state.job["status"] = state.status;
    return true;
}

api::ApiResult<Requeue> JobController::reconcile(const std::string& key) {
    if (key.substr(0, 4) == "pod:") {
        if (const auto pod = pods_.get(std::string_view(key).substr(4))) TRY(release(*pod));
        return Requeue{};
    }
    State state;
    state.record = jobs_.get(key);
    if (!state.record) return Requeue{};
    state.job = client().document(*state.record);
    state.status = api::object_at(state.job, {"status"});
    const std::string managed(api::string_at(state.job, {"spec", "managedBy"}));
    if (!managed.empty() && managed != "kubernetes.io/job-controller") return Requeue{};
    const bool over = has_condition(state.status, "Complete") || has_condition(state.status, "Failed");
    state.suspended = api::bool_at(state.job, {"spec", "suspend"});
    state.indexed = api::string_at(state.job, {"spec", "completionMode"}) == "Indexed";
    state.completed = parse_indexes(api::string_at(state.status, {"completedIndexes"}));
    if (over) {
        for (const auto& pod : pods_.owned_by(state.view().uid)) {
            if (tracked(api::view_of(*pod))) TRY(release(*pod));
        }
        return Requeue{};
    }
    if (state.view().deleting) {
        for (const auto& pod : pods_.owned_by(state.view().uid)) {
            if (tracked(api::view_of(*pod))) TRY(release(*pod));
        }
        return Requeue{};
    }
    if (!state.suspended && api::string_at(state.status, {"startTime"}).empty()) state.status["startTime"] = api::format_time(now());
    TRY(count_finished(state));
    decide_end(state);
    const Json reference = object_reference(jobs_kind_, *state.record);
    if (!state.fail_reason.empty()) {
        TRY(remove_active(state, 0));
        add_condition(state, "Failed", true, state.fail_reason, state.fail_message);
        events().warning(reference, state.fail_reason, state.fail_message);
    } else if (state.finished) {
        TRY(remove_active(state, 0));
        state.status["completionTime"] = api::format_time(now());
        add_condition(state, "Complete", true, {}, {});
        events().normal(reference, "Completed", "Job completed");
    } else if (state.suspended) {
        TRY(remove_active(state, 0));
        if (!has_condition(state.status, "Suspended")) {
            add_condition(state, "Suspended", true, "JobSuspended", "Job suspended");
            state.status.erase("startTime");
            events().normal(reference, "Suspended", "Job suspended");
        }
    } else {
        if (has_condition(state.status, "Suspended")) {
            add_condition(state, "Suspended", false, "JobResumed", "Job resumed");
            state.status["startTime"] = api::format_time(now());
            events().normal(reference, "Resumed", "Job resumed");
        }
        const auto started = start_pods(state);
        if (!started) {
            TRY(write_status(state, Json::object()));
            return started.error();
        }
    }
    // Counted first, released then: after a crash in between the list says which pods were counted already.
    if (!state.to_release.empty()) {
        Json uncounted = Json::object();
        if (!state.counted_succeeded.empty()) uncounted["succeeded"] = state.counted_succeeded;
        if (!state.counted_failed.empty()) uncounted["failed"] = state.counted_failed;
        TRY(write_status(state, uncounted));
        for (const auto& pod : state.to_release) TRY(release(*pod));
    }
    TRY(write_status(state, Json::object()));
    return Requeue{state.requeue};
}

}  // namespace kubemu::controllers

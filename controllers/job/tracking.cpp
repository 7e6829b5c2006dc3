// What has ended is counted exactly once, whatever is killed in between: its uid is written into
// status.uncountedTerminatedPods, then the pod loses its finalizer and may go, then the uid moves into the counters.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/job/controller.h"
#include "controllers/job/indexes.h"
#include "controllers/job/job_look.h"

namespace kubemu::controllers {
namespace {

constexpr std::size_t uncounted_max = 500;  // at a time (MaxUncountedPods)

void put_count(api::Json& status, const char* member, std::int64_t value) {
    if (value == 0) {
        status.erase(member);
    } else {
        status[member] = value;
    }
}

}  // namespace

api::ApiResult<bool> JobController::release(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    const auto freed = client().modify(pods_kind_, view.namespace_name, view.name, {}, [&view](api::Json& object) {
        return api::uid_of(object) == view.uid && drop_finalizer(object, job_tracking_finalizer);
    });
    if (!freed && freed.error().code() != 404) return freed.error();
    return true;
}

// Moves uids of pods that have lost their finalizer into the counters.
void JobController::count_released(JobLook& look) const {
    std::set<std::string_view> tracked;
    for (const storage::RecordPtr& pod : look.pods) {
        const api::ObjectView& view = api::view_of(*pod);
        if (has_finalizer(view, job_tracking_finalizer)) tracked.insert(view.uid);
    }
    api::Json& uncounted = api::ensure(look.status, {"uncountedTerminatedPods"});
    for (const char* list : {"succeeded", "failed"}) {
        api::Json left = api::Json::array();
        std::int64_t counted = api::int_at(look.status, {list});
        for (const api::Json& uid : api::array_at(uncounted, {list})) {
            if (tracked.contains(uid.get_ref<const std::string&>())) left.push_back(uid);
            else ++counted;
        }
        put_count(look.status, list, counted);
        if (left.empty()) uncounted.erase(list);
        else uncounted[list] = std::move(left);
    }
}

// Puts what has ended into the status. False when there was more than one write should carry.
bool JobController::collect_ended(JobLook& look, std::vector<storage::RecordPtr>& to_release) {
    api::Json& uncounted = api::ensure(look.status, {"uncountedTerminatedPods"});
    const auto waits = [&uncounted](const char* list, const std::string& uid) {
        const api::Json& uids = api::array_at(uncounted, {list});
        return std::find(uids.begin(), uids.end(), uid) != uids.end();
    };
    const bool job_failed = look.end && !look.end->succeeded();
    std::set<int> indexes = look.known_indexes;
    for (const storage::RecordPtr& record : look.pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (!has_finalizer(pod, job_tracking_finalizer)) continue;
        const bool failed = look.is_failed(pod);
        const int index = look.index_of(pod);
        const bool may_go = look.view().deleting || look.end || pod.phase == api::PodPhase::succeeded ||
                            (failed && !(look.per_index && look.last_failures.contains(index) &&
                                         look.last_failures.at(index) == record));
        if (!may_go) continue;
        if (pod.phase == api::PodPhase::succeeded && !waits("failed", pod.uid)) {
            if (look.indexed) {
                if (index >= 0) indexes.insert(index);
            } else if (!waits("succeeded", pod.uid)) {
                uncounted["succeeded"].push_back(pod.uid);
            }
        } else if (failed || job_failed) {
            const bool counts = !look.indexed || index >= 0;
            if (counts && !waits("failed", pod.uid) && look.verdict(*record).counted()) uncounted["failed"].push_back(pod.uid);
        }
        // What is removed because the job has succeeded counts as neither.
        to_release.push_back(record);
        if (to_release.size() >= uncounted_max) break;
    }
    if (look.indexed) {
        const std::string text = format_indexes(indexes);
        put_count(look.status, "succeeded", static_cast<std::int64_t>(indexes.size()));
        if (text.empty()) look.status.erase("completedIndexes");
        else look.status["completedIndexes"] = text;
        if (look.per_index) look.status["failedIndexes"] = format_indexes(look.failed_indexes);
    }
    return to_release.size() < uncounted_max;
}

api::ApiResult<bool> JobController::track(JobLook& look) {
    put_count(look.status, "active", look.waits_to_replace ? 0 : static_cast<std::int64_t>(look.active.size()));
    look.status["ready"] = look.ready;
    if (look.interim_conditions) look.status["terminating"] = look.terminating;
    count_released(look);
    std::vector<storage::RecordPtr> to_release;
    const bool all = collect_ended(look, to_release);
    if (look.end && (look.end->type == "FailureTarget" || look.end->type == "SuccessCriteriaMet")) {
        look.set_condition(look.end->type, true, look.end->reason, look.end->message);
    }
    TRY(write_status(look));
    backoff_.keep(look.view().uid, look.failures);
    for (const storage::RecordPtr& pod : to_release) {
        TRY(release(*pod));
        std::erase(look.pods, pod);
    }
    count_released(look);
    const bool finished = look.end && all && finish(look);
    TRY(write_status(look));
    if (finished) announce_end(look);
    return true;
}

// The last word, once everything is counted; with interim conditions also not before the last pod is gone.
bool JobController::finish(JobLook& look) {
    if (!api::object_at(look.status, {"uncountedTerminatedPods"}).empty()) return false;
    if (look.interim_conditions && look.terminating > 0) return false;
    const bool success = look.end->succeeded();
    look.set_condition(success ? "Complete" : "Failed", true, look.end->reason, look.end->message);
    if (success) look.status["completionTime"] = api::format_time(now());
    return true;
}

void JobController::announce_end(const JobLook& look) {
    const api::Json reference = object_reference(jobs_kind_, *look.record);
    if (!look.end->succeeded()) return events().warning(reference, look.end->reason, look.end->message);
    if (look.completions && look.succeeded > *look.completions) {
        events().warning(reference, "TooManySucceededPods",
                         "Too many succeeded pods running after completion count reached");
    }
    events().normal(reference, "Completed", "Job completed");
}

api::ApiResult<bool> JobController::write_status(JobLook& look) {
    if (look.status == *look.stored_status) return true;
    const api::ObjectView& view = look.view();
    const auto written = client().modify(jobs_kind_, view.namespace_name, view.name, "status", [&look](api::Json& object) {
        if (api::uid_of(object) != look.view().uid) return false;
        object["status"] = look.status;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    look.stored_status = std::make_shared<const api::Json>(look.status);
    return true;
}

}  // namespace kubemu::controllers

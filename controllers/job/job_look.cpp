// What is there: pods by what became of them, and the indexes that are done.
#include "controllers/job/job_look.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/job/controller.h"
#include "controllers/job/indexes.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

constexpr const char* index_label = "batch.kubernetes.io/job-completion-index";

std::int64_t number_in(const api::Json& pod, const char* annotation) {
    return std::atoll(std::string(api::string_at(pod, {"metadata", "annotations", annotation}, "0")).c_str());
}

}  // namespace

IndexFailures index_failures(const api::Json& pod) {
    return {number_in(pod, "batch.kubernetes.io/job-index-failure-count"),
            number_in(pod, "batch.kubernetes.io/job-index-ignored-failure-count")};
}

JobLook::JobLook(const api::Client& client, storage::RecordPtr given, std::vector<storage::RecordPtr> owned, Time time)
    : record(std::move(given)),
      job_document(client.read(*record)),
      stored_status(job_document, &api::object_at(*job_document, {"status"})),
      status_document(std::make_shared<api::Json>(*stored_status)),
      job(*job_document), status(*status_document),
      pods(std::move(owned)), now(time), client_(client) {
    indexed = api::string_at(job, {"spec", "completionMode"}) == "Indexed";
    suspended = api::bool_at(job, {"spec", "suspend"});
    per_index = api::find(job, {"spec", "backoffLimitPerIndex"}) != nullptr;
    for (const char* member : {"backoffLimitPerIndex", "maxFailedIndexes", "successPolicy", "podReplacementPolicy", "managedBy"}) {
        interim_conditions |= api::find(job, {"spec", member}) != nullptr;
    }
    const std::string_view replacement = api::string_at(job, {"spec", "podReplacementPolicy"});
    replaces_failed_only = replacement == "Failed" ||
                           (replacement.empty() && api::find(job, {"spec", "podFailurePolicy"}) != nullptr);
    if (const api::Json* number = api::find(job, {"spec", "completions"})) completions = number->get<std::int64_t>();
    count_pods();
    if (indexed) count_indexes();
}

std::int64_t JobLook::spec(std::string_view member, std::int64_t fallback) const {
    return api::int_at(job, {"spec", member}, fallback);
}

bool JobLook::is_failed(const api::PodView& pod) const {
    if (pod.phase == api::PodPhase::failed) return true;
    return !replaces_failed_only && pod.deleting && pod.phase != api::PodPhase::succeeded;
}

int JobLook::index_of(const api::ObjectView& pod) const {
    const std::string* label = pod.label(index_label);
    if (label == nullptr) return -1;
    const int index = std::atoi(label->c_str());
    return index >= 0 && index < completions.value_or(0) ? index : -1;
}

const api::Json& JobLook::document(const storage::Record& pod) const {
    const std::string& uid = api::view_of(pod).uid;
    const auto known = documents_.find(uid);
    if (known != documents_.end()) return *known->second;
    return *documents_.emplace(uid, client_.read(pod)).first->second;
}

void JobLook::requeue_in(Duration delay) { requeue = requeue ? std::min(*requeue, delay) : delay; }

void JobLook::wait_to_replace(Duration left) {
    waits_to_replace = true;
    requeue_in(std::max(left, job_batch_period));
}

bool JobLook::in_status(const char* list, const std::string& uid) const {
    const api::Json& uids = api::array_at(status, {"uncountedTerminatedPods", list});
    return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

void JobLook::count_pods() {
    const auto waiting = [this](const char* list) {
        return static_cast<std::int64_t>(api::array_at(status, {"uncountedTerminatedPods", list}).size());
    };
    succeeded = api::int_at(status, {"succeeded"}) + waiting("succeeded");
    failed = api::int_at(status, {"failed"}) + waiting("failed");
    for (const storage::RecordPtr& pod_record : pods) {
        const api::PodView& pod = api::pod_view_of(*pod_record);
        if (pod.active()) {
            active.push_back(pod_record);
            if (pod.ready) ++ready;
        } else if (!pod.finished()) {
            ++terminating;
        }
        if (!has_finalizer(pod, job_tracking_finalizer) || (indexed && index_of(pod) < 0)) continue;
        if (pod.phase == api::PodPhase::succeeded) {
            if (!in_status("succeeded", pod.uid) && !in_status("failed", pod.uid)) newly_succeeded.push_back(pod_record);
        } else if (is_failed(pod) && !in_status("failed", pod.uid)) {
            (verdict(*pod_record).counted() ? newly_failed : newly_ignored).push_back(pod_record);
        }
    }
    if (!indexed) succeeded += static_cast<std::int64_t>(newly_succeeded.size());
    failed += static_cast<std::int64_t>(newly_failed.size());
}

void JobLook::count_indexes() {
    const int total = static_cast<int>(completions.value_or(0));
    known_indexes = parse_indexes(api::string_at(status, {"completedIndexes"}), total);
    succeeded_indexes = known_indexes;
    for (const storage::RecordPtr& pod : newly_succeeded) succeeded_indexes.insert(index_of(api::view_of(*pod)));
    succeeded = static_cast<std::int64_t>(succeeded_indexes.size());
    if (!per_index) return;
    failed_indexes = parse_indexes(api::string_at(status, {"failedIndexes"}), total);
    std::set<int> busy;
    for (const storage::RecordPtr& pod : active) busy.insert(index_of(api::view_of(*pod)));
    const auto tracked_failure = [this](const storage::Record& pod) {
        const api::PodView& pod_view = api::pod_view_of(pod);
        return has_finalizer(pod_view, job_tracking_finalizer) && index_of(pod_view) >= 0 && is_failed(pod_view);
    };
    for (const storage::RecordPtr& pod : pods) {
        if (!tracked_failure(*pod)) continue;
        const FailureVerdict judged = verdict(*pod);
        const bool exhausted = judged.counted() && index_failures(document(*pod)).counted >= spec("backoffLimitPerIndex", 0);
        if (exhausted || judged.action == FailureVerdict::Action::fail_index) failed_indexes.insert(index_of(api::view_of(*pod)));
    }
    for (const storage::RecordPtr& pod : pods) {
        const int index = index_of(api::view_of(*pod));
        if (!tracked_failure(*pod) || busy.contains(index) || succeeded_indexes.contains(index) || failed_indexes.contains(index)) continue;
        storage::RecordPtr& last = last_failures[index];
        const auto times = [this](const storage::Record& one) {
            const IndexFailures failures = index_failures(document(one));
            return failures.counted + failures.ignored;
        };
        if (last == nullptr || times(*last) <= times(*pod)) last = pod;
    }
}

bool JobLook::has_condition(std::string_view type) const {
    for (const api::Json& condition : api::array_at(status, {"conditions"})) {
        if (api::string_at(condition, {"type"}) == type) return api::string_at(condition, {"status"}) == "True";
    }
    return false;
}

bool JobLook::set_condition(std::string_view type, bool holds, std::string_view reason, std::string_view message) {
    const std::string time = api::format_time(now);
    api::Json made = {{"type", std::string(type)}, {"status", holds ? "True" : "False"}, {"lastProbeTime", time},
                      {"lastTransitionTime", time}};
    if (!reason.empty()) made["reason"] = std::string(reason);
    if (!message.empty()) made["message"] = std::string(message);
    for (api::Json& condition : status["conditions"]) {
        if (api::string_at(condition, {"type"}) != type) continue;
        const bool same = condition["status"] == made["status"] && api::string_at(condition, {"reason"}) == reason &&
                          api::string_at(condition, {"message"}) == message;
        if (!same) condition = std::move(made);
        return !same;
    }
    if (status["conditions"].is_null()) status.erase("conditions");
    if (!holds) return false;
    status["conditions"].push_back(std::move(made));
    return true;
}

}  // namespace kubemu::controllers

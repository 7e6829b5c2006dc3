// As many pods as the job wants now: none while it is suspended, never more than are left to succeed, and after a
// failure not before the back-off is over.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "controllers/job/controller.h"
#include "controllers/job/job_look.h"

namespace kubemu::controllers {
namespace {

using Pods = std::vector<storage::RecordPtr>;

constexpr std::size_t pods_a_sync_max = 500;            // MaxPodCreateDeletePerSync
constexpr std::size_t generated_prefix_characters_max = 58;  // leaves five for the random part of a label
constexpr const char* index_name = "batch.kubernetes.io/job-completion-index";

void add_index_variable(api::Json& pod) {
    const api::Json variable = {
        {"name", "JOB_COMPLETION_INDEX"},
        {"valueFrom", {{"fieldRef", {{"fieldPath", std::string("metadata.labels['") + index_name + "']"}}}}}};
    for (const char* list : {"initContainers", "containers"}) {
        api::Json* containers = api::find(pod, {"spec", list});
        if (containers == nullptr || !containers->is_array()) continue;
        for (api::Json& container : *containers) {
            api::Json& variables = container["env"];
            if (!variables.is_array()) variables = api::Json::array();
            const bool there = std::any_of(variables.begin(), variables.end(), [](const api::Json& one) {
                return api::string_at(one, {"name"}) == "JOB_COMPLETION_INDEX";
            });
            if (!there) variables.push_back(variable);
        }
    }
}

}  // namespace

api::ApiResult<bool> JobController::manage_pods(JobLook& look) {
    if (look.suspended) return remove_pods(look, look.active);
    const std::int64_t active = static_cast<std::int64_t>(look.active.size());
    std::int64_t wanted = look.spec("parallelism", 1);
    if (!look.completions) {
        if (look.succeeded > 0) wanted = active;  // one success ends the work; what runs may finish
    } else {
        const std::int64_t left = *look.completions - look.succeeded - static_cast<std::int64_t>(look.failed_indexes.size());
        wanted = std::max<std::int64_t>(0, std::min(wanted, left));
    }
    Pods surplus = pods_to_remove(look, static_cast<std::size_t>(std::max<std::int64_t>(0, active - wanted)));
    if (surplus.size() > pods_a_sync_max) surplus.resize(pods_a_sync_max);
    // Repeated indexes may need both; a sync does one of the two.
    if (!surplus.empty()) return remove_pods(look, std::move(surplus));
    const std::int64_t missing = wanted - active - (look.replaces_failed_only ? look.terminating : 0);
    if (missing <= 0) return true;
    if (!look.per_index) {
        const Duration left = look.failures.wait_left(look.now);
        if (left > Duration(0)) {
            look.wait_to_replace(left);
            return true;
        }
    }
    return create_pods(look, std::min<std::int64_t>(missing, static_cast<std::int64_t>(pods_a_sync_max)));
}

// Pods without a place of their own go first, then those that are missed least.
Pods JobController::pods_to_remove(const JobLook& look, std::size_t at_least) {
    Pods remove, left;
    if (look.indexed) {
        std::map<int, Pods> by_index;
        for (const storage::RecordPtr& pod : look.active) by_index[look.index_of(api::view_of(*pod))].push_back(pod);
        for (auto& [index, pods] : by_index) {
            sort_for_deletion(pods, {}, look.now, client());
            const std::size_t kept = index < 0 ? 0 : 1;
            remove.insert(remove.end(), pods.begin(), pods.end() - static_cast<std::ptrdiff_t>(kept));
            if (kept != 0) left.push_back(pods.back());
        }
    } else {
        left = look.active;
    }
    if (remove.size() < at_least) {
        sort_for_deletion(left, {}, look.now, client());
        left.resize(std::min(left.size(), at_least - remove.size()));
        remove.insert(remove.end(), left.begin(), left.end());
    }
    return remove;
}

// Removed because they are not wanted: they are let go first, so that they do not count as failures.
api::ApiResult<bool> JobController::remove_pods(JobLook& look, Pods pods) {
    for (const storage::RecordPtr& pod : pods) {
        TRY(release(*pod));
        TRY(pod_control_.remove(*look.record, api::view_of(*pod)));
        std::erase(look.active, pod);
        std::erase(look.pods, pod);
    }
    return true;
}

// The job has ended: what still runs is ended too, and counts as failed unless the job succeeded.
api::ApiResult<bool> JobController::end_active_pods(JobLook& look) {
    Pods left;
    std::optional<api::Status> error;
    for (const storage::RecordPtr& pod : look.active) {
        const auto removed = pod_control_.remove(*look.record, api::view_of(*pod));
        if (removed) {
            if (look.interim_conditions && api::pod_view_of(*pod).ready) --look.ready;
            if (const auto fresh = client().get(pods_kind_, look.view().namespace_name, api::view_of(*pod).name)) {
                ++look.terminating;
            }
            continue;
        }
        left.push_back(pod);
        error = removed.error();
    }
    look.active = std::move(left);
    if (!error) return true;
    look.end.reset();  // not before all are on their way
    return *error;
}

// The first that are open. One of them that has to wait after a failure is passed over, and no later one is taken for it.
std::vector<int> JobController::indexes_to_start(JobLook& look, std::int64_t count) const {
    std::set<int> busy = look.succeeded_indexes;
    busy.insert(look.failed_indexes.begin(), look.failed_indexes.end());
    for (const storage::RecordPtr& record : look.pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (pod.active() || (look.replaces_failed_only && !pod.finished())) busy.insert(look.index_of(pod));
    }
    std::vector<int> indexes;
    std::optional<Duration> soonest;
    for (int index = 0; index < look.completions.value_or(0) && count > 0; ++index) {
        if (busy.contains(index)) continue;
        --count;
        const auto last = look.last_failures.find(index);
        Duration left(0);
        if (last != look.last_failures.end()) {
            const api::Json& pod = look.document(*last->second);
            const IndexFailures before = index_failures(pod);
            left = backoff_left(before.counted + before.ignored + 1, finished_at(pod), look.now);
        }
        if (left > Duration(0)) soonest = std::min(left, soonest.value_or(left));
        else indexes.push_back(index);
    }
    if (soonest && indexes.empty()) look.wait_to_replace(*soonest);
    return indexes;
}

api::Json JobController::pod_for(const JobLook& look, int index) const {
    api::Json pod = pod_control_.pod_from_template(*look.record, api::object_at(look.job, {"spec", "template"}));
    add_finalizer(pod, job_tracking_finalizer);
    if (index < 0) return pod;
    const std::string number = std::to_string(index), name(look.view().name), suffix = "-" + number + "-";
    pod["metadata"]["generateName"] = name.substr(0, generated_prefix_characters_max - suffix.size()) + suffix;
    api::ensure(pod, {"metadata", "labels"})[index_name] = number;
    api::Json& annotations = api::ensure(pod, {"metadata", "annotations"});
    annotations[index_name] = number;
    if (look.per_index) {
        IndexFailures failures;
        const auto last = look.last_failures.find(index);
        if (last != look.last_failures.end()) {
            failures = index_failures(look.document(*last->second));
            ++(look.verdict(*last->second).counted() ? failures.counted : failures.ignored);
        }
        annotations["batch.kubernetes.io/job-index-failure-count"] = std::to_string(failures.counted);
        if (failures.ignored > 0) {
            annotations["batch.kubernetes.io/job-index-ignored-failure-count"] = std::to_string(failures.ignored);
        }
    }
    pod["spec"]["hostname"] = name + "-" + number;
    add_index_variable(pod);
    return pod;
}

// In batches of one, two, four...: when a quota refuses, few requests find out.
api::ApiResult<bool> JobController::create_pods(JobLook& look, std::int64_t count) {
    std::vector<int> indexes(static_cast<std::size_t>(count), -1);
    if (look.indexed) indexes = indexes_to_start(look, count);
    std::size_t next = 0;
    for (std::size_t batch = 1; next < indexes.size(); batch *= 2) {
        std::optional<api::Status> error;
        for (const std::size_t end = std::min(indexes.size(), next + batch); next < end; ++next) {
            auto made = pod_control_.create(*look.record, pod_for(look, indexes[next]));
            if (made) {
                look.active.push_back(*made);
            } else if (namespace_terminating(made.error())) {
                return true;
            } else if (!error) {
                error = made.error();
            }
        }
        if (error) return *error;
    }
    return true;
}

}  // namespace kubemu::controllers

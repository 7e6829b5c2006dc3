// What the scheduler does with its queue: who may be looked at, what wakes whom, and how an attempt that failed is told
// (pkg/scheduler/backend/queue, eventhandlers.go, schedule_one.go handleSchedulingFailure).
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/scheduler/controller.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::NodeInfo;
using scheduler::Plugin;
using scheduler::Plugins;
using scheduler::PodInfo;

namespace {

// apipod.UpdatePodCondition: the transition time moves only with the status. False when there is nothing new.
bool set_condition(Json& pod, const std::string& reason, const std::string& message, const std::string& time) {
    Json& conditions = api::ensure(pod, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json condition = {{"type", "PodScheduled"},    {"status", "False"},   {"lastProbeTime", nullptr},
                      {"lastTransitionTime", time}, {"reason", reason},    {"message", message}};
    if (const Json* generation = api::find(pod, {"metadata", "generation"})) condition["observedGeneration"] = *generation;
    for (Json& old : conditions) {
        if (api::string_at(old, {"type"}) != "PodScheduled") continue;
        if (api::string_at(old, {"status"}) == "False" && old.contains("lastTransitionTime"))
            condition["lastTransitionTime"] = old["lastTransitionTime"];
        if (old == condition) return false;
        old = std::move(condition);
        return true;
    }
    conditions.push_back(std::move(condition));
    return true;
}

}  // namespace

std::optional<Plugin> SchedulerController::gate_of(const Entry& entry) const {
    if (entry.info->rules().gated) return Plugin::scheduling_gates;
    if (devices_ && !devices_->not_ready(*entry.info).empty()) return Plugin::dynamic_resources;
    return std::nullopt;
}

void SchedulerController::queue_new(const std::string& key, Entry& entry) {
    queue_.add(key, entry.info->priority, now());
    if (const auto gate = gate_of(entry))
        queue_.hold(key, *gate);
    else
        enqueue_attempts();
}

void SchedulerController::requeue(const std::string& key, const Entry& entry) {
    if (const auto gate = gate_of(entry)) return queue_.hold(key, *gate);
    queue_.requeue(key, now());
    enqueue_attempts();
}

void SchedulerController::wake(Plugins plugins, const Worth& worth) {
    if (!queue_.has_refused(plugins)) return;
    for (const std::string& key : queue_.refused(plugins)) {
        const Entry& entry = entries_.at(key);
        if (worth == nullptr || worth(entry, queue_.find(key)->refused_by)) requeue(key, entry);
    }
}

void SchedulerController::wake_for_node(const NodeInfo* before, const NodeInfo* after) {
    const auto stand_for = [this](const std::string& resource) { return devices_ && devices_->stand_for(resource); };
    wake(scheduler::wait_for_nodes, [&](const Entry& entry, Plugins by) {
        return scheduler::hopes_for_node(*entry.info, by, before, after, stand_for);
    });
}

void SchedulerController::wake_for_pod_that_came(const PodInfo& pod) {
    wake(scheduler::wait_for_pods_to_come, [&](const Entry& entry, Plugins by) {
        return scheduler::hopes_for_pod_that_came(*entry.info, by, pod);
    });
}

void SchedulerController::wake_for_pod_that_went(const PodInfo& pod, std::optional<int> up_to) {
    wake(scheduler::wait_for_pods_to_go, [&](const Entry& entry, Plugins by) {
        return (!up_to || entry.info->priority <= *up_to) && scheduler::hopes_for_pod_that_went(*entry.info, by, pod);
    });
}

void SchedulerController::look_at_waiting() {
    if (queue_.end_backoffs(now())) enqueue_attempts();
    for (const std::string& key : queue_.left_over(now())) requeue(key, entries_.at(key));
    set_waiting_timer();
}

void SchedulerController::set_waiting_timer() {
    manager().set_timer(this, "waiting", queue_.next_due(), [this] { look_at_waiting(); });
}

void SchedulerController::fail(const std::string& key, Entry& entry, const Failure& failure) {
    if (failure.by.empty())
        queue_.fail(key, now());
    else
        queue_.refuse(key, failure.by, now());
    set_waiting_timer();
    if (failure.nominate) set_nominated(key, entry, *failure.nominate);
    const PodInfo& pod = *entry.info;
    recorder_.warning(reference(pod), "FailedScheduling", "Scheduling", failure.message);
    const std::string time = api::format_time(now());
    const auto written = client().modify(kind("pods"), pod.namespace_name, pod.name, "status", [&](Json& document) {
        if (api::uid_of(document) != pod.uid) return false;
        bool changed = set_condition(document, failure.reason, failure.message, time);
        if (!failure.nominate || api::string_at(document, {"status", "nominatedNodeName"}) == *failure.nominate) return changed;
        if (failure.nominate->empty())
            document["status"].erase("nominatedNodeName");
        else
            document["status"]["nominatedNodeName"] = *failure.nominate;
        return true;
    });
    if (!written && written.error().code() != 404)
        log_line(LogLevel::info, "condition was refused", {{"pod", key}, {"why", written.error()->message}});
}

}  // namespace kubemu::controllers

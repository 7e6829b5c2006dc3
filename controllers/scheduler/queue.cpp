// The scheduling queue: pods that wait for their turn, and those that were refused until something changes that may
// help (pkg/scheduler/backend/queue).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/scheduler/controller.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Filter;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::Verdict;

namespace {

constexpr Duration first_backoff = std::chrono::seconds(1);
constexpr Duration backoff_max = std::chrono::seconds(10);
// kube-scheduler retries what nothing woke after five minutes (podMaxInUnschedulablePodsDuration).
constexpr Duration parked_max = std::chrono::minutes(5);

// Sets a pod condition in a status document; the transition time moves only with the status.
void set_condition(Json& pod, std::string_view type, std::string_view status, std::string_view reason,
                   const std::string& message, const std::string& time) {
    Json& conditions = api::ensure(pod, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json* found = nullptr;
    for (Json& condition : conditions)
        if (api::string_at(condition, {"type"}) == type) found = &condition;
    if (found == nullptr) {
        conditions.push_back({{"type", type}});
        found = &conditions.back();
    }
    if (api::string_at(*found, {"status"}) != status) (*found)["lastTransitionTime"] = time;
    (*found)["status"] = status;
    (*found)["reason"] = reason;
    (*found)["message"] = message;
}

}  // namespace

void SchedulerController::push(const std::string& key, Entry& entry) {
    entry.sequence = next_sequence_++;
    entry.queued = true;
    entry.parked = false;
    parked_.erase(key);
    active_.insert({entry.info->priority, entry.sequence, key});
    enqueue_attempts();
}

void SchedulerController::wake_parked() {
    wake_parked("backoff", [](const Entry&) { return true; });
}

// A node that would not have it, as before, is no news for a pod that waits for a node.
void SchedulerController::wake_for_node(const std::string& name) {
    wake_parked("backoff of those beside " + name, [this, name](const Entry& entry) {
        const auto node = nodes_.find(name);
        return entry.nodes_lack.empty() || node == nodes_.end() || may_hope_for(entry, node->second);
    });
}

// Another reason than those that kept the pod away says that one of them is gone.
bool SchedulerController::may_hope_for(const Entry& entry, const NodeInfo& node) {
    const PodInfo& pod = *entry.info;
    const Volumes volumes = volumes_of(pod);
    if (volumes.waiting || !volumes.refusal.empty()) return true;
    const Verdict verdict =
        Filter(pod, {nodes_, namespaces_, release_, &volume_use_, nullptr}, volumes.rules).check(node);
    return verdict.fits() || verdict.resolvable ||
           std::any_of(verdict.reasons.begin(), verdict.reasons.end(),
                       [&](const std::string& reason) { return !entry.nodes_lack.contains(reason); });
}

// What no node's labels, taints or name would let in has nothing to hope for from another pod's going.
void SchedulerController::wake_for_pods() {
    wake_parked("backoff of those beside pods", [](const Entry& entry) { return entry.nodes_lack.empty(); });
}

void SchedulerController::wake_followers() {
    wake_parked("backoff of followers", [](const Entry& entry) {
        return !entry.info->rules().affinity.empty() || !entry.info->rules().spread.empty();
    });
}

void SchedulerController::wake_parked(const std::string& timer, std::function<bool(const Entry&)> concerned) {
    if (parked_.empty()) return;
    const Time time = now();
    Duration soonest = backoff_max;
    bool later = false;
    const std::set<std::string> parked = parked_;
    for (const std::string& key : parked) {
        Entry& entry = entries_.at(key);
        if (entry.info->deleting || !concerned(entry)) continue;
        if (entry.retry_at <= time) {
            push(key, entry);
        } else {
            later = true;
            soonest = std::min(soonest, entry.retry_at - time);
        }
    }
    // Pods that were moved keep their back-off; the timer looks at all of them again.
    if (!later) return;
    manager().set_timer(this, timer, time + soonest,
                        [this, timer, concerned = std::move(concerned)] { wake_parked(timer, concerned); });
}

void SchedulerController::park(const std::string& key, Entry& entry) {
    entry.parked = true;
    parked_.insert(key);
}

void SchedulerController::fail(const std::string& key, Entry& entry, const std::string& message, bool error) {
    Duration backoff = first_backoff;
    for (int i = 0; i < entry.attempts && backoff < backoff_max; ++i) backoff *= 2;
    ++entry.attempts;
    entry.retry_at = now() + std::min(backoff, backoff_max);
    park(key, entry);
    entry.retries = error;
    manager().set_timer(this, "flush", now() + parked_max, [this] { wake_parked(); });
    if (error) manager().set_timer(this, "backoff", entry.retry_at, [this] { wake_parked(); });
    if (message.empty()) return;
    const PodInfo& pod = *entry.info;
    recorder_.warning(reference(pod), "FailedScheduling", "Scheduling", message);
    const std::string time = api::format_time(now());
    const auto written = client().modify(kind("pods"), pod.namespace_name, pod.name, "status", [&](Json& document) {
        if (api::uid_of(document) != pod.uid) return false;
        set_condition(document, "PodScheduled", "False", error ? "SchedulerError" : "Unschedulable", message, time);
        Json& status = api::ensure(document, {"status"});
        if (!entry.nominated_node.empty())
            status["nominatedNodeName"] = entry.nominated_node;
        else
            status.erase("nominatedNodeName");
        return true;
    });
    if (!written && written.error().code() != 404)
        log_line(LogLevel::info, "condition was refused", {{"pod", key}, {"why", written.error()->message}});
}

}  // namespace kubemu::controllers

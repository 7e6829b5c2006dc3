// From a pod's place to its binding: first its devices are written into its claims, and where they say so waited for
// (pkg/scheduler/schedule_one.go bindingCycle).
#include <nlohmann/json.hpp>

#include "controllers/scheduler/controller.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::DynamicResources;
using scheduler::PodInfo;
using scheduler::PodInfoPtr;

// Before the key of a pod that has been placed and is to be bound.
std::string SchedulerController::bind_key(const std::string& key) {
    return "bind:" + key;
}

void SchedulerController::bind(const std::string& key) {
    const auto placed = entries_.find(key);
    if (placed == entries_.end() || placed->second.node.empty()) return;
    const PodInfoPtr pod = placed->second.info;
    const std::string node = placed->second.node;
    const std::shared_ptr<scheduler::Reservation> devices = placed->second.devices;
    interleave();
    if (placed->second.volumes != nullptr || (devices != nullptr && !devices->claims.empty()))
        tell_expected_node(key, placed->second);
    if (placed->second.volumes != nullptr && !bind_volumes(key)) return;
    if (entries_.count(key) == 0 || entries_.at(key).node != node) return;
    if (devices != nullptr && !bind_devices(key)) return;
    Json body = {{"apiVersion", "v1"},
                 {"kind", "Binding"},
                 {"metadata", {{"name", pod->name}, {"namespace", pod->namespace_name}, {"uid", pod->uid}}},
                 {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
    const auto bound =
        client().create_subresource(kind("pods"), pod->namespace_name, pod->name, "binding", std::move(body));
    if (bound)
        return recorder_.normal(reference(*pod), "Scheduled", "Binding",
                                "Successfully assigned " + key + " to " + node);
    if (devices != nullptr) devices_->release(*pod, *devices);
    if (bound.error().code() == 404) return;  // deleted meanwhile; the informer will say so
    log_line(LogLevel::info, "binding was refused", {{"pod", key}, {"why", bound.error()->message}});
    give_up_place(key, *pod, node, "running Bind plugin \"DefaultBinder\": " + bound.error()->message);
}

// NominatedNodeNameForExpectation
void SchedulerController::tell_expected_node(const std::string& key, Entry& entry) {
    if (entry.expected_told) return;
    entry.expected_told = true;
    const PodInfo& pod = *entry.info;
    const auto told = client().modify(
        kind("pods"), pod.namespace_name, pod.name, "status",
        [uid = pod.uid, node = entry.node](Json& document) {
            if (api::uid_of(document) != uid || api::string_at(document, {"status", "nominatedNodeName"}) == node) return false;
            api::ensure(document, {"status"})["nominatedNodeName"] = node;
            return true;
        });
    if (!told && told.error().code() != 404)
        log_line(LogLevel::info, "expected node was refused", {{"pod", key}, {"why", told.error()->message}});
}

void SchedulerController::give_up_place(const std::string& key, const PodInfo& pod, const std::string& node,
                                        const std::string& message) {
    const auto still = entries_.find(key);
    if (still == entries_.end() || still->second.info->uid != pod.uid || still->second.node != node) return;
    const auto record = pods_.get(key);
    if (record == nullptr || !api::pod_view_of(*record).node_name.empty()) return;  // somebody else has placed it
    take(node, key);
    still->second.node.clear();
    still->second.devices.reset();
    if (still->second.volumes != nullptr) forget_volumes(pod, *still->second.volumes);
    still->second.volumes.reset();
    still->second.expected_told = false;
    wake_for_pod_that_went(pod);
    fail(key, still->second, {message, {}, "SchedulerError", ""});
}

bool SchedulerController::bind_devices(const std::string& key) {
    const Entry& entry = entries_.at(key);
    const PodInfoPtr pod = entry.info;
    const std::string node = entry.node;
    const std::shared_ptr<scheduler::Reservation> reservation = entry.devices;
    const DynamicResources::BindResult result = devices_->bind(*pod, *reservation);
    waiting_for_devices_.erase(key);
    const auto still = entries_.find(key);
    const bool there = still != entries_.end() && still->second.devices == reservation;
    if (result.state == DynamicResources::Bound::failed || !there) {
        devices_->release(*pod, *reservation);
        give_up_place(key, *pod, node, "running PreBind plugin \"DynamicResources\": " + result.why);
        return false;
    }
    if (result.state == DynamicResources::Bound::ready) {
        still->second.devices.reset();
        return true;
    }
    if (!reservation->announced) {
        reservation->announced = true;
        recorder_.normal(reference(*pod), "BindingConditionsPending", "Scheduling",
                         "waiting for binding conditions for device on node " + node);
    }
    waiting_for_devices_.insert(key);
    manager().set_timer(this, "devices of " + key, result.until, [this, key] { enqueue(bind_key(key)); });
    return false;
}

}  // namespace kubemu::controllers

// The status that the kubelet reports: container statuses, conditions, phase, addresses.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/text.h"
#include "api/values/time.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"
#include "storage/base/log.h"

namespace kubemu::controllers::kubelet {

using api::Json;
using Phase = ContainerState::Phase;

namespace {

std::string quoted_list(const std::vector<std::string>& names) { return "[" + api::join(names, " ") + "]"; }

Json terminated(int code, const std::string& reason, const std::string& message, Time started, Time finished, const std::string& id) {
    Json result = {{"exitCode", code}, {"reason", reason}, {"startedAt", api::format_time(started)},
                   {"finishedAt", api::format_time(finished)}};
    if (!message.empty()) result["message"] = message;
    if (!id.empty()) result["containerID"] = id;
    return result;
}

Json container_status(const ContainerSpec& spec, const ContainerState& state, bool blocked, bool init) {
    Json status = {{"name", spec.name}, {"restartCount", state.restarts}, {"ready", state.ready}, {"lastState", Json::object()}};
    status["image"] = state.image.empty() ? spec.image : state.image;
    status["imageID"] = state.image_id;
    if (!state.id.empty()) status["containerID"] = state.id;
    status["started"] = state.started;
    Json& now = status["state"];
    if (state.phase == Phase::running) {
        now["running"] = {{"startedAt", api::format_time(state.started_at)}};
    } else if (state.phase == Phase::terminated) {
        now["terminated"] = terminated(state.exit_code, state.end_reason, state.end_message, state.started_at, state.finished_at, state.id);
        // An init container that is done counts as ready.
        if (init && !spec.sidecar && state.exit_code == 0) status["ready"] = true;
    } else {
        const std::string fallback = blocked ? "PodInitializing" : "ContainerCreating";
        now["waiting"] = {{"reason", state.waiting_reason.empty() ? fallback : state.waiting_reason}};
        if (!state.waiting_message.empty()) now["waiting"]["message"] = state.waiting_message;
    }
    // What the node has given it: since 1.33 every kubelet says so.
    if (!state.resources.empty() && state.phase == Phase::running) {
        const Json given = Json::parse(state.resources, nullptr, false);
        if (given.is_object()) {
            status["resources"] = given;
            if (const Json* requests = api::find(given, "requests")) status["allocatedResources"] = *requests;
        }
    }
    if (state.last && state.phase != Phase::terminated) {
        status["lastState"]["terminated"] = terminated(state.last->exit_code, state.last->reason, state.last->message,
                                                       state.last->started_at, state.last->finished_at, state.last->id);
    }
    return status;
}

// Replaces or adds one condition; others stay, and the transition time moves only with the status.
void set_condition(Json& conditions, std::string_view type, bool value, std::string_view reason, const std::string& message,
                   const std::string& time) {
    Json fresh = {{"type", type}, {"status", value ? "True" : "False"}, {"lastProbeTime", nullptr}, {"lastTransitionTime", time}};
    if (!reason.empty()) fresh["reason"] = reason;
    if (!message.empty()) fresh["message"] = message;
    for (Json& condition : conditions) {
        if (api::string_at(condition, {"type"}) != type) continue;
        if (api::string_at(condition, {"status"}) == api::string_at(fresh, {"status"}) &&
            api::find(condition, "lastTransitionTime") != nullptr) {
            fresh["lastTransitionTime"] = condition["lastTransitionTime"];
        }
        if (const Json* generation = api::find(condition, "observedGeneration")) fresh["observedGeneration"] = *generation;
        condition = std::move(fresh);
        return;
    }
    conditions.push_back(std::move(fresh));
}

// Once a pod has a generation, its status tells which one it is about (KEP 5067).
void observe_generation(Json& status, std::int64_t generation) {
    constexpr std::string_view own[] = {"PodReadyToStartContainers", "Initialized",      "Ready",
                                        "ContainersReady",           "PodScheduled",     "PodResizePending",
                                        "PodResizeInProgress"};
    if (generation == 0) return;
    status["observedGeneration"] = generation;
    for (Json& condition : status["conditions"]) {
        const std::string_view type = api::string_at(condition, {"type"});
        if (std::find(std::begin(own), std::end(own), type) != std::end(own)) condition["observedGeneration"] = generation;
    }
}

}  // namespace

// PodResizePending and PodResizeInProgress are there only while they are true.
void PodWorker::write_resize(Json& conditions, const std::string& time) const {
    const auto keep = [&](const char* type, bool holds, const std::string& reason, const std::string& message) {
        if (holds) return set_condition(conditions, type, true, reason, message, time);
        for (auto condition = conditions.begin(); condition != conditions.end(); ++condition) {
            if (api::string_at(*condition, {"type"}) != type) continue;
            conditions.erase(condition);
            return;
        }
    };
    keep("PodResizePending", !resize_reason_.empty(), resize_reason_, resize_message_);
    keep("PodResizeInProgress", resize_done_.has_value(), "", "");
}

void PodWorker::write_status() {
    if (!status_dirty_) return;
    status_dirty_ = false;
    const std::string time = api::format_time(now_);
    const auto change = [&](Json& pod) {
        if (api::uid_of(pod) != uid_) return false;
        Json& status = api::ensure(pod, {"status"});
        Json& conditions = status["conditions"];
        if (!conditions.is_array()) conditions = Json::array();
        std::vector<std::string> incomplete, unready;
        bool init_failed = false;
        Json init_statuses = Json::array(), statuses = Json::array();
        bool before_done = true;
        for (std::size_t i = 0; i < init_.size(); ++i) {
            const ContainerState& state = init_[i];
            const bool done = spec_->init[i].sidecar ? state.started : state.phase == Phase::terminated && state.exit_code == 0;
            init_statuses.push_back(container_status(spec_->init[i], state, true, true));
            if (!done && !initialized_) incomplete.push_back(spec_->init[i].name);
            init_failed = init_failed || (!spec_->init[i].sidecar && state.phase == Phase::terminated && state.exit_code != 0);
            before_done = before_done && (done || initialized_);
        }
        bool any_running = false, any_waiting = false;
        for (std::size_t i = 0; i < containers_.size(); ++i) {
            const ContainerState& state = containers_[i];
            statuses.push_back(container_status(spec_->containers[i], state, !init_.empty() && !before_done, false));
            if (!state.ready) unready.push_back(spec_->containers[i].name);
            any_running = any_running || state.phase == Phase::running;
            any_waiting = any_waiting || (state.phase == Phase::waiting && !state.last);
        }
        // A pod that was rejected never had containers.
        const bool rejected = ended_ && !end_reason_.empty() && !sandbox_ready_;
        if (!rejected) {
            if (!init_.empty()) status["initContainerStatuses"] = std::move(init_statuses);
            status["containerStatuses"] = std::move(statuses);
            if (!ephemeral_.empty()) {
                Json ephemeral = Json::array();
                for (std::size_t i = 0; i < ephemeral_.size(); ++i) ephemeral.push_back(container_status(spec_->ephemeral[i], ephemeral_[i], false, false));
                status["ephemeralContainerStatuses"] = std::move(ephemeral);
            }
            if (sandbox_ready_ && !ended_ && services_.minor >= 36 && api::find(pod, {"spec", "resourceClaims"}) != nullptr)
                write_devices(pod, services_.manager.registry());
        }
        std::string phase = "Pending";
        if (ended_ && !end_phase_.empty()) {
            phase = end_phase_;
        } else if (ended_) {
            phase = api::string_at(status, {"phase"}, "Pending");
        } else if (terminating_ && initialized_ && !any_running) {
            bool failed = false, ran = true;
            for (const ContainerState& state : containers_) {
                ran = ran && state.phase == Phase::terminated;
                failed = failed || state.exit_code != 0;
            }
            phase = !ran ? "Pending" : failed ? "Failed" : "Succeeded";
        } else if (initialized_ && !any_waiting) {
            phase = "Running";
        }
        status["phase"] = phase;
        if (ended_ && !end_reason_.empty()) status["reason"] = end_reason_;
        if (ended_ && !end_message_.empty()) status["message"] = end_message_;
        api::ensure(status, {})["startTime"] = api::format_time(started_at_);
        const std::string host_ip = services_.node_ip(spec_->node);
        status["hostIP"] = host_ip;
        if (services_.minor >= 28) status["hostIPs"] = Json::array({{{"ip", host_ip}}});
        if (!pod_ip_.empty()) {
            status["podIP"] = pod_ip_;
            status["podIPs"] = Json::array({{{"ip", pod_ip_}}});
        }
        const bool completed = phase == "Succeeded";
        if (!rejected) {
            const bool network = sandbox_ready_ && !ended_ && !(terminating_ && !any_running);
            if (services_.minor >= 29) set_condition(conditions, "PodReadyToStartContainers", network, "", "", time);
            if (incomplete.empty()) {
                set_condition(conditions, "Initialized", true, completed ? "PodCompleted" : "", "", time);
            } else {
                set_condition(conditions, "Initialized", false, init_failed && ended_ ? "PodFailed" : "ContainersNotInitialized",
                              init_failed && ended_ ? "" : "containers with incomplete status: " + quoted_list(incomplete), time);
            }
            std::string reason, message;
            if (completed) reason = "PodCompleted";
            else if (phase == "Failed") reason = "PodFailed";
            else if (!unready.empty()) reason = "ContainersNotReady", message = "containers with unready status: " + quoted_list(unready);
            const bool containers_ready = reason.empty();
            std::string ready_reason = reason, ready_message = message;
            if (containers_ready) {
                std::vector<std::string> problems;
                for (const std::string& gate : spec_->readiness_gates) {
                    const Json* found = nullptr;
                    for (const Json& condition : conditions)
                        if (api::string_at(condition, {"type"}) == gate) found = &condition;
                    if (found == nullptr) problems.push_back("corresponding condition of pod readiness gate \"" + gate + "\" does not exist.");
                    else if (api::string_at(*found, {"status"}) != "True")
                        problems.push_back("the status of pod readiness gate \"" + gate + "\" is not \"True\", but " +
                                           std::string(api::string_at(*found, {"status"})));
                }
                if (!problems.empty()) ready_reason = "ReadinessGatesNotReady", ready_message = api::join(problems, ", ");
            }
            set_condition(conditions, "Ready", ready_reason.empty(), ready_reason, ready_message, time);
            set_condition(conditions, "ContainersReady", containers_ready, reason, message, time);
        }
        set_condition(conditions, "PodScheduled", true, "", "", time);
        if (evicted_) set_condition(conditions, "DisruptionTarget", true, "TerminationByKubelet", end_message_, time);
        write_resize(conditions, time);
        observe_generation(status, spec_->generation);
        return true;
    };
    document_.reset();  // so that the write may change it where it is
    const auto written = services_.client.modify(services_.pods, spec_->namespace_name, spec_->name, "status", change);
    if (written) {
        written_ = (*written)->revision;
    } else if (written.error().code() != 404) {
        log_line(LogLevel::warning, "pod status was refused", {{"pod", record_->key}, {"why", written.error()->message}});
    }
}

}  // namespace kubemu::controllers::kubelet

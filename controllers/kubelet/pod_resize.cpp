// In-place resize: containers get other requests and limits while they run
// (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/,
// pkg/kubelet/allocation).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

// A resize that the node has no room for is tried again this often.
constexpr Duration deferred_retry = std::chrono::seconds(10);

Json parsed(const std::string& resources) {
    return resources.empty() ? Json::object() : Json::parse(resources, nullptr, false);
}

std::int64_t request(const Json& resources, const char* name) {
    const auto quantity = api::Quantity::parse(api::string_at(resources, {"requests", name}));
    if (!quantity) return 0;
    return std::string_view(name) == "cpu" ? quantity->milli_value() : quantity->value();
}

bool differs(const Json& a, const Json& b, const std::string& resource) {
    for (const char* list : {"requests", "limits"})
        if (api::string_at(a, {list, resource}) != api::string_at(b, {list, resource})) return true;
    return false;
}

}  // namespace

void PodWorker::give_resources(const ContainerSpec& spec, ContainerState& state) {
    if (resize_reason_.empty() || state.resources.empty()) state.resources = spec.resources;
}

void PodWorker::resize() {
    if (resize_done_) {
        if (now_ < *resize_done_) return due(*resize_done_);
        resize_done_.reset();
        status_dirty_ = true;
        event(false, "ResizeCompleted", "Pod resize completed");
    }
    std::int64_t cpu = 0, memory = 0;
    bool wanted = false, differ = false;
    for (std::size_t i = 0; i < containers_.size(); ++i)
        differ = differ || containers_[i].resources != spec_->containers[i].resources;
    if (!differ && resize_reason_.empty()) return;
    for (std::size_t i = 0; i < containers_.size(); ++i) {
        const Json resources = parsed(spec_->containers[i].resources);
        cpu += request(resources, "cpu");
        memory += request(resources, "memory");
        const bool runs = containers_[i].phase == ContainerState::Phase::running;
        wanted = wanted || (runs && containers_[i].resources != spec_->containers[i].resources);
    }
    const std::string before = resize_reason_ + resize_message_;
    resize_reason_.clear();
    resize_message_.clear();
    if (wanted) {
        bool infeasible = false;
        resize_message_ = services_.lacks(spec_->node, uid_, cpu, memory, infeasible);
        if (!resize_message_.empty()) {
            resize_reason_ = infeasible ? "Infeasible" : "Deferred";
            if (!infeasible) due(now_ + deferred_retry);
        }
    }
    if (resize_reason_ + resize_message_ != before) {
        status_dirty_ = true;
        if (!resize_reason_.empty())
            event(true, "Resize" + resize_reason_, "Pod resize " + resize_reason_ + ": " + resize_message_);
    }
    if (!wanted || !resize_reason_.empty()) return;
    event(false, "ResizeStarted", "Pod resize started");
    for (std::size_t i = 0; i < containers_.size(); ++i) {
        ContainerState& state = containers_[i];
        const ContainerSpec& spec = spec_->containers[i];
        if (state.phase != ContainerState::Phase::running || state.resources == spec.resources) continue;
        const Json old = parsed(state.resources), fresh = parsed(spec.resources);
        state.resources = spec.resources;
        const bool restart =
            std::any_of(spec.restart_on_resize.begin(), spec.restart_on_resize.end(),
                        [&](const std::string& resource) { return differs(old, fresh, resource); });
        if (!restart || state.stop_at) continue;
        kill(spec, state, "Container " + spec.name + " resize requires restart", spec_->grace);
        state.kill_reason = "changed";
    }
    status_dirty_ = true;
    const Duration takes = some(0.2);
    if (takes > Duration::zero()) {
        resize_done_ = now_ + takes;
        due(*resize_done_);
    } else {
        event(false, "ResizeCompleted", "Pod resize completed");
    }
}

}  // namespace kubemu::controllers::kubelet

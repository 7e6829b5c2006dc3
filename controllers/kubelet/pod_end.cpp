// The end of a pod: its containers are asked to end, sidecars after those that they serve, and killed when their grace is
// over; then it has its last phase, or goes (pkg/kubelet/kuberuntime, killContainer and terminationOrdering).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/pod_worker.h"
#include "controllers/runtime/annotated_event.h"
#include "storage/base/log.h"

namespace kubemu::controllers::kubelet {

using api::Json;

void PodWorker::check_end() {
    if (ended_ || stopping_) return;
    for (std::size_t i = 0; i < init_.size(); ++i) {
        const ContainerState& state = init_[i];
        if (!spec_->init[i].sidecar && state.phase == ContainerState::Phase::terminated && state.exit_code != 0 &&
            !restarts_after(spec_->init[i], state, true)) {
            return begin_end("Failed", "", "");
        }
    }
    bool failed = false;
    if (!initialized_) return;
    for (std::size_t i = 0; i < containers_.size(); ++i) {
        const ContainerState& state = containers_[i];
        if (state.phase != ContainerState::Phase::terminated || restarts_after(spec_->containers[i], state, false)) return;
        failed = failed || state.exit_code != 0;
    }
    begin_end(failed ? "Failed" : "Succeeded", "", "");
}

// It has its last phase when all of its containers have ended.
void PodWorker::begin_end(std::string phase, std::string reason, std::string message) {
    end_phase_ = std::move(phase);
    end_reason_ = std::move(reason);
    end_message_ = std::move(message);
    stop_containers(spec_->grace);
}

void PodWorker::stop_containers(Duration grace) {
    stopping_ = true;
    stop_by_ = now_ + grace;
    for (auto* list : {&init_, &containers_, &ephemeral_})
        for (ContainerState& state : *list) state.step = ContainerState::Step::none;
    each_running([&](const ContainerSpec& spec, ContainerState& state) {
        if (!state.stop_at) kill(spec, state, "Stopping container " + spec.name, grace);
        state.kill_reason = "deleted";
    });
}

// A sidecar waits for the containers that it serves, and for the sidecars that started after it.
bool PodWorker::has_turn(const ContainerState& state) const {
    const bool init = !init_.empty() && &state >= init_.data() && &state < init_.data() + init_.size();
    const std::size_t index = init ? static_cast<std::size_t>(&state - init_.data()) : 0;
    if (!init || !spec_->init[index].sidecar || now_ >= stop_by_) return true;
    const auto runs = [](const ContainerState& other) { return other.phase == ContainerState::Phase::running; };
    return std::none_of(containers_.begin(), containers_.end(), runs) &&
           std::none_of(init_.begin() + static_cast<std::ptrdiff_t>(index) + 1, init_.end(), runs);
}

bool PodWorker::containers_stopped() {
    bool stopped = true;
    const auto look = [&](const ContainerSpec& spec, ContainerState& state) {
        if (state.phase != ContainerState::Phase::running) return;
        if (!has_turn(state)) {
            const Process::State process = state.run->advance(now_);
            if (process.exited) return exited(spec, state, process.exit_code, process.finished_at, "");
            if (process.next) due(std::max(*process.next, now_ + std::chrono::seconds(1)));
            due(stop_by_);
            stopped = false;
            return;
        }
        if (!run_on(spec, state)) stopped = false;
    };
    for (std::size_t i = 0; i < containers_.size(); ++i) look(spec_->containers[i], containers_[i]);
    for (std::size_t i = 0; i < ephemeral_.size(); ++i) look(spec_->ephemeral[i], ephemeral_[i]);
    for (std::size_t i = init_.size(); i-- > 0;) look(spec_->init[i], init_[i]);
    return stopped;
}

void PodWorker::end_pod(std::string phase, std::string reason, std::string message) {
    ended_ = true;
    end_phase_ = std::move(phase);
    end_reason_ = std::move(reason);
    end_message_ = std::move(message);
    next_.reset();
    status_dirty_ = true;
}

void PodWorker::stop_at_once() {
    each_running([&](const ContainerSpec& spec, ContainerState& state) {
        event(false, "Killing", "Stopping container " + spec.name, &spec);
        exited(spec, state, 137, now_, "Error");
    });
}

void PodWorker::evict(const storage::RecordPtr& record, const std::string& message,
                      const std::map<std::string, std::string>& annotations) {
    now_ = services_.now();
    record_ = record;
    document_.reset();
    if (ended_ || terminating_) return;
    if (resting_) {
        spec_ = std::make_shared<const PodSpec>(read_pod_spec(document()));
        resting_ = false;
    }
    const Json reference = {{"apiVersion", "v1"},
                            {"kind", "Pod"},
                            {"metadata", {{"name", spec_->name}, {"namespace", spec_->namespace_name}, {"uid", uid_},
                                          {"resourceVersion", std::to_string(record_->revision)}}}};
    warn_annotated(services_.manager, services_.client, reference, {"kubelet", spec_->node, "Evicted", message, annotations});
    stop_at_once();
    evicted_ = true;
    end_pod("Failed", "Evicted", message);
    write_status();
    document_.reset();
}

void PodWorker::terminate(const api::PodView& view) {
    const bool had_grace = view.grace_seconds > 0;
    const Duration grace = std::chrono::seconds(view.grace_seconds);
    if (!terminating_) {
        terminating_ = true;
        if (!ended_ && !stopping_) stop_containers(grace);
    }
    if (!ended_ && now_ + grace < stop_by_) {  // somebody has become impatient
        stop_by_ = now_ + grace;
        each_running([&](const ContainerSpec&, ContainerState& state) {
            if (state.stop_at) state.stop_at = std::min(*state.stop_at, now_ + std::max(grace, least_grace));
            if (state.term_at) state.term_at = std::min(*state.term_at, now_ + grace);
        });
    }
    if (!ended_ && !containers_stopped()) {
        write_status();
        return;
    }
    // The last state is worth a write only when somebody can see it.
    const bool seen = latency_ > Duration::zero() || !view.finalizers.empty();
    if (seen && had_grace && admitted_) {
        status_dirty_ = true;
        write_status();
    }
    api::DeleteOptions options;
    options.grace_period_seconds = 0;
    options.precondition_uid = uid_;
    const auto gone = services_.client.remove(services_.pods, view.namespace_name, view.name, options);
    if (!gone && gone.error().code() != 404 && gone.error().code() != 409)
        log_line(LogLevel::info, "pod could not be removed", {{"pod", record_->key}, {"why", gone.error()->message}});
    removed_ = gone && *gone;
    next_.reset();
}

}  // namespace kubemu::controllers::kubelet

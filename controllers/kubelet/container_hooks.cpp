// What happens around a container's process: hooks, the signal to stop, its last words.
#include <algorithm>
#include <utility>

#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

// It does not count as started before its hook is through.
void PodWorker::wait_for_hook(ContainerState& state) {
    if (state.ready_after <= now_) return;
    state.started = state.ready = false;
    due(state.ready_after);
}

bool PodWorker::post_start(const ContainerSpec& spec, ContainerState& state) {
    state.ready_after = now_ + spec.post_start_sleep;
    if (spec.post_start.empty()) {
        wait_for_hook(state);
        return true;
    }
    const auto result = state.run->exec(spec.post_start, now_);
    state.ready_after = now_ + result.duration;
    if (result.exit_code == 0) {
        wait_for_hook(state);
        return true;
    }
    std::string command;
    for (const std::string& word : spec.post_start) command += (command.empty() ? "" : " ") + word;
    event(true, "FailedPostStartHook",
          services_.minor >= 30
              ? "PostStartHook failed"
              : "Exec lifecycle hook ([" + command + "]) for Container \"" + spec.name + "\" in Pod \"" +
                    spec_->name + "_" + spec_->namespace_name + "(" + uid_ + ")\" failed - error: command '" +
                    command + "' exited with " + std::to_string(result.exit_code) + ": " + result.output +
                    ", message: \"" + result.output + "\"",
          &spec);
    kill(spec, state, "FailedPostStartHook", spec_->grace);
    state.kill_reason = "unhealthy";
    return false;
}

// What the program left in its file, or the end of its log (pkg/kubelet/kuberuntime, getTerminationMessage).
std::string PodWorker::termination_message(const ContainerSpec& spec, ContainerState& state) const {
    constexpr std::size_t message_max = 4096, log_max = 2048;
    constexpr std::uint64_t log_lines = 80;
    std::string message;
    if (const auto result = state.run->exec({"cat", spec.termination_path}, state.finished_at);
        result.exit_code == 0)
        message = result.output;
    if (message.empty() && spec.log_as_message && state.exit_code != 0) {
        ContainerRun::Position position = state.run->tail(log_lines, state.finished_at);
        for (const ContainerRun::Line& line : state.run->take(position, state.finished_at).lines)
            message += line.text;
        if (message.size() > log_max) message.erase(0, message.size() - log_max);
    }
    if (message.size() > message_max) message.resize(message_max);
    return message;
}

bool PodWorker::run_on(const ContainerSpec& spec, ContainerState& state) {
    const std::uint64_t requests = services_.load->requests();
    Process::State process = state.run->advance(now_);
    state.asks_others = state.asks_others || services_.load->requests() != requests;
    if (!process.exited && state.term_at && now_ >= *state.term_at) {
        ask_to_end(state);
        process = state.run->advance(now_);
    }
    if (process.exited) {
        exited(spec, state, process.exit_code, process.finished_at, "");
        return true;
    }
    if (!state.stop_at) return false;
    // At an instant pace nobody waits for what will not happen before it is killed.
    const bool hopeless = latency_ <= Duration::zero() && !state.term_at && (!process.next || *process.next >= *state.stop_at);
    if (now_ >= *state.stop_at || hopeless) {
        exited(spec, state, state.stop_code, now_, "");
        return true;
    }
    due(state.term_at ? std::min(*state.term_at, *state.stop_at) : *state.stop_at);
    const Duration patience = std::min<Duration>(std::chrono::seconds(1), std::chrono::milliseconds(20) * state.wakes++);
    if (process.next) due(std::max(*process.next, now_ + patience));  // well within a window of the metrics
    return false;
}

// What has a handler for the signal has all of its grace; what has none gets nothing and is killed, except that at an
// instant pace nobody waits for that.
void PodWorker::ask_to_end(ContainerState& state) {
    constexpr int killed = 137;  // 128 and SIGKILL
    state.term_at.reset();
    state.stop_at = std::max(*state.stop_at, now_ + least_grace);  // it may have waited for its turn
    state.wakes = 0;
    state.stop_code = killed;
    switch (state.run->on_terminate()) {
        case Process::OnTerminate::handles: state.run->terminate(now_); return;
        case Process::OnTerminate::ignores:
            if (latency_ <= Duration::zero()) state.stop_at = now_;
            return;
        case Process::OnTerminate::ends:
            state.stop_code = state.run->end_code();
            state.stop_at = std::min(*state.stop_at, now_ + some(0.3));
            return;
    }
}

void PodWorker::kill(const ContainerSpec& spec, ContainerState& state, const std::string& message,
                     Duration grace) {
    event(false, "Killing", message, &spec);
    Duration hook = spec.pre_stop_sleep;
    if (!spec.pre_stop.empty()) {
        const auto result = state.run->exec(spec.pre_stop, now_);
        hook = result.endless ? grace : result.duration;
        if (result.exit_code != 0) event(true, "FailedPreStopHook", "PreStopHook failed", &spec);
    }
    hook = std::min(grace, hook);
    state.term_at = now_ + hook;
    state.stop_at = *state.term_at + std::max(grace - hook, least_grace);
    due(*state.term_at);
}

}  // namespace kubemu::controllers::kubelet

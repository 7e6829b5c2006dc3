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
                    spec_.name + "_" + spec_.namespace_name + "(" + uid_ + ")\" failed - error: command '" +
                    command + "' exited with " + std::to_string(result.exit_code) + ": " + result.output +
                    ", message: \"" + result.output + "\"",
          &spec);
    kill(spec, state, "FailedPostStartHook", spec_.grace);
    state.kill_reason = "unhealthy";
    due(*state.stop_at);
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

Process::State PodWorker::run_on(ContainerState& state) {
    if (state.term_at && now_ >= *state.term_at) state.run->terminate(*std::exchange(state.term_at, std::nullopt));
    const Process::State process = state.run->advance(now_);
    if (process.exited || !state.stop_at) return process;
    if (state.term_at) due(*state.term_at);
    if (process.next) due(std::max(*process.next, now_));
    return process;
}

// A process that does something about being asked to end has all of its grace for that.
int PodWorker::stopped_code(const ContainerState& state) {
    return state.run->on_terminate() == Process::OnTerminate::ends ? state.run->end_code() : 137;
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
    if (state.run->on_terminate() == Process::OnTerminate::ends) {
        state.stop_at = now_ + std::min(grace, hook + some(0.3));
        return;
    }
    state.stop_at = now_ + grace;
    if (state.run->on_terminate() == Process::OnTerminate::handles) state.term_at = now_ + hook;
}

}  // namespace kubemu::controllers::kubelet

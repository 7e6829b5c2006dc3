// Probes: a port answers when something is declared (or known) to listen there; commands run in the interpreter.
#include <algorithm>
#include <charconv>

#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

namespace {

// A probe that cannot change its mind is not asked again; one that fails is reported this often before it is
// asked only once a minute.
constexpr int failures_reported_max = 10;

int port_number(const ContainerSpec& spec, const std::string& port) {
    int number = 0;
    const auto result = std::from_chars(port.data(), port.data() + port.size(), number);
    if (result.ec == std::errc() && result.ptr == port.data() + port.size()) return number;
    const auto named = spec.ports.find(port);
    return named == spec.ports.end() ? 0 : named->second;
}

}  // namespace

bool PodWorker::serves(ContainerRun& run, std::string_view root, std::string path) const {
    path.resize(std::min(path.size(), path.find('?')));
    if (path.empty() || path == "/" || path == "/index.html") return true;
    return run.exec({"test", "-e", std::string(root) + (path[0] == '/' ? "" : "/") + path}, now_).exit_code == 0;
}

// Whether what is in them now stays: nobody writes there.
bool PodWorker::files_are_fixed(const ContainerState& state) const {
    return !state.run->changes_files() && !state.run->ever_touched() && (scratch_ == nullptr || scratch_->empty());
}

bool PodWorker::run_probe(const ContainerSpec& spec, ContainerState& state, const Probe& probe, std::string& output, bool& fixed) {
    if (probe.kind == Probe::Kind::exec) {
        const auto result = state.run->exec(probe.command, now_);
        output = result.output;
        while (!output.empty() && output.back() == '\n') output.pop_back();
        fixed = files_are_fixed(state);
        return result.exit_code == 0;
    }
    const int port = port_number(spec, probe.port);
    const auto image = parse_image(spec.image);
    const std::vector<int> known = image ? behaviour_of(*image).ports : std::vector<int>();
    const bool declared = std::any_of(spec.ports.begin(), spec.ports.end(), [&](const auto& entry) { return entry.second == port; });
    const bool listens = port > 0 && (declared || std::find(known.begin(), known.end(), port) != known.end() ||
                                      (spec.ports.empty() && known.empty()));
    const std::string address = pod_ip_ + ":" + std::to_string(port);
    fixed = true;
    // The image of the documentation's liveness example answers for ten seconds and then no more.
    if (spec.falls_ill && probe.kind == Probe::Kind::http) {
        fixed = false;
        if (now_ - state.started_at > std::chrono::seconds(10)) {
            output = "HTTP probe failed with statuscode: 500";
            return false;
        }
        return true;
    }
    if (listens && probe.kind == Probe::Kind::http && !spec.web_root.empty()) {
        fixed = files_are_fixed(state);
        if (!serves(*state.run, spec.web_root, probe.path)) output = "HTTP probe failed with statuscode: 404";
        return output.empty();
    }
    if (listens) return true;
    output = "dial tcp " + address + ": connect: connection refused";
    if (probe.kind == Probe::Kind::http) output = "Get \"" + probe.scheme + "://" + address + probe.path + "\": " + output;
    if (probe.kind == Probe::Kind::grpc) output = "timeout: failed to connect service \"" + address + "\" within 1s";
    return false;
}

// True when the probe ran; sets `success` or `failure` when a threshold was reached.
bool PodWorker::poll_probe(const ContainerSpec& spec, ContainerState& state, const Probe& probe, ProbeState& memory,
                           std::string_view kind, bool& success, bool& failure) {
    if (memory.settled) return false;
    const bool at_once = latency_ <= Duration::zero() && probe.kind != Probe::Kind::exec;
    if (memory.next == Time{}) memory.next = state.started_at + (at_once && probe.initial_delay == Duration::zero() ? Duration::zero() : std::max(probe.initial_delay, some(0.1)));
    if (now_ < memory.next) {
        due(memory.next);
        return false;
    }
    std::string output;
    bool fixed = false;
    const bool good = run_probe(spec, state, probe, output, fixed);
    if (good) {
        memory.failures = 0;
        success = ++memory.successes >= probe.success_threshold;
        memory.settled = success && fixed;
    } else {
        memory.successes = 0;
        failure = ++memory.failures >= probe.failure_threshold;
        if (memory.events++ < failures_reported_max)
            event(true, "Unhealthy", std::string(kind) + " probe failed: " + output, &spec);
    }
    const bool often = memory.events <= failures_reported_max || good;
    memory.next = now_ + (often ? probe.period : std::max<Duration>(probe.period, std::chrono::minutes(1)));
    if (!memory.settled) due(memory.next);
    return true;
}

void PodWorker::probe(const ContainerSpec& spec, ContainerState& state) {
    if (state.stop_at || state.phase != ContainerState::Phase::running || spec.ephemeral) return;
    if (now_ < state.ready_after) {
        due(state.ready_after);
        return;
    }
    // Whoever ran a command in the container may have changed what a probe found.
    if (state.run->take_touched()) state.startup.settled = state.liveness.settled = state.readiness.settled = false;
    const auto restart = [&](std::string_view which, const Probe& probe) {
        kill(spec, state, "Container " + spec.name + " failed " + std::string(which) + " probe, will be restarted",
             probe.grace.value_or(spec_->grace));
        state.kill_reason = "unhealthy";
    };
    if (!state.started && spec.startup.kind == Probe::Kind::none) {
        state.started = true;  // its hook is through
        status_dirty_ = true;
    }
    bool success = false, failure = false;
    if (!state.started && spec.startup.kind != Probe::Kind::none) {
        poll_probe(spec, state, spec.startup, state.startup, "Startup", success, failure);
        if (failure) return restart("startup", spec.startup);
        if (!success) return;
        state.started = true;
        status_dirty_ = true;
    }
    if (spec.liveness.kind != Probe::Kind::none) {
        failure = false;
        poll_probe(spec, state, spec.liveness, state.liveness, "Liveness", success, failure);
        if (failure) return restart("liveness", spec.liveness);
    }
    bool ready = state.ready;
    if (spec.readiness.kind == Probe::Kind::none) {
        ready = true;
    } else {
        success = failure = false;
        poll_probe(spec, state, spec.readiness, state.readiness, "Readiness", success, failure);
        if (success) ready = true;
        if (failure) ready = false;
    }
    if (override_of("ready", spec.name) == "false") ready = false;
    if (ready != state.ready) {
        state.ready = ready;
        status_dirty_ = true;
    }
}

}  // namespace kubemu::controllers::kubelet

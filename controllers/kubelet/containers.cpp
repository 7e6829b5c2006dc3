// One container: pull, create, run, exit, restart with back-off.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/usage.h"
#include "api/kinds/networking/service_networks.h"
#include "api/values/text.h"
#include "controllers/kubelet/container_streams.h"
#include "controllers/kubelet/image_catalog.h"
#include "controllers/kubelet/pod_worker.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr Duration backoff_first = std::chrono::seconds(10);
constexpr Duration backoff_max = std::chrono::seconds(300);
// A container that ran this long starts afresh with its back-off.
constexpr Duration backoff_reset = std::chrono::minutes(10);

// As Go prints a time.Duration that was rounded to milliseconds: "1.2s", "850ms".
std::string go_duration(Duration duration) {
    const auto milli = duration.count() / 1000;
    if (milli < 1000) return std::to_string(milli) + "ms";
    std::string text = std::to_string(milli / 1000);
    if (milli % 1000 != 0) {
        char digits[8];
        std::snprintf(digits, sizeof digits, ".%03d", static_cast<int>(milli % 1000));
        text += digits;
        while (text.back() == '0') text.pop_back();
    }
    return text + "s";
}

std::string backoff_text(Duration backoff) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(backoff).count();
    if (seconds < 60) return std::to_string(seconds) + "s";
    return std::to_string(seconds / 60) + "m" + std::to_string(seconds % 60) + "s";
}

const Json* container_of(const Json& pod, const std::string& name) {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"})
        for (const Json& container : api::array_at(pod, {"spec", list}))
            if (api::string_at(container, {"name"}) == name) return &container;
    return nullptr;
}

std::vector<std::string> words(const Json& list) {
    std::vector<std::string> result;
    for (const Json& item : list)
        if (item.is_string()) result.push_back(item.get<std::string>());
    return result;
}

// "5s", "1m", "250ms" or a plain number of seconds.
std::optional<Duration> parse_duration(const std::string& text) {
    try {
        std::size_t end = 0;
        const double value = std::stod(text, &end);
        const std::string unit = text.substr(end);
        const double scale = unit == "ms" ? 1e-3 : unit == "m" ? 60 : unit == "h" ? 3600 : 1;
        return Duration(static_cast<Duration::rep>(value * scale * 1e6));
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace

bool PodWorker::restarts_after(const ContainerSpec& spec, const ContainerState& state, bool init) const {
    if (spec.sidecar) return true;
    if (spec.ephemeral) return false;
    for (const RestartRule& rule : spec.restart_rules) {
        const bool listed = std::find(rule.exit_codes.begin(), rule.exit_codes.end(), state.exit_code) != rule.exit_codes.end();
        if (listed == rule.in) return true;
    }
    const std::string& policy = spec.restart_policy.empty() ? spec_->restart_policy : spec.restart_policy;
    if (policy == "Never") return false;
    if (init || policy == "OnFailure") return state.exit_code != 0;
    return true;
}

bool PodWorker::advance(const ContainerSpec& spec, ContainerState& state, bool init) {
    using Phase = ContainerState::Phase;
    if (state.phase == Phase::running) {
        if (!state.stop_at && state.started_image != spec.image) {
            kill(spec, state, "Container " + spec.name + " definition changed, will be restarted", spec_->grace);
            state.kill_reason = "changed";
        }
        if (!run_on(spec, state) && !state.stop_at) {
            const Process::State process = state.run->advance(now_);
            probe(spec, state);
            if (process.next) {
                // A loop that wakes up for ever is looked at less and less often; its output is made when it is read.
                const Duration patience = std::min<Duration>(std::chrono::seconds(30), std::chrono::milliseconds(50) * state.wakes);
                ++state.wakes;
                // What it asks of others has to be known by the end of each window of the metrics.
                const Time look = state.asks_others ? std::min(now_ + patience, api::usage_time(now_) + api::usage_window) : now_ + patience;
                due(std::max(*process.next, look));
            }
        }
        if (state.phase == Phase::running) return true;
    }
    if (state.phase == Phase::terminated) {
        if (!restarts_after(spec, state, init)) return true;
        if (now_ < state.retry_at) {
            const Duration shown_after = latency_ > Duration::zero() ? Duration(std::chrono::seconds(1)) : Duration::zero();
            const Time waiting_at = std::min(state.finished_at + shown_after, state.retry_at);
            if (state.crash_backoff == Duration::zero() || now_ < waiting_at) {
                due(state.crash_backoff == Duration::zero() ? state.retry_at : waiting_at);
                return true;
            }
            const std::string where = spec.name + " pod=" + spec_->name + "_" + spec_->namespace_name + "(" + uid_ + ")";
            state.phase = Phase::waiting;
            state.waiting_reason = "CrashLoopBackOff";
            state.waiting_message = "back-off " + backoff_text(state.crash_backoff) + " restarting failed container=" + where;
            event(true, "BackOff", "Back-off restarting failed container " + spec.name + " in pod " + spec_->name + "_" +
                                       spec_->namespace_name + "(" + uid_ + ")", &spec, init);
            status_dirty_ = true;
        } else {
            state.phase = Phase::waiting;
        }
    }
    if (now_ < state.retry_at) {
        due(state.retry_at);
        if (state.waiting_reason == "ErrImagePull" && now_ >= state.step_due) {
            const std::string image = "Back-off pulling image \"" + spec.image + "\"";
            event(false, "BackOff", image, &spec, init);
            event(true, "Failed", "Error: ImagePullBackOff", &spec, init);
            state.waiting_reason = "ImagePullBackOff";
            state.waiting_message = services_.minor >= 32 ? image + ": ErrImagePull: " + state.waiting_message : image;
            status_dirty_ = true;
        } else if (state.waiting_reason == "ErrImagePull") {
            due(state.step_due);
        }
        return true;
    }
    start(spec, state, init);
    return state.phase == Phase::running || state.step == ContainerState::Step::none;
}

void PodWorker::start(const ContainerSpec& spec, ContainerState& state, bool init) {
    const bool quiet = this->quiet();  // normal events would treble the writes
    if (state.step == ContainerState::Step::none) {
        const auto image = parse_image(spec.image);
        if (!image) {
            const std::string why = "Failed to apply default image tag \"" + spec.image +
                                    "\": couldn't parse image name \"" + spec.image + "\": invalid reference format";
            if (state.waiting_reason != "InvalidImageName") {
                event(true, "InspectFailed", why, &spec, init);
                event(true, "Failed", "Error: InvalidImageName", &spec, init);
                status_dirty_ = true;
            }
            state.waiting_reason = "InvalidImageName";
            state.waiting_message = why;
            return;
        }
        std::vector<std::string> absent;
        for (const std::string& secret : spec_->pull_secrets)
            if (services_.manager.registry().get("secrets", spec_->namespace_name, secret) == nullptr) absent.push_back(secret);
        if (!absent.empty()) {
            event(true, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (" + api::join(absent, ", ") +
                                                               "); attempting to pull the image may not succeed.");
        }
        const bool present = services_.images.has(spec_->node, *image);
        if (spec.pull_policy == "Never" && !present) {
            const std::string why = "Container image \"" + spec.image + "\" is not present with pull policy of Never";
            event(true, "ErrImageNeverPull", why, &spec, init);
            event(true, "Failed", "Error: ErrImageNeverPull", &spec, init);
            if (state.waiting_reason != "ErrImageNeverPull") status_dirty_ = true;
            state.waiting_reason = "ErrImageNeverPull";
            state.waiting_message = why;
            state.retry_at = now_ + std::chrono::seconds(10);  // it may come another way
            return due(state.retry_at);
        }
        if (present && spec.pull_policy != "Always") {
            if (!quiet) event(false, "Pulled", "Container image \"" + spec.image + "\" already present on machine", &spec, init);
            state.step = ContainerState::Step::creating;
            state.step_due = now_ + some(0.2);
        } else {
            if (!quiet || pull_error(*image)) event(false, "Pulling", "Pulling image \"" + spec.image + "\"", &spec, init);
            state.step = ContainerState::Step::pulling;
            state.pull_time = some(present ? 0.2 : 0.5);
            state.step_due = now_ + state.pull_time;
        }
    }
    if (state.step == ContainerState::Step::pulling) {
        if (now_ < state.step_due) return due(state.step_due);
        pull(spec, state);
    }
    if (state.step == ContainerState::Step::creating) {
        if (now_ < state.step_due) return due(state.step_due);
        create(spec, state);
    }
}

void PodWorker::pull(const ContainerSpec& spec, ContainerState& state) {
    const auto image = parse_image(spec.image);
    if (const auto error = pull_error(*image)) {
        pull_failed(spec, state, "ErrImagePull", *error);
        return;
    }
    services_.images.add(spec_->node, *image);
    state.pull_backoff = Duration::zero();
    if (!quiet()) {
        const std::string took = go_duration(state.pull_time);
        std::string message = "Successfully pulled image \"" + spec.image + "\" in " + took + " (" + took + " including waiting)";
        if (services_.minor >= 30) message += ". Image size: " + std::to_string(image_bytes(*image)) + " bytes.";
        event(false, "Pulled", message, &spec);
    }
    state.step = ContainerState::Step::creating;
    state.step_due = now_ + some(0.2);
}

void PodWorker::pull_failed(const ContainerSpec& spec, ContainerState& state, const std::string& reason, const std::string& message) {
    event(true, "Failed", "Failed to pull image \"" + spec.image + "\": " + message, &spec);
    event(true, "Failed", "Error: " + reason, &spec);
    state.pull_backoff = state.pull_backoff == Duration::zero() ? backoff_first : std::min(state.pull_backoff * 2, backoff_max);
    state.retry_at = now_ + state.pull_backoff;
    state.step = ContainerState::Step::none;
    state.step_due = now_ + std::chrono::seconds(2);  // when the next sync would find the back-off
    state.waiting_reason = reason;
    state.waiting_message = message;
    status_dirty_ = true;
    due(state.step_due);
}

bool PodWorker::create(const ContainerSpec& spec, ContainerState& state) {
    const Json* container = container_of(document(), spec.name);
    if (container == nullptr) return false;
    ContainerSetup setup;
    {
        const std::shared_ptr<Volumes> volumes = services_.logs.volumes(uid_);
        const Lock lock(*services_.logs.run_mutex());
        setup = resolve_environment(document(), *container, pod_ip_, services_.node_ip(spec_->node),
                                    services_.manager.registry(), false, volumes.get());
    }
    state.step = ContainerState::Step::none;
    if (!setup.error.empty()) {
        if (state.waiting_message != setup.error) {
            event(true, "Failed", "Error: " + setup.error, &spec);
            status_dirty_ = true;
        }
        state.waiting_reason = "CreateContainerConfigError";
        state.waiting_message = setup.error;
        state.retry_at = now_ + std::chrono::seconds(10);
        waits_for_config_ = true;
        due(state.retry_at);
        return false;
    }
    waits_for_config_ = false;
    const auto image = parse_image(spec.image);
    if (state.last) ++state.restarts;
    state.phase = ContainerState::Phase::running;
    state.started_at = now_;
    state.id = "containerd://" + hex_digits(uid_ + spec.name + std::to_string(state.restarts), 64);
    state.image = image->digest.empty() ? image->text() : spec.image;
    state.image_id = image->repository + "@" + image_digest(*image);
    state.started_image = spec.image;
    state.waiting_reason.clear();
    state.waiting_message.clear();
    state.stop_at.reset();
    state.term_at.reset();
    state.kill_reason.clear();
    state.wakes = 0;
    state.startup = state.liveness = state.readiness = {};
    state.started = spec.startup.kind == Probe::Kind::none;
    state.ready = state.started && spec.readiness.kind == Probe::Kind::none && override_of("ready", spec.name) != "false";
    if (!quiet()) {
        event(false, "Created", (services_.minor >= 32 ? "Created container: " : "Created container ") + spec.name, &spec);
        event(false, "Started", "Started container " + spec.name, &spec);
    }
    give_resources(spec, state);
    make_run(spec, state);
    status_dirty_ = true;
    const Process::State process = state.run->advance(now_);
    if (process.next) due(*process.next);
    if (process.exited) due(now_ + some(0.1));
    if (!process.exited && !post_start(spec, state)) return true;
    probe(spec, state);
    return true;
}

void PodWorker::make_run(const ContainerSpec& spec, ContainerState& state) {
    const Json& pod = document();
    const Json* container = container_of(pod, spec.name);
    ProcessContext context;
    const api::Registry& registry = services_.manager.registry();
    const std::string host_ip = services_.node_ip(spec_->node);
    const auto image = parse_image(spec.image);
    const ImageBehaviour behaviour = image ? behaviour_of(*image) : ImageBehaviour{};
    const std::vector<std::string> command = words(api::array_at(*container, {"command"}));
    const std::vector<std::string> args = words(api::array_at(*container, {"args"}));
    const bool talks = api::bool_at(*container, {"stdin"}), tty = api::bool_at(*container, {"tty"});
    const bool own_shell = talks && behaviour.kind == ImageKind::shell && command.empty() && args.empty();
    const bool own_program = own_shell || !command.empty() || (behaviour.kind == ImageKind::shell && !args.empty()) ||
                             (!args.empty() && is_known_program(args[0]) && behaviour.kind == ImageKind::unknown);
    const bool long_running = spec_->restart_policy == "Always" && (spec.sidecar || &state < init_.data() || &state >= init_.data() + init_.size());
    context.started_at = state.started_at;
    context.first_process = !api::bool_at(pod, {"spec", "shareProcessNamespace"}) && !api::bool_at(pod, {"spec", "hostPID"});
    context.unknown_runs_for_ever = long_running || spec.sidecar;
    context.unknown_duration = std::max<Duration>(latency_, std::chrono::milliseconds(100));
    context.network = services_.network;
    context.pod_namespace = spec_->namespace_name;
    context.host_name = spec_->host_network ? spec_->node : std::string(api::string_at(pod, {"spec", "hostname"}, spec_->name));
    context.working_directory = api::string_at(*container, {"workingDir"}, "/");
    const bool needs_files = own_program || !spec.post_start.empty() || spec.liveness.kind == Probe::Kind::exec || spec.readiness.kind == Probe::Kind::exec ||
                             spec.startup.kind == Probe::Kind::exec || !spec.pre_stop.empty();
    if (needs_files) {
        if (scratch_ == nullptr) scratch_ = services_.logs.volumes(uid_);
        {
            const Lock lock(*services_.logs.run_mutex());
            context.env = resolve_environment(pod, *container, pod_ip_, host_ip, registry, true, scratch_.get()).env;
            context.files = mount_files(pod, *container, pod_ip_, host_ip, registry, services_.logs);
        }
        context.identity = std::make_shared<const Identity>(
            identity_of(pod, *container, pod_ip_, context.host_name, api::kinds::dns_service_address(registry)));
        context.files->belong_to(context.identity);
        for (const std::string& word : command) context.argv.push_back(expand_references(word, context.env));
        for (const std::string& word : args) context.argv.push_back(expand_references(word, context.env));
        if (own_shell) context.argv = {default_shell(spec.image)};
        if (talks || tty) context.conversation = conversation_of(pod, *container, context.argv, talks, tty);
    } else {
        context.files = std::make_shared<FileSystem>();
    }
    std::unique_ptr<Process> process;
    const std::string exit_code = override_of("exit-code", spec.name), duration = override_of("run-duration", spec.name),
                      text = override_of("log", spec.name);
    if (spec.out_of_memory) {
        process = make_fixed_process(std::move(context),
                                     "stress: info: [1] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd\n",
                                     some(0.5), 137);
    } else if (!exit_code.empty() || !duration.empty() || !text.empty()) {
        std::optional<Duration> length = parse_duration(duration);
        if (!length && !exit_code.empty()) length = context.unknown_duration;
        if (!length && spec_->restart_policy != "Always") length = context.unknown_duration;
        const int code = exit_code.empty() ? 0 : std::atoi(exit_code.c_str());
        process = make_fixed_process(std::move(context), text.empty() || text.back() == '\n' ? text : text + "\n", length, code);
    } else if (own_program) {
        process = make_interpreted_process(std::move(context));
    } else if (behaviour.kind == ImageKind::shell || behaviour.kind == ImageKind::message) {
        process = make_fixed_process(std::move(context), behaviour.text, Duration::zero(), 0);
    } else {
        const bool for_ever = behaviour.kind == ImageKind::server || long_running;
        const auto length = for_ever ? std::nullopt : std::optional(context.unknown_duration);
        std::string start_text = behaviour.text;
        if (behaviour.kind == ImageKind::unknown) {
            start_text = for_ever ? "starting " + std::string(image ? image->base_name() : spec.name) + "\n" : "";
        }
        const std::string_view argument = args.empty() ? std::string_view() : std::string_view(args[0]);
        const auto stop_code = image ? stop_code_of_image(image->base_name(), argument) : std::optional(0);
        process = make_fixed_process(std::move(context), start_text, length, 0, stop_code);
    }
    state.run = std::make_shared<ContainerRun>(services_.logs.run_mutex(), std::move(process), state.started_at);
    services_.logs.add(uid_, spec.name, state.run);
}

void PodWorker::exited(const ContainerSpec& spec, ContainerState& state, int code, Time at, std::string reason) {
    state.run->stop(at);
    const bool killed_for_restart = state.kill_reason == "unhealthy" || state.kill_reason == "changed";
    state.phase = ContainerState::Phase::terminated;
    state.finished_at = at;
    state.exit_code = code;
    if (spec.out_of_memory && code == 137 && !state.stop_at) reason = "OOMKilled";
    state.end_reason = !reason.empty() ? std::move(reason) : state.exit_code == 0 ? "Completed" : "Error";
    state.end_message = state.run->changes_files() ? termination_message(spec, state) : std::string();
    state.stop_at.reset();
    state.term_at.reset();
    state.ready = state.started = false;
    status_dirty_ = true;
    if (terminating_ || ended_ || stopping_) return;
    const bool init = &state >= init_.data() && &state < init_.data() + init_.size();
    if (!restarts_after(spec, state, init) && !(killed_for_restart && spec_->restart_policy != "Never")) return;
    if (at - state.started_at >= backoff_reset) state.crash_backoff = Duration::zero();
    // The first restart is immediate; the back-off of the following ones doubles.
    if (state.restarts == 0 || (at - state.started_at >= backoff_reset)) state.crash_backoff = Duration::zero();
    else state.crash_backoff = state.crash_backoff == Duration::zero() ? backoff_first : std::min(state.crash_backoff * 2, backoff_max);
    state.retry_at = at + (state.crash_backoff == Duration::zero() ? some(0.3) : state.crash_backoff);
    due(std::max(state.retry_at, now_));
    state.last = std::make_unique<ContainerEnd>(
        ContainerEnd{state.exit_code, state.end_reason, state.end_message, state.id, state.started_at, at});
}

}  // namespace kubemu::controllers::kubelet

// The pod as a whole: admission, sandbox, order of containers, deadline.
#include "controllers/kubelet/pod_worker.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"

namespace kubemu::controllers::kubelet {

using api::Json;
using api::string_at;

namespace {

// Namespaced and harmless: what kubelets allow without --allowed-unsafe-sysctls (pkg/kubelet/sysctl).
bool is_safe_sysctl(std::string_view name) {
    for (std::string_view safe :
         {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
          "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
          "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
          "net.ipv4.tcp_wmem"}) {
        if (name == safe) return true;
    }
    return false;
}

}  // namespace

Duration PodWorker::some(double part) const {
    if (latency_ <= Duration::zero()) return Duration::zero();
    const double spread = 0.8 + 0.4 * services_.manager.random().unit("kubelet");
    return Duration(static_cast<Duration::rep>(static_cast<double>(latency_.count()) * part * spread));
}

PodWorker::PodWorker(NodeServices& services, const api::PodView& view) : services_(services), uid_(view.uid) {}

PodWorker::~PodWorker() {
    const Time time = services_.now();
    for (auto* list : {&init_, &containers_, &ephemeral_})
        for (ContainerState& state : *list)
            if (state.run != nullptr) state.run->stop(time);
    services_.logs.forget(uid_);
    if (!pod_ip_.empty() && !host_network_) services_.give_ip(pod_ip_);
}

void PodWorker::due(Time time) {
    if (!next_ || time < *next_) next_ = time;
}

const Json& PodWorker::document() {
    if (document_ == nullptr) document_ = services_.client.read(*record_);
    return *document_;
}

std::string PodWorker::override_of(std::string_view name, const std::string& container) const {
    auto found = spec_->overrides.find(std::string(name) + "." + container);
    if (found == spec_->overrides.end()) found = spec_->overrides.find(std::string(name));
    return found == spec_->overrides.end() ? std::string() : found->second;
}

void PodWorker::event(bool warning, std::string_view reason, const std::string& message, const ContainerSpec* container, bool init) {
    const Json reference = {{"apiVersion", "v1"},
                            {"kind", "Pod"},
                            {"metadata",
                             {{"name", spec_->name},
                              {"namespace", spec_->namespace_name},
                              {"uid", uid_},
                              {"resourceVersion", std::to_string(record_->revision)}}}};
    std::string path;
    if (container != nullptr) {
        // Those that do not say whether they are init containers are looked for among them.
        const bool among_init = init || (container >= spec_->init.data() && container < spec_->init.data() + spec_->init.size());
        path = (among_init ? "spec.initContainers{" : container->ephemeral ? "spec.ephemeralContainers{" : "spec.containers{") + container->name + "}";
    }
    const auto recorder = services_.events(spec_->node);
    if (recorder == nullptr) return;
    if (warning) recorder->warning(reference, reason, message, path);
    else recorder->normal(reference, reason, message, path);
}

void PodWorker::each_running(const std::function<void(const ContainerSpec&, ContainerState&)>& visit) {
    for (std::size_t i = 0; i < init_.size(); ++i)
        if (init_[i].phase == ContainerState::Phase::running) visit(spec_->init[i], init_[i]);
    for (std::size_t i = 0; i < containers_.size(); ++i)
        if (containers_[i].phase == ContainerState::Phase::running) visit(spec_->containers[i], containers_[i]);
    for (std::size_t i = 0; i < ephemeral_.size(); ++i)
        if (ephemeral_[i].phase == ContainerState::Phase::running) visit(spec_->ephemeral[i], ephemeral_[i]);
}

std::optional<Time> PodWorker::sync(const storage::RecordPtr& record) {
    now_ = services_.now();
    if (removed_) return std::nullopt;
    const api::PodView& view = api::pod_view_of(*record);
    const bool own_write = record->revision > loaded_ && record->revision == written_;
    if (own_write && !view.deleting && at_rest()) {
        record_ = record;
        loaded_ = record->revision;
        rest();
        return std::nullopt;
    }
    next_.reset();
    record_ = record;
    document_.reset();
    latency_ = services_.latency(view.namespace_name);
    if (record->revision > loaded_) {
        if (record->revision != written_) load(record);
        loaded_ = record->revision;
    }
    if (resting_) {
        spec_ = std::make_shared<const PodSpec>(read_pod_spec(document()));
        resting_ = false;
    }
    if (view.deleting) {
        terminate(view);
    } else if (!ended_) {
        if (!admitted_ && !admit(view)) {
            write_status();
        } else {
            const bool late = !stopping_ && spec_->active_deadline && now_ >= started_at_ + *spec_->active_deadline;
            if (late) {
                event(false, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
                begin_end("Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
            } else if (!stopping_) {
                if (spec_->active_deadline) due(started_at_ + *spec_->active_deadline);
                if (volumes_ready()) {
                    resize();
                    run_containers();
                }
                check_end();
            }
            if (stopping_ && !ended_ && containers_stopped()) end_pod(end_phase_, end_reason_, end_message_);
            write_status();
        }
    }
    document_.reset();
    if (at_rest() && written_ <= loaded_) rest();
    return next_;
}

// Nothing will happen before the pod changes: all of its containers run and ask for nothing, and its status says so.
bool PodWorker::at_rest() const {
    const auto all_run = [](const std::vector<ContainerState>& states) {
        return std::all_of(states.begin(), states.end(),
                           [](const ContainerState& state) { return state.phase == ContainerState::Phase::running; });
    };
    return admitted_ && sandbox_ready_ && !ended_ && !terminating_ && !stopping_ && !next_ && !status_dirty_ && !waits_for_config_ && init_.empty() &&
           ephemeral_.empty() && all_run(containers_);
}

const std::shared_ptr<const PodSpec>& PodWorker::nothing_read() {
    static const auto nothing = std::make_shared<const PodSpec>();
    return nothing;
}

// Most pods rest for nearly all of their life: what can be read from the document again is not kept meanwhile.
void PodWorker::rest() {
    spec_ = nothing_read();
    document_.reset();
    resting_ = true;
}

void PodWorker::load(const storage::RecordPtr& record) {
    record_ = record;
    const Json& pod = document();
    const bool first = loaded_ == 0;
    spec_ = std::make_shared<const PodSpec>(read_pod_spec(pod));
    resting_ = false;
    host_network_ = spec_->host_network;
    init_.resize(spec_->init.size());
    containers_.resize(spec_->containers.size());
    ephemeral_.resize(spec_->ephemeral.size());
    for (const Json& condition : api::array_at(pod, {"status", "conditions"})) {
        const std::string type(string_at(condition, {"type"}));
        if (std::find(spec_->readiness_gates.begin(), spec_->readiness_gates.end(), type) != spec_->readiness_gates.end())
            gates_[type] = string_at(condition, {"status"}) == "True";
    }
    if (first && api::find(pod, {"status", "startTime"}) != nullptr) adopt(pod);
    const auto phase = string_at(pod, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed") ended_ = true;
    if (!first) status_dirty_ = true;  // somebody else wrote: what the kubelet owns is checked again
}

// A pod that ran before kubemu was started again: its status says where it was.
void PodWorker::adopt(const Json& pod) {
    admitted_ = true;
    started_at_ = api::parse_time_or_zero(string_at(pod, {"status", "startTime"}));
    sandbox_due_ = now_;
    pod_ip_ = string_at(pod, {"status", "podIP"});
    sandbox_ready_ = !pod_ip_.empty();
    const auto read = [&](const char* member, const std::vector<ContainerSpec>& specs, std::vector<ContainerState>& states) {
        for (const Json& status : api::array_at(pod, {"status", member})) {
            for (std::size_t i = 0; i < specs.size(); ++i) {
                if (specs[i].name != string_at(status, {"name"})) continue;
                ContainerState& state = states[i];
                state.restarts = static_cast<int>(api::int_at(status, {"restartCount"}));
                state.id = string_at(status, {"containerID"});
                state.image = string_at(status, {"image"});
                state.image_id = string_at(status, {"imageID"});
                state.ready = api::bool_at(status, {"ready"});
                state.started = api::bool_at(status, {"started"});
                state.started_image = specs[i].image;
                const Json* given = api::find(status, "resources");
                state.resources = given != nullptr ? given->dump() : specs[i].resources;
                for (int n = 1; n < state.restarts; ++n)
                    state.crash_backoff = std::min<Duration>(std::max<Duration>(state.crash_backoff * 2, std::chrono::seconds(10)),
                                                             std::chrono::seconds(300));
                if (const Json* last = api::find(status, {"lastState", "terminated"})) {
                    state.last = std::make_unique<ContainerEnd>();
                    state.last->exit_code = static_cast<int>(api::int_at(*last, {"exitCode"}));
                    state.last->reason = string_at(*last, {"reason"});
                    state.last->id = string_at(*last, {"containerID"});
                    state.last->started_at = api::parse_time_or_zero(string_at(*last, {"startedAt"}));
                    state.last->finished_at = api::parse_time_or_zero(string_at(*last, {"finishedAt"}));
                }
                if (const Json* running = api::find(status, {"state", "running"})) {
                    state.phase = ContainerState::Phase::running;
                    state.started_at = api::parse_time_or_zero(string_at(*running, {"startedAt"}));
                    if (const auto image = parse_image(specs[i].image)) services_.images.add(spec_->node, *image);
                    make_run(specs[i], state);
                } else if (const Json* ended = api::find(status, {"state", "terminated"})) {
                    state.phase = ContainerState::Phase::terminated;
                    state.exit_code = static_cast<int>(api::int_at(*ended, {"exitCode"}));
                    state.end_reason = string_at(*ended, {"reason"});
                    state.started_at = api::parse_time_or_zero(string_at(*ended, {"startedAt"}));
                    state.finished_at = api::parse_time_or_zero(string_at(*ended, {"finishedAt"}));
                    state.retry_at = now_;
                    state.last = std::make_unique<ContainerEnd>(
                        ContainerEnd{state.exit_code, state.end_reason, {}, state.id, state.started_at, state.finished_at});
                    make_run(specs[i], state);  // its log
                    state.run->advance(state.finished_at);
                    state.run->stop(state.finished_at);
                } else if (state.last && string_at(status, {"state", "waiting", "reason"}) == "CrashLoopBackOff") {
                    state.waiting_reason = "CrashLoopBackOff";
                    state.retry_at = state.last->finished_at + state.crash_backoff;
                }
            }
        }
    };
    read("initContainerStatuses", spec_->init, init_);
    read("containerStatuses", spec_->containers, containers_);
    read("ephemeralContainerStatuses", spec_->ephemeral, ephemeral_);
}

bool PodWorker::admit(const api::PodView& view) {
    admitted_ = true;
    status_dirty_ = true;
    started_at_ = now_;
    if (!view.host_ports.empty() && services_.port_taken(spec_->node, uid_, view.host_ports)) {
        const std::string why = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
        event(true, "NodePorts", why);
        end_pod("Failed", "NodePorts", "Pod was rejected: " + why);
        return false;
    }
    for (const std::string& name : spec_->sysctls) {
        if (is_safe_sysctl(name)) continue;
        const std::string why = "forbidden sysctl: \"" + name + "\" not allowlisted";
        event(true, "SysctlForbidden", why);
        end_pod("Failed", "SysctlForbidden", "Pod was rejected: " + why);
        return false;
    }
    if (const std::string why = services_.under_pressure(spec_->node, document()); !why.empty()) {
        event(true, "Evicted", why);
        end_pod("Failed", "Evicted", "Pod was rejected: " + why);
        return false;
    }
    sandbox_due_ = now_ + some(0.3);
    return true;
}

bool PodWorker::volumes_ready() {
    if (sandbox_ready_) return true;
    if (now_ < mount_retry_ && !waits_for_config_) {
        due(mount_retry_);
        return false;
    }
    const std::string missing = missing_volume(document(), services_.manager.registry());
    waits_for_config_ = !missing.empty();
    if (waits_for_config_) {
        if (now_ >= mount_retry_) {
            event(true, "FailedMount", missing);
            // The volume manager's own back-off: 500 ms, doubled, up to 2 m 2 s.
            const Duration backoff = std::chrono::milliseconds(500) * (1 << std::min(mount_failures_++, 8));
            mount_retry_ = now_ + std::min<Duration>(backoff, std::chrono::seconds(122));
        }
        // WaitForAttachAndMount gives up after two minutes and three seconds, and the pod is synced again.
        const Time patience = started_at_ + std::chrono::seconds(123) * (mount_rounds_ + 1);
        if (now_ >= patience) {
            ++mount_rounds_;
            const std::size_t open = missing.find('"'), close = missing.find('"', open + 1);
            const std::string volume = open == std::string::npos ? std::string() : missing.substr(open + 1, close - open - 1);
            event(true, "FailedMount", "Unable to attach or mount volumes: unmounted volumes=[" + volume + "], unattached volumes=[], failed to process volumes=[]: " +
                                           (services_.minor >= 30 ? "context deadline exceeded" : "timed out waiting for the condition"));
        }
        due(started_at_ + std::chrono::seconds(123) * (mount_rounds_ + 1));
        due(mount_retry_);
        return false;
    }
    if (now_ < sandbox_due_) {
        due(sandbox_due_);
        return false;
    }
    if (!devices_ready()) return false;
    if (pod_ip_.empty()) pod_ip_ = spec_->host_network ? services_.node_ip(spec_->node) : services_.take_ip(spec_->node);
    sandbox_ready_ = true;
    return true;
}

void PodWorker::run_containers() {
    for (std::size_t i = 0; i < ephemeral_.size(); ++i) advance(spec_->ephemeral[i], ephemeral_[i], false);
    bool previous_done = true;
    for (std::size_t i = 0; i < init_.size() && previous_done; ++i) {
        ContainerState& state = init_[i];
        const bool finished = state.phase == ContainerState::Phase::terminated && state.exit_code == 0 && !spec_->init[i].sidecar;
        if (!finished && !initialized_) {
            previous_done = advance(spec_->init[i], state, true);
            if (spec_->init[i].sidecar) previous_done = state.phase == ContainerState::Phase::running && state.started;
            else previous_done = state.phase == ContainerState::Phase::terminated && state.exit_code == 0;
        } else if (initialized_ && spec_->init[i].sidecar) {
            advance(spec_->init[i], state, true);
        }
    }
    if (!previous_done) return;
    if (!initialized_) status_dirty_ = true;
    initialized_ = true;
    bool may_start = true;
    for (std::size_t i = 0; i < containers_.size(); ++i) {
        // Containers start one after the other; those that run already go on in any case.
        if (!may_start && containers_[i].phase != ContainerState::Phase::running) continue;
        if (!advance(spec_->containers[i], containers_[i], false)) may_start = false;
    }
}

}  // namespace kubemu::controllers::kubelet

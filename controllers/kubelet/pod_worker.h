// PodWorker: the life of one pod on its node, from admission to removal.
//
// sync() looks at the pod, the clock and its own memory, moves everything that is due, writes the status when it
// differs, and says when it wants to be called again. What a real kubelet does with containers happens here to
// numbers and times only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/kinds/metrics/served_load.h"
#include "api/kinds/views.h"
#include "api/values/object.h"
#include "controllers/kubelet/logs.h"
#include "controllers/kubelet/node_images.h"
#include "controllers/kubelet/process.h"
#include "controllers/runtime/controller.h"

namespace kubemu::controllers::kubelet {

struct Probe {
    enum class Kind { none, exec, http, tcp, grpc } kind = Kind::none;
    std::vector<std::string> command;
    std::string port;  // number or name
    std::string path, scheme;
    Duration initial_delay{}, period{};
    int success_threshold = 1, failure_threshold = 3;
    std::optional<Duration> grace;  // of the restart that it leads to; nothing: the pod's
};

// Of a container's restartPolicyRules: what these exit codes lead to.
struct RestartRule {
    bool in = true;  // In or NotIn
    std::vector<int> exit_codes;
};

struct ContainerSpec {
    std::string name, image, pull_policy;
    bool sidecar = false, ephemeral = false;
    std::string restart_policy;  // its own; empty: the pod's
    std::vector<RestartRule> restart_rules;
    std::string termination_path = "/dev/termination-log";
    bool log_as_message = false;  // FallbackToLogsOnError
    std::vector<std::string> post_start;
    Duration post_start_sleep{};
    std::set<std::string> restart_on_resize;  // resources whose resize restarts it
    std::string resources;                    // as JSON, of what may be resized; empty: none
    std::map<std::string, int> ports;  // declared, by name ("#<number>" without one)
    bool falls_ill = false;            // the documentation's liveness example: it answers for ten seconds
    std::string_view web_root;         // of a web server as its image is: a probe finds what is a file there; else empty
    bool out_of_memory = false;        // it takes more than its limit allows
    Probe startup, liveness, readiness;
    std::vector<std::string> pre_stop;
    Duration pre_stop_sleep{};
};

struct PodSpec {
    std::string name, namespace_name, uid, node, restart_policy;
    std::int64_t generation = 0;
    std::optional<Duration> active_deadline;
    Duration grace = std::chrono::seconds(30);
    bool host_network = false;
    std::vector<ContainerSpec> init, containers, ephemeral;
    std::vector<std::string> readiness_gates, pull_secrets;
    std::map<std::string, std::string> overrides;  // annotations kubemu.io/*, without the prefix
    std::vector<std::string> sysctls;
};

PodSpec read_pod_spec(const api::Json& pod);

struct ProbeState {
    Time next{};
    int successes = 0, failures = 0, events = 0;
    bool settled = false;  // its outcome is known and cannot change by itself
};

// No container has less than this between the signal and its end (the kubelet's minimumGracePeriodInSeconds).
inline constexpr Duration least_grace = std::chrono::seconds(2);

// How a run of a container went.
struct ContainerEnd {
    int exit_code = 0;
    std::string reason, message, id;
    Time started_at{}, finished_at{};
};

// Everything about one container that outlives a sync.
struct ContainerState {
    enum class Phase { waiting, running, terminated } phase = Phase::waiting;
    enum class Step { none, pulling, creating } step = Step::none;
    Time step_due{};
    Duration pull_time{};
    std::string waiting_reason, waiting_message;
    Time retry_at{};
    int restarts = 0;
    Time started_at{}, finished_at{};
    int exit_code = 0;
    std::string end_reason, end_message;
    std::string id, image_id, image;
    std::string started_image;  // as the spec named it
    std::unique_ptr<ContainerEnd> last;  // of the run before; null: there was none
    Time ready_after{};  // its postStart hook takes until then
    bool ready = false, started = false;
    Duration pull_backoff{}, crash_backoff{};
    std::string kill_reason;  // why it is being stopped
    std::optional<Time> stop_at;  // it is being stopped, and killed then
    std::optional<Time> term_at;  // it is asked to end then
    int stop_code = 0;            // with which it ends at stop_at
    ContainerRunPtr run;
    int wakes = 0;
    bool asks_others = false;  // over the network, which shows as their load
    std::string resources;  // what the node has given it, as ContainerSpec::resources
    ProbeState startup, liveness, readiness;
};

// What all workers share; owned by the controller.
struct NodeServices {
    Manager& manager;
    api::Client& client;
    const api::KindSpec& pods;
    LogStore& logs;
    int minor = 36;  // of the Kubernetes version
    std::shared_ptr<const Network> network;
    // The pod start-up latency in a namespace; zero: everything happens at once.
    std::function<Duration(const std::string& namespace_name)> latency;
    std::function<std::shared_ptr<EventRecorder>(const std::string& node)> events;  // null: the node went
    std::function<std::string(const std::string& node)> node_ip;
    std::function<std::string(const std::string& node)> take_ip;
    std::function<void(const std::string& ip)> give_ip;
    std::function<bool(const std::string& node, const std::string& uid, const std::vector<api::HostPort>&)> port_taken;
    // Why the node cannot give the pod these requests: "" when it can. `infeasible`: it never will.
    std::function<std::string(const std::string& node, const std::string& uid, std::int64_t cpu_milli, std::int64_t memory_bytes, bool& infeasible)> lacks;
    // There are so many pods that the events of ordinary starts at an instant pace are left out.
    std::function<bool()> crowded;
    NodeImages& images;
    // Why the node's kubelet, short of something, does not take the pod.
    std::function<std::string(const std::string& node, const api::Json& pod)> under_pressure;
    std::shared_ptr<const api::ServedLoad> load;

    Time now() const { return manager.clock().now(); }
};

class PodWorker {
  public:
    PodWorker(NodeServices& services, const api::PodView& view);
    ~PodWorker();

    // Nothing: only a change of the pod, or of what it waits for, matters.
    std::optional<Time> sync(const storage::RecordPtr& record);
    const std::string& uid() const { return uid_; }
    // Ends the pod because its node is short of something; `annotations` are those of the event.
    void evict(const storage::RecordPtr& record, const std::string& message, const std::map<std::string, std::string>& annotations);
    // It waits for a ConfigMap, a Secret or a claim.
    bool waits_for_config() const { return waits_for_config_; }

  private:
    friend class StatusWriter;
    void load(const storage::RecordPtr& record);
    bool at_rest() const;
    void rest();
    // What all pods share while they are at rest.
    static const std::shared_ptr<const PodSpec>& nothing_read();
    void adopt(const api::Json& pod);
    bool admit(const api::PodView& view);
    bool volumes_ready();
    bool devices_ready();
    void run_containers();
    // True when the next container may start.
    bool advance(const ContainerSpec& spec, ContainerState& state, bool init);
    void start(const ContainerSpec& spec, ContainerState& state, bool init);
    void pull(const ContainerSpec& spec, ContainerState& state);
    bool create(const ContainerSpec& spec, ContainerState& state);
    void pull_failed(const ContainerSpec& spec, ContainerState& state, const std::string& reason, const std::string& message);
    void make_run(const ContainerSpec& spec, ContainerState& state);
    void exited(const ContainerSpec& spec, ContainerState& state, int code, Time at, std::string reason);
    bool restarts_after(const ContainerSpec& spec, const ContainerState& state, bool init) const;
    void kill(const ContainerSpec& spec, ContainerState& state, const std::string& message, Duration grace);
    void ask_to_end(ContainerState& state);
    // Runs its process up to now, and asks it to end when it is time for that. True when it has ended.
    bool run_on(const ContainerSpec& spec, ContainerState& state);
    void probe(const ContainerSpec& spec, ContainerState& state);
    bool serves(ContainerRun& run, std::string_view root, std::string path) const;
    bool files_are_fixed(const ContainerState& state) const;
    bool run_probe(const ContainerSpec& spec, ContainerState& state, const Probe& probe, std::string& output, bool& fixed);
    bool poll_probe(const ContainerSpec& spec, ContainerState& state, const Probe& probe, ProbeState& memory,
                    std::string_view kind, bool& success, bool& failure);
    bool quiet() const { return latency_ <= Duration::zero() && services_.crowded(); }
    // The postStart hook; false when it failed, and the container with it.
    bool post_start(const ContainerSpec& spec, ContainerState& state);
    void wait_for_hook(ContainerState& state);
    std::string termination_message(const ContainerSpec& spec, ContainerState& state) const;
    // pod_resize.cpp
    void resize();
    void give_resources(const ContainerSpec& spec, ContainerState& state);
    void write_resize(api::Json& conditions, const std::string& time) const;
    // pod_end.cpp
    void check_end();
    void begin_end(std::string phase, std::string reason, std::string message);
    void stop_containers(Duration grace);
    bool containers_stopped();
    bool has_turn(const ContainerState& state) const;
    void end_pod(std::string phase, std::string reason, std::string message);
    void stop_at_once();
    void terminate(const api::PodView& view);
    void write_status();
    const api::Json& document();
    std::string override_of(std::string_view name, const std::string& container) const;
    void event(bool warning, std::string_view reason, const std::string& message, const ContainerSpec* container = nullptr, bool init = false);
    void due(Time time);
    // `part` of the start-up latency, a little more or less.
    Duration some(double part) const;
    void each_running(const std::function<void(const ContainerSpec&, ContainerState&)>& visit);

    NodeServices& services_;
    const std::string uid_;
    Duration latency_{};  // of its namespace, as of this sync
    storage::RecordPtr record_;
    std::shared_ptr<const api::Json> document_;  // of record_, while a sync needs it
    std::shared_ptr<const PodSpec> spec_ = nothing_read();
    std::vector<ContainerState> init_, containers_, ephemeral_;
    std::shared_ptr<Volumes> scratch_;  // emptyDir volumes; null until a container looks at files
    storage::Revision loaded_ = 0, written_ = 0;
    bool admitted_ = false, status_dirty_ = false, sandbox_ready_ = false, initialized_ = false;
    bool resting_ = false, host_network_ = false;
    bool terminating_ = false, ended_ = false, waits_for_config_ = false, removed_ = false;
    int mount_failures_ = 0;
    Time started_at_{}, sandbox_due_{}, mount_retry_{}, devices_retry_{}, now_{}, initialized_at_{};
    std::string pod_ip_, end_phase_, end_reason_, end_message_;
    bool evicted_ = false;
    bool stopping_ = false;  // its containers are, for good
    Time stop_by_{};         // when sidecars wait no longer for the containers that they serve
    std::map<std::string, bool> gates_;
    std::string resize_reason_, resize_message_;  // Deferred or Infeasible; empty: nothing is pending
    std::optional<Time> resize_done_;              // when the one in progress is
    int mount_rounds_ = 0;                         // of the two minutes that a pod waits for its volumes
    std::optional<Time> next_;
};

// container_process.cpp: the process of a container, and the environment and files it sees.
struct ContainerSetup {
    std::map<std::string, std::string> env;
    std::string error;  // the message of CreateContainerConfigError
};
// `volumes`: those of the pod, for variables that are read from a file in one (fileKeyRef).
ContainerSetup resolve_environment(const api::Json& pod, const api::Json& container, const std::string& pod_ip,
                                   const std::string& host_ip, const api::Registry& registry, bool with_services,
                                   const Volumes* volumes = nullptr);
// The volume that cannot be mounted: "MountVolume.SetUp failed for volume ..."; empty when all can.
std::string missing_volume(const api::Json& pod, const api::Registry& registry);
// pod_devices.cpp: why the devices of the pod's claims cannot be prepared; empty when they can. Every driver is on every
// node, so what is allocated and reserved for the pod is there.
std::string missing_devices(const api::Json& pod, const api::Registry& registry);
// status.containerStatuses[].allocatedResourcesStatus: the devices of the claims that each container names. Their drivers
// say nothing about their health.
void write_devices(api::Json& pod, const api::Registry& registry);
// The volumes of a container. Those that outlive the pod, and its own, are the same for all who mount them.
// Call it, and the next, with the mutex of all runs held.
std::shared_ptr<FileSystem> mount_files(const api::Json& pod, const api::Json& container, const std::string& pod_ip,
                                        const std::string& host_ip, const api::Registry& registry, LogStore& logs);
// What a container has before anybody looks into it is only made then; volumes are read anew each time, as a node
// refreshes ConfigMaps and Secrets.
void fill_context(ProcessContext& context, const api::Json& pod, const api::Json& container,
                  const api::Registry& registry, LogStore& logs);
// Expands $(NAME) as container commands and environment values do.
std::string expand_references(std::string_view text, const std::map<std::string, std::string>& env);

}  // namespace kubemu::controllers::kubelet

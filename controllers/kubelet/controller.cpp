// Wires workers to the informers: which pods move, on which node, how fast.
#include "controllers/kubelet/controller.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "controllers/kubelet/cluster_network.h"
#include "controllers/kubelet/container_streams.h"
#include "controllers/kubelet/eviction_manager.h"
#include "controllers/kubelet/node_images.h"
#include "controllers/kubelet/pod_worker.h"
#include "controllers/kubelet/simulated_nodes.h"
#include "controllers/kubelet/stages/engine.h"
#include "controllers/scheduler/filters.h"

namespace kubemu::controllers {

using api::Json;

namespace {

// At an instant pace starts have events as long as there are no more pods than this: a start's three events
// take more room than the pod itself.
constexpr std::size_t pods_with_events = 500;
// Pods whose writes wait for a webhook beside each other; of real kubelets each has workers of its own.
constexpr std::size_t pods_in_work = 32;

int minor_of(const std::string& version) {
    const auto dot = version.find('.');
    return dot == std::string::npos ? 36 : std::atoi(version.c_str() + dot + 1);
}

}  // namespace

struct KubeletController::Impl {
    Impl(KubeletController& owner, NodeOptions given)
        : self(owner),
          options(std::move(given)),
          pods(owner.manager().informer("pods")),
          namespaces(owner.manager().informer("namespaces")),
          logs(owner.manager()),
          streams({.manager = owner.manager(),
                   .logs = logs,
                   .changed = [this](const std::string& key) {
                       self.manager().post([this, key] { self.enqueue(key); });
                   }}),
          nodes(
              {.manager = owner.manager(),
               .client = owner.client(),
               .configured =
                   options.nodes ? *options.nodes : kubelet::default_nodes(options.count),
               .kubernetes_version = options.kubernetes_version,
               .quiet = latency_at(options.pace) == Duration::zero(),
               .wake_pods = [this](const std::string& node) { wake_node(node); },
               .enqueue = [this](const std::string& node) { self.enqueue(node); },
               .images = [this](const std::string& node, Json& list) { images.list(node, list); },
               .wishes_read = [this](const Json& node,
                                     const kubelet::NodeWishes& wishes) { wishes_read(node, wishes); },
               .forgotten =
                   [this](const std::string& node) {
                       images.forget(node);
                       evictions.forget(node);
                   },
               .staged =
                   [this](const storage::Record& node) { return engine.drives(self.kind("nodes"), node); }}),
          engine({.manager = owner.manager(),
                  .client = owner.client(),
                  .node_ip = [this](const std::string& node) { return nodes.ip(node); },
                  .take_ip =
                      [this](const std::string& node) {
                          return nodes.has(node) ? take_ip(node) : std::string();
                      },
                  .give_ip = [this](const std::string& ip) { used_ips.erase(ip); },
                  .stages_changed = [this](const std::string& resource) { stages_changed(resource); }}),
          services{
              owner.manager(),
              owner.client(),
              owner.kind("pods"),
              logs,
              minor_of(options.kubernetes_version),
              kubelet::make_network(owner.manager().registry(), logs, load),
              [this](const std::string& space) { return latency_at(pace_of(space)); },
              [this](const std::string& node) { return nodes.events(node); },
              [this](const std::string& node) { return nodes.ip(node); },
              [this](const std::string& node) { return take_ip(node); },
              [this](const std::string& ip) { used_ips.erase(ip); },
              [this](const std::string& node, const std::string& uid,
                     const std::vector<api::HostPort>& ports) { return port_taken(node, uid, ports); },
              [this](const std::string& node, const std::string& uid, std::int64_t cpu, std::int64_t memory,
                     bool& infeasible) { return lacks(node, uid, cpu, memory, infeasible); },
              [this] { return workers.size() > pods_with_events; },
              images,
              [this](const std::string& node, const Json& pod) { return evictions.refusal(node, pod); },
              load},
          evictions({.manager = owner.manager(),
                     .events = [this](const std::string& node) { return nodes.events(node); },
                     .pods = [this](const std::string& node) { return active_pods(node); },
                     .evict = [this](const std::string& key, const kubelet::EvictionText& text,
                                     const std::string& resource) { evict(key, text, resource); },
                     .report = [this](const std::string& node, const std::set<std::string>& conditions) {
                         nodes.set_pressures(node, conditions);
                     }}) {}

    Duration latency_at(Pace pace) const {
        return pace == Pace::instant ? Duration::zero() : options.pod_startup_latency;
    }

    Pace pace_of(const std::string& space) const {
        const auto own = paces.find(space);
        return own == paces.end() ? options.pace : own->second;
    }

    // The node's own range first; what does not fit there comes from a range that all nodes share.
    std::string take_ip(const std::string& node) {
        // The node may go while a write of its pod waits.
        const std::string cidr = nodes.has(node) ? nodes.identity(node).pod_cidr : std::string();
        const std::string prefix = cidr.substr(0, cidr.rfind('.') + 1);
        int& next = next_host[node];
        for (int i = 0; i < 253 && !prefix.empty(); ++i) {
            const std::string ip = prefix + std::to_string(2 + next);
            next = (next + 1) % 253;
            if (used_ips.insert(ip).second) return ip;
        }
        for (;;) {
            next_shared = next_shared % 0x3fffff + 1;
            const std::string ip = "10." + std::to_string(128 + (next_shared >> 16)) + "." +
                                   std::to_string(next_shared >> 8 & 255) + "." +
                                   std::to_string(next_shared & 255);
            if (used_ips.insert(ip).second) return ip;
        }
    }

    bool port_taken(const std::string& node, const std::string& uid,
                    const std::vector<api::HostPort>& ports) const {
        for (const auto& record : pods.on_node(node)) {
            const api::PodView& other = api::pod_view_of(*record);
            if (other.uid == uid || other.finished()) continue;
            if (scheduler::ports_clash(ports, other.host_ports)) {
                const auto worker = workers.find(record->key);
                if (worker != workers.end()) return true;  // it was here first
            }
        }
        return false;
    }

    std::string lacks(const std::string& node, const std::string& uid, std::int64_t cpu, std::int64_t memory,
                      bool& infeasible) const {
        const storage::RecordPtr record = self.manager().informer("nodes").get(node);
        if (record == nullptr) return {};
        scheduler::NodeInfo info;
        scheduler::read_node(self.client().document(*record), info);
        std::int64_t used_cpu = 0, used_memory = 0;
        for (const auto& other : pods.on_node(node)) {
            const api::PodView& view = api::pod_view_of(*other);
            if (view.uid == uid || view.finished()) continue;
            used_cpu += view.cpu_milli;
            used_memory += view.memory_bytes;
        }
        const auto check = [&](const char* name, std::int64_t wanted, std::int64_t used,
                               std::int64_t capacity) -> std::string {
            const std::string asked = std::string(name) + ", requested: " + std::to_string(wanted);
            if (wanted > capacity) {
                infeasible = true;
                return "Node didn't have enough capacity: " + asked +
                       ", capacity: " + std::to_string(capacity);
            }
            if (used + wanted <= capacity) return {};
            return "Node didn't have enough resource: " + asked + ", used: " + std::to_string(used) +
                   ", capacity: " + std::to_string(capacity);
        };
        std::string problem = check("cpu", cpu, used_cpu, info.allocatable.cpu_milli);
        if (!infeasible) {
            const std::string other = check("memory", memory, used_memory, info.allocatable.memory_bytes);
            if (infeasible || problem.empty()) problem = other;
        }
        return problem;
    }

    void on_pod(const api::Informer::Change& change) {
        if (change.after == nullptr) {
            workers.erase(change.before->key);
            to_evict.erase(change.before->key);
            engine.forget(self.kind("pods"), *change.before);
            return;
        }
        const api::PodView& view = api::pod_view_of(*change.after);
        if (!view.pod_ip.empty() && change.before == nullptr) used_ips.insert(view.pod_ip);
        if (nodes.has(view.node_name)) self.enqueue(change.after->key);
    }

    void on_namespace(const api::Informer::Change& change) {
        const std::string name = api::view_of(change.after ? *change.after : *change.before).name;
        std::optional<Pace> wanted;
        if (change.after && change.after->bytes.get()->find(pace_annotation) != std::string::npos) {
            const Json document = self.client().document(*change.after);
            wanted = pace_named(api::string_at(document, {"metadata", "annotations", pace_annotation}));
        }
        const Pace before = pace_of(name);
        if (wanted)
            paces[name] = *wanted;
        else
            paces.erase(name);
        if (pace_of(name) == before) return;
        for (const auto& record : pods.list(name)) self.enqueue(record->key);
    }

    void wishes_read(const Json& node, const kubelet::NodeWishes& wishes) {
        images.learn(std::string(api::name_of(node)), api::array_at(node, {"status", "images"}));
        evictions.observe(node, wishes);
    }

    // Those that have something on the node; it plays no kubelet for pods that Stages move.
    std::vector<std::pair<std::string, Json>> active_pods(const std::string& node) {
        std::vector<std::pair<std::string, Json>> result;
        if (!nodes.answers(node)) return result;
        for (const auto& record : pods.on_node(node)) {
            const api::PodView& view = api::pod_view_of(*record);
            const bool stands = pace_of(view.namespace_name) == Pace::frozen;
            if (view.active() && !stands && workers.count(record->key) > 0)
                result.emplace_back(record->key, self.client().document(*record));
        }
        return result;
    }

    void evict(const std::string& key, const kubelet::EvictionText& text, const std::string& resource) {
        to_evict[key] = {text.message,
                         {{"offending_containers", text.offending_containers},
                          {"offending_containers_usage", text.offending_usage},
                          {"starved_resource", resource}}};
        self.enqueue(key);
    }

    // All that a worker does it does under the key of its pod, so that its writes may wait: it is kept until then.
    std::optional<Time> sync_pod(const std::string& key, const storage::RecordPtr& record) {
        const api::PodView& view = api::pod_view_of(*record);
        std::shared_ptr<kubelet::PodWorker>& known = workers[key];
        if (known == nullptr || known->uid() != view.uid) known = std::make_shared<kubelet::PodWorker>(services, view);
        const std::shared_ptr<kubelet::PodWorker> worker = known;
        self.interleave();
        if (const auto eviction = to_evict.extract(key)) {
            worker->evict(record, eviction.mapped().message, eviction.mapped().annotations);
        }
        return worker->sync(record);
    }

    void wake_node(const std::string& node) {
        for (const auto& record : pods.on_node(node)) self.enqueue(record->key);
    }

    void wake_config_waiters() {
        for (const auto& [key, worker] : workers)
            if (worker->waits_for_config()) self.enqueue(key);
    }

    // What Stages move of other kinds has keys of its own.
    static std::string stage_key(const std::string& resource, const std::string& key) {
        return "stage:" + resource + ":" + key;
    }

    void stages_changed(const std::string& resource) {
        if (resource == "nodes")
            self.manager().set_timer(&self, "stages of nodes", self.now(),
                                     [this] { nodes.report_phase(engine.has_stages("nodes")); });
        api::Informer& informer = self.manager().informer(resource);
        const bool own = resource == "pods" || resource == "nodes";
        if (!own && followed.insert(resource).second) {
            informer.subscribe([this, resource](const api::Informer::Change& change) {
                if (change.after)
                    self.enqueue(stage_key(resource, change.after->key));
                else
                    engine.forget(self.kind("pods"), *change.before);
            });
        }
        for (const auto& record : informer.list())
            self.enqueue(own ? record->key : stage_key(resource, record->key));
    }

    api::ApiResult<Requeue> sync_other(const std::string& key) {
        const std::size_t colon = key.find(':', 6);
        const std::string resource = key.substr(6, colon - 6);
        const api::KindSpec* kind = self.manager().registry().kinds().find_stored(resource);
        if (kind == nullptr) return Requeue{};
        const storage::RecordPtr record = self.manager().informer(resource).get(key.substr(colon + 1));
        if (record == nullptr) return Requeue{};
        return engine.sync(*kind, record).value_or(Requeue{});
    }

    api::ApiResult<Requeue> sync_node(const std::string& name) {
        TRY_ASSIGN(const Requeue own, nodes.sync(name));
        if (!nodes.answers(name) || !engine.has_stages("nodes")) return own;
        const storage::RecordPtr record = self.manager().informer("nodes").get(name);
        if (record == nullptr) return own;
        return engine.sync(self.kind("nodes"), record).value_or(own);
    }

    KubeletController& self;
    NodeOptions options;
    api::Informer& pods;
    api::Informer& namespaces;
    std::unordered_map<std::string, Pace> paces;  // of namespaces that set one
    kubelet::LogStore logs;
    kubelet::ContainerStreams streams;
    kubelet::SimulatedNodes nodes;
    stages::StageEngine engine;
    std::set<std::string> followed;  // resources whose objects Stages move, pods and nodes aside
    kubelet::NodeImages images{[this](const std::string& node) { nodes.image_came(node); }};
    std::unordered_set<std::string> used_ips;
    std::map<std::string, int> next_host;
    int next_shared = 0;
    const std::shared_ptr<api::ServedLoad> load = api::ServedLoad::make(self.manager().registry());
    kubelet::NodeServices services;
    kubelet::EvictionManager evictions;
    struct Eviction {
        std::string message;
        std::map<std::string, std::string> annotations;
    };
    std::unordered_map<std::string, Eviction> to_evict;  // by key
    std::unordered_map<std::string, std::shared_ptr<kubelet::PodWorker>>
        workers;  // by key; they use all of the above
};

KubeletController::KubeletController(Manager& manager, NodeOptions options)
    : Controller(manager, "kubelet", "kubelet"), impl_(std::make_unique<Impl>(*this, std::move(options))) {
    has_workers(pods_in_work, Interleaved::chosen);
    impl_->namespaces.subscribe([this](const api::Informer::Change& change) { impl_->on_namespace(change); });
    impl_->pods.subscribe([this](const api::Informer::Change& change) { impl_->on_pod(change); });
    for (const char* resource : {"configmaps", "secrets", "persistentvolumeclaims"})
        manager.informer(resource).subscribe(
            [this](const api::Informer::Change&) { impl_->wake_config_waiters(); });
    manager.on_kind_change([this](const std::string& resource, const api::KindSpec* kind) {
        if (kind == nullptr) impl_->followed.erase(resource);  // its informer goes too
    });
}

KubeletController::~KubeletController() = default;

api::PodLogs& KubeletController::logs() {
    return impl_->logs;
}

api::PodStreams& KubeletController::streams() {
    return impl_->streams;
}

Result<bool, std::string> KubeletController::register_nodes() {
    return impl_->nodes.register_configured();
}

void KubeletController::start() {
    impl_->nodes.start();
}

api::ApiResult<Requeue> KubeletController::reconcile(const std::string& key) {
    if (key.compare(0, 6, "stage:") == 0) return impl_->sync_other(key);
    if (key.find('/') == std::string::npos) return impl_->sync_node(key);
    const storage::RecordPtr record = impl_->pods.get(key);
    if (record == nullptr) return Requeue{};
    const api::PodView& view = api::pod_view_of(*record);
    if (!impl_->nodes.has(view.node_name)) {
        impl_->workers.erase(key);
        return Requeue{};
    }
    // What stands still is woken when that ends.
    if (!impl_->nodes.answers(view.node_name) || impl_->pace_of(view.namespace_name) == Pace::frozen)
        return Requeue{};
    if (auto staged = impl_->engine.sync(kind("pods"), record)) return std::move(*staged);
    const std::optional<Time> next = impl_->sync_pod(key, record);
    impl_->evictions.pod_came(view.node_name);
    if (!next) return Requeue{};
    return Requeue{std::max<Duration>(*next - now(), Duration::zero())};
}

}  // namespace kubemu::controllers

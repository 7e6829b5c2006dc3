// Wires workers to the informers, and keeps the nodes alive.
#include "controllers/kubelet/controller.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "api/values/time.h"
#include "controllers/kubelet/nodes.h"
#include "controllers/kubelet/pod_worker.h"
#include "controllers/scheduler/filters.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;

namespace {

constexpr Duration lease_interval = std::chrono::seconds(10);
constexpr Duration status_interval = std::chrono::minutes(5);  // --node-status-report-frequency

int minor_of(const std::string& version) {
    const auto dot = version.find('.');
    return dot == std::string::npos ? 36 : std::atoi(version.c_str() + dot + 1);
}

}  // namespace

struct KubeletController::Impl {
    explicit Impl(KubeletController& owner, NodeOptions given)
        : self(owner),
          options(std::move(given)),
          pods(owner.manager().informer("pods")),
          nodes(owner.manager().informer("nodes")),
          logs(owner.manager()),
          services{owner.manager(), owner.client(), owner.kind("pods"), logs, options.pod_startup_latency,
                   minor_of(options.kubernetes_version), kubelet::make_network(owner.manager().registry()),
                   [this](const std::string& node) -> EventRecorder& { return *recorders.at(node); },
                   [this](const std::string& node) { return node_ip(node); },
                   [this](const std::string& node) { return take_ip(node); },
                   [this](const std::string& ip) { used_ips.erase(ip); },
                   [this](const std::string& node, const std::string& uid, const std::vector<api::HostPort>& ports) {
                       return port_taken(node, uid, ports);
                   },
                   images} {
        for (kubelet::NodeIdentity& node : kubelet::node_identities(options.count)) {
            recorders[node.name] = std::make_unique<EventRecorder>(owner.manager(), owner.client(), "kubelet", node.name);
            const std::string name = node.name;
            identities.emplace(name, std::move(node));
        }
    }

    std::string node_ip(const std::string& node) const {
        const auto found = identities.find(node);
        return found == identities.end() ? std::string() : found->second.ip;
    }

    // The node's own range first; what does not fit there comes from a range that all nodes share.
    std::string take_ip(const std::string& node) {
        const std::string& cidr = identities.at(node).pod_cidr;
        const std::string prefix = cidr.substr(0, cidr.rfind('.') + 1);
        int& next = next_host[node];
        for (int i = 0; i < 253; ++i) {
            const std::string ip = prefix + std::to_string(2 + next);
            next = (next + 1) % 253;
            if (used_ips.insert(ip).second) return ip;
        }
        for (;;) {
            next_shared = next_shared % 0x3fffff + 1;
            const std::string ip = "10." + std::to_string(128 + (next_shared >> 16)) + "." + std::to_string(next_shared >> 8 & 255) +
                                   "." + std::to_string(next_shared & 255);
            if (used_ips.insert(ip).second) return ip;
        }
    }

    bool port_taken(const std::string& node, const std::string& uid, const std::vector<api::HostPort>& ports) const {
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

    void on_pod(const api::Informer::Change& change) {
        if (change.after == nullptr) {
            workers.erase(change.before->key);
            return;
        }
        const api::PodView& view = api::pod_view_of(*change.after);
        if (identities.count(view.node_name) == 0) return;
        if (!view.pod_ip.empty() && change.before == nullptr) used_ips.insert(view.pod_ip);
        self.enqueue(change.after->key);
    }

    void wake_config_waiters() {
        for (const auto& [key, worker] : workers)
            if (worker->waits_for_config()) self.enqueue(key);
    }

    void renew_leases() {
        const Time now = self.now();
        const api::KindSpec& lease_kind = self.kind("leases.coordination.k8s.io");
        for (const auto& [name, identity] : identities) {
            const auto node = nodes.get(name);
            if (node == nullptr) continue;
            const auto renewed = self.client().modify(lease_kind, "kube-node-lease", name, {}, [&](Json& lease) {
                api::ensure(lease, {"spec"})["renewTime"] = api::format_micro_time(now);
                return true;
            });
            if (renewed || renewed.error().code() != 404) continue;
            const auto created = self.client().create(lease_kind, "kube-node-lease",
                                                      kubelet::make_lease(identity, api::view_of(*node).uid, now));
            if (!created) log_line(LogLevel::debug, "lease was refused", {{"node", name}, {"why", created.error()->message}});
        }
        self.manager().set_timer(&self, "leases", now + lease_interval, [this] { renew_leases(); });
    }

    void report_nodes() {
        const Time now = self.now();
        for (const auto& [name, known] : identities) {
            const auto written = self.client().modify(self.kind("nodes"), {}, name, "status", [&, &identity = known](Json& node) {
                kubelet::fill_node_status(node, identity, options.kubernetes_version, now);
                return true;
            });
            if (!written && written.error().code() != 404)
                log_line(LogLevel::warning, "node status was refused", {{"node", name}, {"why", written.error()->message}});
        }
        self.manager().set_timer(&self, "nodes", now + status_interval, [this] { report_nodes(); });
    }

    void register_nodes() {
        for (const auto& [name, identity] : identities) {
            if (self.client().get(self.kind("nodes"), {}, name)) continue;  // from an earlier run
            Json node = kubelet::make_node(identity, options.count == 1, options.kubernetes_version, self.now());
            const auto created = self.client().create(self.kind("nodes"), {}, std::move(node));
            if (!created) log_line(LogLevel::error, "node was refused", {{"node", name}, {"why", created.error()->message}});
        }
    }

    KubeletController& self;
    NodeOptions options;
    api::Informer& pods;
    api::Informer& nodes;
    kubelet::LogStore logs;
    std::map<std::string, kubelet::NodeIdentity> identities;
    std::map<std::string, std::unique_ptr<EventRecorder>> recorders;
    std::map<std::string, std::set<std::string>> images;
    std::unordered_set<std::string> used_ips;
    std::map<std::string, int> next_host;
    int next_shared = 0;
    kubelet::NodeServices services;
    std::unordered_map<std::string, std::unique_ptr<kubelet::PodWorker>> workers;  // by key; they use all of the above
};

KubeletController::KubeletController(Manager& manager, NodeOptions options)
    : Controller(manager, "kubelet", "kubelet"), impl_(std::make_unique<Impl>(*this, std::move(options))) {
    impl_->pods.subscribe([this](const api::Informer::Change& change) { impl_->on_pod(change); });
    for (const char* resource : {"configmaps", "secrets", "persistentvolumeclaims"})
        manager.informer(resource).subscribe([this](const api::Informer::Change&) { impl_->wake_config_waiters(); });
}

KubeletController::~KubeletController() = default;

api::PodLogs& KubeletController::logs() { return impl_->logs; }

void KubeletController::start() {
    impl_->register_nodes();
    impl_->report_nodes();
    // The leases refer to their nodes by uid, which the informer knows a moment later.
    manager().set_timer(this, "leases", now(), [this] { impl_->renew_leases(); });
}

api::ApiResult<Requeue> KubeletController::reconcile(const std::string& key) {
    const storage::RecordPtr record = impl_->pods.get(key);
    if (record == nullptr) return Requeue{};
    const api::PodView& view = api::pod_view_of(*record);
    if (impl_->identities.count(view.node_name) == 0) return Requeue{};
    auto& worker = impl_->workers[key];
    if (worker == nullptr || worker->uid() != view.uid) worker = std::make_unique<kubelet::PodWorker>(impl_->services, view);
    const std::optional<Time> next = worker->sync(record);
    if (!next) return Requeue{};
    return Requeue{std::max<Duration>(*next - now(), Duration::zero())};
}

}  // namespace kubemu::controllers

// The start of a cluster, from the bottom up: store, registry, first objects, controllers, handlers.
#include "server/cluster.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/audit.h"
#include "api/authentication/certificate_authority.h"
#include "api/kinds/views.h"
#include "api/registry.h"
#include "controllers/apiextensions/controller.h"
#include "controllers/apiservice/controller.h"
#include "controllers/bootstrap/bootstrap.h"
#include "controllers/bootstrap/server_objects.h"
#include "controllers/certificates/controller.h"
#include "controllers/cluster_role_aggregation/controller.h"
#include "controllers/cronjob/controller.h"
#include "controllers/daemonset/controller.h"
#include "controllers/deployment/controller.h"
#include "controllers/device_taint_eviction/controller.h"
#include "controllers/disruption/controller.h"
#include "controllers/endpoints/controller.h"
#include "controllers/endpointslice/controller.h"
#include "controllers/endpointslice_mirroring/controller.h"
#include "controllers/ephemeral_volume/controller.h"
#include "controllers/event_ttl/controller.h"
#include "controllers/flowcontrol/controller.h"
#include "controllers/garbage_collector/controller.h"
#include "controllers/horizontal_pod_autoscaler/controller.h"
#include "controllers/ip_address_repair/controller.h"
#include "controllers/job/controller.h"
#include "controllers/kubelet/controller.h"
#include "controllers/kubelet/node_config.h"
#include "controllers/kubelet/stages/definition.h"
#include "controllers/legacy_token_cleaner/controller.h"
#include "controllers/load_balancer/controller.h"
#include "controllers/namespace/controller.h"
#include "controllers/node_lifecycle/controller.h"
#include "controllers/persistent_volume/controller.h"
#include "controllers/pod_gc/controller.h"
#include "controllers/replicaset/controller.h"
#include "controllers/resource_quota/controller.h"
#include "controllers/resourceclaim/controller.h"
#include "controllers/runtime/manager.h"
#include "controllers/scheduler/controller.h"
#include "controllers/service_account/controller.h"
#include "controllers/service_account_token/controller.h"
#include "controllers/service_cidr/controller.h"
#include "controllers/simulated_metrics/controller.h"
#include "controllers/statefulset/controller.h"
#include "controllers/taint_eviction/controller.h"
#include "controllers/ttl_after_finished/controller.h"
#include "controllers/validating_admission_policy/controller.h"
#include "controllers/volume_attributes_class_protection/controller.h"
#include "server/audit_file.h"
#include "server/options.h"
#include "storage/base/log.h"
#include "storage/base/paced_clock.h"
#include "storage/base/random.h"
#include "storage/base/limits.h"
#include "storage/compactor.h"
#include "storage/sqlite_store.h"

namespace kubemu::server {
namespace {

using namespace controllers;

// Kinds of CustomResourceDefinitions are not known before those have been read: their objects get the common view.
std::shared_ptr<const storage::View> view_of_record(const api::KindRegistry& kinds, const storage::Record& record) {
    static const api::KindSpec unknown;
    const api::KindRegistry::Pin pin = kinds.pin();
    const api::KindSpec* kind = kinds.find_stored(record.resource);
    return api::view_from_text(kind == nullptr ? unknown : *kind, *record.bytes.get());
}

// Where nobody says otherwise: a run with a standing clock is the same on every day.
constexpr Time first_virtual_time = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

// A clock that is not the machine's goes on where it was when the cluster ended.
Time clock_start(const ClockOptions& options, const storage::Store& store) {
    if (options.factor == 1) return RealClock().now();
    const std::optional<Time> kept = kept_clock(store);
    const Time first = options.factor != 0 ? RealClock().now() : options.start.value_or(first_virtual_time);
    return kept ? std::max(*kept, first) : first;
}

// Tells the store the age of its revisions: by the cluster's clock, from when there is one. Where a cluster in a file goes
// on is in its store.
class StoreClock final : public Clock {
  public:
    Time now() const override {
        const Clock* clock = clock_.load();
        return clock != nullptr ? clock->now() : RealClock().now();
    }
    void follow(const Clock* clock) { clock_ = clock; }

  private:
    std::atomic<const Clock*> clock_{nullptr};
};

// With a standing clock all that a cluster makes follows from its seed, its keys too.
std::optional<std::uint64_t> key_seed(const ClusterOptions& options) {
    return options.clock.factor == 0 ? std::optional(options.seed) : std::nullopt;
}

// 36 of "v1.36.0".
int minor_of(const std::string& version) {
    const std::size_t dot = version.find('.');
    return dot == std::string::npos ? 36 : std::atoi(version.c_str() + dot + 1);
}

Result<std::vector<api::Json>, std::string> read_nodes(const std::string& path) {
    std::ifstream file(path);
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file.good() && !file.eof()) return path + ": cannot be read";
    auto nodes = kubelet::read_node_config(text);
    if (!nodes) return path + ": " + nodes.error();
    return nodes;
}

// By which aggregated servers know that we may speak for users.
HttpsCaller::ClientCertificate front_proxy_certificate(const api::CertificateAuthority& authority, Time now) {
    const auto pair = authority.issue(
        {.common_name = "front-proxy-client", .organizations = {}, .alternative_names = {}, .purpose = "client auth", .now = now});
    if (!pair) {
        log_line(LogLevel::error, "the certificate of the front proxy could not be made", {{"error", pair.error().message}});
        return {};
    }
    return {pair->certificate, pair->key};
}

}  // namespace

struct Cluster::Impl {
    Impl(const ClusterOptions& given, std::unique_ptr<StoreClock> told, std::unique_ptr<storage::Store> opened,
         std::unique_ptr<api::KindRegistry> served)
        : options(given),
          clock(given.clock.factor, clock_start(given.clock, *opened)),
          random(given.seed),
          store_clock(std::move(told)),
          store(std::move(opened)),
          kinds(std::move(served)),
          authorizer(*store, given.authorization),
          remote(given.service_addresses, machine_clock),
          registry({.store = *store, .kinds = *kinds, .clock = clock, .random = random, .authorizer = &authorizer,
                    .disabled_plugins = given.disabled_plugins}),
          tokens(registry, key_seed(given)),
          authenticator(given.token_file, tokens),
          access{authorizer, authenticator, tokens},
          manager({.registry = registry, .clock = clock, .random = random, .paced = &clock, .remote = &remote}),
          definitions(*kinds),
          clock_api({.clock = clock, .manager = manager, .store = *store}) {}

    static RealClock machine_clock;

    ClusterOptions options;
    PacedClock clock;
    Random random;
    std::unique_ptr<StoreClock> store_clock;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<api::KindRegistry> kinds;
    api::Authorizer authorizer;
    HttpsCaller remote;
    api::Registry registry;
    api::ServiceAccountTokens tokens;
    api::TokenAuthenticator authenticator;
    api::Access access;
    Manager manager;
    DefinitionInstaller definitions;
    api::AggregatedServices aggregated;
    api::PodLogs* logs = nullptr;
    api::PodStreams* streams = nullptr;
    ClockApi clock_api;
    KubeletController* simulated_nodes = nullptr;  // null: it does not run
    std::shared_ptr<const std::vector<api::Json>> nodes;   // of a file, until the kubelets have them
    std::optional<api::AuditLog> audit;  // set from the start on, where there is one
    std::unique_ptr<api::Handlers> handlers;
    std::optional<Dispatcher> dispatcher;

    std::optional<api::CertificateAuthority> authority;  // set from the start on

    void add_controllers();
    void schedule_compaction();
    void keep_time();
};

RealClock Cluster::Impl::machine_clock;

void Cluster::Impl::add_controllers() {
    const auto enabled = [this](const char* name) { return controller_enabled(options.controllers, name); };
    // In the order in which a turn of the control loop runs them: what makes objects before what acts on them.
    manager.add(std::make_unique<CustomResourceDefinitionController>(manager, *kinds, definitions));
    if (enabled("namespace")) manager.add(std::make_unique<NamespaceController>(manager));
    if (enabled("serviceaccount")) manager.add(std::make_unique<ServiceAccountController>(manager));
    if (enabled("root-ca-cert-publisher")) {
        manager.add(std::make_unique<RootCertificateController>(manager, authority->certificate()));
    }
    if (enabled("serviceaccount-token")) {
        manager.add(std::make_unique<ServiceAccountTokenController>(manager, tokens, authority->certificate()));
    }
    if (enabled("clusterrole-aggregation")) manager.add(std::make_unique<ClusterRoleAggregationController>(manager));
    if (enabled("csrapproving")) manager.add(std::make_unique<CsrApprovingController>(manager, authorizer));
    if (enabled("csrsigning")) manager.add(std::make_unique<CsrSigningController>(manager, *authority));
    if (enabled("csrcleaner")) manager.add(std::make_unique<CsrCleanerController>(manager));
    if (enabled("cronjob")) manager.add(std::make_unique<CronJobController>(manager));
    const bool pods_take_time = options.pace != Pace::instant && options.pod_startup_latency > Duration::zero();
    if (enabled("job")) manager.add(std::make_unique<JobController>(manager, pods_take_time));
    if (enabled("ttl-after-finished")) manager.add(std::make_unique<TtlAfterFinishedController>(manager));
    if (enabled("deployment")) manager.add(std::make_unique<DeploymentController>(manager));
    if (enabled("replicaset")) manager.add(std::make_unique<ReplicaSetController>(manager));
    if (enabled("replicationcontroller")) manager.add(std::make_unique<ReplicationController>(manager));
    if (enabled("statefulset")) manager.add(std::make_unique<StatefulSetController>(manager));
    if (enabled("daemonset")) manager.add(std::make_unique<DaemonSetController>(manager));
    if (enabled("ephemeral-volume")) manager.add(std::make_unique<EphemeralVolumeController>(manager));
    if (enabled("resourceclaim-controller")) manager.add(std::make_unique<ResourceClaimController>(manager));
    if (enabled("persistentvolume-binder")) manager.add(std::make_unique<PersistentVolumeController>(manager));
    if (enabled("volumeattributesclass-protection-controller") &&
        kinds->find_stored("volumeattributesclasses.storage.k8s.io") != nullptr) {
        manager.add(std::make_unique<VolumeAttributesClassProtectionController>(manager));
    }
    if (enabled("scheduler")) manager.add(std::make_unique<SchedulerController>(manager, scheduler::Release{minor_of(options.kubernetes_version)}));
    if (enabled("kubelet")) {
        auto kubelet = std::make_unique<KubeletController>(manager, NodeOptions{.count = options.nodes,
                                                                                .pod_startup_latency = options.pod_startup_latency,
                                                                                .kubernetes_version = options.kubernetes_version,
                                                                                .pace = options.pace,
                                                                                .nodes = nodes});
        logs = &kubelet->logs();
        streams = &kubelet->streams();
        simulated_nodes = kubelet.get();
        manager.add(std::move(kubelet));
    }
    if (kinds->find_stored("servicecidrs.networking.k8s.io") != nullptr) {
        if (enabled("service-cidr-controller")) manager.add(std::make_unique<ServiceCidrController>(manager));
        manager.add(std::make_unique<IpAddressRepairController>(manager));
    }
    if (enabled("endpoint")) manager.add(std::make_unique<EndpointsController>(manager));
    if (enabled("endpointslice")) manager.add(std::make_unique<EndpointSliceController>(manager));
    if (enabled("endpointslicemirroring")) manager.add(std::make_unique<EndpointSliceMirroringController>(manager));
    if (enabled("service-lb-controller")) manager.add(std::make_unique<ServiceLoadBalancerController>(manager));
    if (enabled("ingress-address")) manager.add(std::make_unique<IngressAddressController>(manager));
    if (enabled("nodelifecycle")) manager.add(std::make_unique<NodeLifecycleController>(manager));
    if (enabled("taint-eviction-controller")) manager.add(std::make_unique<TaintEvictionController>(manager));
    if (enabled("device-taint-eviction-controller")) manager.add(std::make_unique<DeviceTaintEvictionController>(manager));
    if (enabled("horizontalpodautoscaling")) manager.add(std::make_unique<HorizontalPodAutoscalerController>(manager, &aggregated, &remote));
    if (enabled("disruption")) manager.add(std::make_unique<DisruptionController>(manager));
    if (enabled("resourcequota")) manager.add(std::make_unique<ResourceQuotaController>(manager));
    if (enabled("garbagecollector")) manager.add(std::make_unique<GarbageCollectorController>(manager));
    if (enabled("validatingadmissionpolicy-status")) {
        manager.add(std::make_unique<ValidatingAdmissionPolicyStatusController>(manager, *kinds));
    }
    std::set<std::string> reachable;
    for (const auto& [service, address] : options.service_addresses) reachable.insert(service);
    manager.add(std::make_unique<SimulatedMetricsController>(manager, aggregated));
    manager.add(std::make_unique<ApiServiceController>(
        manager, ApiServiceController::Options{.services = aggregated, .remote = remote, .reachable = std::move(reachable)}));
    manager.add(std::make_unique<FlowSchemaController>(manager));
    manager.add(std::make_unique<EventTtlController>(manager));
    if (enabled("podgc")) manager.add(std::make_unique<PodGarbageCollectorController>(manager));
    if (enabled("legacy-serviceaccount-token-cleaner")) manager.add(std::make_unique<LegacyTokenCleanerController>(manager));
}

// Every minute what is older than five minutes is forgotten.
void Cluster::Impl::schedule_compaction() {
    manager.set_timer(this, "compaction", clock.now() + std::chrono::minutes(1), [this] {
        const storage::Revision kept = options.clock.factor == 1 ? 0 : storage::revisions_kept_on_quick_clocks;
        if (const auto compacted = storage::Compactor(*store, limits::compaction_age, kept).run_once(); !compacted) {
            log_line(LogLevel::warning, "compaction failed", {{"error", storage::to_string(compacted.error())}});
        }
        keep_time();
        schedule_compaction();
    });
}

void Cluster::Impl::keep_time() {
    if (options.clock.factor != 1) keep_clock(*store, clock.now());
}

Result<std::unique_ptr<Cluster>, std::string> Cluster::open(const ClusterOptions& options) {
    auto kinds = std::make_unique<api::KindRegistry>(options.kubernetes_version);
    auto store_clock = std::make_unique<StoreClock>();
    auto store = storage::open_sqlite_store(
        {.path = options.database_path,
         .durability = options.sync_full ? storage::SqliteStoreOptions::Durability::full : storage::SqliteStoreOptions::Durability::normal,
         .own_thread = true,
         .view_of = [kinds = kinds.get()](const storage::Record& record) { return view_of_record(*kinds, record); },
         .clock = store_clock.get()});
    if (!store) return storage::to_string(store.error());
    auto impl = std::make_unique<Impl>(options, std::move(store_clock), std::move(*store), std::move(kinds));
    impl->store_clock->follow(&impl->clock);
    auto authority = api::CertificateAuthority::of_store(*impl->store, Impl::machine_clock.now(), key_seed(options));
    if (!authority) return authority.error().message;
    impl->authority = std::move(*authority);
    impl->remote.set_front_proxy([made = impl.get()] { return front_proxy_certificate(*made->authority, Impl::machine_clock.now()); });
    install_stored_definitions(impl->registry, impl->definitions);
    bootstrap(impl->registry, options.service_network);
    bootstrap_authentication(impl->registry, impl->authority->certificate());
    if (controller_enabled(options.controllers, "kubelet")) stages::bootstrap_stage_definition(impl->registry);
    if (!options.node_config_path.empty()) {
        TRY_ASSIGN(auto nodes, read_nodes(options.node_config_path));
        impl->nodes = std::make_shared<const std::vector<api::Json>>(std::move(nodes));
    }
    impl->add_controllers();
    if (impl->simulated_nodes != nullptr) TRY(impl->simulated_nodes->register_nodes());
    if (!options.audit_log_path.empty()) {
        TRY_ASSIGN(auto file, open_audit_file(options.audit_log_path));
        impl->audit.emplace(impl->clock, impl->random, std::move(file));
    }
    impl->handlers = std::make_unique<api::Handlers>(api::Handlers::Options{
        .registry = impl->registry, .access = impl->access, .logs = impl->logs, .streams = impl->streams, .remote = &impl->remote,
        .aggregated = &impl->aggregated, .kubernetes_version = options.kubernetes_version,
        .audit = impl->audit ? &*impl->audit : nullptr,
        .connection_clock = &Impl::machine_clock});
    impl->dispatcher.emplace(*impl->handlers, impl->clock_api);
    impl->schedule_compaction();
    return std::unique_ptr<Cluster>(new Cluster(std::move(impl)));
}

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

void Cluster::start() {
    impl_->manager.start();
    if (!impl_->clock.stands_still()) return;
    std::promise<void> settled;
    impl_->manager.when_settled([&settled] { settled.set_value(); });
    settled.get_future().wait();
}

void Cluster::stop() {
    impl_->remote.stop();  // first, because the controllers may wait for an answer
    impl_->manager.stop();
    impl_->keep_time();
    impl_->store->flush();
}

std::string Cluster::service_address() const { return first_service_address(impl_->registry); }
Dispatcher& Cluster::dispatcher() { return *impl_->dispatcher; }
const api::Access& Cluster::access() const { return impl_->access; }
const api::AuditLog* Cluster::audit() const { return impl_->audit ? &*impl_->audit : nullptr; }
const api::CertificateAuthority& Cluster::authority() const { return *impl_->authority; }
const Clock& Cluster::connection_clock() const { return Impl::machine_clock; }

}  // namespace kubemu::server

// The start of a cluster, from the bottom up: store, registry, first objects, controllers, handlers.
#include "server/cluster.h"

#include "api/kinds/views.h"
#include "api/registry.h"
#include "controllers/bootstrap/bootstrap.h"
#include "controllers/cronjob/controller.h"
#include "controllers/daemonset/controller.h"
#include "controllers/deployment/controller.h"
#include "controllers/disruption/controller.h"
#include "controllers/endpoints/controller.h"
#include "controllers/endpointslice/controller.h"
#include "controllers/endpointslice_mirroring/controller.h"
#include "controllers/ephemeral_volume/controller.h"
#include "controllers/flowcontrol/controller.h"
#include "controllers/garbage_collector/controller.h"
#include "controllers/horizontal_pod_autoscaler/controller.h"
#include "controllers/job/controller.h"
#include "controllers/kubelet/controller.h"
#include "controllers/load_balancer/controller.h"
#include "controllers/namespace/controller.h"
#include "controllers/node_lifecycle/controller.h"
#include "controllers/persistent_volume/controller.h"
#include "controllers/pod_gc/controller.h"
#include "controllers/replicaset/controller.h"
#include "controllers/resource_quota/controller.h"
#include "controllers/runtime/manager.h"
#include "controllers/scheduler/controller.h"
#include "controllers/service_account/controller.h"
#include "controllers/statefulset/controller.h"
#include "controllers/taint_eviction/controller.h"
#include "controllers/ttl_after_finished/controller.h"
#include "server/certificate.h"
#include "server/options.h"
#include "storage/base/log.h"
#include "storage/base/random.h"
#include "storage/compactor.h"
#include "storage/sqlite_store.h"

namespace kubemu::server {
namespace {

using namespace controllers;

// The certificate is made once and kept with the cluster, so that a restart changes no ConfigMap.
std::string cluster_certificate(storage::Store& store) {
    if (auto kept = store.meta("certificate")) return *kept;
    std::string made = make_certificate();
    if (const auto saved = store.set_meta("certificate", made); !saved) {
        log_line(LogLevel::warning, "the cluster's certificate could not be kept", {{"error", storage::to_string(saved.error())}});
    }
    return made;
}

}  // namespace

struct Cluster::Impl {
    Impl(const ClusterOptions& given, std::unique_ptr<storage::Store> opened, api::KindRegistry served)
        : options(given),
          random(given.seed),
          store(std::move(opened)),
          kinds(std::move(served)),
          registry({.store = *store, .kinds = kinds, .clock = clock, .random = random}),
          manager({.registry = registry, .clock = clock, .random = random}) {}

    static RealClock clock;

    ClusterOptions options;
    Random random;
    std::unique_ptr<storage::Store> store;
    api::KindRegistry kinds;
    api::Registry registry;
    Manager manager;
    api::PodLogs* logs = nullptr;
    std::unique_ptr<api::Handlers> handlers;

    void add_controllers();
    void schedule_compaction();
};

RealClock Cluster::Impl::clock;

void Cluster::Impl::add_controllers() {
    const auto enabled = [this](const char* name) { return controller_enabled(options.controllers, name); };
    // In the order in which a turn of the control loop runs them: what makes objects before what acts on them.
    if (enabled("namespace")) manager.add(std::make_unique<NamespaceController>(manager));
    if (enabled("serviceaccount")) manager.add(std::make_unique<ServiceAccountController>(manager));
    if (enabled("root-ca-cert-publisher")) {
        manager.add(std::make_unique<RootCertificateController>(manager, cluster_certificate(*store)));
    }
    if (enabled("cronjob")) manager.add(std::make_unique<CronJobController>(manager));
    if (enabled("job")) manager.add(std::make_unique<JobController>(manager));
    if (enabled("ttl-after-finished")) manager.add(std::make_unique<TtlAfterFinishedController>(manager));
    if (enabled("deployment")) manager.add(std::make_unique<DeploymentController>(manager));
    if (enabled("replicaset")) manager.add(std::make_unique<ReplicaSetController>(manager));
    if (enabled("replicationcontroller")) manager.add(std::make_unique<ReplicationController>(manager));
    if (enabled("statefulset")) manager.add(std::make_unique<StatefulSetController>(manager));
    if (enabled("daemonset")) manager.add(std::make_unique<DaemonSetController>(manager));
    if (enabled("ephemeral-volume")) manager.add(std::make_unique<EphemeralVolumeController>(manager));
    if (enabled("persistentvolume-binder")) manager.add(std::make_unique<PersistentVolumeController>(manager));
    if (enabled("scheduler")) manager.add(std::make_unique<SchedulerController>(manager));
    if (enabled("kubelet")) {
        auto kubelet = std::make_unique<KubeletController>(manager, NodeOptions{.count = options.nodes,
                                                                                .pod_startup_latency = options.pod_startup_latency,
                                                                                .kubernetes_version = options.kubernetes_version});
        logs = &kubelet->logs();
        manager.add(std::move(kubelet));
    }
    if (enabled("endpoint")) manager.add(std::make_unique<EndpointsController>(manager));
    if (enabled("endpointslice")) manager.add(std::make_unique<EndpointSliceController>(manager));
    if (enabled("endpointslicemirroring")) manager.add(std::make_unique<EndpointSliceMirroringController>(manager));
    if (enabled("service-lb-controller")) manager.add(std::make_unique<ServiceLoadBalancerController>(manager));
    if (enabled("ingress-address")) manager.add(std::make_unique<IngressAddressController>(manager));
    if (enabled("nodelifecycle")) manager.add(std::make_unique<NodeLifecycleController>(manager));
    if (enabled("taint-eviction-controller")) manager.add(std::make_unique<TaintEvictionController>(manager));
    if (enabled("horizontalpodautoscaling")) manager.add(std::make_unique<HorizontalPodAutoscalerController>(manager));
    if (enabled("disruption")) manager.add(std::make_unique<DisruptionController>(manager));
    if (enabled("resourcequota")) manager.add(std::make_unique<ResourceQuotaController>(manager));
    if (enabled("garbagecollector")) manager.add(std::make_unique<GarbageCollectorController>(manager));
    manager.add(std::make_unique<FlowSchemaController>(manager));
    if (enabled("podgc")) manager.add(std::make_unique<PodGarbageCollectorController>(manager));
}

// Every minute what is older than five minutes is forgotten.
void Cluster::Impl::schedule_compaction() {
    manager.set_timer(this, "compaction", clock.now() + std::chrono::minutes(1), [this] {
        if (const auto compacted = storage::Compactor(*store).run_once(); !compacted) {
            log_line(LogLevel::warning, "compaction failed", {{"error", storage::to_string(compacted.error())}});
        }
        schedule_compaction();
    });
}

Result<std::unique_ptr<Cluster>, std::string> Cluster::open(const ClusterOptions& options) {
    api::KindRegistry kinds(options.kubernetes_version);
    auto store = storage::open_sqlite_store(
        {.path = options.database_path,
         .durability = options.sync_full ? storage::SqliteStoreOptions::Durability::full : storage::SqliteStoreOptions::Durability::normal,
         .own_thread = true,
         .view_of = [kinds](const storage::Record& record) -> std::shared_ptr<const storage::View> {
                     const api::KindSpec* kind = kinds.find_stored(record.resource);
                     return kind == nullptr ? std::make_shared<api::ObjectView>() : api::view_from_text(*kind, *record.bytes);
                 },
         .clock = &Impl::clock});
    if (!store) return storage::to_string(store.error());
    auto impl = std::make_unique<Impl>(options, std::move(*store), std::move(kinds));
    bootstrap(impl->registry);
    impl->add_controllers();
    impl->handlers = std::make_unique<api::Handlers>(api::Handlers::Options{
        .registry = impl->registry, .logs = impl->logs, .kubernetes_version = options.kubernetes_version});
    impl->schedule_compaction();
    return std::unique_ptr<Cluster>(new Cluster(std::move(impl)));
}

Cluster::Cluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cluster::~Cluster() = default;

void Cluster::start() { impl_->manager.start(); }

void Cluster::stop() {
    impl_->manager.stop();
    impl_->store->flush();
}

api::Handlers& Cluster::handlers() { return *impl_->handlers; }
const Clock& Cluster::clock() const { return Impl::clock; }

}  // namespace kubemu::server

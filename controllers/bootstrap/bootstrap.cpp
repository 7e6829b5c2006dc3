// The first objects.
#include "controllers/bootstrap/bootstrap.h"

#include <nlohmann/json.hpp>

#include "api/client.h"
#include "controllers/bootstrap/rbac_policy.h"
#include "controllers/bootstrap/server_objects.h"
#include "storage/base/log.h"

namespace kubemu::controllers {
namespace {

using api::Json;

Json named(const char* name) { return {{"metadata", {{"name", name}}}}; }

}  // namespace

void bootstrap(api::Registry& registry, const std::string& service_network) {
    api::Client client(registry, api_server_user(), "kube-apiserver/v1");
    const auto make = [&](const char* resource, const char* space, Json object) {
        const std::string name(api::name_of(object));
        // The release that is emulated may be older than the kind.
        const api::KindSpec* kind = registry.kinds().find_stored(resource);
        if (kind == nullptr || registry.get(resource, space, name)) return;
        const auto made = client.create(*kind, space, std::move(object));
        if (!made && made.error().code() != 409) {
            log_line(LogLevel::error, "a first object could not be made", {{"resource", resource}, {"name", name}, {"error", made.error()->message}});
        }
    };
    for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) make("namespaces", "", named(name));
    bootstrap_service_network(registry, service_network);
    registry.store().flush();

    Json service = named("kubernetes");
    service["metadata"]["labels"] = {{"component", "apiserver"}, {"provider", "kubernetes"}};
    service["spec"] = {{"clusterIP", first_service_address(registry)},
                       {"type", "ClusterIP"},
                       {"ports", Json::array({{{"name", "https"}, {"protocol", "TCP"}, {"port", 443}, {"targetPort", 6443}}})}};
    make("services", "default", service);
    const Json ports = Json::array({{{"name", "https"}, {"port", 6443}, {"protocol", "TCP"}}});
    Json endpoints = named("kubernetes");
    endpoints["metadata"]["labels"] = {{"endpointslice.kubernetes.io/skip-mirror", "true"}};
    endpoints["subsets"] = Json::array({{{"addresses", Json::array({{{"ip", "172.18.0.2"}}})}, {"ports", ports}}});
    make("endpoints", "default", endpoints);
    Json slice = named("kubernetes");
    slice["metadata"]["labels"] = {{"kubernetes.io/service-name", "kubernetes"}};
    slice["addressType"] = "IPv4";
    slice["ports"] = ports;
    slice["endpoints"] = Json::array({{{"addresses", Json::array({"172.18.0.2"})}, {"conditions", {{"ready", true}}}}});
    make("endpointslices.discovery.k8s.io", "default", slice);

    Json cluster_critical = named("system-cluster-critical"), node_critical = named("system-node-critical");
    cluster_critical["value"] = 2000000000;
    cluster_critical["description"] = "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.";
    node_critical["value"] = 2000001000;
    node_critical["description"] = "Used for system critical pods that must not be moved from their current node.";
    make("priorityclasses.scheduling.k8s.io", "", cluster_critical);
    make("priorityclasses.scheduling.k8s.io", "", node_critical);

    Json standard = named("standard");
    standard["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] = "true";
    standard["provisioner"] = "kubemu.io/simulated";
    make("storageclasses.storage.k8s.io", "", standard);

    reconcile_rbac_policy(registry);
    bootstrap_api_services(registry);
    bootstrap_metrics(registry);
    bootstrap_flow_control(registry);
}

}  // namespace kubemu::controllers

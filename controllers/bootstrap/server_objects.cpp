// Made at every start, so that they fit what is served now.
#include "controllers/bootstrap/server_objects.h"

#include <nlohmann/json.hpp>
#include <set>

#include "api/authentication/service_account_tokens.h"
#include "api/client.h"
#include "api/documents/discovery.h"
#include "api/kinds/flowcontrol/flowcontrol.h"
#include "api/kinds/networking/service_networks.h"
#include "api/kinds/views.h"
#include "api/values/time.h"
#include "controllers/bootstrap/bootstrap.h"
#include "storage/base/log.h"
#include "storage/store.h"

namespace kubemu::controllers {
namespace {

constexpr std::string_view services = "apiservices.apiregistration.k8s.io";
constexpr const char* managed_label = "kube-aggregator.kubernetes.io/automanaged";

void make(api::Registry& registry, api::Client& client, std::string_view resource, api::Json object) {
    const std::string name(api::name_of(object)), space(api::namespace_of(object));
    if (registry.get(resource, space, name)) return;
    const auto made = client.create(registry.kinds().stored(resource), space, std::move(object));
    if (made || made.error().code() == 409) return;
    log_line(LogLevel::error, "a first object could not be made",
             {{"resource", std::string(resource)}, {"name", name}, {"error", made.error()->message}});
}

api::Json ready_network(const std::string& now) {
    return {{"type", "Ready"},
            {"status", "True"},
            {"reason", ""},
            {"lastTransitionTime", now},
            {"message", "Kubernetes default Service CIDR is ready"}};
}

// For a release that does not serve ServiceCIDRs.
void keep_service_network(api::Registry& registry, const std::string& network) {
    const std::string now = api::format_time(registry.clock().now());
    const api::Json cidr = {{"metadata",
                             {{"name", std::string(api::kinds::default_service_cidr)},
                              {"uid", registry.random().uuid()},
                              {"creationTimestamp", now}}},
                            {"spec", {{"cidrs", api::kinds::split_service_networks(network)}}},
                            {"status", {{"conditions", api::Json::array({ready_network(now)})}}}};
    storage::Transaction transaction;
    transaction.drafts.push_back(api::kinds::network_draft(api::kinds::service_cidr_resource, cidr, storage::Precondition::absent()));
    if (const auto kept = registry.store().submit(std::move(transaction), {}); !kept) {
        log_line(LogLevel::error, "the service network could not be kept", {{"error", storage::to_string(kept.error())}});
    }
}

api::Json service_of(const api::GroupVersionSpec& version, const std::string& name) {
    return {{"metadata", {{"name", name}, {"labels", {{managed_label, "onstart"}}}}},
            {"spec",
             {{"group", std::string(version.group)},
              {"version", std::string(version.version)},
              {"groupPriorityMinimum", version.group_priority},
              {"versionPriority", version.version_priority}}}};
}

}  // namespace

void bootstrap_api_services(api::Registry& registry) {
    if (registry.kinds().find_stored(services) == nullptr) return;
    api::Client client(registry, api_server_user(), "kube-apiserver/v1");
    std::set<std::string> names;
    for (const api::GroupVersionSpec& version : api::served_versions(registry.kinds().all())) {
        // The aggregator does not register itself; groups of custom resources come with their definitions.
        if (version.group == "apiregistration.k8s.io" || version.group_priority <= 1000) continue;
        const std::string name = std::string(version.version) + "." + std::string(version.group);
        names.insert(name);
        make(registry, client, services, service_of(version, name));
    }
    for (const auto& record : registry.list(services, "")) {
        const api::ObjectView& view = api::view_of(*record);
        const std::string* managed = view.label(managed_label);
        if (managed == nullptr || *managed != "onstart" || names.contains(view.name)) continue;
        (void)client.remove(registry.kinds().stored(services), "", view.name);
    }
}

void bootstrap_metrics(api::Registry& registry) {
    api::Client client(registry, api_server_user(), "kube-apiserver/v1");
    const api::GroupVersionSpec version{"metrics.k8s.io", "v1beta1", true, 100, 100};
    if (registry.kinds().find_stored(services) != nullptr) {
        api::Json service = service_of(version, "v1beta1.metrics.k8s.io");
        service["metadata"]["labels"] = {{"k8s-app", "metrics-server"}};
        make(registry, client, services, std::move(service));
    }
    const std::string aggregate = "rbac.authorization.k8s.io/aggregate-to-";
    make(registry, client, "clusterroles.rbac.authorization.k8s.io",
         {{"metadata",
           {{"name", "system:aggregated-metrics-reader"},
            {"labels",
             {{"k8s-app", "metrics-server"}, {aggregate + "admin", "true"}, {aggregate + "edit", "true"}, {aggregate + "view", "true"}}}}},
          {"rules", api::Json::array({{{"apiGroups", {"metrics.k8s.io"}}, {"resources", {"pods", "nodes"}}, {"verbs", {"get", "list", "watch"}}}})}});
}

void bootstrap_flow_control(api::Registry& registry) {
    api::Client client(registry, api_server_user(), "api-priority-and-fairness-config-producer-v1/v1");
    for (const api::Json& level : api::bootstrap_priority_levels()) {
        make(registry, client, "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", level);
    }
    for (const api::Json& schema : api::bootstrap_flow_schemas()) {
        make(registry, client, "flowschemas.flowcontrol.apiserver.k8s.io", schema);
    }
}

void bootstrap_service_network(api::Registry& registry, const std::string& network) {
    using namespace api::kinds;
    if (const storage::RecordPtr record = registry.get(service_cidr_resource, "", default_service_cidr)) {
        const api::Json cidrs = api::array_at(registry.document(*record), {"spec", "cidrs"});
        if (cidrs != api::Json(split_service_networks(network))) {
            log_line(LogLevel::warning, "the cluster keeps the network of Services that it was made with", {{"cidrs", cidrs.dump()}});
        }
        return;
    }
    const api::KindSpec* served = registry.kinds().find_stored(service_cidr_resource);
    if (served == nullptr) return keep_service_network(registry, network);
    const api::KindSpec& kind = *served;
    api::Client client(registry, api_server_user(), "kube-apiserver/v1");
    const auto made = client.create(kind, {}, {{"metadata", {{"name", std::string(default_service_cidr)}}},
                                               {"spec", {{"cidrs", split_service_networks(network)}}}});
    api::Json configuration = {{"kind", "ServiceCIDR"},
                               {"apiVersion", "networking.k8s.io/v1"},
                               {"metadata", {{"name", std::string(default_service_cidr)}}},
                               {"status", {{"conditions", api::Json::array({ready_network(api::format_time(registry.clock().now()))})}}}};
    const auto applied = !made ? made : client.apply(kind, {}, std::move(configuration), "kubernetes-service-cidr-controller", "status");
    if (!applied) log_line(LogLevel::error, "the service network is not ready", {{"error", applied.error()->message}});
}

std::string first_service_address(const api::Registry& registry) {
    const auto networks = api::kinds::open_service_networks(registry, api::kinds::service_families(registry).front());
    return networks.empty() ? std::string() : networks.front().first.text();
}

void bootstrap_authentication(api::Registry& registry, const std::string& authority) {
    api::Client client(registry, api_server_user(), "kube-apiserver/v1");
    const auto config = [&](const char* name, api::Json data) {
        make(registry, client, "configmaps", {{"metadata", {{"name", name}, {"namespace", "kube-system"}}}, {"data", std::move(data)}});
    };
    // Lists are JSON texts within the text.
    config("extension-apiserver-authentication", {{"client-ca-file", authority},
                                                  {"requestheader-allowed-names", R"(["front-proxy-client"])"},
                                                  {"requestheader-client-ca-file", authority},
                                                  {"requestheader-extra-headers-prefix", R"(["X-Remote-Extra-"])"},
                                                  {"requestheader-group-headers", R"(["X-Remote-Group"])"},
                                                  {"requestheader-uid-headers", R"(["X-Remote-Uid"])"},
                                                  {"requestheader-username-headers", R"(["X-Remote-User"])"}});
    config(api::token_tracking_config,
           {{"since", api::format_time(registry.clock().now()).substr(0, 10)}});
}

}  // namespace kubemu::controllers

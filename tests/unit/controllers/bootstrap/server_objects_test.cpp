// What the server keeps about itself: APIServices of what it serves, flow control's objects.
#include "controllers/bootstrap/server_objects.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/kinds/networking/service_networks.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {
constexpr const char* services = "apiservices.apiregistration.k8s.io";
}

TEST_CASE("each served group version has its APIService, once") {
    tests::TestCluster cluster;
    cluster.create(
        services,
        R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1beta1.extensions",
        "labels":{"kube-aggregator.kubernetes.io/automanaged":"onstart"}},
        "spec":{"group":"extensions","version":"v1beta1","groupPriorityMinimum":1,"versionPriority":1}})");
    cluster.create(
        services,
        R"({"apiVersion":"apiregistration.k8s.io/v1","kind":"APIService","metadata":{"name":"v1.mine"},
        "spec":{"group":"mine","version":"v1","groupPriorityMinimum":1,"versionPriority":1}})");
    controllers::bootstrap_api_services(cluster.registry());
    cluster.settle();
    const api::Json apps = cluster.get(services, "v1.apps", "");
    CHECK(apps["spec"] ==
          api::Json::parse(
              R"({"group":"apps","version":"v1","groupPriorityMinimum":17800,"versionPriority":15})"));
    CHECK(apps["status"]["conditions"][0]["status"] == "True");
    CHECK(cluster.exists(services, "v1.", ""));
    CHECK(cluster.exists(services, "v1.mine", ""));                     // a user's
    CHECK(!cluster.exists(services, "v1beta1.extensions", ""));         // of a release before
    CHECK(!cluster.exists(services, "v1.apiregistration.k8s.io", ""));  // the aggregator's own
    const std::size_t count = cluster.list(services, "").size();
    controllers::bootstrap_api_services(cluster.registry());
    cluster.settle();
    CHECK(cluster.list(services, "").size() == count);
}

TEST_CASE("flow control's objects are there, and what was changed stays") {
    tests::TestCluster cluster;
    controllers::bootstrap_flow_control(cluster.registry());
    cluster.settle();
    CHECK(cluster.list("flowschemas.flowcontrol.apiserver.k8s.io", "").size() == 11);
    constexpr const char* levels = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io";
    CHECK(cluster.list(levels, "").size() == 8);
    cluster.patch(levels, "workload-low", R"({"spec":{"limited":{"nominalConcurrencyShares":7}}})", {}, "");
    controllers::bootstrap_flow_control(cluster.registry());
    cluster.settle();
    CHECK(cluster.get(levels, "workload-low", "")["spec"]["limited"]["nominalConcurrencyShares"] == 7);
}

TEST_CASE("the network of the services is named, and ready") {
    tests::TestCluster cluster;
    controllers::bootstrap_service_network(cluster.registry(), "10.96.0.0/12");
    cluster.settle();
    const api::Json network = cluster.get("servicecidrs.networking.k8s.io", "kubernetes", "");
    CHECK(network["spec"]["cidrs"] == api::Json::array({"10.96.0.0/12"}));
    CHECK(network["status"]["conditions"][0]["status"] == "True");
    CHECK(controllers::first_service_address(cluster.registry()) == "10.96.0.1");
    // It keeps the one that it was made with.
    controllers::bootstrap_service_network(cluster.registry(), "10.0.0.0/24");
    cluster.settle();
    CHECK(cluster.get("servicecidrs.networking.k8s.io", "kubernetes", "")["spec"]["cidrs"][0] == "10.96.0.0/12");
}

TEST_CASE("a network of each family: Services are of the first by themselves, and have their DNS server at its tenth address") {
    tests::TestCluster cluster;
    CHECK(api::kinds::dns_service_address(cluster.registry()) == "10.96.0.10");
    controllers::bootstrap_service_network(cluster.registry(), "fd00:10:96::/112,10.0.0.0/24");
    cluster.settle();
    CHECK(cluster.get("servicecidrs.networking.k8s.io", "kubernetes", "")["spec"]["cidrs"] == api::Json::array({"fd00:10:96::/112", "10.0.0.0/24"}));
    CHECK(controllers::first_service_address(cluster.registry()) == "fd00:10:96::1");
    CHECK(api::kinds::dns_service_address(cluster.registry()) == "fd00:10:96::a");
}

TEST_CASE("other servers find by whom their callers are vouched for") {
    tests::TestCluster cluster;
    controllers::bootstrap_authentication(cluster.registry(), "the certificate");
    cluster.settle();
    const api::Json trust = cluster.get("configmaps", "extension-apiserver-authentication", "kube-system");
    CHECK(trust["data"]["client-ca-file"] == "the certificate");
    CHECK(trust["data"]["requestheader-allowed-names"] == "[\"front-proxy-client\"]");
    const api::Json tracking = cluster.get("configmaps", "kube-apiserver-legacy-service-account-token-tracking", "kube-system");
    CHECK(tracking["data"]["since"] == "2026-01-01");
}

// ResourceQuota: what is refused, what is charged, and that nothing is charged for what is refused.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

// A quota whose use has been counted as zero, as the controller does.
void quota(tests::TestCluster& cluster, const std::string& hard, const std::string& rest = "") {
    const Json limits = Json::parse(hard);
    created(cluster, "resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":)" + hard + rest + "}}");
    Json used = Json::object();
    for (const auto& [name, quantity] : limits.items()) used[name] = "0";
    cluster.patch("resourcequotas", "q", Json({{"status", {{"hard", limits}, {"used", used}}}}).dump(), "status");
}

Json used(tests::TestCluster& cluster) {
    return cluster.get("resourcequotas", "q")["status"]["used"];
}

std::string pod(const std::string& name, const std::string& resources, const std::string& rest = "") {
    return R"({"metadata":{"name":")" + name + R"("},"spec":{"containers":[{"name":"c","image":"i","resources":)" +
           resources + "}]" + rest + "}}";
}

using Cluster = tests::TestCluster;

}  // namespace

TEST_CASE("a pod must say what the quota limits, and cannot take more than is left") {
    Cluster cluster;
    quota(cluster, R"({"pods":"2","requests.cpu":"1","limits.memory":"1Gi"})");
    CHECK(create_refused(cluster, "pods", pod("p", "{}")) ==
          "pods \"p\" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c");
    CHECK(create_refused(cluster, "pods", pod("p", R"({"limits":{"memory":"1Mi"},"requests":{"cpu":"2"}})")) ==
          "pods \"p\" is forbidden: exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: "
          "requests.cpu=1");
    CHECK(create_refused(cluster, "pods", pod("p", R"({"limits":{"memory":"1Mi"},"requests":{"cpu":"600m"}})")) == "");
    CHECK(used(cluster) == Json::parse(R"({"pods":"1","requests.cpu":"600m","limits.memory":"1Mi"})"));
    CHECK(create_refused(cluster, "pods", pod("o", R"({"limits":{"memory":"1Gi"},"requests":{"cpu":"600m"}})")) ==
          "pods \"o\" is forbidden: exceeded quota: q, requested: limits.memory=1Gi,requests.cpu=600m, used: "
          "limits.memory=1Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1");
    // An object that exists already is not paid for twice.
    CHECK(create_refused(cluster, "pods", pod("p", R"({"limits":{"memory":"1Mi"},"requests":{"cpu":"1m"}})")) ==
          "pods \"p\" already exists");
    CHECK(used(cluster)["pods"] == "1");
}

TEST_CASE("object counts, services by type, claims by class") {
    Cluster cluster;
    quota(
        cluster,
        R"({"count/configmaps":"1","count/deployments.apps":"0","services.nodeports":"1","services.loadbalancers":"0",)"
        R"("persistentvolumeclaims":"5","gold.storageclass.storage.k8s.io/requests.storage":"3Gi"})");
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"a"}})") == "");
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"b"}})") ==
          "configmaps \"b\" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, "
          "limited: "
          "count/configmaps=1");
    CHECK(
        create_refused(
            cluster, "services",
            R"({"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"name":"a","port":1},{"name":"b","port":2}]}})") ==
        "services \"s\" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, "
        "limited: "
        "services.nodeports=1");
    CHECK(create_refused(cluster, "services", R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":1}]}})") == "");
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"type":"LoadBalancer"}})") ==
          "services \"s\" is forbidden: exceeded quota: q, requested: services.loadbalancers=1, used: "
          "services.loadbalancers=0, "
          "limited: services.loadbalancers=0");
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"type":"NodePort"}})") == "");
    CHECK(used(cluster)["services.nodeports"] == "1");
    const auto claim = [](const std::string& name, const std::string& size) {
        return R"({"metadata":{"name":")" + name +
               R"("},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"gold",)" +
               R"("resources":{"requests":{"storage":")" + size + R"("}}}})";
    };
    CHECK(create_refused(cluster, "persistentvolumeclaims", claim("a", "2Gi")) == "");
    CHECK(create_refused(cluster, "persistentvolumeclaims", claim("b", "2Gi")) ==
          "persistentvolumeclaims \"b\" is forbidden: exceeded quota: q, requested: "
          "gold.storageclass.storage.k8s.io/requests.storage=2Gi, used: "
          "gold.storageclass.storage.k8s.io/requests.storage=2Gi, "
          "limited: gold.storageclass.storage.k8s.io/requests.storage=3Gi");
}

TEST_CASE("devices by class: of alternatives the most that it may come to, of all what a claim can hold") {
    Cluster cluster;
    quota(cluster, R"({"gpu.deviceclass.resource.k8s.io/devices":"6","count/resourceclaims.resource.k8s.io":"3"})");
    const auto claim = [](const std::string& name, const std::string& requests) {
        return R"({"metadata":{"name":")" + name + R"("},"spec":{"devices":{"requests":[)" + requests + "]}}}";
    };
    CHECK(create_refused(cluster, "resourceclaims.resource.k8s.io",
                         claim("a", R"({"name":"r","exactly":{"deviceClassName":"gpu","count":2}},{"name":"s","exactly":{"deviceClassName":"nic","count":9}})")) == "");
    CHECK(create_refused(cluster, "resourceclaims.resource.k8s.io",
                         claim("b", R"({"name":"r","firstAvailable":[{"name":"x","deviceClassName":"gpu","count":3},{"name":"y","deviceClassName":"gpu"}]})")) == "");
    CHECK(used(cluster)["gpu.deviceclass.resource.k8s.io/devices"] == "5");
    CHECK(create_refused(cluster, "resourceclaims.resource.k8s.io", claim("c", R"({"name":"r","exactly":{"deviceClassName":"gpu","allocationMode":"All"}})")) ==
          "resourceclaims.resource.k8s.io \"c\" is forbidden: exceeded quota: q, requested: gpu.deviceclass.resource.k8s.io/devices=32, used: "
          "gpu.deviceclass.resource.k8s.io/devices=5, limited: gpu.deviceclass.resource.k8s.io/devices=6");
}

TEST_CASE("scopes say which pods a quota is about") {
    Cluster cluster;
    created(cluster, "priorityclasses.scheduling.k8s.io", R"({"metadata":{"name":"high"},"value":7})");
    quota(cluster, R"({"pods":"1"})",
          R"(,"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]})");
    CHECK(create_refused(cluster, "pods", pod("a", "{}")) == "");
    CHECK(create_refused(cluster, "pods", pod("b", "{}", R"(,"priorityClassName":"high")")) == "");
    CHECK(create_refused(cluster, "pods", pod("c", "{}", R"(,"priorityClassName":"high")")) ==
          "pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1");
    CHECK(used(cluster)["pods"] == "1");
}

TEST_CASE("a pod that gets a deadline moves into the quota of those that end") {
    Cluster cluster;
    quota(cluster, R"({"pods":"0"})", R"(,"scopes":["Terminating"])");
    CHECK(create_refused(cluster, "pods", pod("a", "{}")) == "");
    CHECK(patch_refused(cluster, "pods", "a", R"({"spec":{"activeDeadlineSeconds":9}})") ==
          "pods \"a\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0");
}

TEST_CASE("a quota of which nobody knows the use refuses") {
    Cluster cluster;
    created(cluster, "resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"secrets":"5"}}})");
    CHECK(create_refused(cluster, "secrets", R"({"metadata":{"name":"a"}})") == "");
    cluster.patch("resourcequotas", "q", R"({"status":{"hard":{"secrets":"5"}}})", "status");
    CHECK(create_refused(cluster, "secrets", R"({"metadata":{"name":"b"}})") ==
          "secrets \"b\" is forbidden: status unknown for quota: q, resources: secrets");
}

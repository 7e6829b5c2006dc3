// ReplicaSets and ReplicationControllers through the registry, on a simulated clock.
#include "controllers/replicaset/controller.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

api::Json replica_set(int replicas) {
    api::Json object = api::Json::parse(R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web"},
        "spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
        "spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
    object["spec"]["replicas"] = replicas;
    return object;
}

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::ReplicaSetController>();
        add<controllers::ReplicationController>();
    }
    std::int64_t status(const char* member) {
        return api::int_at(get("replicasets.apps", "web"), {"status", member});
    }
};

}  // namespace

TEST_CASE("as many pods as asked for, replaced and given up") {
    Cluster cluster;
    cluster.create("replicasets.apps", replica_set(3));
    cluster.settle_with_pods();
    auto pods = cluster.list("pods");
    REQUIRE(pods.size() == 3);
    CHECK(api::string_at(pods[0], {"metadata", "generateName"}) == "web-");
    CHECK(api::bool_at(pods[0]["metadata"]["ownerReferences"][0], {"controller"}));
    CHECK(cluster.status("replicas") == 3);
    CHECK(cluster.status("readyReplicas") == 3);
    CHECK(cluster.status("availableReplicas") == 3);
    CHECK(cluster.status("fullyLabeledReplicas") == 3);
    CHECK(cluster.status("observedGeneration") == 1);

    cluster.set_pod(api::name_of(pods[0]), "Failed", false);
    cluster.settle_with_pods();
    CHECK(cluster.list("pods").size() == 4);  // the failed one is not this controller's to remove
    CHECK(cluster.status("replicas") == 3);

    cluster.patch("replicasets.apps", "web", R"({"spec":{"replicas":1}})");
    cluster.settle_with_pods();
    CHECK(cluster.status("replicas") == 1);
    CHECK(cluster.list("pods").size() == 2);
    const auto events = cluster.events();
    CHECK(std::count_if(events.begin(), events.end(),
                        [](const std::string& line) { return line.starts_with("Normal SuccessfulDelete ReplicaSet/web: Deleted pod: web-"); }) == 2);
}

TEST_CASE("pods are adopted by label, and released when the label goes") {
    Cluster cluster;
    cluster.create("pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"stray","labels":{"app":"web"}},
        "spec":{"containers":[{"name":"main","image":"nginx:1"}]}})");
    cluster.create("replicasets.apps", replica_set(1));
    cluster.settle();
    CHECK(cluster.list("pods").size() == 1);
    CHECK(api::string_at(cluster.get("pods", "stray")["metadata"]["ownerReferences"][0], {"name"}) == "web");
    cluster.patch("pods", "stray", R"({"metadata":{"labels":{"app":"debug"}}})");
    cluster.settle();
    CHECK(cluster.list("pods").size() == 2);
    CHECK_FALSE(cluster.get("pods", "stray")["metadata"].contains("ownerReferences"));
}

TEST_CASE("unready pods go before ready ones, and cheap ones before dear ones") {
    Cluster cluster;
    cluster.create("replicasets.apps", replica_set(4));
    cluster.settle();
    const auto pods = cluster.list("pods");
    REQUIRE(pods.size() == 4);
    const std::string unready(api::name_of(pods[0])), cheap(api::name_of(pods[1]));
    cluster.settle_with_pods([&](const api::Json& pod) { return api::name_of(pod) != unready; });
    cluster.patch("pods", cheap, R"({"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"-5"}}})");
    cluster.patch("replicasets.apps", "web", R"({"spec":{"replicas":3}})");
    cluster.settle();
    cluster.run_pods([](const api::Json&) { return false; });
    CHECK_FALSE(cluster.exists("pods", unready));
    cluster.patch("replicasets.apps", "web", R"({"spec":{"replicas":2}})");
    cluster.settle();
    cluster.run_pods([](const api::Json&) { return false; });
    CHECK_FALSE(cluster.exists("pods", cheap));
}

TEST_CASE("minReadySeconds: available later than ready") {
    Cluster cluster;
    api::Json object = replica_set(2);
    object["spec"]["minReadySeconds"] = 30;
    cluster.create("replicasets.apps", object);
    cluster.settle_with_pods();
    CHECK(cluster.status("readyReplicas") == 2);
    CHECK(cluster.status("availableReplicas") == 0);
    cluster.advance(29s);
    CHECK(cluster.status("availableReplicas") == 0);
    cluster.advance(1s);
    CHECK(cluster.status("availableReplicas") == 2);
}

TEST_CASE("a ReplicationController does the same with its plain selector") {
    Cluster cluster;
    cluster.create("replicationcontrollers", R"({"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"rc"},
        "spec":{"replicas":2,"selector":{"app":"rc"},"template":{"metadata":{"labels":{"app":"rc"}},
        "spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
    cluster.settle_with_pods();
    CHECK(api::int_at(cluster.get("replicationcontrollers", "rc"), {"status", "availableReplicas"}) == 2);
    CHECK(cluster.events().front().starts_with("Normal SuccessfulCreate ReplicationController/rc: Created pod: rc-"));
}

TEST_CASE("a thousand replicas take no time worth speaking of") {
    Cluster cluster;
    cluster.create("replicasets.apps", replica_set(1000));
    const auto start = std::chrono::steady_clock::now();
    cluster.settle();
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(cluster.status("replicas") == 1000);
    MESSAGE("1000 pods in " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

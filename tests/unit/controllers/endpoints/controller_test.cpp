// Endpoints and EndpointSlices of the same services, and budgets over the same pods.
#include "controllers/endpoints/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controllers/disruption/controller.h"
#include "controllers/endpointslice/controller.h"
#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::EndpointsController>();
        add<controllers::EndpointSliceController>();
        add<controllers::DisruptionController>();
        add<controllers::ReplicaSetController>();
        create("nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"node-0","labels":{"topology.kubernetes.io/zone":"z1"}}})");
    }
    void web(int replicas) {
        api::Json object = api::Json::parse(R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web"},
            "spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
            "spec":{"containers":[{"name":"main","image":"nginx:1","ports":[{"name":"http","containerPort":8080}]}]}}}})");
        object["spec"]["replicas"] = replicas;
        create("replicasets.apps", object);
    }
    void service() {
        create("services", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"svc","labels":{"l":"1"}},
            "spec":{"selector":{"app":"web"},"ports":[{"name":"p","port":80,"targetPort":"http"}]}})");
    }
};

}  // namespace

TEST_CASE("addresses follow readiness, and go with the service") {
    Cluster cluster;
    cluster.service();
    cluster.settle();
    CHECK_FALSE(cluster.get("endpoints", "svc").contains("subsets"));
    CHECK(cluster.list("endpointslices.discovery.k8s.io").size() == 1);
    cluster.web(2);
    cluster.settle_with_pods();
    api::Json endpoints = cluster.get("endpoints", "svc");
    REQUIRE(endpoints["subsets"].size() == 1);
    CHECK(endpoints["subsets"][0]["addresses"].size() == 2);
    CHECK(endpoints["subsets"][0]["ports"] == api::Json::parse(R"([{"name":"p","port":8080,"protocol":"TCP"}])"));
    CHECK(api::string_at(endpoints["subsets"][0]["addresses"][0], {"nodeName"}) == "node-0");
    CHECK(api::string_at(endpoints, {"metadata", "labels", "l"}) == "1");

    cluster.set_pod(api::name_of(cluster.list("pods")[0]), "Running", false);
    cluster.settle();
    endpoints = cluster.get("endpoints", "svc");
    CHECK(endpoints["subsets"][0]["addresses"].size() == 1);
    CHECK(endpoints["subsets"][0]["notReadyAddresses"].size() == 1);
    const auto slices = cluster.list("endpointslices.discovery.k8s.io");
    REQUIRE(slices.size() == 1);  // the one that stood empty is used
    REQUIRE(slices[0]["endpoints"].size() == 2);
    int ready = 0;
    for (const api::Json& endpoint : slices[0]["endpoints"]) {
        ready += api::bool_at(endpoint, {"conditions", "ready"});
        CHECK(api::string_at(endpoint, {"zone"}) == "z1");
    }
    CHECK(ready == 1);

    cluster.remove("services", "svc");
    cluster.settle();
    CHECK_FALSE(cluster.exists("endpoints", "svc"));
}

TEST_CASE("many addresses are spread over slices of a hundred") {
    Cluster cluster;
    cluster.service();
    cluster.web(120);
    cluster.settle_with_pods();
    std::size_t total = 0;
    for (const api::Json& slice : cluster.list("endpointslices.discovery.k8s.io")) {
        CHECK(slice["endpoints"].size() <= 100);
        total += slice["endpoints"].size();
    }
    CHECK(total == 120);
}

TEST_CASE("a budget counts healthy pods") {
    Cluster cluster;
    cluster.web(3);
    cluster.create("poddisruptionbudgets.policy", R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget",
        "metadata":{"name":"pdb"},"spec":{"maxUnavailable":"50%","selector":{"matchLabels":{"app":"web"}}}})");
    cluster.settle_with_pods();
    api::Json status = cluster.get("poddisruptionbudgets.policy", "pdb")["status"];
    CHECK(api::int_at(status, {"expectedPods"}) == 3);
    CHECK(api::int_at(status, {"desiredHealthy"}) == 1);
    CHECK(api::int_at(status, {"currentHealthy"}) == 3);
    CHECK(api::int_at(status, {"disruptionsAllowed"}) == 2);
    CHECK(api::string_at(status["conditions"][0], {"reason"}) == "SufficientPods");
    for (const api::Json& pod : cluster.list("pods")) cluster.set_pod(api::name_of(pod), "Running", false);
    cluster.settle();
    status = cluster.get("poddisruptionbudgets.policy", "pdb")["status"];
    CHECK(api::int_at(status, {"disruptionsAllowed"}) == 0);
    CHECK(api::string_at(status["conditions"][0], {"reason"}) == "InsufficientPods");
}

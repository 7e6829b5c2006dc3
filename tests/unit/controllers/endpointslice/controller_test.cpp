// Slices of the pods behind a service.
#include "controllers/endpointslice/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::EndpointSliceController>();
        create("nodes", R"({"metadata":{"name":"node-0","labels":{"topology.kubernetes.io/zone":"z1"}}})");
    }
    void service(const char* more = "{}") {
        api::Json object = api::Json::parse(R"({"metadata":{"name":"s"},"spec":{"selector":{"app":"web"},"ports":[{"name":"http","port":80,"targetPort":"web"}]}})");
        object.merge_patch(api::Json::parse(more));
        create("services", object);
        settle();
    }
    void pod(const std::string& name, int port = 8080) {
        api::Json object = api::Json::parse(R"({"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"i","ports":[{"name":"web"}]}]}})");
        object["metadata"]["name"] = name;
        object["spec"]["containers"][0]["ports"][0]["containerPort"] = port;
        create("pods", object);
    }
    std::vector<api::Json> slices() { return list("endpointslices.discovery.k8s.io"); }
};

}  // namespace

TEST_CASE("a service without pods has an empty slice, which its pods fill") {
    Cluster cluster;
    cluster.service();
    REQUIRE(cluster.slices().size() == 1);
    cluster.pod("a");
    cluster.settle_with_pods();
    REQUIRE(cluster.slices().size() == 1);
    const api::Json slice = cluster.slices().front();
    REQUIRE(slice["endpoints"].size() == 1);
    const api::Json& endpoint = slice["endpoints"][0];
    CHECK(api::bool_at(endpoint, {"conditions", "ready"}));
    CHECK(api::string_at(endpoint, {"nodeName"}) == "node-0");
    CHECK(api::string_at(endpoint, {"zone"}) == "z1");
    CHECK(api::string_at(endpoint, {"targetRef", "name"}) == "a");
    CHECK(api::int_at(slice["ports"][0], {"port"}) == 8080);
}

TEST_CASE("a pod that is going still serves, but is not ready") {
    Cluster cluster;
    cluster.service();
    cluster.pod("a");
    cluster.settle_with_pods();
    cluster.remove("pods", "a");
    cluster.settle();
    const api::Json endpoint = cluster.slices().front()["endpoints"][0];
    CHECK_FALSE(api::bool_at(endpoint, {"conditions", "ready"}, true));
    CHECK(api::bool_at(endpoint, {"conditions", "serving"}));
    CHECK(api::bool_at(endpoint, {"conditions", "terminating"}));
}

TEST_CASE("pods whose named port has another number are in a slice of their own") {
    Cluster cluster;
    cluster.service();
    cluster.pod("a", 8080);
    cluster.pod("b", 9090);
    cluster.settle_with_pods();
    std::set<std::int64_t> ports;
    for (const api::Json& slice : cluster.slices()) ports.insert(api::int_at(slice["ports"][0], {"port"}));
    CHECK(ports == std::set<std::int64_t>{8080, 9090});
}

TEST_CASE("no slice has more than a hundred endpoints") {
    Cluster cluster;
    cluster.service();
    for (int i = 0; i < 230; ++i) cluster.pod("p" + std::to_string(i));
    cluster.settle_with_pods();
    std::size_t all = 0;
    for (const api::Json& slice : cluster.slices()) {
        CHECK(slice["endpoints"].size() <= 100);
        all += slice["endpoints"].size();
    }
    CHECK(all == 230);
    CHECK(cluster.slices().size() == 3);
}

TEST_CASE("trafficDistribution: hints to the zone, or to the node, of what is ready") {
    Cluster cluster;
    const auto hints = [&](const char* distribution, const char* more = "{}") {
        tests::TestCluster& base = cluster;
        if (base.exists("services", "s")) base.remove("services", "s");
        for (const api::Json& slice : cluster.slices()) base.remove("endpointslices.discovery.k8s.io", api::name_of(slice));
        api::Json service = api::Json::parse(more);
        service["spec"]["trafficDistribution"] = distribution;
        cluster.service(service.dump().c_str());
        base.settle_with_pods();
        const api::Json slice = cluster.slices().front();
        const api::Json* found = api::find(slice["endpoints"][0], "hints");
        return found == nullptr ? std::string() : found->dump();
    };
    cluster.pod("a");
    cluster.settle_with_pods();
    CHECK(hints("PreferClose") == R"({"forZones":[{"name":"z1"}]})");
    CHECK(hints("PreferSameZone") == R"({"forZones":[{"name":"z1"}]})");
    CHECK(hints("PreferSameNode") == R"({"forNodes":[{"name":"node-0"}],"forZones":[{"name":"z1"}]})");
    CHECK(hints("PreferClose", R"({"metadata":{"annotations":{"service.kubernetes.io/topology-mode":"Auto"}}})").empty());
    cluster.remove("pods", "a");  // it goes, and is not ready
    cluster.settle();
    CHECK_FALSE(cluster.slices().front()["endpoints"][0].contains("hints"));
}

// Slices of the pods behind a service.
#include "controllers/endpointslice/controller.h"

#include <doctest/doctest.h>
#include <map>
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

namespace {

// Nodes node-0 to node-2 in zones a to c, with so many cores.
void zones(tests::TestCluster& cluster, std::initializer_list<const char*> cores) {
    int i = 0;
    for (const char* cpu : cores) {
        const std::string name = "zone-" + std::to_string(i);
        cluster.create("nodes", api::Json{{"metadata", {{"name", name}, {"labels", {{"topology.kubernetes.io/zone", std::string(1, static_cast<char>('a' + i))}}}}}});
        const api::Json status = {{"status", {{"allocatable", {{"cpu", cpu}}},
                                              {"conditions", api::Json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
        cluster.patch("nodes", name, status.dump(), "status");
        ++i;
    }
}

struct ZonedCluster : tests::TestCluster {
    explicit ZonedCluster(std::initializer_list<const char*> cores) {
        add<controllers::EndpointSliceController>();
        zones(*this, cores);
    }
    void pod(const std::string& name, const std::string& node) {
        create("pods", api::Json{{"metadata", {{"name", name}, {"labels", {{"app", "web"}}}}},
                                 {"spec", {{"nodeName", node}, {"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}});
    }
    void service() {
        create("services", R"({"metadata":{"name":"s","annotations":{"service.kubernetes.io/topology-mode":"Auto"}},
            "spec":{"selector":{"app":"web"},"ports":[{"port":80}]}})");
        settle_with_pods();
    }
    // "a>b": the zone of an endpoint, and the one that it is for.
    std::multiset<std::string> hints() {
        std::multiset<std::string> found;
        for (const api::Json& slice : list("endpointslices.discovery.k8s.io")) {
            for (const api::Json& endpoint : api::array_at(slice, {"endpoints"})) {
                const api::Json& zones = api::array_at(endpoint, {"hints", "forZones"});
                found.insert(std::string(api::string_at(endpoint, {"zone"})) + ">" +
                             (zones.empty() ? "" : std::string(api::string_at(zones[0], {"name"}))));
            }
        }
        return found;
    }
    std::string last_event() {
        const auto all = events();
        return all.empty() ? std::string() : all.back();
    }
};

using Hints = std::multiset<std::string>;

}  // namespace

TEST_CASE("topology-mode Auto: each zone gets endpoints for its share of the CPU") {
    ZonedCluster cluster({"4", "4"});
    for (int i = 0; i < 3; ++i) cluster.pod("p" + std::to_string(i), "zone-0");
    cluster.pod("q", "zone-1");
    cluster.settle_with_pods();
    cluster.service();
    CHECK(cluster.hints() == Hints{"a>a", "a>a", "a>b", "b>b"});
    CHECK(cluster.last_event() == "Normal TopologyAwareHintsEnabled Service/s: Topology Aware Hints has been enabled, addressType: IPv4");
    CHECK(cluster.events().size() == 1);
    cluster.patch("services", "s", R"({"metadata":{"annotations":null}})");
    cluster.settle();
    CHECK(cluster.hints() == Hints{"a>", "a>", "a>", "b>"});
    CHECK(cluster.last_event() == "Warning TopologyAwareHintsDisabled Service/s: Topology Aware Hints has been disabled, addressType: IPv4");
}

TEST_CASE("topology-mode Auto: why there are no hints") {
    const auto told = [](std::initializer_list<const char*> cores, int pods) {
        ZonedCluster cluster(cores);
        for (int i = 0; i < pods; ++i) cluster.pod("p" + std::to_string(i), "zone-0");
        cluster.settle_with_pods();
        cluster.service();
        CHECK(cluster.hints().count("a>") == static_cast<std::size_t>(pods));
        return cluster.last_event();
    };
    const std::string head = "Warning TopologyAwareHintsDisabled Service/s: ", tail = ", addressType: IPv4";
    CHECK(told({"4", "4", "4"}, 2) == head + "Insufficient number of endpoints (2 endpoints, 3 zones)" + tail);
    CHECK(told({"4"}, 2) == head + "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes" + tail);
    CHECK(told({"4", "0"}, 2) == head + "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes" + tail);
    CHECK(told({"1", "9"}, 2) == head + "Unable to allocate minimum required endpoints to each zone without exceeding overload "
                                        "threshold (2 endpoints, 2 zones)" + tail);
}

TEST_CASE("topology-mode Auto: a node that goes takes its zone's share along") {
    ZonedCluster cluster({"4", "4", "4"});
    for (int i = 0; i < 6; ++i) cluster.pod("p" + std::to_string(i), "zone-" + std::to_string(i % 3));
    cluster.settle_with_pods();
    cluster.service();
    CHECK(cluster.hints() == Hints{"a>a", "a>a", "b>b", "b>b", "c>c", "c>c"});
    cluster.patch("nodes", "zone-1", R"({"status":{"conditions":[{"type":"Ready","status":"False"}]}})", "status");
    cluster.patch("nodes", "zone-2", R"({"status":{"conditions":[{"type":"Ready","status":"False"}]}})", "status");
    cluster.settle();
    CHECK(cluster.hints() == Hints{"a>", "a>", "b>", "b>", "c>", "c>"});
}

TEST_CASE("a pod on a node that nobody knows is left out, told of, and looked for again") {
    ZonedCluster cluster({"4"});
    cluster.pod("p", "nowhere");
    cluster.settle_with_pods();
    cluster.create("services", R"({"metadata":{"name":"s"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}})");
    cluster.settle();
    CHECK(cluster.last_event() == "Warning FailedToUpdateEndpointSlices Service/s: Error updating Endpoint Slices for Service "
                                  "default/s: skipping Pod p for Service default/s: Node nowhere Not Found");
    CHECK(cluster.hints().empty());
    const auto count = [&] { return api::int_at(cluster.list("events").front(), {"count"}); };
    CHECK(count() == 1);
    cluster.advance(std::chrono::seconds(1));
    CHECK(count() == 2);
    cluster.create("nodes", R"({"metadata":{"name":"nowhere"}})");
    cluster.settle();
    CHECK(cluster.hints().size() == 1);
}

TEST_CASE("a Service of two families has slices of both, with the addresses that its pods have of each") {
    Cluster cluster;
    cluster.create("servicecidrs.networking.k8s.io", R"({"metadata":{"name":"kubernetes"},"spec":{"cidrs":["10.96.0.0/16","fd00::/112"]}})");
    cluster.patch("servicecidrs.networking.k8s.io", "kubernetes", R"({"status":{"conditions":[{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})", "status", "");
    cluster.settle();
    cluster.service(R"({"spec":{"ipFamilyPolicy":"PreferDualStack"}})");
    cluster.pod("p");
    cluster.settle_with_pods();
    const auto addresses = [&] {
        std::map<std::string, std::vector<std::string>> found;
        for (const api::Json& slice : cluster.list("endpointslices.discovery.k8s.io")) {
            auto& of_family = found[slice["addressType"].get<std::string>()];
            for (const api::Json& endpoint : api::array_at(slice, {"endpoints"})) of_family.push_back(endpoint["addresses"][0]);
        }
        return found;
    };
    const std::string ip = cluster.get("pods", "p")["status"]["podIP"];
    CHECK(addresses() == std::map<std::string, std::vector<std::string>>{{"IPv4", {ip}}, {"IPv6", {}}});
    cluster.patch("pods", "p", R"({"status":{"podIPs":[{"ip":")" + ip + R"("},{"ip":"fd01::5"}],"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2027-01-01T00:00:00Z"}]}})", "status");
    cluster.settle();
    CHECK(addresses() == std::map<std::string, std::vector<std::string>>{{"IPv4", {ip}}, {"IPv6", {"fd01::5"}}});
    cluster.patch("services", "s", R"({"spec":{"ipFamilyPolicy":"SingleStack"}})");
    cluster.settle();
    CHECK(addresses() == std::map<std::string, std::vector<std::string>>{{"IPv4", {ip}}});
}

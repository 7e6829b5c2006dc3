// Who answers for a Service: what its EndpointSlices say, whoever wrote them.
#include "controllers/kubelet/cluster_network.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using api::Json;

namespace {

struct Cluster : tests::TestCluster {
    kubelet::LogStore logs{manager()};
    std::shared_ptr<const kubelet::Network> network = kubelet::make_network(registry(), logs, api::ServedLoad::make(registry()));

    Cluster() {
        add<KubeletController>(NodeOptions{.count = 1});
        settle();
        for (const char* name : {"a", "b"}) {
            create("pods", {{"metadata", {{"name", name}}},
                            {"spec", {{"nodeName", "kubemu-control-plane"}, {"containers", {{{"name", "c"}, {"image", "nginx"}}}}}}});
        }
        advance(std::chrono::seconds(10));
        create("services", {{"metadata", {{"name", "web"}}},
                            {"spec", {{"ports", {{{"name", "one"}, {"port", 80}}, {{"name", "two"}, {"port", 81}}}}}}});
    }
    std::string ip(const std::string& pod) { return std::string(api::string_at(get("pods", pod), {"status", "podIP"})); }
    void slice(const std::string& name, const std::string& port, const std::string& address, Json conditions = Json::object()) {
        create("endpointslices.discovery.k8s.io",
               {{"metadata", {{"name", name}, {"labels", {{"kubernetes.io/service-name", "web"}}}}},
                {"addressType", "IPv4"},
                {"ports", {{{"name", port}, {"port", 8090}, {"protocol", "TCP"}}}},
                {"endpoints", {{{"addresses", {address}}, {"conditions", conditions}}}}});
    }
    // "POD:PORT", or nothing.
    std::string answering(int port) {
        const auto answer = network->resolve("web.default", port, {"10.244.0.99", clock().now()});
        return answer.reachable ? answer.pod + ":" + std::to_string(answer.port) : "";
    }
};

}  // namespace

TEST_CASE("a Service without a selector leads where slices made by hand say, port by port") {
    Cluster cluster;
    CHECK(cluster.answering(80) == "");
    cluster.slice("s1", "one", cluster.ip("a"));
    cluster.slice("s2", "two", cluster.ip("b"));
    CHECK(cluster.answering(80) == "a:8090");
    CHECK(cluster.answering(81) == "b:8090");
    CHECK(cluster.answering(82) == "");
}

TEST_CASE("an endpoint that is not ready is passed over") {
    Cluster cluster;
    cluster.slice("s1", "one", cluster.ip("a"), {{"ready", false}});
    CHECK(cluster.answering(80) == "");
    cluster.slice("s2", "one", cluster.ip("b"), {{"ready", true}});
    CHECK(cluster.answering(80) == "b:8090");
}

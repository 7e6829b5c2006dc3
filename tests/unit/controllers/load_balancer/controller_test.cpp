// Addresses for those who wait for one.
#include "controllers/load_balancer/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::ServiceLoadBalancerController>();
        add<controllers::IngressAddressController>();
    }
    void service(const char* name, const char* more = "{}") {
        api::Json object = {{"metadata", {{"name", name}}}, {"spec", {{"type", "LoadBalancer"}, {"ports", api::Json::array({{{"port", 80}}})}}}};
        object.merge_patch(api::Json::parse(more));
        create("services", object);
        settle();
    }
    std::string address(const char* resource, const char* name) {
        const api::Json object = get(resource, name);
        const api::Json& ingress = api::array_at(object, {"status", "loadBalancer", "ingress"});
        return ingress.empty() ? "" : std::string(api::string_at(ingress.front(), {"ip"}));
    }
};

}  // namespace

TEST_CASE("each LoadBalancer service gets an address of its own and loses it with its type") {
    Cluster cluster;
    cluster.service("a");
    cluster.service("b");
    cluster.service("asked", R"({"spec":{"loadBalancerIP":"9.9.9.9"}})");
    cluster.service("off", R"({"metadata":{"annotations":{"kubemu.io/load-balancer":"off"}}})");
    cluster.service("classed", R"({"spec":{"loadBalancerClass":"example.com/x"}})");
    CHECK(cluster.address("services", "a") == "203.0.113.1");
    CHECK(cluster.address("services", "b") == "203.0.113.2");
    CHECK(cluster.address("services", "asked") == "9.9.9.9");
    CHECK(cluster.address("services", "off").empty());
    CHECK(cluster.address("services", "classed").empty());
    cluster.remove("services", "a");
    cluster.settle();
    cluster.service("c");
    CHECK(cluster.address("services", "c") == "203.0.113.1");
}

TEST_CASE("an ingress shows its controller's address unless somebody else has written one") {
    Cluster cluster;
    cluster.create("ingresses.networking.k8s.io", R"({"metadata":{"name":"i"},"spec":{"defaultBackend":{"service":{"name":"s","port":{"number":80}}}}})");
    cluster.settle();
    CHECK(cluster.address("ingresses.networking.k8s.io", "i") == "192.0.2.1");
    cluster.patch("ingresses.networking.k8s.io", "i", R"({"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}}})", "status");
    cluster.settle();
    CHECK(cluster.address("ingresses.networking.k8s.io", "i") == "1.2.3.4");
}

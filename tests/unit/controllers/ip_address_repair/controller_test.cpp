// Records of addresses that somebody took away, changed or left behind.
#include "controllers/ip_address_repair/controller.h"

#include <doctest/doctest.h>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/bootstrap/server_objects.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;
using api::Json;

namespace {

constexpr const char* addresses = "ipaddresses.networking.k8s.io";

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::IpAddressRepairController>();
        controllers::bootstrap_service_network(registry(), "10.0.0.0/24");
        settle();
        create("services", R"({"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.9","ports":[{"port":80}]}})");
        settle();
    }
    void address(const char* name, const char* service, const char* labels = R"({"ipaddress.kubernetes.io/ip-family":"IPv4",
        "ipaddress.kubernetes.io/managed-by":"ipallocator.k8s.io"})") {
        Json object = {{"metadata", {{"name", name}, {"labels", Json::parse(labels)}}},
                       {"spec", {{"parentRef", {{"resource", "services"}, {"namespace", "default"}, {"name", service}}}}}};
        create(addresses, object);
        settle();
    }
    bool has_event(const char* text) {
        const auto all = events("");
        return std::any_of(all.begin(), all.end(), [&](const std::string& event) { return event.find(text) != std::string::npos; });
    }
    std::string service_of(const char* address) { return get(addresses, address, "")["spec"]["parentRef"]["name"]; }
};

}  // namespace

TEST_CASE("a record that somebody took away is made again") {
    Cluster cluster;
    CHECK(cluster.events("").empty());
    cluster.remove(addresses, "10.0.0.9", {}, "");
    cluster.settle();
    CHECK(cluster.service_of("10.0.0.9") == "web");
    CHECK(cluster.has_event("ClusterIPNotAllocated Service/web: Cluster IP [IPv4]: 10.0.0.9 is not allocated; repairing"));
}

TEST_CASE("a record of another, or without its labels, is made anew") {
    Cluster cluster;
    cluster.remove("services", "web");
    cluster.settle();
    cluster.address("10.0.0.9", "ghost");
    // As after a restore: a Service whose address is on record for another.
    cluster.remove(addresses, "10.0.0.9", {}, "");
    cluster.create("services", R"({"metadata":{"name":"web"},"spec":{"clusterIP":"10.0.0.9","ports":[{"port":80}]}})");
    cluster.settle();
    CHECK(cluster.service_of("10.0.0.9") == "web");
    cluster.patch(addresses, "10.0.0.9", R"({"metadata":{"labels":null}})", {}, "");
    cluster.settle();
    CHECK(cluster.get(addresses, "10.0.0.9", "")["metadata"]["labels"]["ipaddress.kubernetes.io/managed-by"] == "ipallocator.k8s.io");
}

TEST_CASE("a record without a Service goes after a minute, one of somebody else stays") {
    Cluster cluster;
    cluster.address("10.0.0.20", "ghost");
    cluster.address("10.0.0.21", "ghost", R"({"ipaddress.kubernetes.io/managed-by":"gateway.example.com"})");
    CHECK(cluster.exists(addresses, "10.0.0.20", ""));
    cluster.advance(61s);
    CHECK_FALSE(cluster.exists(addresses, "10.0.0.20", ""));
    CHECK(cluster.exists(addresses, "10.0.0.21", ""));
    CHECK(cluster.has_event("IPAddressNotAllocated IPAddress/10.0.0.20: IPAddress: 10.0.0.20 for Service default/ghost appears to have leaked"));
}

TEST_CASE("a record that names a Service with another address goes") {
    Cluster cluster;
    cluster.address("10.0.0.20", "web");
    CHECK_FALSE(cluster.exists(addresses, "10.0.0.20", ""));
    CHECK(cluster.exists(addresses, "10.0.0.9", ""));
    CHECK(cluster.has_event("IPAddressWrongReference"));
}

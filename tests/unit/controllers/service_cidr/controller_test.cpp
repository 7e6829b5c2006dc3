// Networks of Services: when they are ready, what they give out, and when they may go.
#include "controllers/service_cidr/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/bootstrap/server_objects.h"
#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;
using api::Json;

namespace {

constexpr const char* cidrs = "servicecidrs.networking.k8s.io";

struct Cluster : tests::TestCluster {
    explicit Cluster(const char* network) {
        add<controllers::ServiceCidrController>();
        controllers::bootstrap_service_network(registry(), network);
        settle();
    }
    void network(const char* name, const char* text) {
        create(cidrs, Json{{"metadata", {{"name", name}}}, {"spec", {{"cidrs", Json::array({text})}}}});
        settle();
    }
    std::string service(const std::string& name, const std::string& address = "") {
        Json object = {{"metadata", {{"name", name}}}, {"spec", {{"ports", Json::array({{{"port", 80}}})}}}};
        if (!address.empty()) object["spec"]["clusterIP"] = address;
        const std::string made = create("services", object)["spec"]["clusterIP"];
        settle();
        return made;
    }
    void remove_network(const char* name, Duration after = {}) {
        remove(cidrs, name, {}, "");
        advance(after);
    }
    Json condition(const char* name) { return get(cidrs, name, "")["status"]["conditions"][0]; }
};

const char* const web = R"({"metadata":{"name":"web"},"spec":{"ports":[{"port":80}]}})";

}  // namespace

TEST_CASE("a network becomes ready, by the controller that looks after it") {
    Cluster cluster("10.0.0.0/28");
    const Json cidr = cluster.get(cidrs, "kubernetes", "");
    CHECK(cidr["metadata"]["finalizers"] == Json::array({"networking.k8s.io/service-cidr-finalizer"}));
    CHECK(cluster.condition("kubernetes")["message"] == "Kubernetes Service CIDR is ready");
    bool owned = false;
    for (const Json& entry : cidr["metadata"]["managedFields"]) {
        owned |= entry["manager"] == "service-cidr-controller" && entry["operation"] == "Apply" && entry["subresource"] == "status";
    }
    CHECK(owned);
}

TEST_CASE("addresses come from the first network, and from the next when it is full") {
    Cluster cluster("10.0.0.0/29");
    for (int i = 0; i < 6; ++i) CHECK(cluster.service("s" + std::to_string(i)).starts_with("10.0.0."));
    CHECK(tests::create_refused(cluster, "services", web) == "Internal error occurred: failed to allocate a serviceIP: range is full");
    cluster.network("more", "192.168.7.0/24");
    CHECK(cluster.service("web").starts_with("192.168.7."));
    CHECK(cluster.service("asked", "192.168.7.9") == "192.168.7.9");
    CHECK(tests::create_refused(cluster, "services", R"({"metadata":{"name":"no"},"spec":{"clusterIP":"10.0.0.7","ports":[{"port":80}]}})")
              .ends_with("failed to allocate IP 10.0.0.7: the provided IP (10.0.0.7) is not in the valid range. The range of valid IPs "
                         "is 10.0.0.0/29"));
}

TEST_CASE("those who do not ask get the upper part of a network first") {
    Cluster cluster("10.0.0.0/27");  // of whose 30 addresses the first 16 are left to those who ask
    for (int i = 0; i < 14; ++i) {
        const std::string address = cluster.service("s" + std::to_string(i));
        CHECK(std::stoi(address.substr(address.rfind('.') + 1)) > 16);
    }
    const std::string address = cluster.service("next");
    CHECK(std::stoi(address.substr(address.rfind('.') + 1)) <= 16);
}

TEST_CASE("a network stays while an address of it is used, and gives out no more") {
    Cluster cluster("10.0.0.0/28");
    cluster.network("more", "192.168.7.0/24");
    cluster.service("web", "192.168.7.9");
    cluster.remove_network("more");
    CHECK(cluster.condition("more")["status"] == "False");
    CHECK(cluster.condition("more")["reason"] == "Terminating");
    CHECK(tests::create_refused(cluster, "services", R"({"metadata":{"name":"no"},"spec":{"clusterIP":"192.168.7.8","ports":[{"port":80}]}})") != "");
    cluster.remove("services", "web");
    cluster.settle();
    CHECK(cluster.exists(cidrs, "more", ""));  // other API servers may not know yet
    cluster.advance(10s);
    CHECK_FALSE(cluster.exists(cidrs, "more", ""));
}

TEST_CASE("a network within another goes though its addresses are used") {
    Cluster cluster("10.0.0.0/16");
    cluster.network("part", "10.0.3.0/24");
    cluster.service("web", "10.0.3.9");
    cluster.remove_network("part", 10s);
    CHECK_FALSE(cluster.exists(cidrs, "part", ""));
}

TEST_CASE("a network that waits for its end goes when another takes its addresses over") {
    Cluster cluster("10.0.0.0/28");
    cluster.network("more", "192.168.7.0/24");
    cluster.service("web", "192.168.7.9");
    cluster.remove_network("more", 1min);
    CHECK(cluster.exists(cidrs, "more", ""));
    cluster.network("larger", "192.168.0.0/20");
    CHECK_FALSE(cluster.exists(cidrs, "more", ""));
}

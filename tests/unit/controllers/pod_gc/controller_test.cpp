// Pods that nobody else would ever end.
#include "controllers/pod_gc/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    explicit Cluster(std::size_t threshold = 0) {
        add<controllers::PodGarbageCollectorController>(controllers::PodGarbageCollectorController::Options{.terminated_threshold = threshold});
    }
    void pod(const char* name, const char* node) {
        api::Json object = {{"metadata", {{"name", name}}}, {"spec", {{"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
        if (node != nullptr) object["spec"]["nodeName"] = node;
        create("pods", object);
        settle();
    }
};

}  // namespace

TEST_CASE("pods of a node that is gone go after a while, unless it comes back") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.pod("p", "n");
    cluster.remove("nodes", "n");
    cluster.settle();
    cluster.advance(30s);
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.advance(30s);
    CHECK(cluster.exists("pods", "p"));
    cluster.remove("nodes", "n");
    cluster.advance(39s);
    CHECK(cluster.exists("pods", "p"));
    cluster.advance(2s);
    CHECK_FALSE(cluster.exists("pods", "p"));
}

TEST_CASE("a node that was missed by pods long gone is missed anew by the next one") {
    Cluster cluster;
    cluster.pod("p", "nowhere");
    api::DeleteOptions at_once;
    at_once.grace_period_seconds = 0;
    cluster.remove("pods", "p", at_once);
    cluster.advance(1h);
    cluster.pod("q", "nowhere");
    cluster.advance(39s);
    CHECK(cluster.exists("pods", "q"));
    cluster.advance(2s);
    CHECK_FALSE(cluster.exists("pods", "q"));
}

TEST_CASE("a pod that is going on a node out of service is not waited for") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.pod("p", "n");
    cluster.remove("pods", "p");
    cluster.advance(1h);
    CHECK(cluster.exists("pods", "p"));
    cluster.patch("nodes", "n", R"({"spec":{"taints":[{"key":"node.kubernetes.io/out-of-service","effect":"NoExecute"}]}})");
    cluster.settle();
    CHECK_FALSE(cluster.exists("pods", "p"));
}

TEST_CASE("an unscheduled pod that somebody holds up is failed at the next look") {
    Cluster cluster;
    cluster.create("pods", R"({"metadata":{"name":"p","finalizers":["example.com/hold"]},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.remove("pods", "p");
    cluster.settle();
    CHECK(cluster.get("pods", "p")["status"]["phase"] == "Pending");
    cluster.advance(21s);
    CHECK(cluster.get("pods", "p")["status"]["phase"] == "Failed");
}

TEST_CASE("of too many ended pods the oldest go at the next look, those that were evicted before them") {
    Cluster cluster(2);
    for (const char* name : {"e", "d", "c", "b", "a"}) {
        cluster.pod(name, nullptr);
        cluster.set_pod(name, std::string_view(name) == "b" ? "Failed" : "Succeeded", false);
        if (std::string_view(name) == "b") cluster.patch("pods", name, R"({"status":{"reason":"Evicted"}})", "status");
        cluster.advance(1s);
    }
    CHECK(cluster.list("pods").size() == 5);
    cluster.advance(15s);
    REQUIRE(cluster.list("pods").size() == 2);
    CHECK(cluster.exists("pods", "c"));
    CHECK(cluster.exists("pods", "a"));
}

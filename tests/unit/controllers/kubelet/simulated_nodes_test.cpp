// Nodes that come from users, that fall silent and come back, and the pace of what is on them.
#include "controllers/kubelet/simulated_nodes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/controller.h"
#include "controllers/node_lifecycle/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;
using api::string_at;

namespace {

struct Cluster : tests::TestCluster {
    explicit Cluster(Pace pace = Pace::realistic) {
        create("namespaces", R"({"metadata":{"name":"kube-node-lease"}})");
        add<NodeLifecycleController>();
        add<KubeletController>(NodeOptions{.count = 2, .pace = pace});
        settle();
    }
    std::string condition(const std::string& node, std::string_view type) {
        const Json object = get("nodes", node, "");
        for (const Json& one : api::array_at(object, {"status", "conditions"}))
            if (string_at(one, {"type"}) == type) return std::string(string_at(one, {"status"})) + " " + std::string(string_at(one, {"reason"}));
        return {};
    }
    bool tainted(const std::string& node, std::string_view key) {
        const Json object = get("nodes", node, "");
        for (const Json& taint : api::array_at(object, {"spec", "taints"}))
            if (string_at(taint, {"key"}) == key) return true;
        return false;
    }
    void annotate(const std::string& node, const Json& annotations) {
        patch("nodes", node, Json{{"metadata", {{"annotations", annotations}}}}.dump(), {}, "");
        settle();
    }
    void pod(const std::string& name, const std::string& node, const std::string& space = "default") {
        create("pods", Json{{"metadata", {{"name", name}, {"namespace", space}}},
                            {"spec", {{"nodeName", node}, {"containers", Json::array({{{"name", "c"}, {"image", "nginx"}}})}}}});
    }
    std::string phase(const std::string& name, const std::string& space = "default") {
        return std::string(string_at(get("pods", name, space), {"status", "phase"}));
    }
    bool ready(const std::string& name) {
        const Json object = get("pods", name);
        for (const Json& one : api::array_at(object, {"status", "conditions"}))
            if (string_at(one, {"type"}) == "Ready") return string_at(one, {"status"}) == "True";
        return false;
    }
    int count(std::string_view part) {
        const auto all = events("default");
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
};

}  // namespace

TEST_CASE("a node that a user creates gets a kubelet after a moment, and runs pods") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"mine"},"status":{"capacity":{"cpu":"2","example.com/gpu":"4"}}})");
    cluster.pod("early", "mine");
    cluster.advance(2s);
    CHECK(cluster.condition("mine", "Ready").empty());
    cluster.advance(4s);
    CHECK(cluster.condition("mine", "Ready") == "True KubeletReady");
    CHECK(cluster.phase("early") == "Running");
    const Json node = cluster.get("nodes", "mine", "");
    CHECK(node["status"]["capacity"]["cpu"] == "2");
    CHECK(node["status"]["allocatable"]["cpu"] == "2");
    CHECK(node["status"]["allocatable"]["example.com/gpu"] == "4");
    CHECK(node["metadata"]["labels"]["kubernetes.io/hostname"] == "mine");
    CHECK(node["spec"]["podCIDR"] == "10.244.2.0/24");
    CHECK(node["status"]["addresses"][0]["address"] == "172.18.0.4");
    CHECK(cluster.exists("leases.coordination.k8s.io", "mine", "kube-node-lease"));
    CHECK(cluster.count("NodeReady Node/mine") == 1);
    CHECK(!cluster.tainted("mine", "node.kubernetes.io/not-ready"));
    cluster.advance(200s);
    CHECK(cluster.condition("mine", "Ready") == "True KubeletReady");
}

TEST_CASE("KWOK's annotation is taken at once; a node that others speak for is left alone") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"fake","annotations":{"kwok.x-k8s.io/node":"fake"}}})");
    cluster.create("nodes", R"({"metadata":{"name":"spoken-for"},"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
    cluster.create("nodes", R"({"metadata":{"name":"other","annotations":{"kubemu.io/node":"external"}}})");
    cluster.settle();
    CHECK(cluster.condition("fake", "Ready") == "True KubeletReady");
    cluster.advance(20s);
    CHECK(cluster.condition("spoken-for", "Ready") == "True ");
    CHECK(cluster.condition("other", "Ready").empty());
}

TEST_CASE("a stopped kubelet is found out by its silence, and its pods stand still until it comes back") {
    Cluster cluster;
    cluster.pod("web", "kubemu-worker");
    cluster.advance(5s);
    REQUIRE(cluster.ready("web"));
    cluster.annotate("kubemu-worker", {{"kubemu.io/kubelet", "stopped"}});
    cluster.advance(20s);
    CHECK(cluster.condition("kubemu-worker", "Ready") == "True KubeletReady");
    cluster.advance(40s);
    CHECK(cluster.condition("kubemu-worker", "Ready") == "Unknown NodeStatusUnknown");
    CHECK(cluster.tainted("kubemu-worker", "node.kubernetes.io/unreachable"));
    CHECK(!cluster.ready("web"));
    cluster.remove("pods", "web");
    cluster.advance(60s);
    CHECK(cluster.exists("pods", "web"));  // nobody confirms that it ended
    cluster.pod("next", "kubemu-worker");
    cluster.annotate("kubemu-worker", {{"kubemu.io/kubelet", nullptr}});
    CHECK(cluster.condition("kubemu-worker", "Ready") == "True KubeletReady");
    cluster.advance(5s);
    CHECK(!cluster.exists("pods", "web"));
    CHECK(cluster.phase("next") == "Running");
    CHECK(!cluster.tainted("kubemu-worker", "node.kubernetes.io/unreachable"));
}

TEST_CASE("conditions follow annotations: not ready, pressure, unreachable at once") {
    Cluster cluster;
    cluster.annotate("kubemu-worker", {{"kubemu.io/condition.Ready", "False"}, {"kubemu.io/condition.DiskPressure", "True"}});
    CHECK(cluster.condition("kubemu-worker", "Ready") == "False KubeletNotReady");
    CHECK(cluster.condition("kubemu-worker", "DiskPressure") == "True KubeletHasDiskPressure");
    CHECK(cluster.tainted("kubemu-worker", "node.kubernetes.io/not-ready"));
    CHECK(cluster.tainted("kubemu-worker", "node.kubernetes.io/disk-pressure"));
    CHECK(cluster.count("NodeHasDiskPressure Node/kubemu-worker: Node kubemu-worker status is now: NodeHasDiskPressure") == 1);
    cluster.annotate("kubemu-worker", {{"kubemu.io/condition.Ready", "Unknown"}, {"kubemu.io/condition.DiskPressure", nullptr}});
    CHECK(cluster.condition("kubemu-worker", "Ready") == "Unknown NodeStatusUnknown");
    CHECK(cluster.tainted("kubemu-worker", "node.kubernetes.io/unreachable"));
    cluster.annotate("kubemu-worker", {{"kubemu.io/condition.Ready", nullptr}});
    CHECK(cluster.condition("kubemu-worker", "Ready") == "True KubeletReady");
    cluster.pod("web", "kubemu-worker");
    cluster.advance(5s);
    CHECK(cluster.ready("web"));
    cluster.annotate("kubemu-worker", {{"kubemu.io/condition.Ready", "Unknown"}});
    CHECK(!cluster.ready("web"));
    cluster.annotate("kubemu-worker", {{"kubemu.io/condition.Ready", nullptr}});
    CHECK(cluster.ready("web"));
}

TEST_CASE("a node that is deleted is forgotten, and its name may come again") {
    Cluster cluster;
    cluster.remove("nodes", "kubemu-worker", {}, "");
    cluster.advance(30s);
    CHECK(!cluster.exists("nodes", "kubemu-worker", ""));
    cluster.create("nodes", R"({"metadata":{"name":"kubemu-worker"}})");
    cluster.settle();
    CHECK(cluster.condition("kubemu-worker", "Ready") == "True KubeletReady");
    CHECK(cluster.get("nodes", "kubemu-worker", "")["status"]["addresses"][0]["address"] == "172.18.0.3");
}

TEST_CASE("a namespace sets the pace of its pods") {
    Cluster cluster;
    for (const char* pace : {"instant", "frozen"}) {
        cluster.create("namespaces", Json{{"metadata", {{"name", pace}, {"annotations", {{"kubemu.io/pace", pace}}}}}});
        cluster.create("serviceaccounts", Json{{"metadata", {{"name", "default"}, {"namespace", pace}}}});
    }
    cluster.settle();
    for (const char* space : {"instant", "frozen", "default"}) cluster.pod("p", "kubemu-worker", space);
    cluster.settle();
    CHECK(cluster.phase("p", "instant") == "Running");
    CHECK(cluster.phase("p") == "Pending");
    cluster.advance(10s);
    CHECK(cluster.phase("p") == "Running");
    CHECK(cluster.phase("p", "frozen") == "Pending");
    cluster.patch("namespaces", "frozen", R"({"metadata":{"annotations":{"kubemu.io/pace":"instant"}}})", {}, "");
    cluster.settle();
    CHECK(cluster.phase("p", "frozen") == "Running");
    Cluster still(Pace::frozen);
    still.pod("p", "kubemu-worker");
    still.advance(60s);
    CHECK(still.phase("p") == "Pending");
    CHECK(still.condition("kubemu-worker", "Ready") == "True KubeletReady");
}

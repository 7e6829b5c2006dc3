// Nodes that fall silent, and what their conditions put on them.
#include "controllers/node_lifecycle/controller.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::NodeLifecycleController>();
        // When no node at all is ready nobody is evicted.
        create("nodes", R"({"metadata":{"name":"healthy"},"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
    }
    void advance(Duration by) {
        for (; by > 0s; by -= std::min<Duration>(by, 20s)) {
            patch("nodes", "healthy", std::string(R"({"status":{"conditions":[{"type":"Ready","status":"True","message":")") + std::to_string(++beats) + "\"}]}}", "status");
            TestCluster::advance(std::min<Duration>(by, 20s));
        }
    }
    int beats = 0;
    std::string condition(std::string_view type) {
        const api::Json node = get("nodes", "n");
        for (const api::Json& one : api::array_at(node, {"status", "conditions"})) {
            if (api::string_at(one, {"type"}) == type) return std::string(api::string_at(one, {"status"})) + " " + std::string(api::string_at(one, {"reason"}));
        }
        return {};
    }
    // "key:effect" of each taint, sorted.
    std::vector<std::string> taints() {
        std::vector<std::string> found;
        const api::Json node = get("nodes", "n");
        for (const api::Json& taint : api::array_at(node, {"spec", "taints"})) {
            found.push_back(std::string(api::string_at(taint, {"key"})) + ":" + std::string(api::string_at(taint, {"effect"})));
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    void report(const char* conditions) { patch("nodes", "n", std::string(R"({"status":{"conditions":)") + conditions + "}}", "status"); settle(); }
};

const std::vector<std::string> none;
const char* ready = R"([{"type":"Ready","status":"True","reason":"KubeletReady"},{"type":"MemoryPressure","status":"False"}])";

}  // namespace

TEST_CASE("a node that nobody speaks for becomes Unknown after a minute") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.advance(59s);
    CHECK(cluster.condition("Ready").empty());
    cluster.advance(6s);
    for (const char* type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) CHECK(cluster.condition(type) == "Unknown NodeStatusNeverUpdated");
    CHECK(cluster.taints() == std::vector<std::string>{"node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"});
}

TEST_CASE("silence makes a node unreachable and its pods unready; a lease keeps it alive, a report brings it back") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.report(ready);
    cluster.create("pods", R"({"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"}]}})");
    cluster.set_pod("p", "Running", true);
    cluster.create("leases.coordination.k8s.io", R"({"metadata":{"name":"other"}})");
    cluster.create("namespaces", R"({"metadata":{"name":"kube-node-lease"}})");
    cluster.create("leases.coordination.k8s.io", R"({"metadata":{"name":"n","namespace":"kube-node-lease"},"spec":{"leaseDurationSeconds":40}})");
    for (int i = 0; i < 6; ++i) {
        cluster.advance(20s);
        cluster.patch("leases.coordination.k8s.io", "n", R"({"spec":{"leaseTransitions":)" + std::to_string(i + 1) + "}}", {}, "kube-node-lease");
    }
    CHECK(cluster.condition("Ready") == "True KubeletReady");
    cluster.advance(55s);
    CHECK(cluster.condition("Ready") == "Unknown NodeStatusUnknown");
    CHECK(cluster.taints().size() == 2);
    CHECK(api::string_at(cluster.get("pods", "p")["status"]["conditions"][1], {"status"}) == "False");
    cluster.report(ready);
    CHECK(cluster.taints() == none);
}

TEST_CASE("conditions and cordoning have their taints, others stay") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"},"spec":{"taints":[{"key":"mine","effect":"NoSchedule"}]}})");
    cluster.report(R"([{"type":"Ready","status":"False"},{"type":"MemoryPressure","status":"True"}])");
    CHECK(cluster.taints() == std::vector<std::string>{"mine:NoSchedule", "node.kubernetes.io/memory-pressure:NoSchedule",
                                                       "node.kubernetes.io/not-ready:NoExecute", "node.kubernetes.io/not-ready:NoSchedule"});
    cluster.report(ready);
    cluster.patch("nodes", "n", R"({"spec":{"unschedulable":true}})");
    cluster.settle();
    CHECK(cluster.taints() == std::vector<std::string>{"mine:NoSchedule", "node.kubernetes.io/unschedulable:NoSchedule"});
    cluster.patch("nodes", "n", R"({"spec":{"unschedulable":null}})");
    cluster.settle();
    CHECK(cluster.taints() == std::vector<std::string>{"mine:NoSchedule"});
}

namespace {

// A kubelet that speaks once, when its node's annotation says so.
class Reporter final : public controllers::Controller {
  public:
    explicit Reporter(controllers::Manager& manager) : Controller(manager, "reporter", "kubelet"), nodes_(manager.informer("nodes")) {
        enqueue_on_change(nodes_);
    }
    api::ApiResult<controllers::Requeue> reconcile(const std::string& key) override {
        const auto record = nodes_.get(key);
        if (record == nullptr || spoke_ || api::object_at(*client().read(*record), {"metadata", "annotations"}).empty()) return controllers::Requeue{};
        spoke_ = true;
        TRY(client().modify(kind("nodes"), {}, key, "status", [](api::Json& node) {
            node["status"]["conditions"] = api::Json::parse(ready);
            return true;
        }));
        return controllers::Requeue{};
    }

  private:
    api::Informer& nodes_;
    bool spoke_ = false;
};

}  // namespace

TEST_CASE("a node that speaks again is not called silent for what was seen before") {
    tests::TestCluster cluster;
    cluster.add<Reporter>().add<controllers::NodeLifecycleController>();
    const auto state = [&] { return api::string_at(cluster.get("nodes", "n")["status"]["conditions"][0], {"status"}) == "True"; };
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.patch("nodes", "n", std::string(R"({"status":{"conditions":)") + ready + "}}", "status");
    cluster.settle();
    cluster.advance(2min);
    CHECK_FALSE(state());
    cluster.patch("nodes", "n", R"({"metadata":{"annotations":{"speaks":"yes"}}})");
    cluster.settle();
    CHECK(state());
    CHECK(api::array_at(cluster.get("nodes", "n"), {"spec", "taints"}).empty());
}

TEST_CASE("a node takes no new pods before its old ones have to go") {
    Cluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n"}})");
    cluster.report(R"([{"type":"Ready","status":"False"}])");
    const api::Json node = cluster.get("nodes", "n");
    const api::Json& taints = api::array_at(node, {"spec", "taints"});
    REQUIRE(taints.size() == 2);
    CHECK(api::string_at(taints[0], {"effect"}) == "NoSchedule");
    CHECK(api::string_at(taints[1], {"effect"}) == "NoExecute");
}

TEST_CASE("nodes that fall silent together are judged together") {
    tests::TestCluster cluster;
    cluster.add<controllers::NodeLifecycleController>();
    const auto report = [&](const std::string& name, int beat) {
        cluster.patch("nodes", name, R"({"status":{"conditions":[{"type":"Ready","status":"True","message":")" + std::to_string(beat) + "\"}]}}", "status");
    };
    for (const char* name : {"a", "b", "c", "d", "elsewhere"}) {
        const api::Json labels = {{"topology.kubernetes.io/zone", std::string_view(name) == "elsewhere" ? "two" : "one"}};
        cluster.create("nodes", api::Json{{"metadata", {{"name", name}, {"labels", labels}}}});
        report(name, 0);
    }
    const auto evicted = [&] {
        std::string names;
        for (const api::Json& node : cluster.list("nodes", "")) {
            for (const api::Json& taint : api::array_at(node, {"spec", "taints"})) {
                if (api::string_at(taint, {"effect"}) == "NoExecute") names += api::name_of(node);
            }
        }
        return names;
    };
    cluster.settle();
    const auto wait = [&](std::initializer_list<const char*> alive, int beats) {
        for (int i = 0; i < beats; ++i) {
            cluster.advance(10s);
            for (const char* name : alive) report(name, i + 1);
            cluster.settle();
        }
    };
    SUBCASE("most of a small zone: none of it is evicted") {
        cluster.advance(2s);
        report("b", 9);  // within the monitor period of the others
        wait({"d", "elsewhere"}, 9);
        CHECK(evicted().empty());
    }
    SUBCASE("half of it: one after the other") {
        wait({"c", "d", "elsewhere"}, 6);
        CHECK(evicted().size() == 1);
        wait({"c", "d", "elsewhere"}, 1);
        CHECK(evicted() == "ab");
    }
}

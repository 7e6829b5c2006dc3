// Pods leave devices that were tainted, when they no longer tolerate it.
#include "controllers/device_taint_eviction/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using tests::TestCluster;

namespace {

struct Cluster : TestCluster {
    Cluster() {
        add<DeviceTaintEvictionController>();
        settle();
        slice("s", 1, nullptr);
    }
    void slice(const char* name, int generation, const char* effect) {
        api::Json device = {{"name", "d"}};
        if (effect != nullptr) device["taints"] = api::Json::array({{{"key", "k"}, {"value", "v"}, {"effect", effect}, {"timeAdded", api::format_time(clock().now())}}});
        const api::Json spec = {{"driver", "d.example"}, {"allNodes", true}, {"devices", api::Json::array({device})},
                                {"pool", {{"name", "p"}, {"generation", generation}, {"resourceSliceCount", 1}}}};
        if (!exists("resourceslices.resource.k8s.io", name, "")) create("resourceslices.resource.k8s.io", api::Json{{"metadata", {{"name", name}}}, {"spec", spec}});
        else patch("resourceslices.resource.k8s.io", name, api::Json{{"spec", spec}}.dump(), {}, "");
        settle();
    }
    // A pod on a node with a claim that was given the device.
    void pod(const std::string& name, const char* tolerations = "[]") {
        create("pods", api::Json{{"metadata", {{"name", name}}}, {"spec", {{"nodeName", "n"}, {"containers", api::Json::array({{{"name", "c"}, {"image", "i"}}})},
            {"resourceClaims", api::Json::array({{{"name", "c"}, {"resourceClaimName", name}}})}}}});
        const api::Json list = api::Json::parse(tolerations);
        create("resourceclaims.resource.k8s.io", api::Json{{"metadata", {{"name", name}}}, {"spec", {{"devices", {{"requests", api::Json::array({{{"name", "r"},
            {"exactly", {{"deviceClassName", "c"}, {"tolerations", list}}}}})}}}}}});
        const api::Json status = {{"status", {{"reservedFor", api::Json::array({{{"resource", "pods"}, {"name", name}, {"uid", api::uid_of(get("pods", name))}}})},
            {"allocation", {{"devices", {{"results", api::Json::array({{{"request", "r"}, {"driver", "d.example"}, {"pool", "p"}, {"device", "d"}, {"tolerations", list}}})}}}}}}}};
        patch("resourceclaims.resource.k8s.io", name, status.dump(), "status");
        settle();
    }
    bool deleted(const char* name) { return !exists("pods", name) || api::find(get("pods", name), {"metadata", "deletionTimestamp"}) != nullptr; }
};

}  // namespace

TEST_CASE("a NoExecute taint on a device deletes the pods that use it") {
    Cluster cluster;
    cluster.pod("p");
    cluster.slice("s", 1, "NoSchedule");
    CHECK_FALSE(cluster.deleted("p"));
    cluster.slice("s", 1, "NoExecute");
    REQUIRE(cluster.deleted("p"));
    const api::Json pod = cluster.get("pods", "p");
    const api::Json& condition = pod["status"]["conditions"].back();
    CHECK(condition["type"] == "DisruptionTarget");
    CHECK(condition["reason"] == "DeletionByDeviceTaintManager");
    CHECK(condition["message"] == "Device Taint manager: deleting due to NoExecute taint");
    CHECK(cluster.events() == std::vector<std::string>{"Normal DeviceTaintManagerEviction Pod/p: Marking for deletion"});
    // Whoever gets it later has to go at once.
    cluster.pod("q");
    CHECK(cluster.deleted("q"));
}

TEST_CASE("who tolerates it stays, as long as it is tolerated") {
    Cluster cluster;
    cluster.pod("always", R"([{"operator":"Exists","effect":"NoExecute"}])");
    cluster.pod("a-while", R"([{"key":"k","operator":"Equal","value":"v","effect":"NoExecute","tolerationSeconds":60}])");
    cluster.slice("s", 1, "NoExecute");
    cluster.advance(59s);
    CHECK_FALSE(cluster.deleted("a-while"));
    cluster.advance(2s);
    CHECK(cluster.deleted("a-while"));
    CHECK_FALSE(cluster.deleted("always"));
}

TEST_CASE("a taint that goes in time is forgiven, also with the generation that had it") {
    Cluster cluster;
    cluster.pod("p", R"([{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":60}])");
    cluster.slice("s", 1, "NoExecute");
    cluster.advance(30s);
    cluster.slice("newer", 2, nullptr);
    CHECK(cluster.events() == std::vector<std::string>{});
    cluster.slice("s", 1, nullptr);
    CHECK(cluster.events() == std::vector<std::string>{"Normal DeviceTaintManagerEviction Pod/p: Cancelling deletion"});
    cluster.advance(120s);
    CHECK_FALSE(cluster.deleted("p"));
}

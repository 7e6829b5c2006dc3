// Nodes that run short: what they report, who has to go, in which order and words, and when it ends.
#include "controllers/kubelet/eviction_manager.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/controller.h"
#include "controllers/kubelet/pressure.h"
#include "controllers/node_lifecycle/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;
using api::string_at;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<KubeletController>(NodeOptions{.count = 2, .pace = Pace::instant});
        add<NodeLifecycleController>();
        create("priorityclasses.scheduling.k8s.io", R"({"metadata":{"name":"system-node-critical"},"value":2000001000})");
        settle();
    }
    // `request` and `used` of memory; empty: none, and what the model says.
    void pod(const std::string& name, const std::string& request, const std::string& used, const std::string& more = "{}") {
        Json object = {{"metadata", {{"name", name}}},
                       {"spec", {{"nodeName", "kubemu-worker"}, {"containers", Json::array({{{"name", "c"}, {"image", "nginx"}}})}}}};
        if (!request.empty()) object["spec"]["containers"][0]["resources"]["requests"]["memory"] = request;
        if (!used.empty()) object["metadata"]["annotations"]["kubemu.io/memory-usage"] = used;
        object["spec"].update(Json::parse(more));
        create("pods", object);
        settle();
    }
    void annotate(const std::string& key, const Json& value) {
        patch("nodes", "kubemu-worker", Json{{"metadata", {{"annotations", {{"kubemu.io/" + key, value}}}}}}.dump(), {}, "");
        settle();
    }
    std::string condition(const std::string& type) {
        const Json node = get("nodes", "kubemu-worker", "");
        for (const Json& one : node["status"]["conditions"])
            if (one["type"] == type) return one["status"].get<std::string>() + " " + one["reason"].get<std::string>();
        return {};
    }
    std::string taints() {
        std::string all;
        const Json node = get("nodes", "kubemu-worker", "");
        for (const Json& taint : api::array_at(node, {"spec", "taints"}))
            all += std::string(string_at(taint, {"key"})) + ":" + std::string(string_at(taint, {"effect"})) + " ";
        return all;
    }
    std::string reason(const std::string& name) { return std::string(string_at(get("pods", name), {"status", "reason"})); }
    int count(std::string_view part) {
        const auto all = events();
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
};

kubelet::Candidate candidate(const char* name, int priority, std::int64_t used, std::int64_t requested) {
    kubelet::Candidate pod;
    pod.name = name;
    pod.priority = priority;
    pod.measured = used >= 0;
    pod.used = used;
    pod.requested = requested;
    return pod;
}

}  // namespace

TEST_CASE("first those that use more than they asked for, then the less important, then those that use most beyond it") {
    std::vector<kubelet::Candidate> pods = {candidate("within", 0, 90, 100), candidate("important", 10, 900, 0), candidate("little", 0, 20, 10),
                                            candidate("much", 0, 80, 10), candidate("unknown", 10, -1, 0)};
    const auto order = [&](const char* signal) {
        kubelet::rank(pods, *kubelet::find_signal(signal));
        std::string names;
        for (const auto& pod : pods) names += pod.name + " ";
        return names;
    };
    CHECK(order("memory.available") == "unknown much little important within ");
    CHECK(order("pid.available") == "within much little unknown important ");  // by importance and number alone
}

TEST_CASE("thresholds are those of a kubelet, and messages name the containers that are to blame") {
    const Json node = {{"status", {{"capacity", {{"ephemeral-storage", "100Gi"}, {"memory", "32Gi"}}}}}};
    const auto threshold = [&](const char* name) {
        const kubelet::Signal& signal = *kubelet::find_signal(name);
        return kubelet::amount_text(signal, kubelet::threshold_of(signal, node));
    };
    CHECK(threshold("memory.available") == "100Mi");
    CHECK(threshold("nodefs.available") == "10Gi");
    CHECK(threshold("imagefs.available") == "15Gi");
    CHECK(threshold("nodefs.inodesFree") == "327680");
    kubelet::Candidate pod = candidate("p", 0, 300 << 20, 100 << 20);
    pod.containers = {{"greedy", 250 << 20, 64 << 20, "64Mi"}, {"modest", 10 << 20, 36 << 20, "36Mi"}, {"free", 40 << 20, 0, "0"}};
    const auto text = kubelet::eviction_text(pod, *kubelet::find_signal("memory.available"), 100 << 20, 60 << 20);
    CHECK(text.message == "The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. "
                          "Container greedy was using 250Mi, request is 64Mi, has larger consumption of memory. "
                          "Container free was using 40Mi, request is 0, has larger consumption of memory. ");
    CHECK(text.offending_containers == "greedy,free");
    CHECK(text.offending_usage == "250Mi,40Mi");
}

TEST_CASE("a node short of memory evicts one pod after the other until it is not") {
    Cluster cluster;
    cluster.pod("guaranteed", "200Mi", "150Mi", R"({"containers":[{"name":"c","image":"nginx","resources":{"limits":{"memory":"200Mi","cpu":"1"}}}]})");
    cluster.pod("greedy", "10Mi", "60Mi");
    cluster.pod("effortless", "", "30Mi");
    cluster.pod("vital", "", "500Mi", R"({"priorityClassName":"system-node-critical"})");
    cluster.annotate("signal.memory.available", "20Mi");
    CHECK(cluster.condition("MemoryPressure") == "True KubeletHasInsufficientMemory");
    CHECK(cluster.taints() == "node.kubernetes.io/memory-pressure:NoSchedule ");
    CHECK(cluster.count("NodeHasInsufficientMemory Node/kubemu-worker") == 1);
    CHECK(cluster.count("Warning EvictionThresholdMet Node/kubemu-worker: Attempting to reclaim memory") == 1);
    const std::string message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 20Mi. "
                                "Container c was using 60Mi, request is 10Mi, has larger consumption of memory. ";
    const Json victim = cluster.get("pods", "greedy");
    CHECK(victim["status"]["phase"] == "Failed");
    CHECK(victim["status"]["reason"] == "Evicted");
    CHECK(victim["status"]["message"] == message);
    CHECK(victim["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137);
    bool target = false;
    for (const Json& one : victim["status"]["conditions"])
        target = target || (one["type"] == "DisruptionTarget" && one["status"] == "True" && one["reason"] == "TerminationByKubelet" && one["message"] == message);
    CHECK(target);
    CHECK(cluster.count("Warning Evicted Pod/greedy: The node was low on resource: memory.") == 1);
    CHECK(cluster.count("Normal Killing Pod/greedy: Stopping container c") == 1);
    for (const Json& event : cluster.list("events")) {
        if (event["reason"] != "Evicted") continue;
        CHECK(event["metadata"]["annotations"] == Json{{"offending_containers", "c"}, {"offending_containers_usage", "60Mi"}, {"starved_resource", "memory"}});
    }
    CHECK(cluster.reason("effortless").empty());  // one at a time
    cluster.advance(10s);
    CHECK(cluster.reason("effortless") == "Evicted");  // 80Mi are still too little
    cluster.advance(20s);
    CHECK(cluster.reason("guaranteed").empty());  // 110Mi are not
    CHECK(cluster.reason("vital").empty());
    CHECK(cluster.condition("MemoryPressure") == "True KubeletHasInsufficientMemory");
    cluster.advance(300s);  // the transition period
    CHECK(cluster.condition("MemoryPressure") == "False KubeletHasSufficientMemory");
    CHECK(cluster.taints().empty());
    CHECK(cluster.count("NodeHasSufficientMemory Node/kubemu-worker") >= 1);
}

TEST_CASE("a condition that an annotation sets lasts as long as that, and keeps pods away") {
    Cluster cluster;
    cluster.pod("running", "", "");
    cluster.annotate("condition.DiskPressure", "True");
    CHECK(cluster.condition("DiskPressure") == "True KubeletHasDiskPressure");
    CHECK(cluster.taints() == "node.kubernetes.io/disk-pressure:NoSchedule ");
    CHECK(cluster.reason("running") == "Evicted");
    CHECK(cluster.count("Attempting to reclaim ephemeral-storage") == 1);
    CHECK(string_at(cluster.get("pods", "running"), {"status", "message"}).find("The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 5Gi. Container c was using ") == 0);
    cluster.pod("late", "", "");
    CHECK(string_at(cluster.get("pods", "late"), {"status", "message"}) == "Pod was rejected: The node had condition: [DiskPressure]. ");
    CHECK(cluster.reason("late") == "Evicted");
    cluster.pod("vital", "", "", R"({"priorityClassName":"system-node-critical"})");
    CHECK(string_at(cluster.get("pods", "vital"), {"status", "phase"}) == "Running");
    cluster.annotate("condition.DiskPressure", nullptr);
    CHECK(cluster.condition("DiskPressure") == "False KubeletHasNoDiskPressure");
    CHECK(cluster.taints().empty());
    cluster.pod("welcome", "", "");
    CHECK(string_at(cluster.get("pods", "welcome"), {"status", "phase"}) == "Running");
}

TEST_CASE("under memory pressure only pods that ask for nothing, and do not tolerate it, are refused") {
    Cluster cluster;
    cluster.annotate("condition.MemoryPressure", "True");
    cluster.pod("effortless", "", "");
    CHECK(cluster.reason("effortless") == "Evicted");
    cluster.pod("asks", "10Mi", "5Mi");
    CHECK(cluster.get("pods", "asks")["status"]["containerStatuses"][0]["image"] == "docker.io/library/nginx:latest");
    cluster.pod("tolerates", "", "", R"({"tolerations":[{"key":"node.kubernetes.io/memory-pressure","operator":"Exists","effect":"NoSchedule"}]})");
    CHECK(cluster.count("Started container c") == 2);
    cluster.advance(30s);  // and then they go, one after the other
    CHECK(cluster.reason("asks") == "Evicted");
    CHECK(cluster.reason("tolerates") == "Evicted");
    CHECK(cluster.condition("MemoryPressure") == "True KubeletHasInsufficientMemory");
    const auto looked = cluster.count("Attempting to reclaim memory");
    cluster.advance(3600s);  // nobody is left to evict: it is quiet
    CHECK(cluster.count("Attempting to reclaim memory") == looked);
}

TEST_CASE("a node lists the images it has pulled, the largest first") {
    Cluster cluster;
    cluster.pod("web", "", "");
    cluster.pod("shell", "", "", R"({"containers":[{"name":"c","image":"busybox:1.36","command":["sleep","1000"]}]})");
    CHECK(!cluster.get("nodes", "kubemu-worker", "")["status"].contains("images"));  // not within the same moment
    cluster.advance(11s);
    const Json images = cluster.get("nodes", "kubemu-worker", "")["status"]["images"];
    REQUIRE(images.size() == 2);
    CHECK(images[0]["names"][1] == "docker.io/library/nginx:latest");
    CHECK(images[0]["names"][0].get<std::string>().find("docker.io/library/nginx@sha256:") == 0);
    CHECK(images[1]["names"][1] == "docker.io/library/busybox:1.36");
    CHECK(images[0]["sizeBytes"] > images[1]["sizeBytes"]);
    for (int i = 0; i < 60; ++i)
        cluster.pod("p" + std::to_string(i), "", "", R"({"containers":[{"name":"c","image":"app:)" + std::to_string(i) + "\"}]}");
    cluster.advance(11s);
    CHECK(cluster.get("nodes", "kubemu-worker", "")["status"]["images"].size() == 50);
    CHECK(!cluster.get("nodes", "kubemu-control-plane", "")["status"].contains("images"));
}

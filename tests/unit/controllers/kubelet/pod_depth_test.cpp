// What kubelets do beside starting and stopping: hooks, last words, debugging, resizing, restart rules, events.
#include "controllers/kubelet/controller.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;
using api::string_at;

namespace {

struct Cluster : tests::TestCluster {
    explicit Cluster(Pace pace = Pace::realistic) {
        add<KubeletController>(NodeOptions{.count = 2, .pace = pace});
        settle();
    }
    void pod(const std::string& name, const std::string& container, const std::string& more = "") {
        Json object = Json::parse(R"({"metadata":{"name":")" + name + R"("},"spec":{"nodeName":"kubemu-worker","containers":[{"name":"c","image":"busybox",)" + container + "}]" + more + "}}");
        create("pods", object);
        settle();
    }
    Json status(const std::string& name, const char* list = "containerStatuses") {
        const Json pod = get("pods", name);
        const Json& statuses = api::array_at(pod, {"status", list});
        return statuses.empty() ? Json::object() : statuses[0];
    }
    std::string phase(const std::string& name) { return std::string(string_at(get("pods", name), {"status", "phase"})); }
    std::string condition(const std::string& name, std::string_view type) {
        const Json pod = get("pods", name);
        for (const Json& one : api::array_at(pod, {"status", "conditions"}))
            if (string_at(one, {"type"}) == type) return std::string(string_at(one, {"status"})) + " " + std::string(string_at(one, {"reason"})) + " " + std::string(string_at(one, {"message"}));
        return {};
    }
    int count(std::string_view part) {
        const auto all = events();
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
};

}  // namespace

TEST_CASE("a postStart hook comes before the container counts as started, and its failure ends it") {
    Cluster cluster;
    cluster.pod("slow", R"("command":["sleep","1000"],"lifecycle":{"postStart":{"exec":{"command":["sleep","20"]}}})");
    cluster.pod("bad", R"("command":["sleep","1000"],"lifecycle":{"postStart":{"exec":{"command":["false"]}}})");
    cluster.pod("writes", R"("command":["sh","-c","sleep 5; cat /tmp/from-hook > /dev/termination-log; exit 3"],"lifecycle":{"postStart":{"exec":{"command":["sh","-c","echo hello > /tmp/from-hook"]}}})",
                R"(,"restartPolicy":"Never")");
    cluster.advance(10s);
    CHECK(cluster.status("slow")["state"].contains("running"));
    CHECK(cluster.status("slow")["started"] == false);
    CHECK(cluster.status("slow")["ready"] == false);
    CHECK(cluster.count("FailedPostStartHook Pod/bad: PostStartHook failed") >= 1);
    CHECK(cluster.status("writes")["state"]["terminated"]["message"] == "hello\n");
    cluster.advance(15s);
    CHECK(cluster.status("slow")["ready"] == true);
    cluster.advance(30s);
    CHECK(cluster.status("bad")["restartCount"].get<int>() >= 1);
}

TEST_CASE("the last words are those in the file, or the end of the log") {
    Cluster cluster;
    const char* never = R"(,"restartPolicy":"Never")";
    cluster.pod("file", R"("command":["sh","-c","echo out; echo said > /custom; exit 1"],"terminationMessagePath":"/custom")", never);
    cluster.pod("log", R"("command":["sh","-c","echo one; echo two; exit 1"],"terminationMessagePolicy":"FallbackToLogsOnError")", never);
    cluster.pod("fine", R"("command":["sh","-c","echo one; exit 0"],"terminationMessagePolicy":"FallbackToLogsOnError")", never);
    cluster.advance(10s);
    CHECK(cluster.status("file")["state"]["terminated"]["message"] == "said\n");
    CHECK(cluster.status("log")["state"]["terminated"]["message"] == "one\ntwo\n");
    CHECK(!cluster.status("fine")["state"]["terminated"].contains("message"));
}

TEST_CASE("an ephemeral container runs beside the others and changes nothing about the pod") {
    Cluster cluster;
    cluster.pod("web", R"("command":["sleep","1000"])");
    cluster.advance(5s);
    cluster.patch("pods", "web", R"({"spec":{"ephemeralContainers":[{"name":"debug","image":"busybox","command":["sh","-c","sleep 5; exit 4"],
        "imagePullPolicy":"IfNotPresent","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}]}})", "ephemeralcontainers");
    cluster.advance(3s);
    CHECK(cluster.status("web", "ephemeralContainerStatuses")["state"].contains("running"));
    CHECK(cluster.count("Started container debug") == 1);
    cluster.advance(30s);
    CHECK(cluster.status("web", "ephemeralContainerStatuses")["state"]["terminated"]["exitCode"] == 4);
    CHECK(cluster.status("web", "ephemeralContainerStatuses")["restartCount"] == 0);
    CHECK(cluster.phase("web") == "Running");
    CHECK(cluster.condition("web", "Ready").substr(0, 4) == "True");
}

TEST_CASE("a running pod is resized, now, later or never") {
    Cluster cluster;
    cluster.pod("web", R"("command":["sleep","10000"],"resources":{"requests":{"cpu":"1","memory":"1Gi"}},"resizePolicy":[{"resourceName":"cpu","restartPolicy":"NotRequired"},
        {"resourceName":"memory","restartPolicy":"RestartContainer"}])");
    cluster.pod("other", R"("command":["sleep","10000"],"resources":{"requests":{"cpu":"4"}})");
    cluster.advance(5s);
    CHECK(cluster.status("web")["resources"]["requests"]["cpu"] == "1");
    CHECK(cluster.status("web")["allocatedResources"]["memory"] == "1Gi");
    const auto resize = [&](const char* cpu, const char* memory) {
        cluster.patch("pods", "web", Json{{"spec", {{"containers", Json::array({[&] {
            Json container = cluster.get("pods", "web")["spec"]["containers"][0];
            container["resources"]["requests"] = {{"cpu", cpu}, {"memory", memory}};
            return container;
        }()})}}}}.dump(), "resize");
        cluster.settle();
    };
    resize("2", "1Gi");
    CHECK(cluster.condition("web", "PodResizeInProgress").substr(0, 4) == "True");
    cluster.advance(2s);
    CHECK(cluster.condition("web", "PodResizeInProgress").empty());
    CHECK(cluster.status("web")["resources"]["requests"]["cpu"] == "2");
    CHECK(cluster.status("web")["restartCount"] == 0);
    resize("2", "2Gi");
    cluster.advance(40s);
    CHECK(cluster.status("web")["restartCount"] == 1);
    CHECK(cluster.status("web")["resources"]["requests"]["memory"] == "2Gi");
    resize("100", "2Gi");
    CHECK(cluster.condition("web", "PodResizePending") == "True Infeasible Node didn't have enough capacity: cpu, requested: 100000, capacity: 8000");
    CHECK(cluster.status("web")["resources"]["requests"]["cpu"] == "2");
    resize("5", "2Gi");
    CHECK(cluster.condition("web", "PodResizePending") == "True Deferred Node didn't have enough resource: cpu, requested: 5000, used: 4000, capacity: 8000");
    cluster.remove("pods", "other");
    cluster.advance(45s);
    CHECK(cluster.condition("web", "PodResizePending").empty());
    CHECK(cluster.status("web")["resources"]["requests"]["cpu"] == "5");
}

TEST_CASE("a pod whose volumes do not come says so again and again, and then in the words of a time-out") {
    Cluster cluster;
    cluster.pod("p", R"("command":["sleep","1000"])", R"(,"volumes":[{"name":"v","configMap":{"name":"missing"}}])");
    cluster.advance(60s);
    CHECK(cluster.count("FailedMount Pod/p: MountVolume.SetUp failed for volume \"v\" : configmap \"missing\" not found") >= 1);
    CHECK(cluster.count("context deadline exceeded") == 0);
    cluster.advance(70s);
    CHECK(cluster.count("FailedMount Pod/p: Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]: context deadline exceeded") == 1);
    CHECK(cluster.phase("p") == "Pending");
}

TEST_CASE("pull secrets that are not there are told, and hold nothing up") {
    Cluster cluster;
    cluster.pod("p", R"("command":["sleep","1000"])", R"(,"imagePullSecrets":[{"name":"none"}])");
    cluster.advance(5s);
    CHECK(cluster.count("FailedToRetrieveImagePullSecret Pod/p: Unable to retrieve some image pull secrets (none); attempting to pull the image may not succeed.") == 1);
    CHECK(cluster.phase("p") == "Running");
}

TEST_CASE("at an instant pace starts have their events too") {
    Cluster cluster(Pace::instant);
    cluster.pod("p", R"("command":["sleep","1000"])");
    CHECK(cluster.phase("p") == "Running");
    for (const char* event : {"Pulling Pod/p", "Pulled Pod/p", "Created Pod/p", "Started Pod/p"}) CHECK_MESSAGE(cluster.count(event) == 1, event);
}

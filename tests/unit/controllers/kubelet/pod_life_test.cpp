// The order and the times of a pod's life: init containers and sidecars, restarts and their pauses, images, deadlines and
// the end with its grace.
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
    Cluster() {
        add<KubeletController>(NodeOptions{.count = 1});
        settle();
    }
    void pod(const std::string& name, const std::string& spec) {
        Json object = {{"metadata", {{"name", name}}}, {"spec", Json::parse(spec)}};
        object["spec"]["nodeName"] = "kubemu-control-plane";
        create("pods", object);
        settle();
    }
    // "a:terminated b:running c:waiting" of both lists.
    std::string states(const std::string& name) {
        std::string text;
        const Json pod = get("pods", name);
        for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
            for (const Json& status : api::array_at(pod, {"status", list})) {
                text += (text.empty() ? "" : " ") + std::string(string_at(status, {"name"})) + ":";
                for (const auto& [state, value] : status["state"].items()) text += state;
            }
        }
        return text;
    }
    Json status(const std::string& name) { return get("pods", name)["status"]["containerStatuses"][0]; }
    std::string phase(const std::string& name) { return std::string(string_at(get("pods", name), {"status", "phase"})); }
    int count(std::string_view part) {
        const auto all = events();
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
};

}  // namespace

TEST_CASE("init containers come one after the other, a sidecar stays and goes last") {
    Cluster cluster;
    cluster.pod("p", R"({"restartPolicy":"Never","initContainers":[
        {"name":"first","image":"busybox","command":["sleep","10"]},
        {"name":"side","image":"busybox","command":["sleep","100000"],"restartPolicy":"Always"},
        {"name":"second","image":"busybox","command":["sleep","10"]}],
        "containers":[{"name":"main","image":"busybox","command":["sleep","10"]}]})");
    cluster.advance(5s);
    CHECK(cluster.states("p") == "first:running side:waiting second:waiting main:waiting");
    CHECK(string_at(cluster.status("p"), {"state", "waiting", "reason"}) == "PodInitializing");
    cluster.advance(10s);
    CHECK(cluster.states("p") == "first:terminated side:running second:running main:waiting");
    cluster.advance(12s);
    CHECK(cluster.states("p") == "first:terminated side:running second:terminated main:running");
    CHECK(cluster.phase("p") == "Running");
    cluster.advance(45s);
    CHECK(cluster.states("p") == "first:terminated side:terminated second:terminated main:terminated");
    CHECK(cluster.phase("p") == "Succeeded");
}

TEST_CASE("an init container that fails is tried again, or fails the pod") {
    Cluster cluster;
    const std::string broken = R"("initContainers":[{"name":"init","image":"busybox","command":["false"]}],"containers":[{"name":"main","image":"busybox"}]})";
    cluster.pod("again", "{" + broken);
    cluster.pod("never", R"({"restartPolicy":"Never",)" + broken);
    cluster.advance(30s);
    CHECK(cluster.get("pods", "again")["status"]["initContainerStatuses"][0]["restartCount"].get<int>() >= 2);
    CHECK(cluster.phase("again") == "Pending");
    CHECK(cluster.phase("never") == "Failed");
    CHECK(cluster.states("never") == "init:terminated main:waiting");
}

TEST_CASE("a container that fails comes back after 10 s, 20 s, 40 s; a good run forgets that") {
    Cluster cluster;
    cluster.pod("loop", R"({"containers":[{"name":"c","image":"busybox","command":["false"]}]})");
    std::vector<int> starts;  // seconds at which a new run is seen
    int seen = 0;
    for (int second = 0; second < 200; ++second) {
        cluster.advance(1s);
        const int restarts = cluster.status("loop")["restartCount"].get<int>();
        if (restarts > seen) starts.push_back(second);
        seen = restarts;
    }
    REQUIRE(starts.size() >= 5);
    // The first restart comes at once, then the pauses double.
    CHECK(starts[2] - starts[1] >= 18);
    CHECK(starts[2] - starts[1] <= 24);
    CHECK(starts[3] - starts[2] >= 38);
    CHECK(starts[3] - starts[2] <= 46);
    CHECK(string_at(cluster.status("loop"), {"state", "waiting", "reason"}) == "CrashLoopBackOff");
    CHECK(cluster.count("Warning BackOff Pod/loop: Back-off restarting failed container c in pod loop_default(") == 1);
}

TEST_CASE("restart policies: always, after a failure, never") {
    Cluster cluster;
    const auto make = [&](const char* name, const char* policy, const char* command) {
        cluster.pod(name, std::string(R"({"restartPolicy":")") + policy + R"(","containers":[{"name":"c","image":"busybox","command":[")" + command + "\"]}]}");
    };
    make("always", "Always", "true");
    make("on-failure-good", "OnFailure", "true");
    make("on-failure-bad", "OnFailure", "false");
    make("never-bad", "Never", "false");
    cluster.advance(15s);
    CHECK(cluster.status("always")["restartCount"].get<int>() >= 1);
    CHECK(cluster.phase("on-failure-good") == "Succeeded");
    CHECK(cluster.status("on-failure-bad")["restartCount"].get<int>() >= 1);
    CHECK(cluster.phase("on-failure-bad") == "Running");
    CHECK(cluster.phase("never-bad") == "Failed");
    CHECK(cluster.status("never-bad")["restartCount"] == 0);
}

TEST_CASE("images: pulled always, when they are missing, or never") {
    Cluster cluster;
    const auto make = [&](const char* name, const char* image, const char* policy) {
        cluster.pod(name, std::string(R"({"containers":[{"name":"c","image":")") + image + R"(","imagePullPolicy":")" + policy + "\"}]}");
        cluster.advance(5s);
    };
    make("never", "nginx:1.27", "Never");
    CHECK(string_at(cluster.status("never"), {"state", "waiting", "reason"}) == "ErrImageNeverPull");
    CHECK(cluster.count("Warning ErrImageNeverPull Pod/never: Container image \"nginx:1.27\" is not present with pull policy of Never") == 1);
    make("first", "nginx:1.27", "IfNotPresent");
    CHECK(cluster.count("Normal Pulling Pod/first: Pulling image \"nginx:1.27\"") == 1);
    make("second", "docker.io/library/nginx:1.27", "IfNotPresent");  // the same image by its full name
    CHECK(cluster.count("Pulled Pod/second: Container image \"docker.io/library/nginx:1.27\" already present on machine") == 1);
    make("third", "nginx:1.27", "Always");
    CHECK(cluster.count("Pulled Pod/third: Successfully pulled image \"nginx:1.27\" in ") == 1);
    make("typo", "NGINX:1", "Always");
    CHECK(string_at(cluster.status("typo"), {"state", "waiting", "reason"}) == "InvalidImageName");
}

TEST_CASE("a pod beyond its deadline is failed") {
    Cluster cluster;
    cluster.pod("late", R"({"activeDeadlineSeconds":30,"containers":[{"name":"c","image":"nginx"}]})");
    cluster.advance(29s);
    CHECK(cluster.phase("late") == "Running");
    cluster.advance(3s);
    CHECK(cluster.phase("late") == "Failed");
    CHECK(string_at(cluster.get("pods", "late"), {"status", "reason"}) == "DeadlineExceeded");
    CHECK(string_at(cluster.get("pods", "late"), {"status", "message"}) == "Pod was active on the node longer than the specified deadline");
}

TEST_CASE("a preStop hook has its part of the grace before the container is stopped") {
    Cluster cluster;
    cluster.pod("hook", R"({"terminationGracePeriodSeconds":60,"containers":[{"name":"c","image":"nginx","lifecycle":{"preStop":{"sleep":{"seconds":25}}}}]})");
    cluster.pod("quick", R"({"containers":[{"name":"c","image":"nginx"}]})");
    cluster.advance(5s);
    for (const char* name : {"hook", "quick"}) cluster.remove("pods", name);
    cluster.settle();
    CHECK(cluster.count("Normal Killing Pod/quick: Stopping container c") == 1);
    cluster.advance(5s);
    CHECK(!cluster.exists("pods", "quick"));
    cluster.advance(17s);
    CHECK(cluster.exists("pods", "hook"));
    cluster.advance(10s);
    CHECK(!cluster.exists("pods", "hook"));
}

TEST_CASE("an image that may not be pulled is looked for again") {
    Cluster cluster;
    const char* never = R"({"nodeName":"node-0","containers":[{"name":"c","image":"registry.example/own:1","imagePullPolicy":"Never"}]})";
    cluster.pod("never", never);
    cluster.advance(5s);
    CHECK(string_at(cluster.status("never"), {"state", "waiting", "reason"}) == "ErrImageNeverPull");
    cluster.pod("pulls", R"({"nodeName":"node-0","containers":[{"name":"c","image":"registry.example/own:1"}]})");
    cluster.advance(15s);
    CHECK(cluster.phase("never") == "Running");
}

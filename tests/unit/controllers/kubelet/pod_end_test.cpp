// How containers end when their pod is deleted, out of time or done: who takes notice of the signal, who is killed when, in
// which order, and with which exit code.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;
using api::string_at;

namespace {

struct Cluster : tests::TestCluster {
    explicit Cluster(Duration latency = 1s) {
        add<KubeletController>(NodeOptions{.count = 1, .pod_startup_latency = latency});
        settle();
    }
    // Its finalizer keeps it, so that its last state can be seen.
    void pod(const std::string& name, Json spec) {
        spec["nodeName"] = "kubemu-control-plane";
        create("pods", {{"metadata", {{"name", name}, {"finalizers", {"example.com/look"}}}}, {"spec", std::move(spec)}});
        settle();
        advance(5s);
    }
    Json terminated(const std::string& name, const char* list = "containerStatuses") {
        const Json pod = get("pods", name);
        const Json* found = api::find(pod["status"][list][0], {"state", "terminated"});
        return found == nullptr ? Json() : *found;
    }
    // Seconds until the first container has ended; -1: not within two minutes.
    int ends_after(const std::string& name, const char* list = "containerStatuses") {
        for (int second = 0; second <= 120; ++second) {
            if (!terminated(name, list).is_null()) return second;
            advance(1s);
        }
        return -1;
    }
    std::string phase(const std::string& name) { return std::string(string_at(get("pods", name), {"status", "phase"})); }
    int count(std::string_view part) {
        const auto all = events();
        return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }
};

Json container(const char* image, const std::string& script = {}) {
    Json result = {{"name", "c"}, {"image", image}};
    if (!script.empty()) result["command"] = {"sh", "-c", script};
    return result;
}

}  // namespace

TEST_CASE("what has no handler for the signal has all of its grace and is killed") {
    struct Row {
        const char *image, *script;
        int grace, ends_after, code;
        int exits_at_once = 137;  // the code at an instant pace
    };
    const Row table[] = {
        {"nginx", "", 30, 1, 0, 0},
        {"redis", "", 30, 1, 0, 0},
        {"gcr.io/google-samples/hello-app:1.0", "", 30, 1, 2, 2},
        {"gcr.io/google-samples/kubernetes-bootcamp:v1", "", 30, 30, 137},
        {"busybox", "sleep 1000", 30, 30, 137},
        {"busybox", "tail -f /dev/null", 7, 7, 137},
        {"busybox", "while true; do sleep 1; done", 1, 2, 137},  // never less than two seconds
        {"busybox", "sleep 25", 30, 22, 0},                      // it ends by itself before
        {"busybox", "trap 'sleep 5; exit 3' TERM; while true; do sleep 1; done", 30, 6, 3, 3},
        {"busybox", "trap '' TERM; while true; do sleep 1; done", 20, 20, 137},
        {"busybox", "trap 'exit 0' TERM; sleep 1000", 20, 20, 137},  // a trap waits for the command that runs
        {"busybox", "trap 'exit 0' TERM; sleep 1000 & wait", 20, 1, 0, 0},
        {"busybox", "exec nginx", 30, 1, 0, 0},
        {"python:3", "python -m http.server", 5, 5, 137},
    };
    for (const Row& row : table) {
        CAPTURE(row.image);
        CAPTURE(row.script);
        const Json spec = {{"terminationGracePeriodSeconds", row.grace}, {"restartPolicy", "Never"}, {"containers", {container(row.image, row.script)}}};
        Cluster cluster;
        cluster.pod("p", spec);
        cluster.remove("pods", "p");
        cluster.settle();
        CHECK(cluster.count("Normal Killing Pod/p: Stopping container c") == 1);
        const int after = cluster.ends_after("p");
        CHECK(after >= row.ends_after - 1);
        CHECK(after <= row.ends_after);
        CHECK(cluster.terminated("p")["exitCode"] == row.code);
        CHECK(cluster.terminated("p")["reason"] == (row.code == 0 ? "Completed" : "Error"));
        CHECK(cluster.phase("p") == (row.code == 0 ? "Succeeded" : "Failed"));

        Cluster instant(0s);
        instant.pod("p", spec);
        instant.remove("pods", "p");
        instant.settle();
        const bool waits = std::string_view(row.script).find("sleep 5;") != std::string_view::npos;
        if (waits) instant.advance(6s);
        REQUIRE(!instant.terminated("p").is_null());
        CHECK(instant.terminated("p")["exitCode"] == row.exits_at_once);
    }
}

TEST_CASE("a preStop hook counts against the grace, and leaves two seconds") {
    Cluster cluster;
    Json slow = container("nginx");
    slow["lifecycle"] = {{"preStop", {{"exec", {{"command", {"sleep", "12"}}}}}}};
    cluster.pod("slow", {{"containers", {slow}}});
    slow["image"] = "busybox";
    slow["command"] = {"sleep", "1000"};
    cluster.pod("deaf", {{"terminationGracePeriodSeconds", 15}, {"containers", {slow}}});
    cluster.pod("short", {{"terminationGracePeriodSeconds", 5}, {"containers", {slow}}});
    const auto seconds = [&](const char* name) {
        cluster.remove("pods", name);
        cluster.settle();
        return cluster.ends_after(name);
    };
    CHECK(seconds("slow") == 13);
    CHECK(seconds("deaf") == 15);
    CHECK(seconds("short") == 7);
}

TEST_CASE("whoever deletes again with less grace does not wait") {
    Cluster cluster;
    cluster.pod("p", {{"containers", {container("busybox", "sleep 1000")}}});
    cluster.remove("pods", "p");
    cluster.advance(5s);
    CHECK(cluster.terminated("p").is_null());
    api::DeleteOptions impatient;
    impatient.grace_period_seconds = 1;
    cluster.remove("pods", "p", impatient);
    cluster.settle();
    CHECK(cluster.ends_after("p") == 2);
}

TEST_CASE("where containers share a PID namespace none of them is its first process") {
    Cluster cluster;
    cluster.pod("shared", {{"shareProcessNamespace", true}, {"containers", {container("busybox", "sleep 1000")}}});
    cluster.remove("pods", "shared");
    cluster.settle();
    CHECK(cluster.ends_after("shared") <= 2);
    CHECK(cluster.terminated("shared")["exitCode"] == 143);
}

TEST_CASE("a liveness probe has a grace of its own, and the exit code is the program's") {
    Cluster cluster;
    const Json probe = {{"exec", {{"command", {"false"}}}}, {"periodSeconds", 1}, {"failureThreshold", 1}, {"terminationGracePeriodSeconds", 4}};
    Json deaf = container("busybox", "sleep 1000"), server = container("nginx");
    deaf["livenessProbe"] = server["livenessProbe"] = probe;
    cluster.pod("deaf", {{"containers", {deaf}}});
    cluster.pod("server", {{"containers", {server}}});
    cluster.advance(10s);
    const auto last = [&](const char* name) { return cluster.get("pods", name)["status"]["containerStatuses"][0]["lastState"]["terminated"]; };
    CHECK(last("deaf")["exitCode"] == 137);
    CHECK(last("server")["exitCode"] == 0);
    CHECK(cluster.count("Normal Killing Pod/deaf: Container c failed liveness probe, will be restarted") == 1);
}

TEST_CASE("beyond its deadline a pod is failed once its containers have ended") {
    Cluster cluster;
    cluster.pod("late", {{"activeDeadlineSeconds", 10}, {"terminationGracePeriodSeconds", 8}, {"containers", {container("busybox", "sleep 1000")}}});
    cluster.advance(6s);
    CHECK(cluster.count("Normal Killing Pod/late: Stopping container c") == 1);
    CHECK(cluster.phase("late") == "Running");
    CHECK(cluster.ends_after("late") <= 8);
    CHECK(cluster.phase("late") == "Failed");
    CHECK(string_at(cluster.get("pods", "late"), {"status", "reason"}) == "DeadlineExceeded");
    CHECK(cluster.terminated("late")["exitCode"] == 137);
}

TEST_CASE("a sidecar is asked to end after the containers that it serves, and then it is its pod's turn") {
    Cluster cluster;
    Json sidecar = container("busybox", "trap 'exit 0' TERM; while true; do sleep 1; done");
    sidecar["restartPolicy"] = "Always";
    sidecar["name"] = "side";
    const Json spec = {{"terminationGracePeriodSeconds", 20},
                       {"restartPolicy", "Never"},
                       {"initContainers", {sidecar}},
                       {"containers", {container("busybox", "trap 'sleep 6; exit 0' TERM; while true; do sleep 1; done")}}};
    cluster.pod("deleted", spec);
    cluster.remove("pods", "deleted");
    cluster.advance(4s);
    CHECK(cluster.terminated("deleted", "initContainerStatuses").is_null());
    cluster.advance(5s);
    CHECK(cluster.terminated("deleted")["exitCode"] == 0);
    CHECK(cluster.terminated("deleted", "initContainerStatuses")["exitCode"] == 0);

    // One that takes no notice keeps a pod that is done for its grace.
    Json done = spec;
    done["initContainers"][0]["command"][2] = "tail -F /logs";
    done["containers"][0]["command"][2] = "sleep 10";
    cluster.pod("done", done);
    cluster.advance(10s);
    CHECK(cluster.terminated("done")["exitCode"] == 0);
    CHECK(cluster.phase("done") == "Running");
    CHECK(cluster.ends_after("done", "initContainerStatuses") >= 15);
    CHECK(cluster.terminated("done", "initContainerStatuses")["exitCode"] == 137);
    CHECK(cluster.phase("done") == "Succeeded");
}

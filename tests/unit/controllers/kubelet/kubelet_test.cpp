// Pods from creation to removal on simulated nodes, on a simulated clock.
#include "controllers/kubelet/controller.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/scheduler/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using api::Json;
using api::string_at;

namespace {

struct Nodes : tests::TestCluster {
    explicit Nodes(Duration latency = std::chrono::seconds(1)) {
        auto owned = std::make_unique<KubeletController>(manager(), NodeOptions{.count = 3, .pod_startup_latency = latency});
        kubelet = owned.get();
        manager().add(std::move(owned));
        add<SchedulerController>();
        settle();
    }
    Json pod(const std::string& name, const std::string& container, const std::string& policy = "Always", const std::string& more = "") {
        return create("pods", std::string_view(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + R"(","namespace":"default"},"spec":{"restartPolicy":")" +
                                                   policy + R"(","containers":[{"name":"c",)" + container + "}]" + more + "}}"));
    }
    std::string state(const std::string& name) {
        const Json pod = get("pods", name);
        std::string text(string_at(pod, {"status", "phase"}));
        for (const Json& status : api::array_at(pod, {"status", "containerStatuses"})) {
            for (const auto& [kind, value] : status["state"].items()) text += " " + kind + ":" + std::string(string_at(value, {"reason"}));
            text += " restarts=" + std::to_string(status["restartCount"].get<int>());
        }
        return text;
    }
    std::string logs(const std::string& name) {
        api::LogQuery query;
        query.pod = registry().get("pods", "default", name);
        query.container = "c";
        auto stream = kubelet->logs().open(query);
        if (!stream) return stream.error()->message;
        std::string text;
        for (;;) {
            const auto step = (*stream)->next();
            for (const Slice& part : step.data) text += part.text;
            if (step.state != api::Stream::Step::State::more) return text;
        }
    }
    bool event(std::string_view part) {
        const auto all = events();
        return std::any_of(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
    }
    KubeletController* kubelet = nullptr;
};

}  // namespace

TEST_CASE("a pod is scheduled, runs, becomes ready and is removed") {
    Nodes cluster;
    CHECK(cluster.list("nodes", "").size() == 3);
    cluster.pod("web", R"("image":"nginx")");
    cluster.settle();
    CHECK(cluster.state("web") == "Pending waiting:ContainerCreating restarts=0");
    cluster.advance(std::chrono::seconds(3));
    CHECK(cluster.state("web") == "Running running: restarts=0");
    const Json pod = cluster.get("pods", "web");
    CHECK(string_at(pod, {"status", "podIP"}).substr(0, 7) == "10.244.");
    CHECK(string_at(pod, {"status", "hostIP"}).substr(0, 7) == "172.18.");
    for (const char* text : {"Successfully assigned default/web to kubemu-worker", "Pulling image \"nginx\"", "Created container", "Started container c"})
        CHECK_MESSAGE(cluster.event(text), text);
    CHECK(cluster.logs("web").find("docker-entrypoint") != std::string::npos);
    cluster.remove("pods", "web");
    cluster.advance(std::chrono::seconds(3));
    CHECK_FALSE(cluster.exists("pods", "web"));
    CHECK(cluster.event("Stopping container c"));
}

TEST_CASE("containers end, fail and are started again with back-off") {
    Nodes cluster;
    cluster.pod("done", R"("image":"busybox","command":["sh","-c","echo hi; exit 0"])", "Never");
    cluster.pod("bad", R"("image":"busybox","command":["sh","-c","echo no; exit 3"])", "Never");
    cluster.pod("loop", R"("image":"busybox","command":["false"])");
    cluster.pod("absent", R"("image":"nginx:1.9.21")");
    cluster.advance(std::chrono::seconds(6));
    CHECK(cluster.state("done") == "Succeeded terminated:Completed restarts=0");
    CHECK(cluster.logs("done") == "hi\n");
    CHECK(cluster.state("bad") == "Failed terminated:Error restarts=0");
    CHECK(cluster.state("loop") == "Running waiting:CrashLoopBackOff restarts=1");
    CHECK(cluster.state("absent") == "Pending waiting:ImagePullBackOff restarts=0");
    CHECK(cluster.event("Failed to pull image \"nginx:1.9.21\""));
    Json containers = cluster.get("pods", "absent")["spec"]["containers"];
    containers[0]["image"] = "nginx:1.9.1";
    cluster.patch("pods", "absent", Json{{"spec", {{"containers", containers}}}}.dump());
    cluster.advance(std::chrono::seconds(15));
    CHECK(cluster.state("absent") == "Running running: restarts=0");
}

TEST_CASE("a missing ConfigMap holds a container until it is there") {
    Nodes cluster;
    cluster.pod("needs", R"("image":"nginx","env":[{"name":"X","valueFrom":{"configMapKeyRef":{"name":"missing","key":"x"}}}])");
    cluster.advance(std::chrono::seconds(3));
    CHECK(cluster.state("needs") == "Pending waiting:CreateContainerConfigError restarts=0");
    cluster.create("configmaps", std::string_view(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"missing","namespace":"default"},"data":{"x":"1"}})"));
    cluster.advance(std::chrono::seconds(12));
    CHECK(cluster.state("needs") == "Running running: restarts=0");
}

TEST_CASE("probes decide about readiness and restarts") {
    Nodes cluster;
    cluster.pod("ok", R"("image":"app","ports":[{"containerPort":8080}],"readinessProbe":{"tcpSocket":{"port":8080},"periodSeconds":1})");
    cluster.pod("never", R"("image":"app","ports":[{"containerPort":8080}],"readinessProbe":{"httpGet":{"port":81},"periodSeconds":1})");
    cluster.pod("sick", R"("image":"app","livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":2})");
    cluster.advance(std::chrono::seconds(6));
    const auto ready = [&](const char* name) { return cluster.get("pods", name)["status"]["containerStatuses"][0]["ready"].get<bool>(); };
    CHECK(ready("ok"));
    CHECK_FALSE(ready("never"));
    CHECK(cluster.state("sick").find("restarts=0") == std::string::npos);
    CHECK(cluster.event("failed liveness probe, will be restarted"));
}

TEST_CASE("a web server has the files that it has") {
    Nodes cluster;
    const auto probed = [](const std::string& path, const std::string& more = {}) {
        return R"("image":"nginx:1.27","readinessProbe":{"httpGet":{"path":")" + path + R"(","port":80},"periodSeconds":1})" + more;
    };
    cluster.pod("root", probed("/"));
    cluster.pod("none", probed("/healthz?x=1"));
    cluster.pod("made", probed("/made.txt", R"(,"lifecycle":{"postStart":{"exec":{"command":["touch","/usr/share/nginx/html/made.txt"]}}})"));
    cluster.pod("args", probed("/healthz", R"(,"args":["-c","/tmp/nginx.conf"])"));
    cluster.advance(std::chrono::seconds(8));
    const auto ready = [&](const char* name) { return cluster.get("pods", name)["status"]["containerStatuses"][0]["ready"].get<bool>(); };
    CHECK(ready("root"));
    CHECK_FALSE(ready("none"));
    CHECK(cluster.event("Readiness probe failed: HTTP probe failed with statuscode: 404"));
    CHECK(ready("made"));
    CHECK(ready("args"));
}

TEST_CASE("without latency a pod takes one status write") {
    Nodes cluster(Duration::zero());
    for (int i = 0; i < 50; ++i) cluster.pod("p" + std::to_string(i), R"("image":"nginx")");
    cluster.settle();
    int running = 0;
    for (const Json& pod : cluster.list("pods")) running += string_at(pod, {"status", "phase"}) == "Running" ? 1 : 0;
    CHECK(running == 50);
}

TEST_CASE("a pod at rest, whose worker keeps little of it, is moved by whatever changes") {
    Nodes cluster(Duration::zero());
    cluster.pod("web", R"("image":"nginx")");
    cluster.settle();
    CHECK(cluster.state("web") == "Running running: restarts=0");
    const auto revision = [&] { return cluster.registry().get("pods", "default", "web")->revision; };
    const auto at_rest = revision();
    cluster.advance(std::chrono::hours(1));
    CHECK(revision() == at_rest);
    CHECK(cluster.logs("web").find("docker-entrypoint") != std::string::npos);
    // A label is nobody's business; a status that somebody else wrote is put right.
    cluster.patch("pods", "web", R"({"metadata":{"labels":{"a":"b"}}})");
    cluster.settle();
    cluster.patch("pods", "web", R"({"status":{"phase":"Pending","containerStatuses":null}})", "status");
    cluster.settle();
    CHECK(cluster.state("web") == "Running running: restarts=0");
    Json containers = cluster.get("pods", "web")["spec"]["containers"];
    containers[0]["image"] = "nginx:1.27";
    cluster.patch("pods", "web", Json{{"spec", {{"containers", containers}}}}.dump());
    cluster.advance(std::chrono::minutes(1));
    CHECK(cluster.state("web") == "Running running: restarts=1");
    CHECK(cluster.get("pods", "web")["status"]["containerStatuses"][0]["image"] == "docker.io/library/nginx:1.27");
    const std::string ip(string_at(cluster.get("pods", "web"), {"status", "podIP"}));
    cluster.remove("pods", "web");
    cluster.advance(std::chrono::seconds(31));
    CHECK_FALSE(cluster.exists("pods", "web"));
    CHECK(!ip.empty());
}

TEST_CASE("an unschedulable pod says why and is placed when room appears") {
    Nodes cluster;
    cluster.pod("big", R"("image":"nginx","resources":{"requests":{"cpu":"9"}})");
    cluster.advance(std::chrono::seconds(1));
    const Json pod = cluster.get("pods", "big");
    const Json& condition = pod["status"]["conditions"][0];
    CHECK(string_at(condition, {"reason"}) == "Unschedulable");
    CHECK(string_at(condition, {"message"}).find("0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: ") == 0);
    cluster.patch("nodes", "kubemu-worker", R"({"status":{"allocatable":{"cpu":"16"}}})", "status", "");
    cluster.advance(std::chrono::seconds(15));
    CHECK(cluster.state("big") == "Running running: restarts=0");
}

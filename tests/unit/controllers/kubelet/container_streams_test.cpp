// Commands and ports of pods that the simulated nodes run.
#include "controllers/kubelet/container_streams.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controllers/kubelet/controller.h"
#include "controllers/scheduler/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using kubemu::tests::TestCluster;

namespace {

struct Nodes {
    Nodes() {
        auto controller = std::make_unique<KubeletController>(cluster.manager(), NodeOptions{.count = 1});
        kubelet = controller.get();
        cluster.add<SchedulerController>();
        cluster.manager().add(std::move(controller));
        cluster.settle();
    }

    void run(const std::string& pod) {
        cluster.create("pods", std::string_view(pod));
        cluster.advance(10s);
    }
    api::CommandQuery query(const char* pod, const char* container, std::vector<std::string> command) {
        api::CommandQuery query;
        query.pod = cluster.registry().get("pods", "default", pod);
        query.container = container;
        query.command = std::move(command);
        query.out = query.err = true;
        return query;
    }
    // What the command writes, and its exit code or error.
    std::string exec(const char* pod, const char* container, std::vector<std::string> command) {
        auto opened = kubelet->streams().open(query(pod, container, std::move(command)));
        if (!opened) return opened.error().text;
        const auto step = (*opened)->next();
        if (!step.end) return step.out + "...";
        return step.out + step.err + (step.end->error.empty() ? std::to_string(step.end->exit_code) : step.end->error);
    }
    std::string page(const char* pod, int port) {
        auto dialed = kubelet->streams().dial(cluster.registry().get("pods", "default", pod), port);
        if (!dialed) return dialed.error();
        (*dialed)->input("GET / HTTP/1.1\r\n\r\n");
        return (*dialed)->output();
    }

    TestCluster cluster;
    KubeletController* kubelet;
};

}  // namespace

TEST_CASE_FIXTURE(Nodes, "a command sees the environment and the volumes, as they are now") {
    cluster.create("configmaps", R"({"metadata":{"name":"c"},"data":{"k":"one"}})");
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"nginx","env":[{"name":"X","value":"y"}],
        "volumeMounts":[{"name":"v","mountPath":"/etc/c"},{"name":"s","mountPath":"/s"}]},{"name":"b","image":"busybox",
        "command":["sleep","1h"],"volumeMounts":[{"name":"s","mountPath":"/s"}]}],
        "volumes":[{"name":"v","configMap":{"name":"c"}},{"name":"s","emptyDir":{}}]}})");
    CHECK(exec("p", "a", {"sh", "-c", "echo $X; hostname"}) == "y\np\n0");
    CHECK(exec("p", "a", {"cat", "/etc/c/k"}) == "one0");
    cluster.patch("configmaps", "c", R"({"data":{"k":"two"}})");
    CHECK(exec("p", "a", {"cat", "/etc/c/k"}) == "two0");
    CHECK(exec("p", "a", {"sh", "-c", "echo shared > /s/f; echo own > /tmp/f"}) == "0");
    CHECK(exec("p", "b", {"cat", "/s/f"}) == "shared\n0");
    CHECK(exec("p", "a", {"cat", "/tmp/f"}) == "own\n0");
    CHECK(exec("p", "b", {"cat", "/tmp/f"}) == "cat: can't open '/tmp/f': No such file or directory\n1");
}

TEST_CASE_FIXTURE(Nodes, "what is not there is said in the words of the runtime") {
    run(R"({"metadata":{"name":"p"},"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"nginx:alpine"},
        {"name":"done","image":"busybox","command":["true"]}]}})");
    CHECK(exec("p", "a", {"nope"}).find("exec: \"nope\": executable file not found in $PATH: unknown") != std::string::npos);
    CHECK(exec("p", "a", {"bash"}).find("exec: \"bash\": executable file not found") != std::string::npos);
    CHECK(exec("p", "a", {"/opt/x"}).find("exec: \"/opt/x\": stat /opt/x: no such file or directory") != std::string::npos);
    CHECK(exec("p", "a", {}).find("args must not be empty") != std::string::npos);
    CHECK(exec("p", "done", {"sh"}) == "container not found (\"done\")");
    auto attach = query("p", "done", {});
    attach.attach = true;
    CHECK(kubelet->streams().open(attach).error().text == "container done not found in pod p_default");
    CHECK(exec("p", "a", {"sh", "-c", "exit 300"}) == "44");
}

TEST_CASE_FIXTURE(Nodes, "a command ends with its container, and sleeps on the cluster's clock") {
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"nginx"}]}})");
    auto opened = kubelet->streams().open(query("p", "a", {"sleep", "60"}));
    REQUIRE(opened);
    CHECK_FALSE((*opened)->next().end);
    cluster.advance(60s);
    CHECK((*opened)->next().end->exit_code == 0);
    opened = kubelet->streams().open(query("p", "a", {"sleep", "600"}));
    cluster.remove("pods", "p");
    cluster.advance(40s);
    CHECK((*opened)->next().end->exit_code == 137);
}

TEST_CASE_FIXTURE(Nodes, "a probe hears of a file that somebody removed") {
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"nginx","readinessProbe":
        {"exec":{"command":["test","!","-f","/tmp/ill"]},"periodSeconds":1,"failureThreshold":1}}]}})");
    const auto ready = [this] {
        const api::Json pod = cluster.get("pods", "p");
        for (const api::Json& condition : pod["status"]["conditions"])
            if (condition["type"] == "Ready") return condition["status"] == "True";
        return false;
    };
    CHECK(ready());
    exec("p", "a", {"touch", "/tmp/ill"});
    cluster.advance(5s);
    CHECK_FALSE(ready());
    exec("p", "a", {"rm", "/tmp/ill"});
    cluster.advance(5s);
    CHECK(ready());
}

TEST_CASE_FIXTURE(Nodes, "attaching gives the shell of the container its input, for once when it says so") {
    run(R"({"metadata":{"name":"p"},"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"busybox","stdin":true,"stdinOnce":true}]}})");
    CHECK(cluster.get("pods", "p")["status"]["phase"] == "Running");
    auto attach = query("p", "a", {});
    attach.attach = attach.in = true;
    {
        auto opened = kubelet->streams().open(attach);
        REQUIRE(opened);
        (*opened)->input("echo hi; x=3\n");
        CHECK((*opened)->next().out == "hi\n");
        (*opened)->input("sh -c \"exit $x\"\n");
    }
    cluster.advance(5s);
    CHECK(cluster.get("pods", "p")["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3);
}

TEST_CASE_FIXTURE(Nodes, "ports that the pod has answer, others refuse") {
    run(R"({"metadata":{"name":"p","annotations":{"kubemu.io/http.b":"mine"}},"spec":{"containers":[
        {"name":"a","image":"nginx"},{"name":"b","image":"own/app","ports":[{"containerPort":8080}]}]}})");
    CHECK(page("p", 80).find("default/p") != std::string::npos);
    CHECK(page("p", 8080).find("mine\n") != std::string::npos);
    CHECK(page("p", 81).find("dial tcp4 127.0.0.1:81: connect: connection refused") != std::string::npos);
    exec("p", "a", {"sh", "-c", "echo changed > /usr/share/nginx/html/index.html"});
    CHECK(page("p", 80).find("changed\n") != std::string::npos);
    CHECK_FALSE(kubelet->streams().refuse_ports(cluster.registry().get("pods", "default", "p")));
}

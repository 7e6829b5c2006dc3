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

TEST_CASE_FIXTURE(Nodes, "a web server shows the files of its container, to whoever asks") {
    run(R"({"metadata":{"name":"p","labels":{"app":"p"}},"spec":{"containers":[{"name":"a","image":"nginx",
        "ports":[{"containerPort":80}]},{"name":"b","image":"busybox","command":["sleep","1h"]}]}})");
    CHECK(exec("p", "a", {"sh", "-c", "echo mine > /usr/share/nginx/html/index.html"}) == "0");
    CHECK(exec("p", "b", {"wget", "-qO-", "http://localhost"}) == "mine\n0");
    const std::string ip(api::string_at(cluster.get("pods", "p"), {"status", "podIP"}));
    CHECK(exec("p", "b", {"wget", "-qO-", ip}) == "mine\n0");
    CHECK(exec("p", "b", {"wget", "-qO-", ip + "/none"}) == "wget: server returned error: HTTP/1.1 404 Not Found\n1");
    CHECK(page("p", 80).ends_with("mine\n"));
    CHECK(exec("p", "b", {"sh", "-c", "wget -qO- http://info.example.org | grep -c example; nslookup no.such | tail -n 2"})
              .find("2\n") == 0);
    CHECK(exec("p", "b", {"wget", "-qO-", "http://web.default"}) == "wget: bad address 'web.default'\n1");
}

TEST_CASE_FIXTURE(Nodes, "what a container is shows in its files and commands") {
    run(R"({"metadata":{"name":"p"},"spec":{"subdomain":"web","hostAliases":[{"ip":"10.1.2.3","hostnames":["a.b","c.d"]}],
        "dnsConfig":{"options":[{"name":"ndots","value":"2"}]},
        "securityContext":{"runAsUser":1000,"runAsGroup":3000,"fsGroup":2000,"supplementalGroups":[4000]},
        "containers":[{"name":"a","image":"busybox","command":["sh","-c","sleep 1h"],
        "securityContext":{"capabilities":{"add":["NET_ADMIN","SYS_TIME"]}},"volumeMounts":[{"name":"s","mountPath":"/data/s"}]}],
        "volumes":[{"name":"s","emptyDir":{}}]}})");
    CHECK(exec("p", "a", {"id"}) == "uid=1000 gid=3000 groups=2000,3000,4000\n0");
    CHECK(exec("p", "a", {"hostname", "-f"}) == "p.web.default.svc.cluster.local\n0");
    const std::string hosts = exec("p", "a", {"cat", "/etc/hosts"});
    CHECK(hosts.find("10.1.2.3\ta.b\tc.d\n") != std::string::npos);
    CHECK(hosts.find("\tp.web.default.svc.cluster.local\tp\n") != std::string::npos);
    CHECK(exec("p", "a", {"grep", "options", "/etc/resolv.conf"}) == "options ndots:2\n0");
    CHECK(exec("p", "a", {"grep", "nameserver", "/etc/resolv.conf"}) == "nameserver 10.96.0.10\n0");
    cluster.create("servicecidrs.networking.k8s.io", R"({"metadata":{"name":"kubernetes"},"spec":{"cidrs":["10.20.0.0/16"]}})");
    cluster.patch("servicecidrs.networking.k8s.io", "kubernetes", R"({"status":{"conditions":[{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})", "status", "");
    run(R"({"metadata":{"name":"later"},"spec":{"containers":[{"name":"a","image":"busybox","command":["sh","-c","sleep 1h"]}]}})");
    CHECK(exec("later", "a", {"grep", "nameserver", "/etc/resolv.conf"}) == "nameserver 10.20.0.10\n0");
    CHECK(exec("later", "a", {"nslookup", "kubernetes.default"}).find("10.20.0.10:53\n") != std::string::npos);
    CHECK(exec("p", "a", {"grep", "CapBnd", "/proc/1/status"}) == "CapBnd:\t00000000aa0435fb\n0");
    CHECK(exec("p", "a", {"ps"}).find("    1 1000      0:00 sleep 1h\n") != std::string::npos);
    CHECK(exec("p", "a", {"sh", "-c", "echo hello > /data/s/f"}) == "0");
    CHECK(exec("p", "a", {"ls", "-l", "/data"}).find("drwxrwsrwx    2 root     2000          4096 ") != std::string::npos);
    CHECK(exec("p", "a", {"ls", "-l", "/data/s"}).find("-rw-r--r--    1 1000     2000             6 ") != std::string::npos);
}

TEST_CASE_FIXTURE(Nodes, "a server that is asked to end is started again; a sleep hears nothing") {
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"redis"},
        {"name":"b","image":"busybox","command":["sleep","1h"]}]}})");
    CHECK(exec("p", "b", {"kill", "1"}) == "0");
    CHECK(exec("p", "a", {"kill", "1"}) == "0");
    cluster.advance(30s);
    const api::Json pod = cluster.get("pods", "p");
    CHECK(api::int_at(pod["status"]["containerStatuses"][0], {"restartCount"}) == 1);
    CHECK(api::string_at(pod["status"]["containerStatuses"][0], {"lastState", "terminated", "reason"}) == "Completed");
    CHECK(api::int_at(pod["status"]["containerStatuses"][1], {"restartCount"}) == 0);
}

TEST_CASE_FIXTURE(Nodes, "files of a node and of a subPath are shared by those who mount them") {
    for (const char* name : {"p", "q"}) {
        run(std::string(R"({"metadata":{"name":")") + name + R"("},"spec":{"nodeName":"kubemu-control-plane","containers":[
            {"name":"a","image":"busybox","command":["sleep","1h"],"volumeMounts":[{"name":"h","mountPath":"/h"},
            {"name":"h","mountPath":"/part","subPath":"deep"}]}],"volumes":[{"name":"h","hostPath":{"path":"/srv"}}]}})");
    }
    CHECK(exec("p", "a", {"sh", "-c", "echo x > /part/f"}) == "0");
    CHECK(exec("q", "a", {"cat", "/h/deep/f"}) == "x\n0");
    CHECK(exec("q", "a", {"ls", "/part"}) == "f\n0");
}

TEST_CASE_FIXTURE(Nodes, "a variable can come from a file that an init container left") {
    run(R"({"metadata":{"name":"p"},"spec":{"initContainers":[{"name":"i","image":"busybox","command":["sh","-c",
        "echo \"# c\" > /d/env; echo \"ADDRESS='here'\" >> /d/env"],"volumeMounts":[{"name":"v","mountPath":"/d"}]}],
        "containers":[{"name":"a","image":"busybox","command":["sleep","1h"],"env":[{"name":"X","valueFrom":
        {"fileKeyRef":{"volumeName":"v","path":"env","key":"ADDRESS"}}}]}],"volumes":[{"name":"v","emptyDir":{}}]}})");
    CHECK(exec("p", "a", {"printenv", "X"}) == "here\n0");
}

TEST_CASE_FIXTURE(Nodes, "a container that wants more memory than it may have is killed for it") {
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"polinux/stress","command":["stress"],
        "args":["--vm","1","--vm-bytes","250M"],"resources":{"limits":{"memory":"100Mi"}}}]}})");
    const api::Json pod = cluster.get("pods", "p");
    const api::Json& last = pod["status"]["containerStatuses"][0]["lastState"];
    CHECK(api::string_at(last, {"terminated", "reason"}) == "OOMKilled");
    CHECK(api::int_at(last, {"terminated", "exitCode"}) == 137);
}

TEST_CASE_FIXTURE(Nodes, "who attaches is told standard output and standard error apart") {
    run(R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"busybox","command":["sh","-c",
        "sleep 20; echo -n half; echo err >&2; echo out; sleep 1h"]}]}})");
    api::CommandQuery attached = query("p", "a", {});
    attached.attach = true;
    auto opened = kubelet->streams().open(attached);
    REQUIRE(opened);
    cluster.advance(30s);
    std::string out, err;
    for (int i = 0; i < 3; ++i) {
        const auto step = (*opened)->next();
        out += step.out;
        err += step.err;
    }
    CHECK(out == "halfout\n");
    CHECK(err == "err\n");
}

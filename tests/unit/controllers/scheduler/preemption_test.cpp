// Who has to go for whom.
#include "scheduler_fixture.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using tests::Scheduling;

namespace {

struct Cluster : Scheduling {
    Cluster() {
        priority("low", 100);
        priority("middle", 500);
        priority("high", 1000);
        create("priorityclasses.scheduling.k8s.io", R"({"metadata":{"name":"polite"},"value":1000,"preemptionPolicy":"Never"})");
        settle();
    }
    void of(const std::string& name, const char* priority_class, const char* cpu, const char* labels = "{}", const std::string& more = "") {
        pod(name, std::string(R"({"priorityClassName":")") + priority_class + "\"" + more + "}", labels, "default", cpu);
    }
    bool ending(const std::string& name) { return get("pods", name)["metadata"].contains("deletionTimestamp"); }
    std::string nominated(const std::string& name) { return std::string(api::string_at(get("pods", name), {"status", "nominatedNodeName"})); }
};

}  // namespace

TEST_CASE("the least important pods go, no more than have to, and the room is kept for who asked") {
    Cluster cluster;
    cluster.node("n");
    cluster.of("a", "low", "1");
    cluster.of("b", "middle", "1");
    cluster.of("c", "low", "2");
    cluster.of("boss", "high", "2");
    CHECK(cluster.at("boss").empty());
    CHECK(cluster.nominated("boss") == "n");
    CHECK(cluster.why("boss") == "0/1 nodes are available: 1 Insufficient cpu.");
    CHECK(cluster.ending("c"));
    CHECK(!cluster.ending("a"));
    CHECK(!cluster.ending("b"));
    const api::Json victim = cluster.get("pods", "c");
    const std::string uid(api::uid_of(cluster.get("pods", "boss")));
    CHECK(cluster.count("Preempted Pod/c: Preempted by pod " + uid + " on node n") == 1);
    bool target = false;
    for (const api::Json& condition : victim["status"]["conditions"]) {
        if (condition["type"] != "DisruptionTarget") continue;
        target = condition["reason"] == "PreemptionByScheduler" && condition["message"] == "default-scheduler: preempting to accommodate a higher priority pod";
    }
    CHECK(target);
    cluster.of("thief", "low", "2");  // it does not get what was freed for another
    cluster.remove_now("c");
    cluster.advance(12s);
    CHECK(!cluster.exists("pods", "c"));
    CHECK(cluster.at("boss") == "n");
    CHECK(cluster.at("thief").empty());
}

TEST_CASE("while its victims end, a pod asks for no others; one that must not preempt asks for none") {
    Cluster cluster;
    cluster.node("n");
    cluster.of("a", "low", "4");
    cluster.of("polite", "polite", "4");
    CHECK(cluster.why("polite") == "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.");
    CHECK(!cluster.ending("a"));
    cluster.of("boss", "high", "4");
    CHECK(cluster.ending("a"));
    cluster.patch("nodes", "n", R"({"status":{"allocatable":{"pods":"11"}}})", "status", "");
    cluster.settle();
    CHECK(cluster.why("boss") == "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.");
}

TEST_CASE("pods of the same or a higher priority stay, and what eviction cannot help is left alone") {
    Cluster cluster;
    cluster.node("n");
    cluster.node("tainted", "{}", R"({"taints":[{"key":"k","effect":"NoSchedule"}]})");
    cluster.node("small", "{}", "{}", R"({"cpu":"1"})");
    cluster.of("a", "high", "4");
    cluster.of("equal", "high", "3");
    CHECK(cluster.why("equal") == "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
                                  "no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.");
    CHECK(cluster.nominated("equal").empty());
}

TEST_CASE("the node with the fewest violated budgets, then the least important victims, then the fewest") {
    Cluster cluster;
    cluster.node("n1");
    cluster.node("n2");
    const std::string to1 = R"(,"nodeSelector":{"kubernetes.io/hostname":"n1"})", to2 = R"(,"nodeSelector":{"kubernetes.io/hostname":"n2"})";
    cluster.of("guarded", "low", "4", R"({"app":"guarded"})", to1);
    cluster.of("plain", "middle", "4", R"({"app":"plain"})", to2);
    cluster.create("poddisruptionbudgets.policy", R"({"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"guarded"}}}})");
    cluster.settle();
    cluster.of("boss", "high", "4");
    CHECK(cluster.ending("plain"));  // more important, but nothing protects it
    CHECK(!cluster.ending("guarded"));
    Cluster other;
    other.node("n1");
    other.node("n2");
    other.of("one", "low", "2", "{}", to1);
    other.of("two", "low", "2", "{}", to1);
    other.of("three", "low", "4", "{}", to2);
    other.of("boss", "high", "4");
    CHECK(other.ending("three"));
    CHECK(!other.ending("one"));
}

TEST_CASE("pods that it wants to be with are no victims") {
    Cluster cluster;
    cluster.node("n");
    cluster.node("other");
    const std::string near = R"(,"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"labelSelector":{"matchLabels":{"app":"db"}},"topologyKey":"kubernetes.io/hostname"}]}})";
    cluster.of("a", "low", "3", R"({"app":"db"})", R"(,"nodeName":"n")");
    cluster.of("b", "high", "3", R"({"app":"db"})", R"(,"nodeName":"other")");
    cluster.of("boss", "high", "2", "{}", near);
    CHECK(!cluster.ending("a"));
    CHECK(cluster.nominated("boss").empty());
    CHECK(cluster.why("boss").find("1 No preemption victims found for incoming pod, 1 node(s) didn't match pod affinity rules") != std::string::npos);
}

TEST_CASE("of equals the one that has run the shortest goes, wherever it is") {
    Cluster cluster;
    for (const char* node : {"n", "o"}) cluster.node(node);
    for (const auto& [name, node] : {std::pair("a", "n"), {"b", "n"}, {"c", "o"}, {"d", "o"}})
        cluster.of(name, "low", "2", "{}", std::string(R"(,"nodeName":")") + node + "\"");
    for (const auto& [name, started] : {std::pair("a", "2026-01-01T00:00:04Z"), {"b", "2026-01-01T00:00:01Z"}, {"c", "2026-01-01T00:00:02Z"}, {"d", "2026-01-01T00:00:03Z"}})
        cluster.patch("pods", name, std::string(R"({"status":{"startTime":")") + started + "\"}}", "status");
    cluster.settle();
    cluster.of("boss", "high", "2");
    CHECK(cluster.nominated("boss") == "n");
    CHECK(cluster.ending("a"));
    for (const char* name : {"b", "c", "d"}) CHECK(!cluster.ending(name));
}

TEST_CASE("a pod that is deleted while it waits is told that nobody places it") {
    Cluster cluster;
    cluster.create("pods", R"({"metadata":{"name":"p","finalizers":["example.com/x"]},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.settle();
    cluster.remove("pods", "p");
    cluster.settle();
    CHECK(cluster.count("skip schedule deleting pod: default/p") == 0);
    cluster.advance(2s);  // when its back-off is over
    CHECK(cluster.count("Warning FailedScheduling Pod/p: skip schedule deleting pod: default/p") == 1);
}

TEST_CASE("a pod that plugins have refused is out of the queue: its end is not told, nor is that of others its hope") {
    Cluster cluster;
    cluster.node("n");
    cluster.pod("there");
    cluster.pod("p", R"({"nodeSelector":{"disk":"ssd"}})");
    CHECK(cluster.count("Warning FailedScheduling Pod/p") == 1);
    cluster.advance(std::chrono::seconds(20));
    cluster.remove_now("there");
    cluster.settle();
    cluster.node("other");  // which it cannot use either
    cluster.advance(std::chrono::seconds(20));
    for (const api::Json& event : cluster.list("events")) CHECK(api::object_at(event, {"series"}).empty());
    cluster.patch("pods", "p", R"({"metadata":{"finalizers":["example.com/x"]}})");
    cluster.remove("pods", "p");
    cluster.settle();
    CHECK(cluster.count("skip schedule deleting pod: default/p") == 0);
}

TEST_CASE("who was promised a place is reckoned with by everybody of its priority or less: by ports, company and spread too") {
    Cluster cluster;
    cluster.node("n", R"({"zone":"a"})");
    const std::string on_n = R"("nodeSelector":{"zone":"a"})";
    cluster.create("pods", R"({"metadata":{"name":"late","labels":{"app":"late"}},"spec":{"priorityClassName":"high","schedulingGates":[{"name":"g"}],"containers":[{"name":"c","image":"i",
        "ports":[{"containerPort":81,"hostPort":81}]}],
        "affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"cat"}},"topologyKey":"zone"}]}}}})");
    cluster.settle();
    cluster.patch("pods", "late", R"({"status":{"nominatedNodeName":"n"}})", "status");
    cluster.settle();
    cluster.pod("port", "{" + on_n + R"(,"containers":[{"name":"c","image":"i","ports":[{"containerPort":81,"hostPort":81}]}]})");
    CHECK(cluster.why("port").find("1 node(s) didn't have free ports for the requested pod ports") != std::string::npos);
    cluster.pod("cat", "{" + on_n + "}", R"({"app":"cat"})");
    CHECK(cluster.why("cat").find("1 node(s) didn't satisfy existing pods anti-affinity rules") != std::string::npos);
    const auto term = [&](const char* kind) {
        return "{" + on_n + R"(,"affinity":{")" + kind + R"(":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"late"}},"topologyKey":"zone"}]}}})";
    };
    cluster.pod("apart", term("podAntiAffinity"));
    CHECK(cluster.why("apart").find("1 node(s) didn't match pod anti-affinity rules") != std::string::npos);
    cluster.pod("beside", term("podAffinity"));  // it may never come
    CHECK(cluster.why("beside").find("1 node(s) didn't match pod affinity rules") != std::string::npos);
    cluster.priority("higher", 5000);
    cluster.settle();
    cluster.pod("important", "{" + on_n + R"(,"priorityClassName":"higher","containers":[{"name":"c","image":"i","ports":[{"containerPort":81,"hostPort":81}]}]})");
    CHECK(cluster.at("important") == "n");
}

TEST_CASE("pods that end already are not evicted once more, and nobody loses a promise to them") {
    Cluster cluster;
    cluster.node("n");
    cluster.of("victim", "low", "4");
    cluster.of("first", "middle", "4");
    REQUIRE(cluster.ending("victim"));
    cluster.of("second", "high", "4");
    CHECK(cluster.nominated("second") == "n");
    CHECK(cluster.nominated("first") == "n");
    CHECK(cluster.count("Preempted Pod/victim:") == 1);
}

TEST_CASE("of a pod that names its nodes it is said who refused the one that it was promised") {
    Cluster cluster;
    cluster.node("n");
    cluster.node("other");
    const std::string named = R"(,"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
        {"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]}}})";
    cluster.of("victim", "low", "4", "{}", R"(,"nodeName":"n")");
    cluster.of("p", "high", "4", "{}", named);
    CHECK(cluster.why("p") == "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].");
    cluster.patch("nodes", "n", R"({"status":{"allocatable":{"pods":"11"}}})", "status", "");
    cluster.settle();
    CHECK(cluster.why("p").find("1 node(s) didn't satisfy plugin(s) [NodeAffinity NodeResourcesFit]. ") != std::string::npos);
}

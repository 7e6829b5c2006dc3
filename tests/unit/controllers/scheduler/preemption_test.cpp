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
    cluster.patch("nodes", "n", R"({"metadata":{"labels":{"x":"y"}}})", {}, "");
    cluster.advance(12s);
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

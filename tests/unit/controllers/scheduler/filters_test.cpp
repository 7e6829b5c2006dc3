// Each filter: where pods may go, and the words when they may go nowhere.
#include "controllers/scheduler/filters.h"

#include "scheduler_fixture.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using tests::Scheduling;

namespace {
const std::string no_help = " no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
const std::string no_victims = " no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
}  // namespace

TEST_CASE("without nodes, and with nodes that are cordoned or tainted") {
    Scheduling cluster;
    cluster.pod("early");
    CHECK(cluster.why("early") == "no nodes available to schedule pods");
    cluster.node("n", "{}", R"({"unschedulable":true})");
    cluster.pod("p");
    CHECK(cluster.why("p") == "0/1 nodes are available: 1 node(s) were unschedulable." + no_help);
    cluster.pod("tolerant", R"({"tolerations":[{"key":"node.kubernetes.io/unschedulable","operator":"Exists"}]})");
    CHECK(cluster.at("tolerant") == "n");
    cluster.patch("nodes", "n", R"({"spec":{"unschedulable":null,"taints":[{"key":"k","value":"v","effect":"NoSchedule"}]}})", {}, "");
    cluster.advance(12s);
    CHECK(cluster.why("p") == "0/1 nodes are available: 1 node(s) had untolerated taint(s)." + no_help);
    cluster.pod("fits", R"({"tolerations":[{"key":"k","value":"v","effect":"NoSchedule"}]})");
    CHECK(cluster.at("fits") == "n");
    cluster.patch("nodes", "n", R"({"spec":{"taints":null}})", {}, "");
    cluster.advance(12s);
    CHECK(cluster.at("p") == "n");
    Scheduling older(scheduler::Release{30});
    older.node("n", "{}", R"({"taints":[{"key":"k","value":"v","effect":"NoExecute"}]})");
    older.pod("p");
    CHECK(older.why("p") == "0/1 nodes are available: 1 node(s) had untolerated taint {k: v}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.");
}

TEST_CASE("requests: the containers together, or the hungriest init container with the sidecars before it, and the overhead") {
    Scheduling cluster;
    cluster.node("n");
    cluster.pod("big", "{}", "{}", "default", "5");
    CHECK(cluster.why("big") == "0/1 nodes are available: 1 Insufficient cpu." + no_help);
    // 1 + 1 for the containers; 1 + 2 for the init container behind a sidecar.
    cluster.pod("init", R"({"initContainers":[{"name":"side","image":"i","restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}},
        {"name":"init","image":"i","resources":{"requests":{"cpu":"2"}}}],"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1"}}}]})");
    CHECK(cluster.at("init") == "n");
    cluster.pod("rest", "{}", "{}", "default", "1");
    CHECK(cluster.at("rest") == "n");
    cluster.pod("more", "{}", "{}", "default", "1m");
    CHECK(cluster.why("more") == "0/1 nodes are available: 1 Insufficient cpu." + no_victims);
    cluster.pod("gpu", R"({"containers":[{"name":"c","image":"i","resources":{"limits":{"example.com/gpu":"1"}}}]})");
    CHECK(cluster.why("gpu") == "0/1 nodes are available: 1 Insufficient example.com/gpu." + no_help);
    cluster.patch("nodes", "n", R"({"status":{"allocatable":{"example.com/gpu":"1"}}})", "status", "");
    cluster.advance(12s);
    CHECK(cluster.at("gpu") == "n");
    Scheduling other;
    other.create("runtimeclasses.node.k8s.io", R"({"metadata":{"name":"heavy"},"handler":"h","overhead":{"podFixed":{"memory":"9Gi"}}})");
    other.node("n");
    other.pod("overhead", R"({"runtimeClassName":"heavy","overhead":{"memory":"9Gi"}})");
    CHECK(other.why("overhead") == "0/1 nodes are available: 1 Insufficient memory." + no_help);
}

TEST_CASE("the number of pods, host ports, selectors and names") {
    Scheduling cluster;
    cluster.node("n", R"({"disk":"ssd","cores":"8"})", "{}", R"({"pods":"2"})");
    const std::string port = R"({"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":80}]}]})";
    cluster.pod("first", port);
    cluster.pod("second", port);
    CHECK(cluster.at("first") == "n");
    CHECK(cluster.why("second") == "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports." + no_victims);
    cluster.pod("udp", R"({"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":80,"protocol":"UDP"}]}]})");
    CHECK(cluster.at("udp") == "n");
    cluster.pod("many");
    CHECK(cluster.why("many") == "0/1 nodes are available: 1 Too many pods." + no_victims);
    cluster.pod("hdd", R"({"nodeSelector":{"disk":"hdd"}})");
    CHECK(cluster.why("hdd") == "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." + no_help);
    const auto affinity = [](const char* term) {
        return std::string(R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[)") + term + "]}}}}";
    };
    cluster.node("m", R"({"disk":"ssd","cores":"16"})");
    cluster.pod("gt", affinity(R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["8"]}]})"));
    CHECK(cluster.at("gt") == "m");
    cluster.pod("either", affinity(R"({"matchExpressions":[{"key":"disk","operator":"In","values":["tape"]}]},{"matchExpressions":[{"key":"nothing","operator":"DoesNotExist"}]})"));
    CHECK(cluster.at("either") == "m");
    cluster.pod("named", affinity(R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]})"));
    CHECK(cluster.why("named") == "0/2 nodes are available: 1 Too many pods, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
                                  "no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.");
}

TEST_CASE("pods keep together and apart, in the namespaces that they name or select") {
    Scheduling cluster;
    cluster.create("namespaces", R"({"metadata":{"name":"other","labels":{"team":"a"}}})");
    cluster.create("serviceaccounts", R"({"metadata":{"name":"default","namespace":"other"}})");
    cluster.node("n1", R"({"zone":"a"})");
    cluster.node("n2", R"({"zone":"b"})");
    const auto term = [](const char* kind, const char* more) {
        return std::string(R"({"affinity":{")") + kind + R"(":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"db"}})" +
               more + "}]}}}";
    };
    cluster.pod("lonely", term("podAffinity", ""));
    CHECK(cluster.why("lonely") == "0/2 nodes are available: 2 node(s) didn't match pod affinity rules. "
                                   "no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.");
    cluster.pod("self", term("podAffinity", ""), R"({"app":"db"})");  // the first of its kind may go anywhere
    const std::string home = cluster.at("self"), away = home == "n1" ? "n2" : "n1";
    REQUIRE(!home.empty());
    cluster.advance(12s);
    CHECK(cluster.at("lonely") == home);
    cluster.pod("apart", term("podAntiAffinity", ""), R"({"app":"db"})");
    CHECK(cluster.at("apart") == away);
    cluster.pod("third", term("podAntiAffinity", ""), R"({"app":"x"})");
    CHECK(cluster.why("third").find("2 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found") != std::string::npos);
    cluster.pod("unwelcome", "{}", R"({"app":"db"})");
    CHECK(cluster.at("unwelcome") == home);  // where "apart" is it is not welcome
    cluster.pod("elsewhere", term("podAffinity", ""), "{}", "other");
    CHECK(cluster.at("elsewhere", "other").empty());
    cluster.pod("listed", term("podAffinity", R"(,"namespaces":["default"])"), "{}", "other");
    CHECK(!cluster.at("listed", "other").empty());
    cluster.pod("all", term("podAffinity", R"(,"namespaceSelector":{})"), "{}", "other");
    CHECK(!cluster.at("all", "other").empty());
    cluster.pod("selected", term("podAffinity", R"(,"namespaceSelector":{"matchLabels":{"team":"b"}})"), "{}", "other");
    CHECK(cluster.at("selected", "other").empty());
    cluster.patch("namespaces", "default", R"({"metadata":{"labels":{"team":"b"}}})", {}, "");
    cluster.advance(12s);
    CHECK(cluster.at("selected", "other").empty());  // that is no news to it
    cluster.advance(6min);
    CHECK(!cluster.at("selected", "other").empty());
}

TEST_CASE("pods spread over topologies") {
    Scheduling cluster;
    cluster.node("a1", R"({"zone":"a"})");
    cluster.node("a2", R"({"zone":"a"})");
    cluster.node("b1", R"({"zone":"b"})");
    cluster.node("bare");
    const auto spread = [](const char* more) {
        return std::string(R"({"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"web"}})") +
               more + "}]}";
    };
    std::map<std::string, int> zones;
    for (int i = 0; i < 6; ++i) {
        const std::string name = "p" + std::to_string(i);
        cluster.pod(name, spread(""), R"({"app":"web"})");
        REQUIRE(!cluster.at(name).empty());
        ++zones[cluster.at(name).substr(0, 1)];
    }
    CHECK(zones == std::map<std::string, int>{{"a", 3}, {"b", 3}});
    cluster.patch("nodes", "b1", R"({"spec":{"unschedulable":true}})", {}, "");
    cluster.settle();
    cluster.pod("fourth", spread(""), R"({"app":"web"})");
    CHECK(cluster.at("fourth").substr(0, 1) == "a");
    cluster.pod("fifth", spread(""), R"({"app":"web"})");
    CHECK(cluster.why("fifth") == "0/4 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), "
                                  "1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints. "
                                  "no new claims to deallocate, preemption: 0/4 nodes are available: 2 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.");
    cluster.pod("domains", spread(R"(,"minDomains":3)"), R"({"app":"new"})");
    CHECK(cluster.at("domains").empty());
    cluster.pod("soft", R"({"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"nowhere","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{}}]})");
    CHECK(!cluster.at("soft").empty());
}

TEST_CASE("pods with gates wait for the last of them") {
    Scheduling cluster;
    cluster.node("n");
    cluster.pod("p", R"({"schedulingGates":[{"name":"example.com/a"},{"name":"example.com/b"}]})");
    CHECK(cluster.at("p").empty());
    cluster.patch("pods", "p", R"({"spec":{"schedulingGates":[{"name":"example.com/b"}]}})");
    cluster.advance(12s);
    CHECK(cluster.at("p").empty());
    cluster.patch("pods", "p", R"({"spec":{"schedulingGates":null}})");
    cluster.settle();
    CHECK(cluster.at("p") == "n");
}

TEST_CASE("a pod that found no room tries again when something changed, after its back-off") {
    Scheduling cluster;
    cluster.node("n");
    cluster.pod("p", "{}", "{}", "default", "3");
    cluster.pod("waits", "{}", "{}", "default", "3");
    CHECK(cluster.at("waits").empty());
    CHECK(cluster.count("FailedScheduling Pod/waits") == 1);
    cluster.advance(60s);
    CHECK(cluster.count("FailedScheduling Pod/waits") == 1);  // nothing changed, so nothing is tried
    cluster.remove_now("p");
    cluster.settle();
    CHECK(cluster.at("waits") == "n");
    CHECK(cluster.count("Scheduled Pod/waits: Successfully assigned default/waits to n") == 1);
    cluster.pod("again", "{}", "{}", "default", "3");
    cluster.patch("pods", "waits", R"({"metadata":{"labels":{"a":"b"}}})");
    cluster.settle();
    CHECK(cluster.count("FailedScheduling Pod/again") == 1);  // within the back-off
    cluster.advance(2s);
    CHECK(cluster.count("FailedScheduling Pod/again") >= 1);
    cluster.advance(301s);  // five minutes are the longest that a pod is left alone
    CHECK(cluster.at("again").empty());
}

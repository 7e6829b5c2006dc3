// What makes a pod that has been refused be tried again, and what does not.
#include "scheduler_fixture.h"

using namespace kubemu;
using namespace std::chrono_literals;
using tests::Scheduling;

namespace {

struct Cluster : Scheduling {
    auto labels(const std::string& resource, const std::string& name, const std::string& all) {
        return [=, this] { patch(resource, name, R"({"metadata":{"labels":)" + all + "}}", {}, resource == "nodes" ? "" : "default"); };
    }
    auto allocatable(const std::string& name, const std::string& more) {
        return [=, this] { patch("nodes", name, R"({"status":{"allocatable":)" + more + "}}", "status", ""); };
    }
    auto taints(const std::string& name, const std::string& all) {
        return [=, this] { patch("nodes", name, R"({"spec":{"taints":)" + all + "}}", {}, ""); };
    }
};

}  // namespace

TEST_CASE("a pod that lacks resources waits for more of them, for pods that go, and for nodes that could have it") {
    Cluster cluster;
    cluster.node("n");
    cluster.pod("full", R"({"nodeName":"n"})", "{}", "default", "3");
    cluster.pod("p", "{}", "{}", "default", "3500m");
    CHECK(!cluster.tries("p", cluster.labels("nodes", "n", R"({"disk":"ssd"})")));
    CHECK(!cluster.tries("p", cluster.allocatable("n", R"({"memory":"16Gi"})")));  // which it does not ask for
    CHECK(!cluster.tries("p", cluster.allocatable("n", R"({"cpu":"3"})")));
    CHECK(!cluster.tries("p", cluster.allocatable("n", R"({"cpu":"3400m"})")));  // more, but never enough
    CHECK(cluster.tries("p", cluster.allocatable("n", R"({"cpu":"4"})")));
    CHECK(cluster.tries("p", cluster.allocatable("n", R"({"pods":"11"})")));
    CHECK(cluster.tries("p", cluster.taints("n", R"([{"key":"k","effect":"PreferNoSchedule"}])")));
    CHECK(!cluster.tries("p", [&] { cluster.node("small", "{}", "{}", R"({"cpu":"3"})"); }));
    CHECK(!cluster.tries("p", [&] { cluster.pod("more", R"({"nodeName":"small"})"); }));
    CHECK(cluster.tries("p", [&] { cluster.remove_now("more"); }));
    // In place: less of what it asks for.
    const auto resized = [&](const char* cpu) {
        return [&, cpu] {
            cluster.patch("pods", "full", std::string(R"({"spec":{"containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":")") + cpu + "\"}}}]}}", "resize");
        };
    };
    CHECK(cluster.tries("p", resized("2")));
    CHECK(!cluster.tries("p", resized("2500m")));
    CHECK(cluster.tries("p", resized("500m")));
    CHECK(cluster.at("p") == "n");
}

TEST_CASE("host ports become free when their holder goes, and only then") {
    Cluster cluster;
    cluster.node("n");
    const std::string spec = R"({"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":80}]}]})";
    cluster.pod("holder", spec);
    cluster.pod("other");
    cluster.pod("p", spec);
    CHECK(!cluster.tries("p", [&] { cluster.remove_now("other"); }));
    CHECK(!cluster.tries("p", cluster.allocatable("n", R"({"cpu":"8"})")));
    CHECK(cluster.tries("p", [&] { cluster.remove_now("holder"); }));
}

TEST_CASE("the host ports of sidecars are taken, those of other init containers are not") {
    Cluster cluster;
    cluster.node("n");
    const auto init = [](const char* more) {
        return std::string(R"({"initContainers":[{"name":"i","image":"i","ports":[{"containerPort":80,"hostPort":80}])") + more + "}]}";
    };
    cluster.pod("ordinary", init(""));
    cluster.pod("sidecar", init(R"(,"restartPolicy":"Always")"));
    CHECK(cluster.at("sidecar") == "n");
    cluster.pod("p", R"({"containers":[{"name":"c","image":"i","ports":[{"containerPort":80,"hostPort":80}]}]})");
    CHECK(cluster.why("p").find("1 node(s) didn't have free ports for the requested pod ports") != std::string::npos);
    CHECK(!cluster.tries("p", [&] { cluster.remove_now("ordinary"); }));
    CHECK(cluster.tries("p", [&] { cluster.remove_now("sidecar"); }));
}

TEST_CASE("a pod that tolerates too little waits for taints to go, and for tolerations of its own") {
    Cluster cluster;
    cluster.node("n", "{}", R"({"taints":[{"key":"k","effect":"NoSchedule"}]})");
    cluster.pod("p");
    CHECK(!cluster.tries("p", cluster.taints("n", R"([{"key":"k","effect":"NoSchedule"},{"key":"l","effect":"NoSchedule"}])")));
    CHECK(!cluster.tries("p", cluster.labels("nodes", "n", R"({"disk":"ssd"})")));
    CHECK(!cluster.tries("p", [&] { cluster.node("m", "{}", R"({"taints":[{"key":"k","effect":"NoSchedule"}]})"); }));
    const auto tolerates = [&](const std::string& key) {
        api::Json all = api::array_at(cluster.get("pods", "p"), {"spec", "tolerations"});
        all.push_back({{"key", key}, {"operator", "Exists"}});
        return [&cluster, all] { cluster.patch("pods", "p", api::Json{{"spec", {{"tolerations", all}}}}.dump()); };
    };
    CHECK(cluster.tries("p", tolerates("other")));
    CHECK(cluster.tries("p", cluster.taints("m", "[]")));
    CHECK(cluster.at("p") == "m");
}

TEST_CASE("a cordoned node is news when it is uncordoned, or when the pod tolerates that") {
    Cluster cluster;
    cluster.node("n", "{}", R"({"unschedulable":true})");
    cluster.pod("p");
    CHECK(!cluster.tries("p", [&] { cluster.node("m", "{}", R"({"unschedulable":true})"); }));
    CHECK(!cluster.tries("p", cluster.taints("n", R"([{"key":"k","effect":"PreferNoSchedule"}])")));
    CHECK(cluster.tries("p", [&] { cluster.patch("nodes", "n", R"({"spec":{"unschedulable":false}})", {}, ""); }));
}

TEST_CASE("a node's labels are news when they become what the pod selects") {
    Cluster cluster;
    cluster.node("n", R"({"disk":"hdd"})");
    cluster.pod("p", R"({"nodeSelector":{"disk":"ssd"}})");
    CHECK(!cluster.tries("p", cluster.labels("nodes", "n", R"({"disk":"tape"})")));
    CHECK(!cluster.tries("p", [&] { cluster.node("m", R"({"disk":"hdd"})"); }));
    CHECK(!cluster.tries("p", [&] { cluster.remove("nodes", "m", {}, ""); }));
    CHECK(cluster.tries("p", cluster.labels("nodes", "n", R"({"disk":"ssd"})")));
}

TEST_CASE("a pod that wants company waits for it, and for nodes that come into its topology") {
    Cluster cluster;
    cluster.node("n", R"({"zone":"a"})");
    cluster.pod("p", R"({"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"db"}},"topologyKey":"zone"}]}}})");
    CHECK(!cluster.tries("p", [&] { cluster.pod("other", "{}", R"({"app":"web"})"); }));
    CHECK(!cluster.tries("p", [&] { cluster.remove_now("other"); }));
    CHECK(!cluster.tries("p", [&] { cluster.node("bare"); }));
    CHECK(cluster.tries("p", [&] { cluster.node("zoned", R"({"zone":"b"})"); }));
    CHECK(cluster.tries("p", cluster.labels("nodes", "bare", R"({"zone":"c"})")));
    CHECK(!cluster.tries("p", cluster.labels("nodes", "bare", R"({"disk":"ssd"})")));
    cluster.pod("later", "{}", R"({"app":"web"})");
    CHECK(cluster.tries("p", cluster.labels("pods", "later", R"({"app":"db"})")));
    CHECK(!cluster.at("p").empty());
}

TEST_CASE("a pod that avoids others waits for them to go, and for nodes of any kind") {
    Cluster cluster;
    cluster.node("n", R"({"zone":"a"})");
    cluster.pod("db", "{}", R"({"app":"db"})");
    cluster.pod("web", "{}", R"({"app":"web"})");
    cluster.pod("p", R"({"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"db"}},"topologyKey":"zone"}]}}})");
    CHECK(!cluster.tries("p", [&] { cluster.remove_now("web"); }));
    CHECK(!cluster.tries("p", cluster.labels("nodes", "n", R"({"disk":"ssd"})")));
    CHECK(cluster.tries("p", cluster.labels("pods", "p", R"({"x":"y"})")));  // others may hate what it was
    CHECK(cluster.tries("p", [&] { cluster.remove_now("db"); }));
    // One that is hated by others waits for those.
    Cluster other;
    other.node("n");
    other.pod("hater", R"({"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"db"}},"topologyKey":"kubernetes.io/hostname"}]}}})");
    other.pod("web");
    other.pod("p", "{}", R"({"app":"db"})");
    CHECK(!other.tries("p", [&] { other.remove_now("web"); }));
    CHECK(other.tries("p", [&] { other.remove_now("hater"); }));
}

TEST_CASE("a pod that has to spread waits for what changes the spread") {
    Cluster cluster;
    cluster.node("a", R"({"zone":"a"})");
    cluster.node("b", R"({"zone":"b"})", "{}", R"({"cpu":"1"})");
    cluster.pod("one", R"({"nodeName":"a"})", R"({"app":"x"})");
    cluster.pod("web", R"({"nodeName":"a"})", R"({"app":"web"})");
    cluster.pod("p", R"({"nodeSelector":{"zone":"a"},"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","nodeAffinityPolicy":"Ignore",
        "labelSelector":{"matchLabels":{"app":"x"}}}]})", R"({"app":"x"})");
    CHECK(cluster.why("p").find("node(s) didn't match pod topology spread constraints") != std::string::npos);
    CHECK(!cluster.tries("p", [&] { cluster.remove_now("web"); }));
    CHECK(!cluster.tries("p", [&] { cluster.node("bare"); }));
    CHECK(cluster.tries("p", [&] { cluster.node("c", R"({"zone":"c"})"); }));
    CHECK(cluster.tries("p", cluster.taints("c", R"([{"key":"k","effect":"NoSchedule"}])")));
    CHECK(cluster.tries("p", [&] { cluster.remove("nodes", "c", {}, ""); }));
    CHECK(!cluster.tries("p", [&] { cluster.pod("stranger", R"({"nodeName":"b"})", R"({"app":"web"})"); }));
    CHECK(cluster.tries("p", [&] { cluster.pod("two", R"({"nodeName":"b"})", R"({"app":"x"})"); }));
    CHECK(cluster.at("p") == "a");
}

TEST_CASE("gates that go let a pod be tried; nobody looks at it before") {
    Cluster cluster;
    cluster.node("n");
    cluster.pod("p", R"({"schedulingGates":[{"name":"a"},{"name":"b"}],"nodeSelector":{"disk":"ssd"}})");
    CHECK(!cluster.tries("p", [&] { cluster.node("m"); }));
    CHECK(!cluster.tries("p", [&] { cluster.patch("pods", "p", R"({"spec":{"schedulingGates":[{"name":"b"}]}})"); }));
    CHECK(!cluster.tries("p", [&] { cluster.advance(10min); }));
    CHECK(cluster.tries("p", [&] { cluster.patch("pods", "p", R"({"spec":{"schedulingGates":null}})"); }));
}

TEST_CASE("a promise that is taken back is news to the less important") {
    Cluster cluster;
    cluster.node("n", "{}", "{}", R"({"cpu":"2"})");
    cluster.priority("high", 10);
    cluster.pod("holder", "{}", "{}", "default", "1");
    cluster.create("pods", R"({"metadata":{"name":"promised"},"spec":{"schedulerName":"default-scheduler","schedulingGates":[{"name":"a"}],"priorityClassName":"high",
        "containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1"}}}]}})");
    cluster.settle();
    cluster.patch("pods", "promised", R"({"status":{"nominatedNodeName":"n"}})", "status");
    cluster.settle();
    cluster.pod("p", "{}", "{}", "default", "1");
    CHECK(cluster.at("p").empty());
    CHECK(cluster.tries("p", [&] { cluster.patch("pods", "promised", R"({"status":{"nominatedNodeName":null}})", "status"); }));
    CHECK(cluster.at("p") == "n");
}

TEST_CASE("without nodes a pod is tried again and again, less and less often") {
    Cluster cluster;
    cluster.pod("p");
    CHECK(cluster.why("p") == "no nodes available to schedule pods");
    const auto tried = [&](Duration wait) { return cluster.tries("p", [&] { cluster.advance(wait); }); };
    CHECK(tried(2s));
    CHECK(!tried(2s));
    CHECK(tried(1s));
    CHECK(!tried(4s));
    CHECK(tried(1s));
}

TEST_CASE("what nothing has woken is tried after five minutes") {
    Cluster cluster;
    cluster.node("n");
    cluster.pod("p", R"({"nodeSelector":{"disk":"ssd"}})");
    CHECK(!cluster.tries("p", [&] { cluster.advance(5min); }));
    CHECK(cluster.tries("p", [&] { cluster.advance(30s); }));
}

TEST_CASE("the scheduler writes as kube-scheduler, and tells as default-scheduler") {
    // Nobody else may say why a pod has no place.
    const auto refuses_all_but = [](Cluster& cluster, const std::string& user) {
        cluster.create("validatingadmissionpolicies.admissionregistration.k8s.io", api::Json{
            {"metadata", {{"name", "only"}}},
            {"spec", {{"matchConstraints", {{"resourceRules", api::Json::array({{{"apiGroups", {""}}, {"apiVersions", {"v1"}}, {"operations", {"*"}}, {"resources", {"pods/status"}}}})}}},
                      {"validations", api::Json::array({{{"expression", "request.userInfo.username == '" + user + "'"}}})}}}});
        cluster.create("validatingadmissionpolicybindings.admissionregistration.k8s.io",
                       R"({"metadata":{"name":"only"},"spec":{"policyName":"only","validationActions":["Deny"]}})");
        cluster.node("n");
        cluster.pod("p", R"({"nodeSelector":{"disk":"ssd"}})");
    };
    Cluster other;
    refuses_all_but(other, "system:serviceaccount:kube-system:kube-scheduler");
    CHECK(other.why("p").empty());
    Cluster cluster;
    refuses_all_but(cluster, "system:kube-scheduler");
    CHECK(!cluster.why("p").empty());
    const api::Json pod = cluster.get("pods", "p");
    const api::Json& fields = pod["metadata"]["managedFields"];
    CHECK(std::any_of(fields.begin(), fields.end(), [](const api::Json& each) {
        return each["manager"] == "kube-scheduler" && each["subresource"] == "status" && each["operation"] == "Update";
    }));
    const auto events = cluster.list("events");
    REQUIRE(events.size() == 1);
    CHECK(events[0]["reportingComponent"] == "default-scheduler");
    CHECK(events[0]["metadata"]["managedFields"][0]["manager"] == "kube-scheduler");
    CHECK(api::string_at(events[0], {"source", "component"}).empty());
}

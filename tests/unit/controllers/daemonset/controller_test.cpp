// Daemon pods by node, on a simulated clock.
#include "controllers/daemonset/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() { add<controllers::DaemonSetController>(); }
    void node(const std::string& name, std::string_view changes = "{}") {
        api::Json object = {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name}}}};
        object.merge_patch(api::Json::parse(changes));
        create("nodes", object);
    }
    void make(std::string_view changes = "{}") {
        api::Json object = api::Json::parse(R"({"apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"log"},
            "spec":{"selector":{"matchLabels":{"app":"log"}},"template":{"metadata":{"labels":{"app":"log"}},
            "spec":{"containers":[{"name":"main","image":"log:1"}]}}}})");
        object.merge_patch(api::Json::parse(changes));
        create("daemonsets.apps", object);
    }
    // Daemon pods bound to the node of their affinity, running.
    void run() {
        settle();
        for (int i = 0; i < 50; ++i) {
            for (const api::Json& pod : list("pods")) {
                if (!api::string_at(pod, {"spec", "nodeName"}).empty()) continue;
                const std::string target = controllers::affinity_target(pod["spec"]);
                const auto bound = client().create_subresource(
                    kind("pods"), "default", api::name_of(pod), "binding",
                    {{"apiVersion", "v1"}, {"kind", "Binding"}, {"metadata", {{"name", std::string(api::name_of(pod))}}},
                     {"target", {{"kind", "Node"}, {"name", target}}}});
                REQUIRE(bound.has_value());
            }
            store().flush();
            const int changed = run_pods();
            settle();
            if (changed == 0) return;
        }
    }
    std::int64_t status(const char* member) { return api::int_at(get("daemonsets.apps", "log"), {"status", member}); }
    int with_image(std::string_view image) {
        int count = 0;
        for (const api::Json& pod : list("pods")) count += api::string_at(pod["spec"]["containers"][0], {"image"}) == image;
        return count;
    }
};

}  // namespace

TEST_CASE("a pod on each node that fits, as nodes come, change and are tainted") {
    Cluster cluster;
    cluster.node("a");
    cluster.node("b", R"({"metadata":{"labels":{"disk":"ssd"}}})");
    cluster.node("c", R"({"spec":{"taints":[{"key":"dedicated","effect":"NoSchedule"}]}})");
    cluster.make();
    cluster.run();
    CHECK(cluster.status("desiredNumberScheduled") == 2);
    CHECK(cluster.status("numberAvailable") == 2);
    CHECK(cluster.status("updatedNumberScheduled") == 2);
    CHECK(cluster.list("pods").size() == 2);
    cluster.node("d");
    cluster.run();
    CHECK(cluster.status("numberReady") == 3);
    cluster.patch("nodes", "a", R"({"spec":{"taints":[{"key":"gone","effect":"NoExecute"}]}})");
    cluster.run();
    CHECK(cluster.status("desiredNumberScheduled") == 2);
    CHECK(cluster.list("pods").size() == 2);
    cluster.patch("daemonsets.apps", "log", R"({"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}})");
    cluster.run();
    CHECK(cluster.status("desiredNumberScheduled") == 1);
    CHECK(cluster.list("pods").size() == 1);
    CHECK(cluster.events().front().starts_with("Normal SuccessfulCreate DaemonSet/log: Created pod: log-"));
}

TEST_CASE("a rolling update replaces as many as may be unavailable; a surge comes before it goes") {
    for (const char* strategy : {R"({"maxUnavailable":1})", R"({"maxUnavailable":0,"maxSurge":1})"}) {
        Cluster cluster;
        for (const char* name : {"a", "b", "c"}) cluster.node(name);
        cluster.make(std::string(R"({"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":)") + strategy + "}}}");
        cluster.run();
        CHECK(cluster.with_image("log:1") == 3);
        cluster.patch("daemonsets.apps", "log", R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"log:2"}]}}}})");
        cluster.settle();
        CHECK(cluster.with_image("log:1") == 3);  // one of them is on its way out, or joined by a new one
        cluster.run();
        CHECK(cluster.with_image("log:1") == 0);
        CHECK(cluster.with_image("log:2") == 3);
        CHECK(cluster.status("updatedNumberScheduled") == 3);
        CHECK(cluster.list("controllerrevisions.apps").size() == 2);
    }
}

TEST_CASE("OnDelete replaces a pod only when somebody deletes it; a repaired template replaces broken pods") {
    Cluster cluster;
    for (const char* name : {"a", "b"}) cluster.node(name);
    cluster.make(R"({"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null}}})");
    cluster.run();
    cluster.patch("daemonsets.apps", "log", R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":"log:2"}]}}}})");
    cluster.run();
    CHECK(cluster.with_image("log:1") == 2);
    CHECK(cluster.status("updatedNumberScheduled") == 0);
    cluster.remove("pods", std::string(api::name_of(cluster.list("pods")[0])));
    cluster.run();
    CHECK(cluster.with_image("log:1") == 1);
    CHECK(cluster.with_image("log:2") == 1);
    CHECK(cluster.status("updatedNumberScheduled") == 1);
}

TEST_CASE("a revision is named as kube-controller-manager names it, after the hash of the template") {
    Cluster cluster;
    cluster.make(R"({"spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web","x":"t1"}},
        "spec":{"containers":[{"name":"c","image":"nginx:1.25"}]}}}})");
    cluster.settle();
    const api::Json revisions = cluster.list("controllerrevisions.apps");
    REQUIRE(revisions.size() == 1);
    CHECK(revisions[0]["metadata"]["name"] == "log-b6548444");
    CHECK(revisions[0]["metadata"]["labels"]["controller-revision-hash"] == "b6548444");
}

TEST_CASE("revisions with the same data become one, a revision without the hash gets its name, other words are another") {
    Cluster first;
    first.make();
    first.settle();
    const api::Json made = first.list("controllerrevisions.apps")[0];
    const auto revision = [&made](const char* name, int number, bool hash) {
        api::Json labels = {{"app", "log"}};
        if (hash) labels["controller-revision-hash"] = name;
        return api::Json{{"metadata", {{"name", name}, {"labels", labels}}}, {"revision", number}, {"data", made["data"]}};
    };
    Cluster cluster;
    cluster.node("a");
    cluster.create("controllerrevisions.apps", revision("one", 1, true));
    cluster.create("controllerrevisions.apps", revision("two", 2, false));
    api::Json old = revision("old", 3, true);
    old["data"]["spec"]["template"]["metadata"]["creationTimestamp"] = nullptr;
    cluster.create("controllerrevisions.apps", old);
    cluster.make();
    cluster.run();
    const api::Json left = cluster.list("controllerrevisions.apps");
    REQUIRE(left.size() == 2);
    CHECK(api::name_of(left[0]) == "old");
    CHECK(api::name_of(left[1]) == "two");
    CHECK(left[1]["metadata"]["labels"]["controller-revision-hash"] == "two");
    CHECK(left[1]["revision"] == 4);
    CHECK(cluster.list("pods")[0]["metadata"]["labels"]["controller-revision-hash"] == "two");
}

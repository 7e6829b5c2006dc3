// Budgets, and evictions that they allow or refuse.
#include "controllers/disruption/controller.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::ReplicaSetController>();
        add<controllers::DisruptionController>();
        create("replicasets.apps", R"({"metadata":{"name":"web"},"spec":{"replicas":4,"selector":{"matchLabels":{"app":"web"}},
            "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
        settle_with_pods();
    }
    void budget(const char* spec, const char* name = "b") {
        api::Json object = {{"metadata", {{"name", name}}}, {"spec", {{"selector", {{"matchLabels", {{"app", "web"}}}}}}}};
        object["spec"].merge_patch(api::Json::parse(spec));
        create("poddisruptionbudgets.policy", object);
        settle();
    }
    std::int64_t status(std::string_view member) { return api::int_at(get("poddisruptionbudgets.policy", "b"), {"status", member}); }
    // The error's code, 0 for an eviction.
    int evict(const std::string& name, std::string* message = nullptr) {
        const auto done = client().create_subresource(kind("pods"), "default", name, "eviction",
                                                      api::Json{{"apiVersion", "policy/v1"}, {"kind", "Eviction"}, {"metadata", {{"name", name}}}});
        store().flush();
        if (!done && message != nullptr) *message = done.error()->causes.empty() ? done.error()->message : done.error()->causes.front().message;
        return done ? 0 : done.error().code();
    }
    std::string pod(std::size_t index) { return std::string(api::name_of(list("pods")[index])); }
};

}  // namespace

TEST_CASE("numbers and percentages of what the pods' controllers ask for") {
    for (const auto& [spec, allowed, desired] : {std::tuple(R"({"minAvailable":3})", 1, 3), std::tuple(R"({"minAvailable":"50%"})", 2, 2),
                                                 std::tuple(R"({"maxUnavailable":1})", 1, 3), std::tuple(R"({"maxUnavailable":"30%"})", 2, 2)}) {
        Cluster cluster;
        cluster.budget(spec);
        CHECK(cluster.status("expectedPods") == 4);
        CHECK(cluster.status("currentHealthy") == 4);
        CHECK(cluster.status("desiredHealthy") == desired);
        CHECK(cluster.status("disruptionsAllowed") == allowed);
    }
}

TEST_CASE("an eviction is charged with the deletion, and the next one refused") {
    Cluster cluster;
    cluster.budget(R"({"minAvailable":3})");
    const std::string first = cluster.pod(0), second = cluster.pod(1);
    CHECK(cluster.evict(first) == 0);
    CHECK(cluster.status("disruptionsAllowed") == 0);
    CHECK(api::object_at(cluster.get("poddisruptionbudgets.policy", "b"), {"status", "disruptedPods"}).contains(first));
    const api::Json gone = cluster.get("pods", first);
    CHECK(api::find(gone, {"metadata", "deletionTimestamp"}) != nullptr);
    CHECK(api::string_at(api::array_at(gone, {"status", "conditions"}).back(), {"reason"}) == "EvictionByEvictionAPI");
    std::string message;
    CHECK(cluster.evict(second, &message) == 429);
    CHECK(message == "The disruption budget b needs 3 healthy pods and has 4 currently");
    CHECK(api::find(cluster.get("pods", second), {"metadata", "deletionTimestamp"}) == nullptr);
    cluster.settle_with_pods();
    CHECK(cluster.status("disruptionsAllowed") == 1);
    CHECK(api::object_at(cluster.get("poddisruptionbudgets.policy", "b"), {"status"}).contains("disruptedPods") == false);
}

TEST_CASE("pods that disturb nobody are evicted whatever the budget says") {
    Cluster cluster;
    cluster.budget(R"({"minAvailable":4})");
    const std::string ended = cluster.pod(0), unready = cluster.pod(1);
    CHECK(cluster.evict(unready) == 429);
    cluster.set_pod(ended, "Succeeded", false);
    CHECK(cluster.evict(ended) == 0);
    cluster.settle_with_pods();
    cluster.set_pod(unready, "Running", false);
    cluster.settle();
    CHECK(cluster.evict(unready) == 429);
    cluster.patch("poddisruptionbudgets.policy", "b", R"({"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}})");
    cluster.settle();
    CHECK(cluster.evict(unready) == 0);
}

TEST_CASE("two budgets over one pod are more than an eviction can serve") {
    Cluster cluster;
    cluster.budget(R"({"minAvailable":1})");
    cluster.budget(R"({"minAvailable":1})", "second");
    CHECK(cluster.evict(cluster.pod(0)) == 500);
}

TEST_CASE("events tell of pods in several budgets, and of pods that nobody scales") {
    Cluster cluster;
    cluster.budget(R"({"maxUnavailable":1})");
    cluster.budget(R"({"maxUnavailable":1,"selector":{"matchLabels":{"app":null,"x":"y"}}})", "other");
    cluster.create("pods", R"({"metadata":{"name":"bare","labels":{"app":"web","x":"y"}},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.settle_with_pods();
    const auto all = cluster.events();
    const auto has = [&all](std::string_view text) {
        return std::any_of(all.begin(), all.end(), [text](const std::string& line) { return line.find(text) != std::string::npos; });
    };
    CHECK(has("Warning MultiplePodDisruptionBudgets Pod/bare: Pod \"default\"/\"bare\" matches multiple PodDisruptionBudgets.  Chose "
              "\"b\" arbitrarily."));
    CHECK(has("Warning UnmanagedPods PodDisruptionBudget/other: Pods selected by this PodDisruptionBudget (selector: "
              "&LabelSelector{MatchLabels:map[string]string{x: y,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be "
              "unmanaged."));
}

TEST_CASE("owners without a scale cannot be asked how many pods they want") {
    Cluster cluster;
    const auto owned = [&](const char* name, const char* version, const char* kind) {
        api::Json pod = {{"metadata", {{"name", name}, {"labels", {{"x", name}}}}}, {"spec", {{"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
        pod["metadata"]["ownerReferences"] = api::Json::array(
            {{{"apiVersion", version}, {"kind", kind}, {"name", "o"}, {"uid", "00000000-0000-0000-0000-000000000001"}, {"controller", true}}});
        cluster.create("pods", pod);
        api::Json budget = {{"metadata", {{"name", name}}}, {"spec", {{"maxUnavailable", 1}, {"selector", {{"matchLabels", {{"x", name}}}}}}}};
        cluster.create("poddisruptionbudgets.policy", budget);
        cluster.settle_with_pods();
        const api::Json status = cluster.get("poddisruptionbudgets.policy", name)["status"];
        CHECK(status["conditions"][0]["reason"] == "SyncFailed");
        CHECK(api::int_at(status, {"observedGeneration"}) == 0);  // it could not be synced
        return status["conditions"][0]["message"].get<std::string>();
    };
    CHECK(owned("daemon", "apps/v1", "DaemonSet") == "daemonsets.apps does not implement the scale subresource");
    CHECK(owned("job", "batch/v1", "Job") == "jobs.batch does not implement the scale subresource");
    CHECK(owned("thing", "example.com/v1", "Thing") == "no matches for kind \"Thing\" in version \"example.com/v1\"");
    CHECK(owned("gone", "apps/v1", "ReplicaSet") == "found no controllers for pod \"gone\"");
}

TEST_CASE("a budget counts pods that have ended among those that it expects") {
    Cluster cluster;
    cluster.budget(R"({"minAvailable":1})");
    cluster.create("pods", R"({"metadata":{"name":"ended","labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.set_pod("ended", "Succeeded", false);
    cluster.settle();
    CHECK(cluster.status("expectedPods") == 5);
    CHECK(cluster.status("currentHealthy") == 4);
}

TEST_CASE("a pod that was to be disrupted and was not is told so after two minutes") {
    Cluster cluster;
    const std::string name = cluster.pod(0);
    api::Json pod = cluster.get("pods", name);
    api::Json& conditions = pod["status"]["conditions"];
    conditions.push_back({{"type", "DisruptionTarget"}, {"status", "True"}, {"reason", "PreemptionByScheduler"}, {"message", "m"},
                          {"lastTransitionTime", pod["metadata"]["creationTimestamp"]}});
    cluster.patch("pods", name, api::Json{{"status", {{"conditions", conditions}}}}.dump(), "status");
    cluster.settle();
    const auto announced = [&] { return api::array_at(cluster.get("pods", name), {"status", "conditions"}).back(); };
    cluster.advance(119s);
    CHECK(announced()["status"] == "True");
    cluster.advance(1s);
    CHECK(announced()["status"] == "False");
    CHECK_FALSE(announced().contains("reason"));
}

// Rollouts with the ReplicaSet controller beneath and hand-run pods, on a simulated clock.
#include "controllers/deployment/controller.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::DeploymentController>();
        add<controllers::ReplicaSetController>();
    }
    void deploy(int replicas, std::string_view changes = "{}") {
        api::Json object = api::Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
            "spec":{"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},
            "spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
        object["spec"]["replicas"] = replicas;
        object.merge_patch(api::Json::parse(changes));
        create("deployments.apps", object);
    }
    void set_image(const std::string& image) {
        patch("deployments.apps", "web", R"({"spec":{"template":{"spec":{"containers":[{"name":"main","image":")" + image + R"("}]}}}})");
    }
    // "revision:spec.replicas" of each ReplicaSet, by revision.
    std::string sets() {
        std::vector<std::string> parts;
        for (const api::Json& set : list("replicasets.apps")) {
            parts.push_back(std::string(api::string_at(set, {"metadata", "annotations", "deployment.kubernetes.io/revision"})) +
                            ":" + std::to_string(api::int_at(set, {"spec", "replicas"})));
        }
        std::sort(parts.begin(), parts.end());
        std::string text;
        for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
        return text;
    }
    std::string condition(std::string_view type) {
        const api::Json deployment = get("deployments.apps", "web");
        for (const api::Json& one : api::array_at(deployment, {"status", "conditions"})) {
            if (api::string_at(one, {"type"}) == type) {
                return std::string(api::string_at(one, {"status"})) + " " + std::string(api::string_at(one, {"reason"}));
            }
        }
        return "none";
    }
    std::int64_t status(const char* member) { return api::int_at(get("deployments.apps", "web"), {"status", member}); }
    std::string revision() {
        const api::Json deployment = get("deployments.apps", "web");
        return std::string(api::string_at(deployment, {"metadata", "annotations", "deployment.kubernetes.io/revision"}));
    }
};

bool good(const api::Json& pod) { return api::string_at(pod["spec"]["containers"][0], {"image"}) != "bad"; }

}  // namespace

TEST_CASE("a first rollout, with its annotations, conditions and event") {
    Cluster cluster;
    cluster.deploy(3, R"({"metadata":{"annotations":{"note":"x","kubectl.kubernetes.io/last-applied-configuration":"{}"}}})");
    cluster.settle();
    CHECK(cluster.condition("Progressing") == "True ReplicaSetUpdated");
    CHECK(cluster.condition("Available") == "False MinimumReplicasUnavailable");
    cluster.settle_with_pods();
    CHECK(cluster.condition("Progressing") == "True NewReplicaSetAvailable");
    CHECK(cluster.condition("Available") == "True MinimumReplicasAvailable");
    CHECK(cluster.revision() == "1");
    for (const char* member : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"}) {
        CHECK(cluster.status(member) == 3);
    }
    const api::Json set = cluster.list("replicasets.apps").at(0);
    const api::Json& annotations = set["metadata"]["annotations"];
    CHECK(api::string_at(annotations, {"deployment.kubernetes.io/desired-replicas"}) == "3");
    CHECK(api::string_at(annotations, {"deployment.kubernetes.io/max-replicas"}) == "4");
    CHECK(api::string_at(annotations, {"note"}) == "x");
    CHECK_FALSE(annotations.contains("kubectl.kubernetes.io/last-applied-configuration"));
    const std::string hash(api::string_at(set, {"metadata", "labels", "pod-template-hash"}));
    CHECK(api::name_of(set) == "web-" + hash);
    CHECK(hash.size() >= 8);
    CHECK(hash.size() <= 10);
    CHECK(cluster.events().front() == "Normal ScalingReplicaSet Deployment/web: Scaled up replica set web-" + hash + " to 3");
}

TEST_CASE("a rolling update keeps its bounds, a rollback reuses the old ReplicaSet") {
    Cluster cluster;
    cluster.deploy(4, R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":1}}}})");
    cluster.settle_with_pods();
    cluster.set_image("nginx:2");
    for (int i = 0; i < 50; ++i) {
        cluster.settle();
        std::int64_t pods = 0, ready = 0;
        for (const auto& record : cluster.registry().list("pods", "default")) {
            const api::PodView& pod = api::pod_view_of(*record);
            pods += pod.active();
            ready += pod.active() && pod.ready;
        }
        CHECK(pods <= 5);
        CHECK(ready >= 3);
        bool one = true;  // one pod at a time becomes ready
        if (cluster.run_pods([&one](const api::Json&) { return std::exchange(one, false); }) == 0) break;
    }
    CHECK(cluster.sets() == "1:0 2:4");
    cluster.set_image("nginx:1");
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "2:0 3:4");
    CHECK(cluster.revision() == "3");
    for (const api::Json& set : cluster.list("replicasets.apps")) {
        if (api::int_at(set, {"spec", "replicas"}) == 0) continue;
        CHECK(api::string_at(set, {"metadata", "annotations", "deployment.kubernetes.io/revision-history"}) == "1");
    }
    CHECK(cluster.condition("Progressing") == "True NewReplicaSetAvailable");
}

TEST_CASE("a broken rollout stops, is scaled in proportion and times out") {
    Cluster cluster;
    cluster.deploy(10, R"({"spec":{"progressDeadlineSeconds":60,"strategy":{"rollingUpdate":{"maxSurge":3,"maxUnavailable":2}}}})");
    cluster.settle_with_pods(good);
    cluster.set_image("bad");
    cluster.settle_with_pods(good);
    CHECK(cluster.sets() == "1:8 2:5");
    cluster.patch("deployments.apps", "web", R"({"spec":{"replicas":15}})");
    cluster.settle_with_pods(good);
    CHECK(cluster.sets() == "1:11 2:7");
    cluster.advance(59s);
    CHECK(cluster.condition("Progressing") == "True ReplicaSetUpdated");
    cluster.advance(3s);
    CHECK(cluster.condition("Progressing") == "False ProgressDeadlineExceeded");
}

TEST_CASE("Recreate lets the last old pod go first") {
    Cluster cluster;
    cluster.deploy(2, R"({"spec":{"strategy":{"type":"Recreate"}}})");
    cluster.settle_with_pods();
    cluster.set_image("nginx:2");
    cluster.settle();
    for (const api::Json& pod : cluster.list("pods")) CHECK(pod["metadata"].contains("deletionTimestamp"));
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "1:0 2:2");
    CHECK(cluster.condition("Progressing") == "True NewReplicaSetAvailable");
}

TEST_CASE("pause holds a rollout back but not scaling; the history limit removes old sets") {
    Cluster cluster;
    cluster.deploy(1, R"({"spec":{"revisionHistoryLimit":1}})");
    cluster.settle_with_pods();
    cluster.patch("deployments.apps", "web", R"({"spec":{"paused":true}})");
    cluster.settle_with_pods();
    CHECK(cluster.condition("Progressing") == "Unknown DeploymentPaused");
    cluster.set_image("nginx:2");
    cluster.patch("deployments.apps", "web", R"({"spec":{"replicas":2}})");
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "1:2");
    cluster.patch("deployments.apps", "web", R"({"spec":{"paused":false}})");
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "1:0 2:2");
    cluster.set_image("nginx:3");
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "2:0 3:2");
}

TEST_CASE("a name that is taken by another set's template is avoided by counting collisions") {
    Cluster first;
    first.deploy(1);
    first.settle_with_pods();
    const std::string name(api::name_of(first.list("replicasets.apps")[0]));
    Cluster cluster;
    cluster.create("replicasets.apps", api::Json::parse(R"({"metadata":{"name":")" + name + R"("},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"other"}},
        "template":{"metadata":{"labels":{"app":"other"}},"spec":{"containers":[{"name":"main","image":"other:1"}]}}}})"));
    cluster.deploy(2);
    cluster.settle_with_pods();
    CHECK(cluster.status("collisionCount") == 1);
    CHECK(cluster.status("availableReplicas") == 2);
    CHECK(cluster.list("replicasets.apps").size() == 2);
    CHECK(api::int_at(cluster.get("replicasets.apps", name), {"spec", "replicas"}) == 0);  // not ours
}

TEST_CASE("every combination of maxSurge and maxUnavailable is kept to at every step") {
    for (const char* surge : {"0", "1", "3", "\"25%\"", "\"100%\""}) {
        for (const char* unavailable : {"0", "1", "2", "\"25%\"", "\"100%\""}) {
            if (std::string(surge) == "0" && std::string(unavailable) == "0") continue;  // refused by validation
            CAPTURE(surge);
            CAPTURE(unavailable);
            const auto whole = [](const std::string& text, bool up) {
                if (text[0] != '"') return std::stoi(text);
                const int part = std::stoi(text.substr(1)) * 5;
                return up ? (part + 99) / 100 : part / 100;
            };
            const int most = 5 + whole(surge, true), fewest = 5 - whole(unavailable, false);
            Cluster cluster;
            cluster.deploy(5, std::string(R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":)") + surge + R"(,"maxUnavailable":)" + unavailable + "}}}}");
            cluster.settle_with_pods();
            cluster.set_image("nginx:2");
            bool within = true;
            for (int step = 0; step < 40; ++step) {
                cluster.settle();
                int living = 0, available = 0;
                for (const api::Json& pod : cluster.list("pods")) {
                    if (pod["metadata"].contains("deletionTimestamp")) continue;
                    ++living;
                    for (const api::Json& one : api::array_at(pod, {"status", "conditions"}))
                        available += one["type"] == "Ready" && one["status"] == "True" ? 1 : 0;
                }
                within = within && living <= most && available >= fewest;
                if (cluster.run_pods() == 0) break;
            }
            cluster.settle_with_pods();
            CHECK(within);
            CHECK(cluster.status("updatedReplicas") == 5);
            CHECK(cluster.status("replicas") == 5);
        }
    }
}

TEST_CASE("ReplicaSets are adopted by label, and let go when the label goes") {
    Cluster cluster;
    cluster.create("replicasets.apps", R"({"metadata":{"name":"old","labels":{"app":"web"}},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web","old":"yes"}},
        "template":{"metadata":{"labels":{"app":"web","old":"yes"}},"spec":{"containers":[{"name":"main","image":"nginx:0"}]}}}})");
    cluster.settle_with_pods();
    cluster.deploy(2);
    cluster.settle_with_pods();
    const api::Json old = cluster.get("replicasets.apps", "old");
    CHECK(api::string_at(old["metadata"]["ownerReferences"][0], {"name"}) == "web");
    CHECK(api::int_at(old, {"spec", "replicas"}) == 0);  // it was an old set, and is scaled down as one
    cluster.patch("replicasets.apps", "old", R"({"metadata":{"labels":{"app":"free"}}})");
    cluster.settle_with_pods();
    CHECK(api::array_at(cluster.get("replicasets.apps", "old"), {"metadata", "ownerReferences"}).empty());
}

TEST_CASE("minReadySeconds: a pod counts as available only then, and the rollout waits for it") {
    Cluster cluster;
    cluster.deploy(1, R"({"spec":{"minReadySeconds":20,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}}}})");
    cluster.settle_with_pods();
    CHECK(cluster.status("readyReplicas") == 1);
    CHECK(cluster.status("availableReplicas") == 0);
    cluster.advance(21s);
    CHECK(cluster.status("availableReplicas") == 1);
    cluster.set_image("nginx:2");
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "1:1 2:1");  // the new one is ready, not available
    cluster.advance(21s);
    cluster.settle_with_pods();
    CHECK(cluster.sets() == "1:0 2:1");
}

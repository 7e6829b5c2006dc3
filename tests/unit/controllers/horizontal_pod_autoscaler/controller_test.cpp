// Autoscalers over pods whose use an annotation says.
#include "controllers/horizontal_pod_autoscaler/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/apiextensions/controller.h"
#include "controllers/horizontal_pod_autoscaler/metrics.h"
#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::ReplicaSetController>();
        add<controllers::HorizontalPodAutoscalerController>();
    }
    void target(int replicas, const char* request = "100m") {
        api::Json set = api::Json::parse(R"({"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},
            "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1"}]}}}})");
        set["spec"]["replicas"] = replicas;
        if (request != nullptr) set["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = request;
        create("replicasets.apps", set);
        settle_with_pods();
    }
    void autoscaler(const char* changes = "{}") {
        api::Json object = api::Json::parse(R"({"metadata":{"name":"web"},"spec":{"minReplicas":1,"maxReplicas":10,
            "scaleTargetRef":{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web"},
            "metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}}]}})");
        object["spec"].merge_patch(api::Json::parse(changes));
        create("horizontalpodautoscalers.autoscaling", object);
        look();
    }
    // To the next time that the controller looks, after a moment at which it does.
    void look() {
        advance(15s);
        settle_with_pods();
    }
    void use(const char* cpu) {
        for (const api::Json& pod : list("pods")) {
            patch("pods", std::string(api::name_of(pod)), std::string(R"({"metadata":{"annotations":{"kubemu.io/cpu-usage":")") + cpu + "\"}}}");
            patch("pods", std::string(api::name_of(pod)), R"({"status":{"startTime":"2026-01-01T00:00:00Z"}})", "status");
        }
        settle_with_pods();
    }
    std::int64_t replicas() { return api::int_at(get("replicasets.apps", "web"), {"spec", "replicas"}); }
    std::string condition(std::string_view type) {
        const api::Json object = get("horizontalpodautoscalers.autoscaling", "web");
        for (const api::Json& one : api::array_at(object, {"status", "conditions"})) {
            if (api::string_at(one, {"type"}) == type) return std::string(api::string_at(one, {"status"})) + " " + std::string(api::string_at(one, {"reason"}));
        }
        return {};
    }
    bool has_event(std::string_view text) {
        for (const std::string& line : events()) {
            if (line.find(text) != std::string::npos) return true;
        }
        return false;
    }
};

}  // namespace

TEST_CASE("replicas follow the use of the pods upwards at once and downwards after a while") {
    Cluster cluster;
    cluster.target(2);
    cluster.use("100m");
    cluster.autoscaler();
    CHECK(cluster.replicas() == 4);
    CHECK(cluster.condition("AbleToScale") == "True SucceededRescale");
    CHECK(cluster.condition("ScalingActive") == "True ValidMetricFound");
    CHECK(cluster.has_event("New size: 4; reason: cpu resource utilization (percentage of request) above target"));
    const api::Json status = cluster.get("horizontalpodautoscalers.autoscaling", "web")["status"];
    CHECK(api::int_at(status["currentMetrics"][0], {"resource", "current", "averageUtilization"}) == 100);
    cluster.use("10m");
    cluster.advance(1min);
    CHECK(cluster.replicas() == 4);
    CHECK(cluster.condition("AbleToScale") == "True ScaleDownStabilized");
    cluster.advance(5min);
    CHECK(cluster.replicas() == 1);
    CHECK(cluster.has_event("New size: 1; reason: All metrics below target"));
}

TEST_CASE("it looks every 15 seconds, whatever happens in between") {
    Cluster cluster;
    cluster.target(2);
    cluster.use("100m");
    cluster.autoscaler();
    REQUIRE(cluster.replicas() == 4);
    cluster.advance(5s);
    cluster.use("200m");  // pods change
    cluster.patch("horizontalpodautoscalers.autoscaling", "web", R"({"spec":{"minReplicas":5}})");
    cluster.advance(9s);
    CHECK(cluster.replicas() == 4);
    cluster.advance(1s);
    CHECK(cluster.replicas() == 5);
    cluster.remove("replicasets.apps", "web");
    cluster.advance(44s);
    std::int64_t told = 0;
    for (const api::Json& event : cluster.list("events")) {
        if (api::string_at(event, {"reason"}) == "FailedGetScale") told += api::int_at(event, {"count"});
    }
    CHECK(told == 2);
    // What was measured last stays while the target is missing.
    CHECK(cluster.get("horizontalpodautoscalers.autoscaling", "web")["status"].contains("currentReplicas"));
}

TEST_CASE("a new autoscaler is looked at after a period") {
    Cluster cluster;
    cluster.target(2);
    cluster.use("100m");
    cluster.create("horizontalpodautoscalers.autoscaling", R"({"metadata":{"name":"web"},"spec":{"minReplicas":3,"maxReplicas":10,
        "scaleTargetRef":{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web"}}})");
    cluster.advance(14s);
    CHECK(cluster.replicas() == 2);
    cluster.advance(1s);
    CHECK(cluster.replicas() == 3);
}

TEST_CASE("limits bound the number, and say so") {
    Cluster cluster;
    cluster.target(2);
    cluster.use("1");
    cluster.autoscaler(R"({"maxReplicas":3})");
    CHECK(cluster.replicas() == 3);
    CHECK(cluster.condition("ScalingLimited") == "True TooManyReplicas");
    cluster.patch("horizontalpodautoscalers.autoscaling", "web", R"({"spec":{"minReplicas":5,"maxReplicas":6}})");
    cluster.advance(16s);
    CHECK(cluster.replicas() == 5);
    CHECK(cluster.has_event("reason: Current number of replicas below Spec.MinReplicas"));
}

TEST_CASE("policies say how many pods come and go in how much time") {
    Cluster cluster;
    cluster.target(4);
    cluster.use("1");
    cluster.autoscaler(R"({"behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[{"type":"Pods","value":1,"periodSeconds":60}]},
        "scaleDown":{"stabilizationWindowSeconds":0,"selectPolicy":"Min","policies":[{"type":"Percent","value":50,"periodSeconds":60},{"type":"Pods","value":1,"periodSeconds":60}]}}})");
    CHECK(cluster.replicas() == 5);
    CHECK(cluster.condition("ScalingLimited") == "True ScaleUpLimit");
    cluster.use("1");
    cluster.advance(50s);
    CHECK(cluster.replicas() == 5);
    cluster.advance(26s);
    CHECK(cluster.replicas() == 6);
    cluster.settle_with_pods();
    cluster.use("1m");
    cluster.advance(30s);
    // The minute began with five, so one less of those.
    CHECK(cluster.replicas() == 4);
}

TEST_CASE("what stands in the way is told") {
    SUBCASE("no target") {
        Cluster cluster;
        cluster.autoscaler();
        CHECK(cluster.condition("AbleToScale") == "False FailedGetScale");
        CHECK(cluster.has_event("FailedGetScale HorizontalPodAutoscaler/web: replicasets/scale.apps \"web\" not found"));
    }
    SUBCASE("no requests") {
        Cluster cluster;
        cluster.target(1, nullptr);
        cluster.use("100m");
        cluster.autoscaler();
        CHECK(cluster.condition("ScalingActive") == "False FailedGetResourceMetric");
        CHECK(cluster.has_event("FailedGetResourceMetric HorizontalPodAutoscaler/web: failed to get cpu utilization: missing request for cpu in container main of Pod web-"));
        CHECK(cluster.has_event("FailedComputeMetricsReplicas HorizontalPodAutoscaler/web: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: "));
    }
    SUBCASE("switched off by zero replicas") {
        Cluster cluster;
        cluster.target(0);
        cluster.autoscaler();
        CHECK(cluster.replicas() == 0);
        CHECK(cluster.condition("ScalingActive") == "False ScalingDisabled");
    }
}

TEST_CASE("a sample that is not a whole window younger than the pod's readiness does not count") {
    Cluster cluster;
    cluster.target(2);
    cluster.advance(7s);
    cluster.use("100m");
    for (const api::Json& pod : cluster.list("pods")) {
        const std::string since = api::format_time(cluster.clock().now());
        cluster.patch("pods", std::string(api::name_of(pod)), R"({"status":{"startTime":")" + since +
                          R"(","conditions":[{"type":"Ready","status":"True","lastTransitionTime":")" + since + "\"}]}}", "status");
    }
    cluster.autoscaler();  // the sample ends 15 s after the start of the cluster, 8 s after the pods became ready
    CHECK(cluster.replicas() == 2);
    CHECK(cluster.has_event("FailedGetResourceMetric HorizontalPodAutoscaler/web: failed to get cpu utilization: did not receive "
                            "metrics for targeted pods (pods might be unready)"));
    cluster.look();
    CHECK(cluster.replicas() == 4);
}

TEST_CASE("what the pod asks for as a whole counts") {
    const api::Json pod = api::Json::parse(R"({"metadata":{"name":"p"},"spec":{"resources":{"requests":{"cpu":"200m"}},"containers":[{"name":"c"}]}})");
    CHECK(*controllers::request_milli(pod, "cpu", "") == 200);
    CHECK(controllers::request_milli(pod, "memory", "").error() == "missing pod-level request for memory in Pod p");
    CHECK(controllers::request_milli(pod, "cpu", "c").error() == "missing request for cpu in container c of Pod p");
    CHECK(controllers::request_milli(pod, "cpu", "d").error() == "container d not found in Pod p");
}

TEST_CASE("a custom resource with the scale subresource can be scaled") {
    Cluster cluster;
    controllers::DefinitionInstaller installer(cluster.kinds());
    cluster.add<controllers::CustomResourceDefinitionController>(cluster.kinds(), installer);
    cluster.create("customresourcedefinitions.apiextensions.k8s.io", R"({"metadata":{"name":"rollouts.example.com"},"spec":{
        "group":"example.com","scope":"Namespaced","names":{"plural":"rollouts","kind":"Rollout"},"versions":[{"name":"v1","served":true,
        "storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size",
        "labelSelectorPath":".status.selector"}},"schema":{"openAPIV3Schema":{"type":"object",
        "x-kubernetes-preserve-unknown-fields":true}}}]}})");
    cluster.settle();
    cluster.create("rollouts.example.com", R"({"apiVersion":"example.com/v1","kind":"Rollout","metadata":{"name":"r"},"spec":{"size":2}})");
    cluster.patch("rollouts.example.com", "r", R"({"status":{"size":2,"selector":"app=web"}})", "status");
    cluster.target(2);  // its pods
    cluster.autoscaler(R"({"minReplicas":3,"scaleTargetRef":{"apiVersion":"example.com/v1","kind":"Rollout","name":"r"}})");
    cluster.advance(16s);
    cluster.settle_with_pods();
    CHECK(api::int_at(cluster.get("rollouts.example.com", "r"), {"spec", "size"}) == 3);
    CHECK(cluster.has_event("SuccessfulRescale HorizontalPodAutoscaler/web: New size: 3; reason: Current number of replicas below Spec.MinReplicas"));
}

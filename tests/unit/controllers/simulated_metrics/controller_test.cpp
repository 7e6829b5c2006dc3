// Metrics that annotations say: the APIs that serve them come and go, and autoscalers follow them.
#include "controllers/simulated_metrics/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/horizontal_pod_autoscaler/controller.h"
#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;
using api::Json;

namespace {

struct Cluster : tests::TestCluster {
    api::AggregatedServices services;
    Cluster() {
        add<controllers::ReplicaSetController>();
        add<controllers::SimulatedMetricsController>(services);
        add<controllers::HorizontalPodAutoscalerController>();
        settle();
    }
    void target(int replicas) {
        Json set = Json::parse(R"({"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},
            "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1","resources":{"requests":{"cpu":"100m"}}},
            {"name":"side","image":"nginx:1"}]}}}})");
        set["spec"]["replicas"] = replicas;
        create("replicasets.apps", set);
        settle_with_pods();
    }
    // `metric` is one entry of spec.metrics.
    void autoscaler(const std::string& metric, const char* changes = "{}") {
        Json object = Json::parse(R"({"metadata":{"name":"web"},"spec":{"minReplicas":1,"maxReplicas":10,
            "scaleTargetRef":{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web"}}})");
        object["spec"]["metrics"] = Json::array({Json::parse(metric)});
        object["spec"].merge_patch(Json::parse(changes));
        create("horizontalpodautoscalers.autoscaling", object);
        look();
    }
    // To the next time that the autoscaler's controller looks.
    void look() {
        advance(15s);
        settle_with_pods();
    }
    void annotate(const char* resource, const std::string& name, const std::string& key, const Json& value, const char* space = "default") {
        patch(resource, name, Json{{"metadata", {{"annotations", {{"kubemu.io/" + key, value}}}}}}.dump(), {}, space);
        settle_with_pods();
    }
    void annotate_pods(const std::string& key, const Json& value) {
        for (const Json& pod : list("pods")) annotate("pods", std::string(api::name_of(pod)), key, value);
    }
    std::int64_t replicas() { return api::int_at(get("replicasets.apps", "web"), {"spec", "replicas"}); }
    std::string condition(std::string_view type) {
        const Json object = get("horizontalpodautoscalers.autoscaling", "web");
        for (const Json& one : api::array_at(object, {"status", "conditions"})) {
            if (api::string_at(one, {"type"}) == type)
                return std::string(api::string_at(one, {"status"})) + " " + std::string(api::string_at(one, {"reason"})) + ": " + std::string(api::string_at(one, {"message"}));
        }
        return {};
    }
    Json current() { return get("horizontalpodautoscalers.autoscaling", "web")["status"]["currentMetrics"][0]; }
    bool has_event(std::string_view text) {
        for (const std::string& line : events())
            if (line.find(text) != std::string::npos) return true;
        return false;
    }
    bool served(const char* name) { return exists("apiservices.apiregistration.k8s.io", name, ""); }
    Json ask(const std::string& path, const std::string& query = "") {
        const bool custom = path.find("custom") != std::string::npos;
        const auto service = custom ? services.find("custom.metrics.k8s.io", "v1beta2") : services.find("external.metrics.k8s.io", "v1beta1");
        REQUIRE(service);
        api::Request request;
        request.method = "GET";
        request.path = path;
        request.query = query;
        std::string text;
        for (const Slice& slice : service->local(request).body) text += slice.text;
        return Json::parse(text);
    }
};

const char* pods_metric = R"({"type":"Pods","pods":{"metric":{"name":"requests"},"target":{"type":"AverageValue","averageValue":"10"}}})";
const char* object_metric = R"({"type":"Object","object":{"describedObject":{"apiVersion":"v1","kind":"Service","name":"front"},
    "metric":{"name":"hits"},"target":{"type":"Value","value":"100"}}})";
const char* external_metric = R"({"type":"External","external":{"metric":{"name":"queue","selector":{"matchLabels":{"q":"mail"}}},
    "target":{"type":"AverageValue","averageValue":"5"}}})";

}  // namespace

TEST_CASE("the groups are served as long as something carries a value") {
    Cluster cluster;
    CHECK(!cluster.served("v1beta2.custom.metrics.k8s.io"));
    CHECK(!cluster.services.find("custom.metrics.k8s.io", "v1beta2"));
    cluster.target(2);
    cluster.annotate_pods("metric.requests", "1500m");
    CHECK(cluster.served("v1beta2.custom.metrics.k8s.io"));
    CHECK(!cluster.served("v1beta1.external.metrics.k8s.io"));
    const std::string base = "/apis/custom.metrics.k8s.io/v1beta2";
    CHECK(cluster.ask(base)["resources"][0] == Json{{"name", "pods/requests"}, {"singularName", ""}, {"namespaced", true}, {"kind", "MetricValueList"}, {"verbs", {"get"}}});
    const Json all = cluster.ask(base + "/namespaces/default/pods/*/requests", "labelSelector=app%3Dweb");
    CHECK(all["kind"] == "MetricValueList");
    REQUIRE(all["items"].size() == 2);
    CHECK(all["items"][0]["value"] == "1500m");
    CHECK(all["items"][0]["metric"] == Json{{"name", "requests"}, {"selector", nullptr}});
    CHECK(all["items"][0]["describedObject"]["kind"] == "Pod");
    CHECK(all["items"][0]["describedObject"]["apiVersion"] == "/v1");
    CHECK(cluster.ask(base + "/namespaces/default/pods/*/requests", "labelSelector=app%3Dother")["message"] == "the server could not find the metric requests for pods");
    CHECK(cluster.ask(base + "/namespaces/default/pods/nobody/requests")["message"] == "the server could not find the metric requests for pods nobody");
    cluster.annotate_pods("metric.requests", nullptr);
    CHECK(!cluster.served("v1beta2.custom.metrics.k8s.io"));
    CHECK(!cluster.services.find("custom.metrics.k8s.io", "v1beta2"));
    // Series with labels, and what a selector leaves of them.
    cluster.annotate("namespaces", "default", "external-metric.queue", R"([{"value":"30","labels":{"q":"mail"}},{"value":7,"labels":{"q":"print"}}])", "");
    const std::string queue = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue";
    CHECK(cluster.ask(queue)["items"].size() == 2);
    const Json mail = cluster.ask(queue, "labelSelector=q%3Dmail");
    REQUIRE(mail["items"].size() == 1);
    CHECK(mail["items"][0]["metricName"] == "queue");
    CHECK(mail["items"][0]["metricLabels"] == Json{{"q", "mail"}});
    CHECK(mail["items"][0]["value"] == "30");
    CHECK(cluster.ask("/apis/external.metrics.k8s.io/v1beta1/namespaces/other/queue")["items"].empty());
}

TEST_CASE("without anybody who serves them autoscalers say so") {
    Cluster cluster;
    cluster.target(3);
    SUBCASE("pods") {
        cluster.autoscaler(pods_metric);
        const std::string why = "unable to get metric requests: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";
        CHECK(cluster.condition("ScalingActive") == "False FailedGetPodsMetric: the HPA was unable to compute the replica count: " + why);
        CHECK(cluster.has_event("Warning FailedGetPodsMetric HorizontalPodAutoscaler/web: " + why));
        CHECK(cluster.has_event("Warning FailedComputeMetricsReplicas HorizontalPodAutoscaler/web: invalid metrics (1 invalid out of 1), first error is: failed to get pods metric value: " + why));
        CHECK(cluster.current() == Json{{"type", ""}});
    }
    SUBCASE("object") {
        cluster.autoscaler(object_metric);
        CHECK(cluster.condition("ScalingActive") == "False FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from "
                                                    "custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered on Service default/front");
    }
    SUBCASE("external") {
        cluster.autoscaler(external_metric);
        const std::string why = "unable to get external metric default/queue/&LabelSelector{MatchLabels:map[string]string{q: mail,},MatchExpressions:[]LabelSelectorRequirement{},}: "
                                "unable to fetch metrics from external metrics API: the server could not find the requested resource (get queue.external.metrics.k8s.io)";
        CHECK(cluster.condition("ScalingActive") == "False FailedGetExternalMetric: the HPA was unable to compute the replica count: " + why);
        CHECK(cluster.has_event("first error is: failed to get queue external metric value: failed to get queue external metric: " + why));
        cluster.annotate("namespaces", "default", "external-metric.queue", R"([{"value":"30","labels":{"q":"mail"}},{"value":"7","labels":{"q":"print"}}])", "");
        cluster.look();
        CHECK(cluster.replicas() == 6);
    }
}

TEST_CASE("replicas follow a metric of the pods") {
    Cluster cluster;
    cluster.target(3);
    cluster.annotate_pods("metric.requests", "15");
    cluster.autoscaler(pods_metric);
    CHECK(cluster.replicas() == 5);
    CHECK(cluster.has_event("New size: 5; reason: pods metric requests above target"));
    CHECK(cluster.condition("ScalingActive").find("True ValidMetricFound: the HPA was able to successfully calculate a replica count from pods metric requests") == 0);
    CHECK(cluster.current() == Json::parse(R"({"type":"Pods","pods":{"metric":{"name":"requests"},"current":{"averageValue":"15"}}})"));
}

TEST_CASE("replicas follow a metric of one object, as a whole or for each pod") {
    Cluster cluster;
    cluster.create("services", R"({"metadata":{"name":"front","annotations":{"kubemu.io/metric.hits":"150"}},"spec":{"ports":[{"port":80}]}})");
    cluster.target(3);
    cluster.autoscaler(object_metric);
    CHECK(cluster.replicas() == 5);
    CHECK(cluster.has_event("New size: 5; reason: Service metric hits above target"));
    CHECK(cluster.current()["object"]["current"] == Json{{"value", "150"}});
    Cluster other;
    other.create("services", R"({"metadata":{"name":"front","annotations":{"kubemu.io/metric.hits":"250"}},"spec":{"ports":[{"port":80}]}})");
    other.target(3);
    Json per_pod = Json::parse(object_metric);
    per_pod["object"]["target"] = {{"type", "AverageValue"}, {"averageValue", "50"}};
    other.autoscaler(per_pod.dump());
    CHECK(other.replicas() == 5);
    CHECK(other.current()["object"]["current"] == Json{{"averageValue", "83334m"}});  // by the three that were there
    other.patch("services", "front", R"({"metadata":{"annotations":{"kubemu.io/metric.other":"1","kubemu.io/metric.hits":null}}})");
    other.advance(16s);
    other.settle_with_pods();
    CHECK(other.condition("ScalingActive").find("False FailedGetObjectMetric: the HPA was unable to compute the replica count: unable to get metric hits: unable to fetch metrics from "
                                                "custom metrics API: the server could not find the metric hits for services front on Service default/front") == 0);
}

TEST_CASE("tolerances may be set, each direction its own") {
    Cluster cluster;
    cluster.target(4);
    cluster.annotate_pods("metric.requests", "12");
    cluster.autoscaler(pods_metric, R"({"behavior":{"scaleUp":{"tolerance":"0.25"}}})");
    CHECK(cluster.replicas() == 4);  // a fifth too much is tolerated
    cluster.annotate_pods("metric.requests", "13");
    cluster.look();
    CHECK(cluster.replicas() == 6);  // ceil(1.3 * 4)
}

TEST_CASE("a container's own use counts, and its name is in what is said about it") {
    Cluster cluster;
    cluster.target(2);
    cluster.annotate_pods("cpu-usage.main", "100m");
    cluster.annotate_pods("cpu-usage.side", "900m");
    for (const Json& pod : cluster.list("pods")) cluster.patch("pods", std::string(api::name_of(pod)), R"({"status":{"startTime":"2026-01-01T00:00:00Z"}})", "status");
    cluster.autoscaler(R"({"type":"ContainerResource","containerResource":{"name":"cpu","container":"main","target":{"type":"Utilization","averageUtilization":50}}})");
    CHECK(cluster.replicas() == 4);
    CHECK(cluster.has_event("New size: 4; reason: cpu container resource utilization (percentage of request) above target"));
    CHECK(cluster.current()["containerResource"]["container"] == "main");
    CHECK(cluster.current()["containerResource"]["current"]["averageUtilization"] == 100);
    Cluster other;
    other.target(1);
    other.annotate_pods("cpu-usage", "100m");
    for (const Json& pod : other.list("pods")) other.patch("pods", std::string(api::name_of(pod)), R"({"status":{"startTime":"2026-01-01T00:00:00Z"}})", "status");
    other.autoscaler(R"({"type":"ContainerResource","containerResource":{"name":"cpu","container":"side","target":{"type":"Utilization","averageUtilization":50}}})");
    CHECK(other.condition("ScalingActive").find("False FailedGetContainerResourceMetric") == 0);
    CHECK(other.has_event("first error is: failed to get side container metric value: failed to get cpu utilization: missing request for cpu in container side of Pod web-"));
}

TEST_CASE("two autoscalers over the same pods are told of each other") {
    Cluster cluster;
    cluster.target(2);
    cluster.annotate_pods("metric.requests", "10");
    cluster.autoscaler(pods_metric);
    Json second = cluster.get("horizontalpodautoscalers.autoscaling", "web");
    second["metadata"] = {{"name", "web2"}};
    cluster.create("horizontalpodautoscalers.autoscaling", second);
    cluster.look();
    cluster.annotate_pods("metric.requests", "30");
    cluster.look();
    CHECK(cluster.condition("ScalingActive") == "False AmbiguousSelector: pods by selector app=web are controlled by multiple HPAs: [{web default} {web2 default}]");
    CHECK(cluster.replicas() == 2);
}

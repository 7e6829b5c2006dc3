// Autoscalers whose metrics come from API servers that somebody registered.
#include "controllers/horizontal_pod_autoscaler/adapters.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "controllers/horizontal_pod_autoscaler/controller.h"
#include "controllers/replicaset/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;
using api::Json;

namespace {

// Answers by the path of the URL; what is not there is not found.
struct FakeAdapter final : api::RemoteCaller {
    std::map<std::string, api::RemoteAnswer> answers;
    std::vector<api::RemoteCall> calls;
    void call(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) override {
        const std::string path = call.url.substr(call.url.find("/apis/"));
        calls.push_back(std::move(call));
        const auto found = answers.find(path);
        done(found == answers.end() ? api::RemoteAnswer{{}, 404, "text/plain", "404 page not found"} : found->second);
    }
    void set(const std::string& path, const Json& body) { answers[path] = {{}, 200, "application/json", body.dump()}; }
};

struct Cluster : tests::TestCluster {
    FakeAdapter server;
    api::AggregatedServices services;
    Cluster() {
        add<controllers::ReplicaSetController>();
        add<controllers::HorizontalPodAutoscalerController>(&services, &server);
        Json set = Json::parse(R"({"metadata":{"name":"web"},"spec":{"replicas":2,"selector":{"matchLabels":{"app":"web"}},
            "template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"nginx:1",
            "resources":{"requests":{"cpu":"100m"}}}]}}}})");
        create("replicasets.apps", set);
        settle_with_pods();
    }
    void serve(const char* group, const char* version, bool available = true) {
        auto service = std::make_shared<api::AggregatedService>();
        service->group = group;
        service->version = version;
        service->namespace_name = "monitoring";
        service->name = "adapter";
        service->available = available;
        services.set(std::string(version) + "." + group, service);
    }
    void autoscaler(const char* metric) {
        Json object = Json::parse(R"({"metadata":{"name":"web"},"spec":{"minReplicas":1,"maxReplicas":10,
            "scaleTargetRef":{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web"}}})");
        object["spec"]["metrics"] = Json::array({Json::parse(metric)});
        create("horizontalpodautoscalers.autoscaling", object);
        advance(15s);
        settle_with_pods();
    }
    std::int64_t replicas() { return api::int_at(get("replicasets.apps", "web"), {"spec", "replicas"}); }
    Json autoscaler_status() { return get("horizontalpodautoscalers.autoscaling", "web")["status"]; }
    std::string failure() {
        const Json status = autoscaler_status();
        for (const Json& one : status["conditions"]) {
            if (one["type"] == "ScalingActive") return one["status"].get<std::string>() + " " + one["message"].get<std::string>();
        }
        return {};
    }
};

}  // namespace

TEST_CASE("external metrics come from the server that is registered for them, again each period") {
    Cluster cluster;
    cluster.serve("external.metrics.k8s.io", "v1beta1");
    const std::string path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue?labelSelector=q%3Da+b";
    cluster.server.set(path, {{"items", {{{"value", "25"}}, {{"value", "5"}}}}});
    cluster.autoscaler(R"({"type":"External","external":{"metric":{"name":"queue","selector":{"matchExpressions":[
        {"key":"q","operator":"In","values":["a b"]}]}},"target":{"type":"AverageValue","averageValue":"10"}}})");
    // The text of "in" differs from that of "=": nothing is there yet.
    CHECK(cluster.replicas() == 2);
    REQUIRE(!cluster.server.calls.empty());
    const std::string asked = cluster.server.calls.back().url.substr(cluster.server.calls.back().url.find("/apis/"));
    cluster.server.set(asked, {{"items", {{{"value", "25"}}, {{"value", "5"}}}}});
    CHECK(cluster.failure().find("the server could not find the requested resource (get queue.external.metrics.k8s.io)") !=
          std::string::npos);
    cluster.advance(16s);
    cluster.settle_with_pods();
    CHECK(cluster.replicas() == 3);
    CHECK(cluster.server.calls.back().as_front_proxy);
    const auto& headers = cluster.server.calls.back().headers;
    CHECK(std::find(headers.begin(), headers.end(),
                    std::pair<std::string, std::string>("X-Remote-User", "system:serviceaccount:kube-system:horizontal-pod-autoscaler")) !=
          headers.end());
    cluster.server.set(asked, {{"items", {{{"value", "80"}}}}});
    cluster.advance(31s);
    cluster.settle_with_pods();
    CHECK(cluster.replicas() > 3);
}

TEST_CASE("custom metrics of pods and objects come from an adapter of the preferred version") {
    Cluster cluster;
    cluster.serve("custom.metrics.k8s.io", "v1beta1");
    const Json pods = cluster.list("pods");
    Json items = Json::array();
    for (const Json& pod : pods) items.push_back({{"describedObject", {{"name", pod["metadata"]["name"]}}}, {"value", "30"}});
    cluster.server.set("/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/pods/*/rps?labelSelector=app%3Dweb", {{"items", items}});
    cluster.autoscaler(R"({"type":"Pods","pods":{"metric":{"name":"rps"},"target":{"type":"AverageValue","averageValue":"10"}}})");
    CHECK(cluster.replicas() == 4);  // as fast as it may
    CHECK(cluster.autoscaler_status()["currentMetrics"][0]["pods"]["current"]["averageValue"] == "30");
}

TEST_CASE("what a server says of its failure is shown, and one that is not available is not asked") {
    Cluster cluster;
    cluster.serve("custom.metrics.k8s.io", "v1beta2", false);
    cluster.autoscaler(R"({"type":"Object","object":{"describedObject":{"apiVersion":"v1","kind":"Service","name":"front"},
        "metric":{"name":"rps"},"target":{"type":"Value","value":"10"}}})");
    CHECK(cluster.failure() ==
          "False the HPA was unable to compute the replica count: unable to get metric rps: unable to fetch metrics from custom "
          "metrics API: the server is currently unable to handle the request (get services.custom.metrics.k8s.io front) on "
          "Service default/front");
    CHECK(cluster.server.calls.empty());
    cluster.serve("custom.metrics.k8s.io", "v1beta2");
    cluster.server.answers["/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/front/rps"] = {
        {}, 404, "application/json", R"({"kind":"Status","status":"Failure","message":"the server could not find the metric rps for services front"})"};
    cluster.advance(16s);
    cluster.settle_with_pods();
    CHECK(cluster.failure().find("the server could not find the metric rps for services front on Service default/front") != std::string::npos);
    cluster.server.set("/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/services/front/rps", {{"items", {{{"value", "20"}}}}});
    cluster.advance(16s);
    cluster.settle_with_pods();
    CHECK(cluster.replicas() == 4);
}

TEST_CASE("resource metrics come from a metrics-server that answers, else from the model") {
    Cluster cluster;
    cluster.serve("metrics.k8s.io", "v1beta1");
    Json items = Json::array();
    for (const Json& pod : cluster.list("pods")) {
        cluster.patch("pods", std::string(api::name_of(pod)), R"({"status":{"startTime":"2020-01-01T00:00:00Z"}})", "status");
        items.push_back({{"metadata", {{"name", pod["metadata"]["name"]}}}, {"timestamp", "2030-01-01T00:00:00Z"}, {"window", "15s"},
                         {"containers", {{{"name", "main"}, {"usage", {{"cpu", "150m"}, {"memory", "1Mi"}}}}}}});
    }
    cluster.server.set("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods?labelSelector=app%3Dweb", {{"items", items}});
    cluster.autoscaler(R"({"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}})");
    CHECK(cluster.replicas() == 4);
    CHECK(cluster.autoscaler_status()["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 150);
}

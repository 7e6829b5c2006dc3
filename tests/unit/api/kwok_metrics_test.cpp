// Metrics by expressions, as text for Prometheus.
#include "api/kwok_metrics.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

// Without the CustomResourceDefinition: KWOK's objects come from here, all others from the cluster.
struct WithMetric final : api::Lookup {
    WithMetric(const api::Lookup& cluster, Json metric) : cluster(cluster), metric(std::move(metric)) {}
    storage::RecordPtr get(std::string_view resource, std::string_view space, std::string_view name) const override {
        return cluster.get(resource, space, name);
    }
    std::vector<storage::RecordPtr> list(std::string_view resource, std::string_view space) const override {
        if (resource != "metrics.kwok.x-k8s.io") return cluster.list(resource, space);
        auto record = std::make_shared<storage::Record>();
        record->bytes = std::make_shared<const std::string>(metric.dump());
        return {record};
    }
    Json document(const storage::Record& record) const override { return cluster.document(record); }
    const api::Lookup& cluster;
    Json metric;
};

}  // namespace

TEST_CASE("a Metric is served for a node, its pods and their containers") {
    tests::TestCluster cluster;
    cluster.create("nodes", R"({"metadata":{"name":"n1"}})");
    for (const char* name : {"a", "b"}) {
        cluster.create("pods", Json{{"metadata", {{"name", name}, {"annotations", {{"kubemu.io/memory-usage", "1Mi"}, {"kubemu.io/cpu-usage", "500m"}}}}},
                                    {"spec", {{"nodeName", "n1"}, {"containers", {{{"name", "main"}, {"image", "x"}}}}}}});
        cluster.patch("pods", name, R"({"status":{"phase":"Running"}})", "status");
    }
    cluster.settle();
    const Json metric = Json::parse(R"json({"metadata":{"name":"m"},"spec":{"path":"/metrics/nodes/{nodeName}/metrics/resource","metrics":[
        {"name":"scrape_error","dimension":"node","help":"1 if there was an error\nor not","kind":"gauge","value":"0"},
        {"name":"container_memory_working_set_bytes","dimension":"container","kind":"gauge","labels":[
            {"name":"pod","value":"pod.metadata.name"},{"name":"container","value":"container.name"}],
         "value":"pod.Usage(\"memory\", container.name)"},
        {"name":"pod_cpu_usage_seconds_total","dimension":"pod","kind":"counter","labels":[{"name":"pod","value":"pod.metadata.name"}],
         "value":"pod.CumulativeUsage(\"cpu\")"},
        {"name":"node_memory_working_set_bytes","kind":"gauge","value":"node.Usage(\"memory\")"},
        {"name":"broken","kind":"gauge","value":"nothing.there"},
        {"name":"latency","kind":"histogram","labels":[{"name":"node","value":"node.metadata.name"}],"buckets":[
            {"le":0.5,"value":"2"},{"le":1,"value":"3","hidden":true},{"le":2,"value":"4"}]}]}})json");
    const WithMetric lookup(cluster.registry(), metric);
    api::KwokMetrics metrics;
    const Time now = cluster.clock().now();
    CHECK(!metrics.scrape(lookup, "/metrics/nodes/n1/other", now));
    REQUIRE(metrics.scrape(lookup, "/metrics/nodes/none/metrics/resource", now));
    CHECK(metrics.scrape(lookup, "/metrics/nodes/none/metrics/resource", now)->empty());
    metrics.scrape(lookup, "/metrics/nodes/n1/metrics/resource", now);
    const auto text = metrics.scrape(lookup, "/metrics/nodes/n1/metrics/resource", now + std::chrono::seconds(10));
    REQUIRE(text);
    CHECK(*text ==
          "# TYPE container_memory_working_set_bytes gauge\n"
          "container_memory_working_set_bytes{container=\"main\",pod=\"a\"} 1.048576e+06\n"
          "container_memory_working_set_bytes{container=\"main\",pod=\"b\"} 1.048576e+06\n"
          "# TYPE latency histogram\n"
          "latency_bucket{node=\"n1\",le=\"0.5\"} 2\n"
          "latency_bucket{node=\"n1\",le=\"2\"} 9\n"
          "latency_bucket{node=\"n1\",le=\"+Inf\"} 9\n"
          "latency_sum{node=\"n1\"} 12\n"
          "latency_count{node=\"n1\"} 9\n"
          "# TYPE node_memory_working_set_bytes gauge\n"
          "node_memory_working_set_bytes 2.097152e+06\n"
          "# TYPE pod_cpu_usage_seconds_total counter\n"
          "pod_cpu_usage_seconds_total{pod=\"a\"} 5\n"
          "pod_cpu_usage_seconds_total{pod=\"b\"} 5\n"
          "# HELP scrape_error 1 if there was an error\\nor not\n"
          "# TYPE scrape_error gauge\n"
          "scrape_error 0\n");
}

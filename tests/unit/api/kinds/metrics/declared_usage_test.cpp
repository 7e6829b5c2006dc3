// What KWOK's ResourceUsages say, as values and as expressions.
#include "api/kinds/metrics/declared_usage.h"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "api/kinds/metrics/usage.h"

using namespace kubemu;
using namespace kubemu::api;
using namespace std::chrono_literals;

namespace {

const Time start = Time(1'767'225'600s);

// Objects by resource; records carry their text alone.
struct Objects final : Lookup {
    std::map<std::string, std::vector<Json>> by_resource;
    static storage::RecordPtr record_of(const Json& object) {
        auto record = std::make_shared<storage::Record>();
        record->bytes = std::make_shared<const std::string>(object.dump());
        return record;
    }
    storage::RecordPtr get(std::string_view resource, std::string_view space, std::string_view name) const override {
        const auto found = by_resource.find(std::string(resource));
        if (found == by_resource.end()) return nullptr;
        for (const Json& object : found->second)
            if (name_of(object) == name && namespace_of(object) == space) return record_of(object);
        return nullptr;
    }
    std::vector<storage::RecordPtr> list(std::string_view resource, std::string_view) const override {
        std::vector<storage::RecordPtr> records;
        const auto found = by_resource.find(std::string(resource));
        if (found != by_resource.end())
            for (const Json& object : found->second) records.push_back(record_of(object));
        return records;
    }
    Json document(const storage::Record& record) const override { return Json::parse(*record.bytes.get()); }
};

Json pod() {
    return Json::parse(R"({"metadata":{"name":"web","namespace":"default","uid":"u","creationTimestamp":"2026-01-01T00:00:00Z",
        "annotations":{"load":"250m"}},"spec":{"nodeName":"n","containers":[{"name":"a","resources":{"requests":{"cpu":"2"}}},{"name":"b"}]},
        "status":{"phase":"Running","startTime":"2026-01-01T00:00:00Z","containerStatuses":[
        {"name":"a","state":{"running":{}}},{"name":"b","state":{"running":{}}}]}})");
}

Json usage(const char* kind, const char* name, const char* spec) {
    Json object = {{"kind", kind}, {"metadata", {{"name", name}}}, {"spec", Json::parse(spec)}};
    if (kind[0] == 'R') object["metadata"]["namespace"] = "default";
    return object;
}

}  // namespace

TEST_CASE("an expression computes with quantities, the pod and the time") {
    const struct {
        const char* expression;
        double value;
    } table[] = {
        {"Quantity('100m')", 0.1},
        {"\"load\" in pod.metadata.annotations ? Quantity(pod.metadata.annotations[\"load\"]) : Quantity(\"1m\")", 0.25},
        {"\"none\" in pod.metadata.labels ? Quantity(\"1\") : Quantity(\"3m\")", 0.003},
        {"Quantity('1') + Quantity('500m')", 1.5},
        {"Quantity('2') * 3 - Quantity('1Ki')", -1018},
        {"Quantity('3') / 2", 1.5},
        {"Quantity('1') < Quantity('2') ? 7 : 8", 7},
        {"container.resources.requests['cpu'] * 0.5", 1},
        {"pod.SinceSecond() / 60.0", 60},
        {"SinceSecond(pod) > 10.0 ? 1 : 0", 1},
        {"Now() - timestamp('2026-01-01T00:00:00Z') == duration('1h')", 1},
        {"UnixSecond(Now())", 1'767'229'200},
        {"node.metadata.name == 'n'", 1},
        {"pod.spec.nowhere", 0},
        {"((", 0},
    };
    for (const auto& row : table) {
        CAPTURE(std::string(row.expression));
        Objects objects;
        objects.by_resource["nodes"] = {Json{{"metadata", {{"name", "n"}}}}};
        Json of_cluster = usage("ClusterResourceUsage", "all", R"({"usages":[{"usage":{"cpu":{}}}]})");
        of_cluster["spec"]["usages"][0]["usage"]["cpu"]["expression"] = row.expression;
        objects.by_resource["clusterresourceusages.kwok.x-k8s.io"] = {of_cluster};
        const Json web = pod();
        const auto found = DeclaredUsage(objects).of(web, web["spec"]["containers"][0], "cpu", start + 1h);
        REQUIRE(found);
        CHECK(*found == doctest::Approx(row.value));
    }
}

TEST_CASE("the pod's own ResourceUsage decides, then the first of the cluster that matches and has the container") {
    Objects objects;
    objects.by_resource["clusterresourceusages.kwok.x-k8s.io"] = {
        usage("ClusterResourceUsage", "elsewhere", R"({"selector":{"matchNamespaces":["other"]},"usages":[{"usage":{"cpu":{"value":"9"}}}]})"),
        usage("ClusterResourceUsage", "named", R"({"selector":{"matchNames":["web"]},"usages":[{"containers":["b"],"usage":{"cpu":{"value":"2"}}}]})"),
        usage("ClusterResourceUsage", "rest", R"({"usages":[{"usage":{"cpu":{"value":"3"},"memory":{"value":"1Mi"}}}]})")};
    const Json web = pod();
    const Json &a = web["spec"]["containers"][0], &b = web["spec"]["containers"][1];
    {
        const DeclaredUsage declared(objects);
        CHECK(*declared.of(web, a, "cpu", start) == 3);
        CHECK(*declared.of(web, b, "cpu", start) == 2);
        CHECK(*declared.of(web, b, "memory", start) == 0);
        const auto all = usage_of_pod(web, start + 1h, &declared);
        REQUIRE(all);
        CHECK(all->total().cpu_nano == 5'000'000'000);
        CHECK(all->total().memory_bytes == 1 << 20);
    }
    objects.by_resource["resourceusages.kwok.x-k8s.io"] = {
        usage("ResourceUsage", "web", R"({"usages":[{"containers":["a"],"usage":{"cpu":{"value":"1500m"}}}]})")};
    const DeclaredUsage declared(objects);
    CHECK(*declared.of(web, a, "cpu", start) == doctest::Approx(1.5));
    CHECK(!declared.of(web, b, "cpu", start));
    CHECK(!DeclaredUsage(Objects{}).of(web, a, "cpu", start));
}

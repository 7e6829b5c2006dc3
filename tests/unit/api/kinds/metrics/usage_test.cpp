// The model of what containers use: bounds, smoothness, and what annotations say.
#include "api/kinds/metrics/usage.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

using namespace kubemu;
using namespace kubemu::api;
using namespace std::chrono_literals;

namespace {

const Time start = Time(1'767'225'600s);

Json pod(const char* annotations = "{}") {
    Json object = Json::parse(R"({"metadata":{"name":"web","uid":"11111111-2222-4333-8444-555555555555"},
        "spec":{"containers":[{"name":"a","resources":{"requests":{"cpu":"300m","memory":"300Mi"}}},
                              {"name":"b","resources":{"requests":{"cpu":"100m","memory":"100Mi"},"limits":{"cpu":"1m"}}}],
                "initContainers":[{"name":"setup"},{"name":"proxy","restartPolicy":"Always"}]},
        "status":{"phase":"Running","startTime":"2026-01-01T00:00:00Z",
                  "initContainerStatuses":[{"name":"setup","state":{"terminated":{}}},{"name":"proxy","state":{"running":{}}}],
                  "containerStatuses":[{"name":"a","state":{"running":{}}},{"name":"b","state":{"running":{}}}]}})");
    object["metadata"]["annotations"] = Json::parse(annotations);
    return object;
}

Usage of(const Json& object, std::string_view container, Time now = start + 1h) {
    const auto usage = usage_of_pod(object, now);
    REQUIRE(usage);
    for (const ContainerUsage& one : usage->containers) {
        if (one.name == container) return one.usage;
    }
    FAIL("no such container");
    return {};
}

}  // namespace

TEST_CASE("a container uses a part of its request, in small steps, the same for everybody who asks") {
    Usage before = of(pod(), "a");
    for (int minute = 0; minute < 20; ++minute) {
        const Time now = start + 1h + minute * 15s;
        const Usage usage = of(pod(), "a", now);
        CHECK(usage.cpu_nano >= 25'000'000);
        CHECK(usage.cpu_nano <= 35'000'000);
        CHECK(usage.memory_bytes > 300 * 1024 * 1024 / 4);
        CHECK(usage.memory_bytes < 300 * 1024 * 1024 / 2);
        CHECK(std::abs(usage.cpu_nano - before.cpu_nano) < 2'000'000);
        CHECK(of(pod(), "a", now + 14s).cpu_nano == usage.cpu_nano);  // within one window
        before = usage;
    }
    CHECK(of(pod(), "a").cpu_nano != of(pod(), "a", start + 1h + 2min).cpu_nano);
}

TEST_CASE("no more than the limit, and a little without a request; sidecars count, finished containers do not") {
    CHECK(of(pod(), "b").cpu_nano == 1'000'000);
    CHECK(of(pod(), "proxy").cpu_nano > 0);
    CHECK(of(pod(), "proxy").cpu_nano < 10'000'000);
    CHECK(usage_of_pod(pod(), start + 1h)->containers.size() == 3);
    Json pending = pod();
    pending["status"]["phase"] = "Pending";
    CHECK(!usage_of_pod(pending, start + 1h));
}

TEST_CASE("a load generator uses what its command asks for, within the limit") {
    Json object = pod();
    object["spec"]["containers"][0]["command"] = {"stress"};
    object["spec"]["containers"][0]["args"] = {"--vm", "1", "--vm-bytes", "150M", "--cpu", "2"};
    object["spec"]["containers"][0]["resources"]["limits"] = {{"cpu", "1"}};
    CHECK(of(object, "a").memory_bytes / (1 << 20) >= 150);
    CHECK(of(object, "a").memory_bytes / (1 << 20) < 160);
    CHECK(of(object, "a").cpu_nano == 1'000'000'000);
    CHECK(stress_demand({"-cpus", "2"}).cpu_nano == 2'000'000'000);
    CHECK(stress_demand({"stress", "--vm", "2"}).memory_bytes == 512 << 20);
    CHECK(stress_demand({"server", "--cpu", "2"}).cpu_nano == 0);
}

TEST_CASE("annotations say what is used: of a container, of the pod by its requests, of each container as KWOK") {
    const Json whole = pod(R"({"kubemu.io/cpu-usage":"800m","kubemu.io/memory-usage.a":"7Mi"})");
    CHECK(of(whole, "a").cpu_nano == 600'000'000);
    CHECK(of(whole, "b").cpu_nano == 200'000'000);
    CHECK(of(whole, "a").memory_bytes == 7 * 1024 * 1024);
    const Json kwok = pod(R"({"kwok.x-k8s.io/usage-cpu":"50m","kwok.x-k8s.io/usage-memory":"nonsense"})");
    CHECK(of(kwok, "a").cpu_nano == 50'000'000);
    CHECK(of(kwok, "b").cpu_nano == 50'000'000);
    CHECK(of(kwok, "a").memory_bytes == of(pod(), "a").memory_bytes);
}

TEST_CASE("a node uses what its pods use and some for itself, unless an annotation says how much") {
    Json node = Json::parse(R"({"metadata":{"name":"n","uid":"u"}})");
    const Usage pods{500'000'000, 1 << 30};
    const Usage usage = usage_of_node(node, pods, start);
    CHECK(usage.cpu_nano > pods.cpu_nano);
    CHECK(usage.memory_bytes > pods.memory_bytes);
    node["metadata"]["annotations"] = {{"kubemu.io/cpu-usage", "3"}};
    CHECK(usage_of_node(node, pods, start).cpu_nano == 3'000'000'000);
}

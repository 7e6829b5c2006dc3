// Counting, merging and silencing of events.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "controllers/runtime/event_recorder.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

api::Json pod(const char* name) {
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", name}}}};
}

}  // namespace

TEST_CASE("equal events are one object that counts") {
    tests::TestCluster cluster;
    controllers::EventRecorder events(cluster.manager(), cluster.client(), "kubelet", "node-1");
    events.warning(pod("a"), "BackOff", "Back-off restarting", "spec.containers{main}");
    cluster.advance(10s);
    events.warning(pod("a"), "BackOff", "Back-off restarting", "spec.containers{main}");
    cluster.settle();
    const auto list = cluster.list("events");
    REQUIRE(list.size() == 1);
    const api::Json& event = list[0];
    CHECK(api::int_at(event, {"count"}) == 2);
    CHECK(api::string_at(event, {"type"}) == "Warning");
    CHECK(api::string_at(event, {"source", "component"}) == "kubelet");
    CHECK(api::string_at(event, {"source", "host"}) == "node-1");
    CHECK(api::string_at(event, {"reportingComponent"}) == "kubelet");
    CHECK(api::string_at(event, {"involvedObject", "fieldPath"}) == "spec.containers{main}");
    CHECK(api::string_at(event, {"firstTimestamp"}) == "2026-01-01T00:00:00Z");
    CHECK(api::string_at(event, {"lastTimestamp"}) == "2026-01-01T00:00:10Z");
    CHECK(api::name_of(event).substr(0, 2) == "a.");
}

TEST_CASE("the tenth similar message and the rest are combined, and a flood is cut off") {
    tests::TestCluster cluster;
    controllers::EventRecorder events(cluster.manager(), cluster.client(), "x-controller");
    for (int i = 0; i < 40; ++i) events.normal(pod("a"), "SuccessfulCreate", "Created pod: a-" + std::to_string(i));
    cluster.settle();
    const auto lines = cluster.events();
    REQUIRE(lines.size() == 10);
    CHECK(lines[8] == "Normal SuccessfulCreate Pod/a: Created pod: a-8");
    CHECK(lines[9] == "Normal SuccessfulCreate Pod/a: (combined from similar events): Created pod: a-24");
    std::int64_t total = 0;
    for (const api::Json& event : cluster.list("events")) total += api::int_at(event, {"count"});
    CHECK(total == 25);
    // Another object has a budget of its own.
    events.normal(pod("b"), "SuccessfulCreate", "Created pod: b-0");
    cluster.settle();
    CHECK(cluster.events().size() == 11);
}

// Events in the manner of events.k8s.io/v1.
#include "controllers/runtime/series_recorder.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

api::Json pod(const char* name, const char* version) {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", name}, {"resourceVersion", version}}}};
}

}  // namespace

TEST_CASE("an event names its instant and what was tried, and has no count of its own") {
    tests::TestCluster cluster;
    controllers::SeriesRecorder events(cluster.manager(), cluster.client(), "default-scheduler", "here");
    events.normal(pod("a", "7"), "Scheduled", "Binding", "Successfully assigned default/a to n");
    cluster.settle();
    const auto list = cluster.list("events");
    REQUIRE(list.size() == 1);
    const api::Json& event = list[0];
    CHECK(event["eventTime"] == "2026-01-01T00:00:00.000000Z");
    CHECK(event["action"] == "Binding");
    CHECK(event["reportingInstance"] == "default-scheduler-here");
    CHECK(event["involvedObject"]["resourceVersion"] == "7");
    CHECK(event["source"] == api::Json::object());
    CHECK(event["firstTimestamp"].is_null());
    CHECK(!event.contains("count"));
    CHECK(!event.contains("series"));
}

TEST_CASE("a repeated warning is a series whose count is written when it starts and when it ends") {
    tests::TestCluster cluster;
    controllers::SeriesRecorder events(cluster.manager(), cluster.client(), "default-scheduler", "here");
    const auto fail = [&](const char* version) {
        events.warning(pod("a", version), "FailedScheduling", "Scheduling", "0/3 nodes are available");
    };
    fail("1");
    cluster.advance(10s);
    fail("1");
    cluster.advance(10s);
    fail("1");
    cluster.settle();
    REQUIRE(cluster.list("events").size() == 1);
    CHECK(cluster.list("events")[0]["series"] == api::Json{{"count", 2}, {"lastObservedTime", "2026-01-01T00:00:10.000000Z"}});
    // The pod has changed: another event.
    fail("2");
    cluster.settle();
    CHECK(cluster.list("events").size() == 2);
    cluster.advance(6min);
    cluster.settle();
    CHECK(cluster.list("events")[0]["series"] == api::Json{{"count", 3}, {"lastObservedTime", "2026-01-01T00:00:20.000000Z"}});
    fail("1");
    cluster.settle();
    CHECK(cluster.list("events").size() == 3);
}

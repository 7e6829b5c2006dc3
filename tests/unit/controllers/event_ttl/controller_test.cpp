// Events go an hour after they were last written, and not before.
#include "controllers/event_ttl/controller.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/attempts.h"

using namespace kubemu;
using namespace std::chrono_literals;

namespace {

void write_event(tests::TestCluster& cluster, const std::string& name) {
    tests::created(cluster, "events", R"({"metadata":{"name":")" + name + R"(","namespace":"default"},"reason":"Test","message":"m","type":"Normal",
        "source":{"component":"test"},"involvedObject":{"kind":"Pod","name":"p","namespace":"default"}})");
}

}  // namespace

TEST_CASE("an Event goes an hour after it was written, at most a minute late") {
    tests::TestCluster cluster;
    cluster.add<controllers::EventTtlController>();
    cluster.settle();
    cluster.advance(90s);
    write_event(cluster, "early");
    cluster.advance(30min);
    write_event(cluster, "late");
    cluster.advance(29min);
    CHECK(cluster.exists("events", "early"));
    cluster.advance(2min);
    CHECK_FALSE(cluster.exists("events", "early"));
    CHECK(cluster.exists("events", "late"));
    cluster.advance(31min);
    CHECK_FALSE(cluster.exists("events", "late"));
}

TEST_CASE("an Event that is written again lives for another hour") {
    tests::TestCluster cluster;
    cluster.add<controllers::EventTtlController>();
    cluster.settle();
    write_event(cluster, "again");
    cluster.advance(40min);
    cluster.patch("events", "again", R"({"count":2})");
    cluster.advance(40min);
    CHECK(cluster.exists("events", "again"));
    cluster.advance(21min);
    CHECK_FALSE(cluster.exists("events", "again"));
}

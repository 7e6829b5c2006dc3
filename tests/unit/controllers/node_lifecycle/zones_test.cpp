// Rates of eviction by the state of zones.
#include "controllers/node_lifecycle/zones.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;

namespace {

const Time start = Time(1'000'000s);

std::vector<EvictionZones::Node> zone(const char* name, int ready, int down, std::vector<EvictionZones::Node> others = {}) {
    for (int i = 0; i < ready; ++i) others.push_back({name, true});
    for (int i = 0; i < down; ++i) others.push_back({name, false});
    return others;
}

}  // namespace

TEST_CASE("in a normal zone one node in ten seconds is evicted, each zone by itself") {
    EvictionZones zones;
    CHECK(!zones.judge(zone("a", 3, 2, zone("b", 1, 1)), start).stopped);
    CHECK(zones.ask("a", start).granted);
    const auto second = zones.ask("a", start + 1s);
    CHECK(!second.granted);
    CHECK(second.retry == start + 10s);
    CHECK(zones.ask("b", start + 1s).granted);
    CHECK(zones.ask("a", start + 10s).granted);
}

TEST_CASE("where most nodes are down, none of a small zone and few of a large one are evicted") {
    EvictionZones zones;
    zones.judge(zone("small", 2, 3, zone("large", 20, 40)), start);
    CHECK(!zones.ask("small", start).granted);
    CHECK(!zones.ask("small", start).retry);
    CHECK(zones.ask("large", start).granted);
    CHECK(zones.ask("large", start + 50s).retry == start + 100s);
    // Two of three are most, but not more than two.
    zones.judge(zone("small", 1, 2, zone("large", 20, 40)), start + 60s);
    CHECK(zones.ask("small", start + 60s).retry == start + 70s);
}

TEST_CASE("a zone that is all down is evicted at the normal rate, unless all zones are") {
    EvictionZones zones;
    zones.judge(zone("a", 0, 3, zone("b", 1, 0)), start);
    CHECK(zones.ask("a", start).granted);
    CHECK(zones.judge(zone("a", 0, 3, zone("b", 0, 1)), start + 1s).stopped);
    CHECK(zones.all_down());
    CHECK(!zones.ask("a", start + 100s).granted);
    CHECK(!zones.judge(zone("a", 0, 3, zone("b", 0, 1)), start + 2s).stopped);
    const auto back = zones.judge(zone("a", 0, 3, zone("b", 1, 0)), start + 200s);
    CHECK(back.resumed);
    CHECK(zones.ask("a", start + 200s).retry == start + 210s);
}

TEST_CASE("a node's zone is its region and zone") {
    const auto key = [](const char* labels) { return zone_key(api::Json{{"metadata", {{"labels", api::Json::parse(labels)}}}}); };
    CHECK(key("{}").empty());
    CHECK(key(R"({"topology.kubernetes.io/zone":"z"})") == key(R"({"failure-domain.beta.kubernetes.io/zone":"z"})"));
    CHECK(key(R"({"topology.kubernetes.io/zone":"z"})") != key(R"({"topology.kubernetes.io/region":"z"})"));
}

// ServedLoad: windows, and to which cluster they belong.
#include "api/kinds/metrics/served_load.h"

#include <doctest/doctest.h>

#include "api/kinds/metrics/usage.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;
using namespace std::chrono_literals;

TEST_CASE("load shows one window after its own, as a rate, and is gone a window later") {
    tests::TestCluster cluster;
    const auto load = ServedLoad::make(cluster.registry());
    const Time start = usage_time(Time{} + 1000h);
    for (int second = 0; second < 15; ++second) load->add("uid", "c", start + 1s * second, 300'000'000);
    load->add("uid", "c", start + 15s, 1);  // of the next window
    CHECK(load->cpu_nano("uid", "c", start + 14s) == 0);
    CHECK(load->cpu_nano("uid", "c", start + 15s) == 0);
    CHECK(load->cpu_nano("uid", "c", start + 30s) == 300'000'000);
    CHECK(load->cpu_nano("uid", "c", start + 44s) == 300'000'000);
    CHECK(load->cpu_nano("uid", "c", start + 60s) == 0);
    CHECK(load->cpu_nano("uid", "other", start + 30s) == 0);
    CHECK(load->requests() == 16);
}

TEST_CASE("a cluster has its own load for as long as somebody keeps it") {
    tests::TestCluster cluster, other;
    auto load = ServedLoad::make(cluster.registry());
    CHECK(ServedLoad::of(cluster.registry()) == load);
    CHECK(ServedLoad::of(other.registry()) == nullptr);
    load.reset();
    CHECK(ServedLoad::of(cluster.registry()) == nullptr);
}

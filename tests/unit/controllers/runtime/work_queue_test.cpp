// The queue's promises: once in the queue, back when it changed meanwhile, later with growing delays.
#include "controllers/runtime/work_queue.h"

#include <doctest/doctest.h>

using kubemu::Duration;
using kubemu::Time;
using kubemu::controllers::WorkQueue;
using namespace std::chrono_literals;

TEST_CASE("a key waits once, and returns when it was added while it ran") {
    WorkQueue queue;
    queue.add("a");
    queue.add("b");
    queue.add("a");
    CHECK(queue.size() == 2);
    CHECK(queue.take() == "a");
    queue.add("a");
    CHECK(queue.size() == 1);
    CHECK(queue.take() == "b");
    queue.done("b");
    CHECK(queue.empty());
    queue.done("a");
    CHECK(queue.take() == "a");
    queue.done("a");
    CHECK_FALSE(queue.take().has_value());
}

TEST_CASE("a key that wrote something is held until the write has been seen") {
    WorkQueue queue;
    queue.add("a");
    REQUIRE(queue.take() == "a");
    queue.done_after("a", 7);
    queue.add("a");
    CHECK(queue.empty());
    queue.release(6);
    CHECK(queue.empty());
    CHECK(queue.waits_for_revision());
    queue.release(7);
    CHECK(queue.take() == "a");
}

TEST_CASE("delays: the earliest wins, failures double, success forgets") {
    WorkQueue queue;
    const Time start{};
    queue.add_at("a", start + 10s);
    queue.add_at("a", start + 5s);
    queue.add_at("a", start + 20s);
    CHECK(queue.next_due() == start + 5s);
    queue.release_due(start + 5s);
    CHECK(queue.take() == "a");
    queue.done("a");
    CHECK_FALSE(queue.next_due().has_value());

    Duration expected = 5ms;
    for (int i = 0; i < 30; ++i) {
        queue.add_rate_limited("b", start);
        CHECK(queue.next_due() == start + expected);
        queue.release_due(start + expected);
        REQUIRE(queue.take() == "b");
        queue.done("b");
        expected = std::min<Duration>(expected * 2, 1000s);
    }
    CHECK(queue.failures("b") == 30);
    queue.forget("b");
    queue.add_rate_limited("b", start);
    CHECK(queue.next_due() == start + 5ms);
}

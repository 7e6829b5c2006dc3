// The queue's promises: once in the queue, back when it changed meanwhile, later with growing delays.
#include "controllers/runtime/work_queue.h"

#include <doctest/doctest.h>

#include <vector>

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

namespace {

// Fails the key until it is given up; the delays in between.
std::vector<Duration> delays(const char* controller, int times) {
    WorkQueue queue(kubemu::controllers::retry_policy(controller));
    std::vector<Duration> found;
    Time now{};
    for (int i = 0; i < times; ++i) {
        queue.add_rate_limited("a", now);
        if (!queue.next_due()) break;
        found.push_back(*queue.next_due() - now);
        now = *queue.next_due();
        queue.release_due(now);
        REQUIRE(queue.take() == "a");
        queue.done("a");
    }
    return found;
}

}  // namespace

TEST_CASE("each controller retries at its own pace, and some give up") {
    CHECK(delays("job", 8) == std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s});
    CHECK(delays("horizontalpodautoscaling", 3) == std::vector<Duration>{15s, 15s, 15s});
    CHECK(delays("namespace", 20).back() == 60s);
    CHECK(delays("replicaset", 20).back() == 1000s);
    CHECK(delays("csrsigning", 2) == std::vector<Duration>{200ms, 400ms});
    CHECK(delays("deployment", 30).size() == 15);
    CHECK(delays("endpointslice", 30).size() == 15);
    CHECK(delays("endpointslicemirroring", 30).back() == 100s);
    CHECK(delays("serviceaccount-token", 30).size() == 10);
}

TEST_CASE("many keys that fail together share a bucket of retries, conflicts do not") {
    WorkQueue queue;
    const Time start = Time{} + 1000s;
    for (int i = 0; i < 120; ++i) queue.add_rate_limited(std::to_string(i), start);
    queue.release_due(start + 5ms);
    CHECK(queue.size() == 100);
    queue.release_due(start + 1s);
    CHECK(queue.size() == 110);
    queue.add_conflicted("c", start + 1s);
    CHECK(queue.next_due() == start + 1s + 5ms);
}

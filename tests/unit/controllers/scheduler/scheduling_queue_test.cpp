// Turns, back-offs and who has waited for too long.
#include "controllers/scheduler/scheduling_queue.h"

#include <doctest/doctest.h>

using namespace kubemu;
using namespace kubemu::controllers::scheduler;
using namespace std::chrono_literals;
using Place = SchedulingQueue::Place;

namespace {

const Time start = Time(std::chrono::hours(24));
const Plugins fit{Plugin::node_resources_fit};

}  // namespace

TEST_CASE("turns go by priority and then by age, which begins anew with every attempt") {
    SchedulingQueue queue(start);
    queue.add("old", 0, start);
    queue.add("young", 0, start);
    queue.add("important", 5, start);
    CHECK(queue.pop() == "important");
    CHECK(queue.pop() == "old");
    CHECK(queue.find("old")->place == Place::nowhere);
    queue.fail("old", start);
    CHECK(queue.pop() == "young");
    queue.fail("young", start);
    CHECK(!queue.pop());
    CHECK(queue.end_backoffs(start + 2s));
    CHECK(queue.pop() == "old");
}

TEST_CASE("the back-off of errors doubles from a second to ten, and ends with the second in which it would") {
    SchedulingQueue queue(start);
    queue.add("p", 0, start);
    Time now = start + 300ms;
    for (const auto wait : {1s, 2s, 4s, 8s, 10s, 10s}) {
        REQUIRE(queue.pop() == "p");
        queue.fail("p", now);
        const Time end = std::chrono::floor<std::chrono::seconds>(now) + wait + 1s;
        CHECK(queue.next_due() == end);
        CHECK(!queue.end_backoffs(end - 1ms));
        CHECK(queue.idle());
        CHECK(queue.end_backoffs(end));
        now = end + 300ms;
    }
    queue.pop();
    queue.refuse("p", fit, now);  // plugins' refusals are counted by themselves
    queue.requeue("p", now + 1100ms);
    CHECK(queue.find("p")->place == Place::backing_off);
}

TEST_CASE("who is backing off has its turn when nobody is active, the one whose back-off ends first") {
    SchedulingQueue queue(start);
    for (const char* key : {"twice", "once", "other"}) {
        queue.add(key, 0, start);
        queue.pop();
        queue.refuse(key, fit, start);
    }
    queue.requeue("twice", start);
    queue.pop();
    queue.refuse("twice", fit, start);
    for (const char* key : {"twice", "once"}) queue.requeue(key, start);
    CHECK(queue.find("once")->place == Place::backing_off);
    queue.requeue("other", start + 2s);
    CHECK(queue.find("other")->place == Place::active);
    CHECK(queue.pop() == "other");
    CHECK(queue.pop() == "once");
    CHECK(queue.pop() == "twice");
    CHECK(queue.idle());
}

TEST_CASE("the refused are found by who refused them, and after five minutes at the next half minute") {
    SchedulingQueue queue(start);
    queue.add("a", 0, start);
    queue.add("b", 1, start);
    while (queue.pop()) continue;
    queue.refuse("a", {Plugin::node_affinity, Plugin::node_ports}, start + 10s);
    queue.refuse("b", fit, start + 40s);
    CHECK(queue.refused({Plugin::node_ports, Plugin::node_resources_fit}) == std::vector<std::string>{"b", "a"});
    CHECK(queue.refused({Plugin::node_affinity}) == std::vector<std::string>{"a"});
    CHECK(!queue.has_refused({Plugin::volume_zone}));
    CHECK(queue.next_due() == start + 5min + 30s);
    CHECK(queue.left_over(start + 5min + 29s).empty());
    CHECK(queue.left_over(start + 5min + 30s) == std::vector<std::string>{"a"});
    CHECK(queue.left_over(start + 6min) == std::vector<std::string>{"a", "b"});
    queue.requeue("a", start + 6min);
    CHECK(queue.find("a")->place == Place::active);
    CHECK(!queue.has_refused({Plugin::node_affinity}));
    queue.forget("b");
    CHECK(queue.find("b") == nullptr);
    CHECK(!queue.next_due());
}

TEST_CASE("who is held is nobody's to try, however long it takes") {
    SchedulingQueue queue(start);
    queue.add("p", 0, start);
    queue.hold("p", Plugin::scheduling_gates);
    CHECK(queue.idle());
    CHECK(queue.refused({Plugin::scheduling_gates}) == std::vector<std::string>{"p"});
    CHECK(!queue.next_due());
    queue.requeue("p", start);  // it has never been refused by anybody who looked at it
    CHECK(queue.find("p")->place == Place::active);
}

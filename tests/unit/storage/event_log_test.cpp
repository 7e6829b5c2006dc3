// The ring of recent events, its hub and the time marks.
#include "storage/event_log.h"

#include <doctest/doctest.h>

#include "storage/rewind.h"
#include "storage/time_marks.h"
#include "storage/watch_hub.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

TEST_CASE("a log knows what it covers and forgets the oldest") {
    EventLog log(10);
    CHECK(log.covers(10));
    CHECK(!log.covers(9));
    const auto newest = static_cast<Revision>(limits::event_log_events_max) + 10;
    for (Revision revision = 11; revision <= newest; ++revision)
        log.append({make_record("pods", "a", revision), nullptr});
    CHECK(log.covers(10));
    log.append({make_record("pods", "b", newest + 1), nullptr});
    CHECK(!log.covers(10));
    CHECK(log.covers(11));
    CHECK(log.size() == limits::event_log_events_max);

    std::vector<Event> events;
    CHECK(log.read(20, "", 2, events) == 22);
    CHECK(text_of(events) == "+a@21, +a@22");
    events.clear();
    CHECK(log.read(20, "b", 2, events) == 0);  // the end of the log
    CHECK(events.size() == 1);
}

TEST_CASE("the hub names each record once it is no longer among the newest of its resource") {
    WatchHub hub(0);
    const auto plain = static_cast<Revision>(limits::event_log_plain_events_max);
    for (Revision revision = 1; revision <= plain; ++revision) hub.append({make_record("pods", "a", revision), nullptr});
    hub.append({make_record("nodes", "n", plain + 1), nullptr});
    CHECK(hub.take_cooled().empty());
    for (Revision revision = plain + 2; revision <= plain + 4; ++revision)
        hub.append({make_record("pods", "a", revision), nullptr});
    CHECK(text_of(hub.take_cooled()) == "a@1, a@2, a@3");
    CHECK(hub.take_cooled().empty());
}

TEST_CASE("the hub wakes each idle cursor of a changed resource once") {
    WatchHub hub(0);
    const auto pods = std::make_shared<CursorWake>(nullptr);
    const auto gone = std::make_shared<CursorWake>(nullptr);
    const auto nodes = std::make_shared<CursorWake>(nullptr);
    hub.idle("pods", gone);
    hub.idle("pods", pods);
    hub.idle("pods", pods);
    hub.idle("nodes", nodes);
    hub.leave("pods", gone);
    CHECK(hub.idle_count("pods") == 1);
    hub.append({make_record("pods", "a", 1), nullptr});
    hub.append({make_record("pods", "a", 2), nullptr});
    const auto woken = hub.take_woken();
    REQUIRE(woken.size() == 1);
    CHECK(woken[0] == pods);
    CHECK(hub.take_woken().empty());
    hub.leave("pods", pods);
    CHECK(hub.idle_count("nodes") == 1);
}

TEST_CASE("a silenced wake does nothing") {
    int calls = 0;
    CursorWake wake([&calls] { ++calls; });
    wake.call();
    wake.silence();
    wake.call();
    CHECK(calls == 1);
}

TEST_CASE("rewinding repeats the example of the header") {
    KeyIndex index;
    index.put(make_record("pods", "a", 1));
    index.put(make_record("pods", "c", 9));
    const std::vector<Event> changes = {{make_record("pods", "b", 8, true), make_record("pods", "b", 3)},
                                        {make_record("pods", "c", 9), make_record("pods", "c", 4)},
                                        {make_record("pods", "d", 10), nullptr},
                                        {make_record("pods", "d", 11, true), make_record("pods", "d", 10)}};
    CHECK(text_of(rewind(index.range(""), changes)) == "a@1, b@3, c@4");
}

TEST_CASE("marks answer with what was surely current") {
    const Time start{std::chrono::hours(1000)};
    TimeMarks marks;
    marks.note(start, 5);
    marks.note(start + std::chrono::seconds(3), 6);  // too soon for another mark
    marks.note(start + std::chrono::seconds(20), 7);
    CHECK(marks.at(start - std::chrono::seconds(1)) == 0);
    CHECK(marks.at(start + std::chrono::seconds(19)) == 5);
    CHECK(marks.at(start + std::chrono::seconds(20)) == 7);
    CHECK(marks.save_due(start));
    CHECK(!marks.save_due(start + std::chrono::seconds(59)));
    CHECK(marks.save_due(start + std::chrono::seconds(60)));
}

}  // namespace
}  // namespace kubemu::storage

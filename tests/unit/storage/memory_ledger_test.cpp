// What compaction leaves of a store in memory. How the past is read from it, the contract of Store says.
#include "storage/memory_ledger.h"

#include <doctest/doctest.h>

#include "storage/compactor.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

// A ledger that is written as the store does it.
struct Written {
    MemoryLedger ledger;
    Revision newest = 0;
    std::map<std::string, RecordPtr> objects;

    void put(const std::string& key, bool deleted = false) {
        auto record = std::make_shared<Record>();
        record->resource = "pods";
        record->key = key;
        record->revision = ++newest;
        const RecordPtr before = objects[key];
        record->create_revision = before ? before->create_revision : newest;
        record->previous_revision = before ? before->revision : 0;
        record->deleted = deleted;
        objects[key] = deleted ? nullptr : record;
        std::vector<Accepted> batch(1);
        batch[0].events.push_back({record, before});
        REQUIRE(ledger.write(batch, std::nullopt));
    }
    void compact(Revision revision) {
        const auto slice = ledger.compaction(revision);
        while (!*slice()) {
        }
    }
    std::string list(Revision revision) { return text_of(ledger.list({.resource = "pods", .revision = revision})->records); }
};

TEST_CASE("compaction keeps what was there at its revision, and all that came later") {
    Written written;
    written.put("a");
    written.put("b");
    written.put("a");
    written.put("b", true);
    written.put("c");
    written.compact(3);
    CHECK(written.ledger.size() == 4);
    CHECK(written.list(3) == "a@3, b@2");
    CHECK(written.list(4) == "a@3");
    CHECK(written.list(5) == "a@3, c@5");
    const auto part = written.ledger.replay({.resource = "pods", .prefix = {}, .after = 3, .events_max = 10}, 5);
    CHECK(text_of(part->events) == "-b@2>4, +c@5");
    written.compact(4);
    CHECK(written.list(4) == "a@3");
    CHECK(written.ledger.size() == 2);
    CHECK((*written.ledger.get("pods", "a", 4))->revision == 3);
    CHECK(*written.ledger.get("pods", "b", 4) == nullptr);
    CHECK(*written.ledger.get("pods", "c", 4) == nullptr);
}

TEST_CASE("a log that is compacted now and then does not grow") {
    Written written;
    for (int i = 0; i < 50; ++i) written.put("kept" + std::to_string(i));
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 2500; ++i) {
            const std::string key = "k" + std::to_string(i % 100);
            written.put(key, written.objects[key] != nullptr && i % 3 == 0);
        }
        written.compact(written.newest - 1000);
        CHECK(written.ledger.size() <= 1000 + 150);
    }
    // The records of the last revisions, and those that they replaced, are all there.
    const auto part = written.ledger.replay({.resource = "pods", .prefix = {}, .after = written.newest - 1000, .events_max = 5000}, written.newest);
    REQUIRE(part->events.size() == 1000);
    for (const Event& event : part->events) {
        CHECK((event.previous == nullptr ? 0 : event.previous->revision) == event.record->previous_revision);
    }
}

TEST_CASE("on a quick clock the newest revisions stay, however old they are") {
    SimClock clock{Time(std::chrono::hours(24 * 365 * 50))};
    auto store = *open_sqlite_store({.own_thread = false, .clock = &clock});
    for (int i = 0; i < 1500; ++i) {
        REQUIRE(store->submit(one(draft("pods", "a", i == 0 ? Precondition::absent() : Precondition::exists())), nullptr));
        store->flush();
        clock.advance(std::chrono::minutes(1));
    }
    const auto age = std::chrono::minutes(5);
    CHECK(Compactor(*store, age, 2000).run_once().value() == 0);
    CHECK(Compactor(*store, age, 1000).run_once().value() == 500);
    CHECK(store->get_at("pods", "a", 499).error().code == Error::Code::compacted);
    CHECK((*store->get_at("pods", "a", 500))->revision == 500);
    // Not worth it.
    CHECK(Compactor(*store, age, 950).run_once().value() == 500);
    CHECK(Compactor(*store, age).run_once().value() == 1496);
}

}  // namespace
}  // namespace kubemu::storage

// Many watchers, several writers, reconnects and compaction at once: no event is lost, doubled or out of
// order.
//
// Writers note what they wrote; each watcher notes what it saw and reconnects at random from its own
// position. When a watcher expires it lists and goes on from there, as clients do; from then on its events
// must be complete again.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

constexpr int writers = 3;
constexpr int watchers = 12;
constexpr int writes_each = 3000;

// A watcher's copy of the world, and whether each event fitted to it.
class Mirror {
  public:
    void list(const Snapshot& snapshot) {
        state_.clear();
        for (const RecordPtr& record : snapshot.records) state_[record->key] = record->revision;
        position_ = snapshot.revision;
    }
    // The chain of versions leaves no room for a gap or a duplicate: each event names the version before it.
    bool apply(const Event& event) {
        const Record& record = *event.record;
        if (record.revision <= position_) return false;
        position_ = record.revision;
        const auto before = state_.find(record.key);
        const Revision known = before == state_.end() ? 0 : before->second;
        const Revision claimed = event.previous ? event.previous->revision : 0;
        if (known != claimed || claimed != record.previous_revision) return false;
        if (record.deleted) {
            state_.erase(record.key);
        } else {
            state_[record.key] = record.revision;
        }
        ++applied_;
        return true;
    }
    const std::map<std::string, Revision>& state() const { return state_; }
    std::size_t applied() const { return applied_; }

  private:
    std::map<std::string, Revision> state_;
    Revision position_ = 0;
    std::size_t applied_ = 0;
};

void write_randomly(Store& store, int writer, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < writes_each; ++i) {
        // Each writer has keys of its own, so that it knows what it does to them.
        const std::string key = std::to_string(writer) + '/' + std::to_string(random() % 20);
        const std::string resource = random() % 8 == 0 ? "nodes" : "pods";
        const RecordPtr tip = store.tip(resource, key);
        Draft made = draft(resource, key, tip ? Precondition::at(tip->revision) : Precondition::absent());
        made.deletes = tip && random() % 4 == 0;
        if (!store.submit(one(std::move(made)), nullptr)) std::abort();
        if (random() % 50 == 0) store.flush();
    }
}

struct Outcome {
    bool complete = true;
    std::size_t expirations = 0;
    std::map<std::string, Revision> state;
    std::size_t applied = 0;
};

// Ends when `goal` is reached; `goal` is 0 while writers are at work.
Outcome watch_with_reconnects(Store& store, std::uint64_t seed, const std::atomic<Revision>& goal,
                              Signals& started) {
    std::mt19937_64 random(seed);
    Outcome outcome;
    Mirror mirror;
    Revision position = 0;
    started.give();
    for (;;) {
        // Now and then a watcher stays away until the event log, or even compaction, has passed it.
        if (random() % 4 == 0) {
            const Revision back = position + static_cast<Revision>(random() % 3000);
            while (goal == 0 && store.current_revision() < back) std::this_thread::yield();
        }
        Signals woken;
        auto cursor = store.watch("pods", "", position, [&woken] { woken.give(); });
        if (!cursor) {
            const Snapshot snapshot = store.list("pods", "");
            mirror.list(snapshot);
            position = snapshot.revision;
            ++outcome.expirations;
            continue;
        }
        std::size_t wakes = 0;
        const std::uint64_t patience = 1 + random() % 40;
        for (std::uint64_t i = 0; i < patience; ++i) {
            const auto batch = (*cursor)->next(1 + random() % 64);
            if (batch.state == WatchCursor::Batch::State::expired) {
                const Snapshot snapshot = store.list("pods", "");
                mirror.list(snapshot);
                position = snapshot.revision;
                ++outcome.expirations;
                break;
            }
            for (const Event& event : batch.events)
                outcome.complete = mirror.apply(event) && outcome.complete;
            if (batch.position < position) outcome.complete = false;
            position = batch.position;
            if (batch.state != WatchCursor::Batch::State::idle) continue;
            if (const Revision end = goal; end != 0 && position >= end) {
                outcome.state = mirror.state();
                outcome.applied = mirror.applied();
                return outcome;
            }
            // The last write of the test is to this resource, so each idle cursor is woken for sure.
            if (goal == 0) woken.wait_for(++wakes);
        }
    }
}

TEST_CASE("watchers see every change exactly once, whatever happens around them") {
    const std::uint64_t seed = std::random_device()();
    MESSAGE("seed ", seed);
    const TemporaryDirectory directory;
    SqliteStoreOptions options;
    SUBCASE("in a file") {
        options.path = directory.file("watch.db");
    }
    SUBCASE("in memory") {}
    options.durability = SqliteStoreOptions::Durability::normal;
    auto opened = open_sqlite_store(options);
    REQUIRE(opened.has_value());
    Store& store = **opened;

    std::atomic<Revision> goal{0};
    Signals started;
    std::vector<Outcome> outcomes(watchers);
    std::vector<std::thread> watching;
    for (int i = 0; i < watchers; ++i) {
        watching.emplace_back([&, i] {
            outcomes[static_cast<std::size_t>(i)] =
                watch_with_reconnects(store, seed + 100 + static_cast<std::uint64_t>(i), goal, started);
        });
    }
    started.wait_for(watchers);
    std::vector<std::thread> writing;
    for (int i = 0; i < writers; ++i) {
        writing.emplace_back([&, i] { write_randomly(store, i, seed + static_cast<std::uint64_t>(i)); });
    }
    std::atomic<bool> done{false};
    std::thread compacting([&] {
        std::mt19937_64 random(seed + 50);
        while (!done) {
            const Revision lag = static_cast<Revision>(random() % 5000);
            const Revision target = store.current_revision() - lag;
            if (target > store.compacted_revision() && !store.compact(target)) std::abort();
            std::this_thread::yield();
        }
    });
    for (std::thread& thread : writing) thread.join();
    done = true;
    compacting.join();
    store.flush();
    // The goal is set before the last write is published, and that write wakes whoever sleeps.
    goal = store.current_revision() + 1;
    REQUIRE(store.submit(one(draft("pods", "the/end", Precondition::absent())), nullptr).has_value());
    store.flush();
    for (std::thread& thread : watching) thread.join();

    std::map<std::string, Revision> world;
    for (const RecordPtr& record : store.list("pods", "").records) world[record->key] = record->revision;
    std::size_t expirations = 0;
    for (const Outcome& outcome : outcomes) {
        CHECK(outcome.complete);
        CHECK(outcome.state == world);
        expirations += outcome.expirations;
    }
    MESSAGE("lists after an expired watch: ", expirations);
}

}  // namespace
}  // namespace kubemu::storage

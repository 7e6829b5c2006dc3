// What concerns the file: restarts, refusals to open, ages, views, and a disk that fails.
#include "storage/sqlite_store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "storage/compactor.h"
#include "storage/schema.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

std::unique_ptr<Store> open(SqliteStoreOptions options) {
    auto opened = open_sqlite_store(std::move(options));
    REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
    return std::move(*opened);
}

Error refused(SqliteStoreOptions options) {
    auto opened = open_sqlite_store(std::move(options));
    REQUIRE(!opened);
    return opened.error();
}

struct Seen final : View {
    std::string text;
};

TEST_CASE("a restart finds everything again") {
    const TemporaryDirectory directory;
    SqliteStoreOptions options{.path = directory.file("a.db")};
    {
        auto store = open(options);
        for (int i = 0; i < 600; ++i) {
            REQUIRE(
                store->submit(one(draft("pods", std::to_string(i), Precondition::absent(), "x")), nullptr));
        }
        REQUIRE(store->submit(one(removal("pods", "7")), nullptr));
        REQUIRE(store->set_meta("uid", "u"));
        REQUIRE(store->compact(0).has_value());
    }  // the destructor writes what is still waiting
    options.view_of = [](const Record& record) {
        auto view = std::make_shared<Seen>();
        view->text = record.key;
        return view;
    };
    auto store = open(options);
    CHECK(store->current_revision() == 601);
    CHECK(store->count("pods", "") == 599);
    CHECK(store->meta("uid") == "u");
    const RecordPtr record = store->get("pods", "8");
    CHECK(*record->bytes.get() == expected_bytes(9, "x"));
    CHECK(std::static_pointer_cast<const Seen>(record->view)->text == "8");
    auto cursor = store->watch("pods", "", 599, nullptr);
    REQUIRE(cursor.has_value());
    const auto events = drain(**cursor);
    CHECK(text_of(events) == "+599@600, -7@8>601");
    CHECK(std::static_pointer_cast<const Seen>(events[1].previous->view)->text == "7");
    // Even when the newest rows were deletions that compaction took away, revisions go on.
    REQUIRE(store->compact(601).has_value());
    cursor->reset();
    store.reset();
    store = open(options);
    CHECK(store->current_revision() == 601);
    CHECK(store->submit(one(draft("pods", "7", Precondition::absent())), nullptr)->front()->revision == 602);
}

TEST_CASE("after a restart objects that are alike are packed, and read as before") {
    const TemporaryDirectory directory;
    const SqliteStoreOptions options{.path = directory.file("a.db")};
    const auto text = [](int i) { return std::string(1000, 'x') + std::to_string(i); };
    {
        auto store = open(options);
        for (int i = 0; i < 300; ++i)
            REQUIRE(store->submit(one(draft("pods", std::to_string(i), Precondition::absent(), text(i))), nullptr));
    }
    for (int restarts = 0; restarts < 2; ++restarts) {
        auto store = open(options);
        std::size_t packed = 0;
        for (int i = 0; i < 300; ++i) {
            const RecordPtr record = store->get("pods", std::to_string(i));
            REQUIRE(record != nullptr);
            packed += record->bytes.packed() ? 1 : 0;
            REQUIRE(*record->bytes.get() == expected_bytes(i + 1, text(i)));
        }
        CHECK(packed == 299);
    }
}

TEST_CASE("a database that cannot be used is refused in one clear sentence") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a.db");
    SUBCASE("in use") {
        const auto store = open({.path = path});
        const Error error = refused({.path = path});
        CHECK(error.code == Error::Code::locked);
        CHECK(error.detail == "database " + path + " is in use by another kubemu");
    }
    SUBCASE("no such directory") {
        CHECK(refused({.path = directory.file("none/a.db")}).code == Error::Code::io);
    }
    SUBCASE("not a database") {
        std::ofstream(path) << std::string(5000, 'x');
        const Error error = refused({.path = path});
        CHECK(error.code == Error::Code::corrupt);
        CHECK(error.detail.find(path) != std::string::npos);
    }
    SUBCASE("somebody else's database") {
        REQUIRE(Connection::open(path, Connection::Access::read_write)->run("CREATE TABLE other(x)"));
        CHECK(refused({.path = path}).code == Error::Code::corrupt);
    }
    SUBCASE("a newer one") {
        open({.path = path});
        REQUIRE(Connection::open(path, Connection::Access::read_write)->run("PRAGMA user_version=2"));
        CHECK(refused({.path = path}).code == Error::Code::newer_schema);
    }
    SUBCASE("an impossible row") {
        open({.path = path});
        REQUIRE(Connection::open(path, Connection::Access::read_write)
                    ->run("INSERT INTO revision VALUES(1,'pods','a',0,9,0,'{}')"));
        CHECK(refused({.path = path}).code == Error::Code::corrupt);
    }
}

TEST_CASE("the table itself refuses a second successor of a version") {
    auto connection = Connection::open(":memory:", Connection::Access::read_write);
    REQUIRE(prepare_schema(*connection, ":memory:"));
    REQUIRE(connection->run("INSERT INTO revision VALUES(1,'pods','a',0,1,0,'{}')"));
    REQUIRE(connection->run("INSERT INTO revision VALUES(2,'pods','a',0,1,1,'{}')"));
    CHECK(!connection->run("INSERT INTO revision VALUES(3,'pods','a',0,1,1,'{}')"));
}

TEST_CASE("the compactor keeps five minutes, across restarts") {
    const TemporaryDirectory directory;
    SimClock clock{Time(std::chrono::hours(24 * 365 * 50))};
    const SqliteStoreOptions options{.path = directory.file("a.db"), .own_thread = false, .clock = &clock};
    auto store = open(options);
    const auto change = [&store] {
        REQUIRE(store->submit(
            one(draft("pods", "a",
                      store->tip("pods", "a") ? Precondition::exists() : Precondition::absent())),
            nullptr));
        store->flush();
    };
    for (int minute = 0; minute < 10; ++minute) {
        change();
        clock.advance(std::chrono::minutes(1));
    }
    CHECK(store->revision_at_age(std::chrono::minutes(5)) == 6);
    CHECK(Compactor(*store).run_once().value() == 6);
    CHECK(store->get_at("pods", "a", 5).error().code == Error::Code::compacted);
    CHECK(store->get_at("pods", "a", 6).has_value());
    CHECK(Compactor(*store).run_once().value() == 6);
    store = nullptr;
    store = open(options);
    CHECK(store->revision_at_age(std::chrono::minutes(4)) >= 6);
    clock.advance(std::chrono::minutes(5));
    // The last write came of age although nothing was written since.
    CHECK(Compactor(*store).run_once().value() == 10);
}

TEST_CASE("a crash between two slices of a compaction leaves nothing behind") {
    const TemporaryDirectory directory;
    const SqliteStoreOptions options{.path = directory.file("a.db"),
                                     .durability = SqliteStoreOptions::Durability::normal};
    {
        auto store = open(options);
        for (int i = 0; i < 3000; ++i) {
            REQUIRE(store->submit(
                one(draft("pods", "a", i == 0 ? Precondition::absent() : Precondition::exists())), nullptr));
        }
    }
    {
        auto connection = Connection::open(options.path, Connection::Access::read_write);
        CompactionRun run(*connection, 2900);
        CHECK(run.slice().value() == false);
        CHECK(connection->integer("SELECT count(*) FROM revision").value() == 2001);
    }
    auto store = open(options);
    CHECK(store->compacted_revision() == 2900);
    REQUIRE(store->compact(2950).has_value());
    store = nullptr;
    auto connection = Connection::open(options.path, Connection::Access::read_only);
    CHECK(connection->integer("SELECT count(*) FROM revision").value() == 51);
}

// The process may not write files beyond a size: to SQLite, a disk that is full.
TEST_CASE("after a failed commit nothing of it is published and nothing more is accepted") {
    const TemporaryDirectory directory;
    const SqliteStoreOptions options{.path = directory.file("a.db"), .own_thread = false};
    auto store = open(options);
    REQUIRE(store->submit(one(draft("pods", "a", Precondition::absent())), nullptr));
    store->flush();
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = before;
    small.rlim_cur = 200'000;
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::vector<Error::Code> codes;
    const auto note = [&codes](const Error* failure) {
        REQUIRE(failure != nullptr);
        codes.push_back(failure->code);
    };
    // Two batches: the second never gets its turn.
    REQUIRE(
        store->submit(one(draft("pods", "b", Precondition::absent(), std::string(1'000'000, 'x'))), note));
    REQUIRE(
        store->submit(one(draft("pods", "c", Precondition::absent(), std::string(1'000'000, 'x'))), note));
    store->flush();
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, ignored);
    REQUIRE(codes.size() == 2);
    CHECK(codes[0] == Error::Code::io);
    CHECK(codes[1] == Error::Code::read_only);
    CHECK(store->current_revision() == 1);
    CHECK(store->tip("pods", "b") == nullptr);
    const auto again = store->submit(one(draft("pods", "d", Precondition::absent())), nullptr);
    REQUIRE(!again);
    CHECK(again.error().code == Error::Code::read_only);
    CHECK(store->get("pods", "a") != nullptr);
    store = nullptr;
    store = open(options);
    CHECK(store->current_revision() == 1);
}

}  // namespace
}  // namespace kubemu::storage

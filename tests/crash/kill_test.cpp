// What was acknowledged survives the death of the process, whenever it comes.
//
// A child process writes from several threads, compacts now and then, and reports each completed write
// through a pipe; the parent kills it after a random number of reports, opens the database and looks for
// every one of them. The same database goes through all rounds, so that recovery meets what earlier deaths
// left behind.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>
#include <thread>

#include "storage/sqlite.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

constexpr int rounds = 24;  // half of them with each durability
constexpr int writers = 3;
constexpr int keys_of_a_writer = 40;

// Sent whole (far below PIPE_BUF), so reports of several threads do not mix.
struct Report {
    std::int32_t writer = 0;
    std::int32_t key = 0;
    Revision revision = 0;
    std::int32_t deleted = 0;
    std::int32_t tag = 0;  // chosen by the writer; stands in the text
};

std::string key_of(const Report& report) {
    return std::to_string(report.writer) + '/' + std::to_string(report.key);
}
std::string text_of(const Report& report) {
    return std::to_string(report.tag) + std::string(700, 'x');
}

void write_until_killed(Store& store, int writer, std::uint64_t seed, int pipe) {
    std::mt19937_64 random(seed);
    for (;;) {
        Report report;
        report.writer = writer;
        report.key = static_cast<std::int32_t>(random() % keys_of_a_writer);
        report.tag = static_cast<std::int32_t>(random() & 0x7fffffff);
        const RecordPtr tip = store.tip("pods", key_of(report));
        report.deleted = tip && random() % 5 == 0;
        Draft made = draft("pods", key_of(report),
                           tip ? Precondition::at(tip->revision) : Precondition::absent(), text_of(report));
        made.deletes = report.deleted != 0;
        // The completion may run before submit returns, so it learns the revision from the store's order: a
        // writer has at most one write under way.
        Signals completed;
        bool durable = false;
        const auto records = store.submit(one(std::move(made)), [&](const Error* failure) {
            durable = failure == nullptr;
            completed.give();
        });
        if (!records) ::_exit(3);
        completed.wait_for(1);
        if (!durable) ::_exit(4);
        report.revision = records->front()->revision;
        if (::write(pipe, &report, sizeof report) != sizeof report) ::_exit(5);
    }
}

[[noreturn]] void child(const SqliteStoreOptions& options, std::uint64_t seed, int pipe) {
    auto opened = open_sqlite_store(options);
    if (!opened) ::_exit(2);
    Store& store = **opened;
    std::vector<std::thread> threads;
    for (int i = 0; i < writers; ++i) {
        threads.emplace_back([&store, i, seed, pipe] {
            write_until_killed(store, i, seed * 10 + static_cast<std::uint64_t>(i), pipe);
        });
    }
    std::mt19937_64 random(seed);
    for (;;) {
        // A compaction for each hundred writes or so, in the midst of them.
        const Revision target = store.current_revision() - 100 - static_cast<Revision>(random() % 100);
        if (target > store.compacted_revision() && !store.compact(target)) ::_exit(6);
        store.flush();
    }
}

std::vector<Report> run_and_kill(const SqliteStoreOptions& options, std::uint64_t seed) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::close(pipe[0]);
        child(options, seed, pipe[1]);
    }
    ::close(pipe[1]);
    std::mt19937_64 random(seed);
    const std::size_t enough = 1 + random() % 500;
    std::vector<Report> reports;
    Report report;
    const auto receive = [&] { return ::read(pipe[0], &report, sizeof report) == sizeof report; };
    while (reports.size() < enough && receive()) reports.push_back(report);
    ::kill(pid, SIGKILL);
    // What was reported before the end counts, too.
    while (receive()) reports.push_back(report);
    ::close(pipe[0]);
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status));  // an exit would mean that a write failed
    return reports;
}

// Each row's predecessor is there unless it was compacted, and has the same key; a key has one unbroken
// chain.
void check_chains(const std::string& path, Revision compacted) {
    auto connection = Connection::open(path, Connection::Access::read_only);
    REQUIRE(connection.has_value());
    CHECK(connection->integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check<>'ok'")
              .value() == 0);
    auto rows = connection->prepare("SELECT rev,key,verb,create_rev,prev_rev FROM revision ORDER BY rev");
    REQUIRE(rows.has_value());
    struct Last {
        Revision revision = 0;
        Revision create_revision = 0;
        bool deleted = false;
    };
    std::map<std::string, Last> newest;
    Revision last = 0;
    Step step = Step::done;
    while ((step = rows->step()) == Step::row) {
        const Revision revision = rows->integer(0);
        REQUIRE(revision > last);
        if (last > compacted)
            REQUIRE(revision == last + 1);  // nothing is missing where nothing was compacted
        last = revision;
        Last& before = newest[std::string(rows->text(1))];
        const Revision previous = rows->integer(4);
        if (previous == 0) {
            REQUIRE((before.revision == 0 || before.deleted));
            REQUIRE(rows->integer(3) == revision);
        } else if (before.revision != 0) {
            REQUIRE(previous == before.revision);
            REQUIRE(!before.deleted);
            REQUIRE(rows->integer(3) == before.create_revision);
        } else {
            REQUIRE(previous <= compacted);
        }
        before = {revision, rows->integer(3), rows->integer(2) == 1};
    }
    REQUIRE(step == Step::done);
}

void crash_rounds(SqliteStoreOptions::Durability durability) {
    const std::uint64_t seed = std::random_device()();
    MESSAGE("seed ", seed);
    const TemporaryDirectory directory;
    SqliteStoreOptions options;
    options.path = directory.file("crash.db");
    options.durability = durability;
    std::map<std::string, Report> acknowledged;  // the newest of each key
    std::size_t total = 0;
    for (int round = 0; round < rounds / 2; ++round) {
        CAPTURE(round);
        const std::vector<Report> reports = run_and_kill(options, seed + static_cast<std::uint64_t>(round));
        total += reports.size();
        Revision newest = 0;
        for (const Report& report : reports) {
            acknowledged[key_of(report)] = report;
            newest = std::max(newest, report.revision);
        }
        auto opened = open_sqlite_store(options);
        REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
        Store& store = **opened;
        REQUIRE(store.current_revision() >= newest);
        for (const auto& [acknowledged_key, report] : acknowledged) {
            const std::string& key = acknowledged_key;  // Clang 14 cannot capture a structured binding
            CAPTURE(key);
            const RecordPtr found = store.get("pods", key);
            // A later write may have become durable without being acknowledged.
            const bool newer = found && found->revision > report.revision;
            if (report.deleted != 0) {
                REQUIRE((found == nullptr || newer));
            } else if (found && !newer) {
                REQUIRE(found->revision == report.revision);
                REQUIRE(*found->bytes.get() == expected_bytes(report.revision, text_of(report)));
            } else if (!found) {
                // Only a deletion that nobody heard of excuses its absence.
                const auto before = store.get_at("pods", key, report.revision);
                const bool hidden = !before && before.error().code == Error::Code::compacted;
                REQUIRE((hidden || before.has_value()));
                REQUIRE(store.current_revision() > report.revision);
            }
        }
        const Revision compacted = store.compacted_revision();
        opened->reset();
        check_chains(options.path, compacted);
    }
    MESSAGE("acknowledged writes that were looked for: ", total);
}

TEST_CASE("every acknowledged write survives kill -9, synced") {
    crash_rounds(SqliteStoreOptions::Durability::full);
}
TEST_CASE("every acknowledged write survives kill -9, not synced") {
    crash_rounds(SqliteStoreOptions::Durability::normal);
}

}  // namespace
}  // namespace kubemu::storage

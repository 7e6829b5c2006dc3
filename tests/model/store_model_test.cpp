// Random operations on the store and on a naive model, compared step by step.
//
// The model keeps every version of every key for ever and answers each question by going through all of them.
// Steps are writes (single and several), reads of the present and of the past, watches, compaction and a
// restart. The seed is printed; KUBEMU_MODEL_SEED repeats a run.
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

struct Version {
    std::string resource;
    std::string key;
    Revision revision = 0;
    Revision create_revision = 0;
    Revision previous = 0;
    bool deleted = false;
    std::string text;
};

class Model {
  public:
    Revision current() const { return static_cast<Revision>(versions_.size()); }
    const Version& version(Revision revision) const {
        return versions_.at(static_cast<std::size_t>(revision - 1));
    }
    // Null when there is none.
    const Version* at(const std::string& resource, const std::string& key, Revision revision) const {
        for (Revision i = std::min(revision, current()); i > 0; --i) {
            const Version& candidate = version(i);
            if (candidate.resource == resource && candidate.key == key)
                return candidate.deleted ? nullptr : &candidate;
        }
        return nullptr;
    }
    void write(const std::string& resource, const std::string& key, bool deletes, const std::string& text) {
        const Version* before = at(resource, key, current());
        Version made{resource, key, current() + 1, current() + 1, 0, deletes, text};
        if (before != nullptr) {
            made.create_revision = before->create_revision;
            made.previous = before->revision;
        }
        versions_.push_back(made);
    }
    std::string list(const std::string& resource, const std::string& prefix, Revision revision) const {
        std::map<std::string, const Version*> found;
        for (const Version& version : versions_) {
            if (version.revision > revision || version.resource != resource) continue;
            if (version.key.compare(0, prefix.size(), prefix) == 0) found[version.key] = &version;
        }
        std::string text;
        for (const auto& [key, version] : found) {
            if (version->deleted) continue;
            if (!text.empty()) text += ", ";
            text += key + '@' + std::to_string(version->revision);
        }
        return text;
    }
    std::string events(const std::string& resource, const std::string& prefix, Revision after) const {
        std::string text;
        for (const Version& version : versions_) {
            if (version.revision <= after || version.resource != resource) continue;
            if (version.key.compare(0, prefix.size(), prefix) != 0) continue;
            if (!text.empty()) text += ", ";
            text += version.deleted ? "-" : version.previous != 0 ? "" : "+";
            text += version.key + '@';
            if (version.previous != 0) text += std::to_string(version.previous) + '>';
            text += std::to_string(version.revision);
        }
        return text;
    }

  private:
    std::vector<Version> versions_;
};

class Run {
  public:
    Run(std::uint64_t seed, bool own_thread) : random_(seed) {
        options_.path = directory_.file("model.db");
        options_.durability = SqliteStoreOptions::Durability::normal;
        options_.own_thread = own_thread;
        open();
    }
    void step() {
        const std::uint64_t choice = below(100);
        if (choice < 50) {
            write();
        } else if (choice < 52) {
            for (int i = 0; i < 200; ++i) write();  // so that event logs overflow now and then
        } else if (choice < 60) {
            store_->flush();
        } else if (choice < 70) {
            compare_present();
        } else if (choice < 82) {
            compare_past();
        } else if (choice < 95) {
            compare_watch();
        } else if (choice < 98) {
            store_->flush();
            const auto compacted = store_->compact(below_or_zero(model_.current() + 1));
            REQUIRE(compacted.has_value());
        } else {
            const Revision compacted = store_->compacted_revision();
            store_.reset();
            open();
            REQUIRE(store_->current_revision() == model_.current());
            REQUIRE(store_->compacted_revision() == compacted);
        }
    }
    void finish() {
        store_->flush();
        compare_present();
        compare_past();
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
    Revision below_or_zero(Revision bound) {
        return static_cast<Revision>(below(static_cast<std::uint64_t>(bound)));
    }
    std::string resource() { return below(2) == 0 ? "pods" : "nodes"; }
    std::string key() {
        return std::string(1, static_cast<char>('a' + below(3))) + '/' + std::to_string(below(400));
    }
    std::string prefix() {
        return below(2) == 0 ? std::string() : std::string(1, static_cast<char>('a' + below(3))) + '/';
    }

    void open() {
        auto opened = open_sqlite_store(options_);
        REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
        store_ = std::move(*opened);
    }

    void write() {
        Transaction transaction;
        Model after = below(20) == 0 ? model_ : Model();  // a copy only where it may be needed
        const bool several = after.current() == model_.current() && model_.current() > 0;
        const int count = several ? 1 + static_cast<int>(below(4)) : 1;
        std::optional<Error::Code> expected;
        Model& model = several ? after : model_;
        for (int i = 0; i < count && !expected; ++i) {
            const std::string in = resource();
            const std::string name = key();
            const Version* tip = model.at(in, name, model.current());
            const std::string text = std::to_string(random_());
            Precondition precondition = Precondition::exists();
            if (below(3) == 0)
                precondition = Precondition::at(tip != nullptr ? tip->revision - (below(4) == 0) : 1);
            if (tip == nullptr && below(8) != 0) precondition = Precondition::absent();
            const bool deletes = tip != nullptr && below(3) == 0;
            Draft made = draft(in, name, precondition, text);
            made.deletes = deletes;
            transaction.drafts.push_back(std::move(made));
            if (precondition.kind == Precondition::Kind::absent) {
                if (tip != nullptr) expected = Error::Code::already_exists;
            } else if (tip == nullptr) {
                expected = Error::Code::not_found;
            } else if (precondition.kind == Precondition::Kind::at_revision &&
                       precondition.revision != tip->revision) {
                expected = Error::Code::conflict;
            }
            if (!expected) model.write(in, name, deletes, text);
        }
        auto result = store_->submit(std::move(transaction), nullptr);
        if (expected) {
            REQUIRE(!result);
            REQUIRE(result.error().code == *expected);
            return;
        }
        REQUIRE_MESSAGE(result.has_value(), to_string(result.error()));
        if (several) model_ = std::move(after);
        REQUIRE(result->back()->revision == model_.current());
        compare(*result->back(), model_.version(model_.current()));
    }

    static void compare(const Record& record, const Version& version) {
        REQUIRE(record.revision == version.revision);
        REQUIRE(record.create_revision == version.create_revision);
        REQUIRE(record.previous_revision == version.previous);
        REQUIRE(record.deleted == version.deleted);
        REQUIRE(*record.bytes.get() == expected_bytes(version.revision, version.text));
    }

    void compare_present() {
        const std::string in = resource();
        const std::string name = key();
        const Version* tip = model_.at(in, name, model_.current());
        const RecordPtr found = store_->tip(in, name);
        REQUIRE((found == nullptr) == (tip == nullptr));
        if (found) compare(*found, *tip);

        const std::string start = prefix();
        const Snapshot snapshot = store_->list(in, start);
        REQUIRE(text_of(snapshot.records) == model_.list(in, start, snapshot.revision));
        store_->flush();
        REQUIRE(store_->current_revision() == model_.current());
        REQUIRE(text_of(store_->list(in, start).records) == model_.list(in, start, model_.current()));
        REQUIRE(store_->count(in, start) == store_->list(in, start).records.size());
    }

    void compare_past() {
        const std::string in = resource();
        const std::string start = prefix();
        const std::string name = key();
        Revision revision = below_or_zero(store_->current_revision() + 1);
        if (below(2) == 0) revision = std::max<Revision>(store_->current_revision() - below_or_zero(300), 0);
        const auto got = store_->get_at(in, name, revision);
        if (revision < store_->compacted_revision()) {
            REQUIRE(!got);
            REQUIRE(got.error().code == Error::Code::compacted);
            if (revision > 0) REQUIRE(!store_->list_at({.resource = in, .revision = revision}));
            return;
        }
        const Version* expected = model_.at(in, name, revision);
        REQUIRE(got.has_value() == (expected != nullptr));
        if (expected != nullptr) compare(**got, *expected);
        if (revision == 0) return;  // that would mean: the present

        // Page by page, the list is what it was, and each page knows how many are left.
        const std::size_t limit = 1 + below(200);
        std::vector<RecordPtr> all;
        std::string after;
        for (;;) {
            const auto page = store_->list_at(
                {.resource = in, .prefix = start, .revision = revision, .after = after, .limit = limit});
            REQUIRE_MESSAGE(page.has_value(), to_string(page.error()));
            REQUIRE(page->revision == revision);
            all.insert(all.end(), page->records.begin(), page->records.end());
            if (!page->more) {
                REQUIRE(page->remaining == 0);
                break;
            }
            REQUIRE(page->records.size() == limit);
            after = page->records.back()->key;
            const auto rest =
                store_->list_at({.resource = in, .prefix = start, .revision = revision, .after = after});
            REQUIRE(rest->records.size() == page->remaining);
        }
        REQUIRE(text_of(all) == model_.list(in, start, revision));
        for (const RecordPtr& record : all) compare(*record, model_.version(record->revision));
    }

    void compare_watch() {
        store_->flush();
        const std::string in = resource();
        const std::string start = prefix();
        const Revision after = below_or_zero(model_.current() + 1);
        auto cursor = store_->watch(in, start, after, nullptr);
        if (after < store_->compacted_revision()) {
            REQUIRE(!cursor);
            return;
        }
        REQUIRE(cursor.has_value());
        WatchCursor::Batch last;
        const std::vector<Event> events = drain(**cursor, last, 1 + below(100));
        REQUIRE(last.state == WatchCursor::Batch::State::idle);
        REQUIRE(last.position == model_.current());
        REQUIRE(text_of(events) == model_.events(in, start, after));
        for (const Event& event : events) {
            compare(*event.record, model_.version(event.record->revision));
            if (event.previous) compare(*event.previous, model_.version(event.previous->revision));
        }
    }

    TemporaryDirectory directory_;
    SqliteStoreOptions options_;
    std::mt19937_64 random_;
    Model model_;
    std::unique_ptr<Store> store_;
};

void run(std::uint64_t seed, bool own_thread) {
    INFO("seed ", seed, own_thread ? ", with a storage thread" : ", driven by flush");
    CAPTURE(seed);
    Run run(seed, own_thread);
    for (int i = 0; i < 400; ++i) run.step();
    run.finish();
}

TEST_CASE("the store agrees with a map of all versions") {
    const char* given = std::getenv("KUBEMU_MODEL_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
    MESSAGE("seed ", seed);
    for (std::uint64_t i = 0; i < (given != nullptr ? 1U : 6U); ++i) run(seed + i, false);
    for (std::uint64_t i = 0; i < (given != nullptr ? 1U : 3U); ++i) run(seed + i, true);
}

}  // namespace
}  // namespace kubemu::storage

// Runs the contract of Store against each way in which SqliteStore can be set up.
#include "tests/contract/store_contract.h"

namespace kubemu::storage {
namespace {

using Durability = SqliteStoreOptions::Durability;

struct InMemory {
    static SqliteStoreOptions options(const TemporaryDirectory&) { return {}; }
};
struct FileFull {
    static SqliteStoreOptions options(const TemporaryDirectory& directory) {
        return {.path = directory.file("store.db"), .durability = Durability::full};
    }
};
struct FileNormal {
    static SqliteStoreOptions options(const TemporaryDirectory& directory) {
        return {.path = directory.file("store.db"), .durability = Durability::normal};
    }
};
struct FileDriven {
    static SqliteStoreOptions options(const TemporaryDirectory& directory) {
        return {.path = directory.file("store.db"), .durability = Durability::normal, .own_thread = false};
    }
};
struct InMemoryDriven {
    static SqliteStoreOptions options(const TemporaryDirectory&) { return {.own_thread = false}; }
};

TEST_CASE_TEMPLATE("store contract", T, InMemory, FileFull, FileNormal, FileDriven, InMemoryDriven) {
    const TemporaryDirectory directory;
    auto opened = open_sqlite_store(T::options(directory));
    REQUIRE_MESSAGE(opened.has_value(), to_string(opened.error()));
    Store& store = **opened;
    SUBCASE("starts empty") {
        contract::starts_empty(store);
    }
    SUBCASE("writes get revisions and bytes") {
        contract::writes_get_revisions_and_bytes(store);
    }
    SUBCASE("preconditions hold against the tip") {
        contract::preconditions_hold_against_the_tip(store);
    }
    SUBCASE("transactions are all or nothing") {
        contract::transactions_are_all_or_nothing(store);
    }
    SUBCASE("completions come in order") {
        contract::completions_come_after_publication_in_order(store);
    }
    SUBCASE("lists are ordered and cut by prefix") {
        contract::lists_are_ordered_and_cut_by_prefix(store);
    }
    SUBCASE("the recent past can be read") {
        contract::old_revisions_can_be_read(store, false);
    }
    SUBCASE("the far past can be read") {
        contract::old_revisions_can_be_read(store, true);
    }
    SUBCASE("compaction forgets what was replaced") {
        contract::compaction_forgets_only_what_was_replaced(store);
    }
    SUBCASE("watches begin anywhere, from memory") {
        contract::watches_begin_anywhere(store, false);
    }
    SUBCASE("watches begin anywhere, from history") {
        contract::watches_begin_anywhere(store, true);
    }
    SUBCASE("idle cursors wake once") {
        contract::idle_cursors_wake_once_and_only_for_their_resource(store);
    }
    SUBCASE("cold texts are what was written") {
        contract::cold_texts_are_what_was_written(store);
    }
    SUBCASE("late watches expire") {
        contract::a_watch_that_falls_behind_compaction_expires(store);
    }
    SUBCASE("named values are kept") {
        contract::named_values_are_kept(store);
    }
}

}  // namespace
}  // namespace kubemu::storage

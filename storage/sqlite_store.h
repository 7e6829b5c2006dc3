// SqliteStore: the revision log in one SQLite file (WAL), or in memory only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/store.h"

namespace kubemu::storage {

struct SqliteStoreOptions {
    // A file that is made when it is missing; empty for a database in memory that dies with the store.
    std::string path = {};
    // full: synced before it is acknowledged (survives a power cut); normal: survives the death of the process.
    enum class Durability { full, normal };
    Durability durability = Durability::full;
    // False: no storage thread; accepted writes become durable and published inside flush(). For tests that drive
    // everything from one thread.
    bool own_thread = true;
    // Makes the View of a record that was read back from the database.
    std::function<std::shared_ptr<const View>(const Record&)> view_of = {};
    const Clock* clock = nullptr;  // not owned; for the marks that revision_at_age reads
};

// Errors: locked, newer_schema, corrupt, io; `detail` is a sentence that names the path.
StoreResult<std::unique_ptr<Store>> open_sqlite_store(SqliteStoreOptions options);

}  // namespace kubemu::storage

// Tables: an append-only log of revisions, a few named values, and when which revision was current.
//
// Nothing is stored twice: an event's old state is the row that prev_rev names, so compaction decides by
// itself how long old states live. A re-created object starts a new chain with prev_rev 0.
#include "storage/schema.h"

namespace kubemu::storage {
namespace {

constexpr std::int64_t application_id = 0x6b656d75;  // "kemu"

// verb: 0 put, 1 delete; SQLite stores both without a byte. revision_by_key serves reads at a revision and
// the start and answers "which version, and is it a deletion" without the table; revision_by_resource serves
// the replay; revision_chain is a second guard of optimistic locking: a version is replaced at most once.
// time is in microseconds since 1970, UTC.
constexpr const char* tables = R"(
BEGIN;
CREATE TABLE revision(
  rev INTEGER PRIMARY KEY,
  resource TEXT NOT NULL,
  key TEXT NOT NULL,
  verb INTEGER NOT NULL,
  create_rev INTEGER NOT NULL,
  prev_rev INTEGER NOT NULL,
  bytes TEXT NOT NULL
);
CREATE INDEX revision_by_key ON revision(resource, key, rev, verb);
CREATE INDEX revision_by_resource ON revision(resource, rev);
CREATE UNIQUE INDEX revision_chain ON revision(prev_rev) WHERE prev_rev > 0;
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE mark(time INTEGER PRIMARY KEY, rev INTEGER NOT NULL);
PRAGMA application_id = 1801809269;
PRAGMA user_version = 1;
COMMIT;
)";
static_assert(application_id == 1801809269 && schema_version == 1, "the text above repeats both");

}  // namespace

Result<bool, Error> prepare_schema(Connection& connection, const std::string& path) {
    TRY_ASSIGN(const std::int64_t application, connection.integer("PRAGMA application_id"));
    TRY_ASSIGN(const std::int64_t version, connection.integer("PRAGMA user_version"));
    TRY_ASSIGN(const std::int64_t things, connection.integer("SELECT count(*) FROM sqlite_schema"));
    if (application == 0 && version == 0 && things == 0) {
        TRY(connection.run(tables));
        return true;
    }
    if (application != application_id) {
        return Error{Error::Code::corrupt, {}, 0, "database " + path + " is not a kubemu database"};
    }
    if (version > schema_version) {
        return Error{Error::Code::newer_schema,
                     {},
                     0,
                     "database " + path + " has schema version " + std::to_string(version) +
                         ", this kubemu knows " + std::to_string(schema_version) +
                         "; use the newer kubemu that made it"};
    }
    TRY_ASSIGN(
        const std::int64_t known,
        connection.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('revision','meta','mark',"
                           "'revision_by_key','revision_by_resource','revision_chain')"));
    if (known != 6) return Error{Error::Code::corrupt, {}, 0, "database " + path + " lacks tables of kubemu"};
    return true;
}

}  // namespace kubemu::storage

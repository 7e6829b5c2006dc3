// Tables: an append-only log of revisions, and a few named values.
#include "storage/schema.h"

namespace kubemu::storage {
namespace {

constexpr std::int64_t application_id = 0x6b656d75;  // "kemu"

// verb: 1 put, 2 delete. (resource, key, rev) serves reads at a revision and the start, (resource, rev) the replay.
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
CREATE INDEX revision_by_key ON revision(resource, key, rev);
CREATE INDEX revision_by_resource ON revision(resource, rev);
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 1801809269;
PRAGMA user_version = 1;
COMMIT;
)";
static_assert(application_id == 1801809269 && schema_version == 1, "the text above repeats both");

}  // namespace

Result<bool, Error> prepare_schema(Connection& connection, const std::string& path) {
    TRY_ASSIGN(const std::int64_t application, connection.integer("PRAGMA application_id"));
    TRY_ASSIGN(const std::int64_t version, connection.integer("PRAGMA user_version"));
    TRY_ASSIGN(const std::int64_t table_count, connection.integer("SELECT count(*) FROM sqlite_schema"));
    if (application == 0 && version == 0 && table_count == 0) {
        TRY(connection.run(tables));
        return true;
    }
    if (application != application_id) {
        return Error{Error::Code::corrupt, {}, 0, "database " + path + " is not a kubemu database"};
    }
    if (version > schema_version) {
        return Error{Error::Code::newer_schema, {}, 0,
                     "database " + path + " has schema version " + std::to_string(version) + ", this kubemu knows " +
                         std::to_string(schema_version) + "; use the newer kubemu that made it"};
    }
    return true;
}

}  // namespace kubemu::storage

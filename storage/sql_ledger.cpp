// Opening a database, and what is written to it beside batches.
#include "storage/sql_ledger.h"

#include <utility>

#include "storage/compactor.h"
#include "storage/schema.h"

namespace kubemu::storage {
namespace {

// 16 MiB of log before SQLite copies it into the database: rarely enough not to be seen in write latency.
constexpr const char* checkpoint_pragma = "PRAGMA wal_autocheckpoint=4000";

}  // namespace

StoreResult<SqlLedger::Opened> SqlLedger::open(const std::string& path, bool synced, const ViewOf& view_of, TextPacker& packer) {
    TRY_ASSIGN(Connection opened, Connection::open(path, Connection::Access::read_write));
    auto writer = std::make_unique<Connection>(std::move(opened));
    TRY(prepare_schema(*writer, path));
    TRY(writer->run("PRAGMA journal_mode=WAL"));
    TRY(writer->run(synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
    TRY(writer->run(checkpoint_pragma));
    TRY(writer->run("PRAGMA cache_size=-2000"));
    TRY(writer->run("PRAGMA temp_store=MEMORY"));
    Opened made;
    TRY_ASSIGN(made.startup, read_startup(*writer, view_of, packer));
    TRY_ASSIGN(BatchWriter batches, BatchWriter::make(*writer));
    made.ledger.reset(new SqlLedger(std::move(writer), std::move(batches), path, view_of));
    return made;
}

SqlLedger::SqlLedger(std::unique_ptr<Connection> connection, BatchWriter batches, const std::string& path, const ViewOf& view_of)
    : writer_(std::move(connection)), batches_(std::move(batches)), history_(path, view_of) {}

StoreResult<bool> SqlLedger::write(const std::vector<Accepted>& batch, const std::optional<TimeMark>& mark) {
    return batches_.write(batch, mark);
}

std::function<StoreResult<bool>()> SqlLedger::compaction(Revision revision) {
    return [run = std::make_shared<CompactionRun>(*writer_, revision)] { return run->slice(); };
}

StoreResult<bool> SqlLedger::set_meta(std::string_view name, std::string_view value) {
    TRY_ASSIGN(Statement row, writer_->prepare("INSERT OR REPLACE INTO meta(name,value) VALUES(?,?)"));
    if (!row.bind(1, name).bind(2, value).execute()) return writer_->error();
    return true;
}

}  // namespace kubemu::storage

// The inserts of a group commit.
#include "storage/batch_writer.h"

#include "storage/schema.h"

namespace kubemu::storage {

StoreResult<BatchWriter> BatchWriter::make(Connection& connection) {
    TRY_ASSIGN(Statement begin, connection.prepare("BEGIN IMMEDIATE"));
    TRY_ASSIGN(Statement insert,
               connection.prepare("INSERT INTO revision(" KUBEMU_REVISION_COLUMNS ") VALUES(?,?,?,?,?,?,?)"));
    TRY_ASSIGN(Statement mark, connection.prepare("INSERT OR REPLACE INTO mark(time,rev) VALUES(?,?)"));
    TRY_ASSIGN(Statement commit, connection.prepare("COMMIT"));
    return BatchWriter(connection, {std::move(begin), std::move(insert), std::move(mark), std::move(commit)});
}

StoreResult<bool> BatchWriter::write(const std::vector<Accepted>& batch,
                                     const std::optional<TimeMark>& mark) {
    TRY_ASSIGN(SqlTransaction transaction, SqlTransaction::begin(*connection_, statements_.begin));
    for (const Accepted& accepted : batch) {
        for (const Event& event : accepted.events) {
            const Record& record = *event.record;
            const Bytes text = record.bytes.get();
            const Verb verb = record.deleted ? Verb::erase : Verb::put;
            statements_.insert.bind(1, record.revision).bind(2, record.resource).bind(3, record.key);
            statements_.insert.bind(4, static_cast<std::int64_t>(verb)).bind(5, record.create_revision);
            statements_.insert.bind(6, record.previous_revision).bind(7, *text);
            if (!statements_.insert.execute()) return connection_->error();
        }
    }
    if (mark) {
        statements_.mark.bind(1, std::int64_t{mark->time.time_since_epoch().count()}).bind(2, mark->revision);
        if (!statements_.mark.execute()) return connection_->error();
    }
    return transaction.commit(statements_.commit);
}

}  // namespace kubemu::storage

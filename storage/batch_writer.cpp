// The inserts of a group commit.
#include "storage/batch_writer.h"

#include "storage/schema.h"

namespace kubemu::storage {

StoreResult<BatchWriter> BatchWriter::make(Connection& connection) {
    TRY_ASSIGN(Statement insert,
               connection.prepare("INSERT INTO revision(" KUBEMU_REVISION_COLUMNS ") VALUES(?,?,?,?,?,?,?)"));
    TRY_ASSIGN(Statement mark, connection.prepare("INSERT OR REPLACE INTO mark(time,rev) VALUES(?,?)"));
    return BatchWriter(connection, std::move(insert), std::move(mark));
}

StoreResult<bool> BatchWriter::write(const std::vector<Accepted>& batch,
                                     const std::optional<TimeMark>& mark) {
    TRY_ASSIGN(SqlTransaction transaction, SqlTransaction::begin(*connection_));
    for (const Accepted& accepted : batch) {
        for (const Event& event : accepted.events) {
            const Record& record = *event.record;
            const Bytes text = record.bytes.get();
            const Verb verb = record.deleted ? Verb::erase : Verb::put;
            insert_.bind(1, record.revision).bind(2, record.resource).bind(3, record.key);
            insert_.bind(4, static_cast<std::int64_t>(verb)).bind(5, record.create_revision);
            insert_.bind(6, record.previous_revision).bind(7, *text);
            if (!insert_.execute()) return connection_->error();
        }
    }
    if (mark) {
        mark_.bind(1, std::int64_t{mark->time.time_since_epoch().count()}).bind(2, mark->revision);
        if (!mark_.execute()) return connection_->error();
    }
    return transaction.commit();
}

}  // namespace kubemu::storage

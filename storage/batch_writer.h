// BatchWriter: writes what was accepted, one SQLite transaction a batch.
#pragma once

#include <optional>
#include <vector>

#include "storage/commit_queue.h"
#include "storage/sqlite.h"
#include "storage/time_marks.h"

namespace kubemu::storage {

// Belongs to the connection's thread.
class BatchWriter {
  public:
    static StoreResult<BatchWriter> make(Connection& connection);
    // When it returns true, the batch (and the mark) is as durable as the connection was set up for;
    // otherwise nothing of it is in the database. Errors: io, corrupt, locked.
    StoreResult<bool> write(const std::vector<Accepted>& batch, const std::optional<TimeMark>& mark);

  private:
    struct Statements {
        Statement begin, insert, mark, commit;
    };
    BatchWriter(Connection& connection, Statements statements)
        : connection_(&connection), statements_(std::move(statements)) {}

    Connection* connection_;
    Statements statements_;
};

}  // namespace kubemu::storage

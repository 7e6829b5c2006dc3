// Ledger: where the revisions are kept, for those who read the past and, when it is a file, for the next start.
//
// The store calls the writing side (write, compaction, set_meta) from one thread at a time and knows what is published
// and what is compacted; a ledger knows neither. The reading side is for any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/commit_queue.h"
#include "storage/store.h"
#include "storage/time_marks.h"
#include "storage/watch_cursor.h"

namespace kubemu::storage {

class Ledger {
  public:
    virtual ~Ledger() = default;

    // When it returns true, the batch (and the mark) is as durable as it will ever be; otherwise nothing of it counts.
    // Errors: io, corrupt, locked.
    virtual StoreResult<bool> write(const std::vector<Accepted>& batch, const std::optional<TimeMark>& mark) = 0;
    // Forgets what was replaced or deleted at or before the revision. One slice a call; true when it is finished.
    virtual std::function<StoreResult<bool>()> compaction(Revision revision) = 0;
    virtual StoreResult<bool> set_meta(std::string_view name, std::string_view value) = 0;

    // The objects at query.revision. Errors of this and the next: io, corrupt.
    virtual StoreResult<Page> list(const Store::PageQuery& query) const = 0;
    // The newest version at or before the revision; null when there was none.
    virtual StoreResult<RecordPtr> get(std::string_view resource, std::string_view key, Revision revision) const = 0;
    // The events after query.after, up to `until`.
    virtual StoreResult<EventSource::Part> replay(const EventSource::Query& query, Revision until) const = 0;
    virtual StoreResult<std::optional<std::string>> meta(std::string_view name) const = 0;
};

}  // namespace kubemu::storage

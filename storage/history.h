// History: reads of the past, from the database, beside the writer.
//
// The file is read through connections of its own (WAL: readers and the writer do not wait for each other). Nothing
// here knows what is compacted or published: the store checks that before and after.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/sqlite.h"
#include "storage/store.h"
#include "storage/watch_cursor.h"

namespace kubemu::storage {

using ViewOf = std::function<std::shared_ptr<const View>(const Record&)>;

// The row of a query that selects KUBEMU_REVISION_COLUMNS; without a view. Null when it is not a possible
// row.
std::shared_ptr<Record> record_of_row(Statement& row);

// Thread-safe.
class History {
  public:
    // Connections to the file are opened as readers meet, and kept.
    History(std::string path, ViewOf view_of);
    ~History();

    // The objects at a revision. Errors: io, corrupt.
    StoreResult<Page> list(const Store::PageQuery& query) const;
    // Null when there was none.
    StoreResult<RecordPtr> get(std::string_view resource, std::string_view key, Revision revision) const;
    // The events after query.after, up to `until`.
    StoreResult<EventSource::Part> replay(const EventSource::Query& query, Revision until) const;
    StoreResult<std::optional<std::string>> meta(std::string_view name) const;

  private:
    class Reader;
    // Calls f(Reader&) with a reader that nobody else uses meanwhile.
    template <class F>
    auto with_reader(F f) const -> decltype(f(std::declval<Reader&>()));
    void add_view(const std::shared_ptr<Record>& record) const;

    const std::string path_;
    const ViewOf view_of_;
    mutable Mutex mutex_;
    mutable std::vector<std::unique_ptr<Reader>> idle_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::storage

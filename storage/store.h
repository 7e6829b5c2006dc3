// Store: the contract of the revision log.
//
// A write is accepted, then durable, then published. `submit` checks preconditions against everything accepted
// so far, assigns revisions and returns the finished records at once; the storage thread writes what was
// accepted in group commits, publishes it (index, event logs, current revision, watchers) in the order of
// revisions and then runs the completions. Nothing is published before it is durable. When the disk fails, what
// was not yet durable is never published, its completions get the error, and the store refuses writes from then on.
//
// Readers see published state, except `tip`, which is what the next write will be compared with: a writer reads
// `tip`, and so never conflicts with a write of its own that is still on its way to the disk.
//
// All methods may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"
#include "storage/error.h"
#include "storage/record.h"

namespace kubemu::storage {

template <class T>
using StoreResult = Result<T, Error>;

// The objects of a resource at one revision, ordered by key (bytewise).
struct Snapshot {
    Revision revision = 0;
    std::vector<RecordPtr> records;
};

struct Page {
    Revision revision = 0;  // the snapshot's revision
    std::vector<RecordPtr> records;
    bool more = false;         // the limit cut the list here
    std::size_t remaining = 0;  // objects after the last record of this page
};

// Reads the changes of one resource in order, each exactly once. Sans I/O: it never blocks.
// One thread at a time; `wake` may be called from the storage thread at any moment while the cursor lives.
class WatchCursor {
  public:
    virtual ~WatchCursor() = default;

    struct Batch {
        enum class State {
            more,     // call again at once
            idle,     // at the head; `wake` will be called once when there is more
            expired,  // the position was compacted away, or the reader lags too far; the watch is over
        };
        State state = State::idle;
        std::vector<Event> events;
        // Every change of this resource up to here has been delivered: what a bookmark may say. At the head it is
        // the store's current revision even when the resource itself did not change.
        Revision position = 0;
    };
    virtual Batch next(std::size_t events_max) = 0;
};

// Called once on the storage thread, after publication or failure. Must be quick and must not call the store.
using Completion = std::function<void(const Error* failure)>;

class Store {
  public:
    virtual ~Store() = default;

    // The records as they will be published. Errors: already_exists, not_found, conflict, read_only; nothing of
    // the transaction is accepted then, and `done` is not called. `done` may be empty.
    virtual StoreResult<std::vector<RecordPtr>> submit(Transaction transaction, Completion done) = 0;

    // The newest accepted version, durable or not; null when there is none.
    virtual RecordPtr tip(std::string_view resource, std::string_view key) const = 0;
    // The newest published version; null when there is none.
    virtual RecordPtr get(std::string_view resource, std::string_view key) const = 0;
    // All published objects whose key starts with `prefix`, at the current revision. No SQL.
    virtual Snapshot list(std::string_view resource, std::string_view prefix) const = 0;
    virtual std::size_t count(std::string_view resource, std::string_view prefix) const = 0;

    // History. Errors: compacted, future_revision, io.
    struct PageQuery {
        std::string_view resource = {};
        std::string_view prefix = {};
        Revision revision = 0;    // exactly this one; 0 for the current one
        std::string_view after = {};  // start behind this key; empty for the first page
        std::size_t limit = 0;    // 0 for all
    };
    virtual StoreResult<Page> list_at(const PageQuery& query) const = 0;
    virtual StoreResult<RecordPtr> get_at(std::string_view resource, std::string_view key, Revision revision) const = 0;

    // Changes of a resource (keys with `prefix`) after revision `after`. Errors: compacted, future_revision.
    virtual StoreResult<std::unique_ptr<WatchCursor>> watch(std::string_view resource, std::string_view prefix,
                                                            Revision after, std::function<void()> wake) = 0;

    virtual Revision current_revision() const = 0;    // newest published
    // Every cursor that slept has been woken for all changes up to here: one that has not been is at the head as of
    // this revision.
    virtual Revision announced_revision() const = 0;
    virtual Revision compacted_revision() const = 0;  // history up to and including this one is gone

    // Forgets versions that were replaced at or before `revision`; the newest version of each live object stays.
    virtual StoreResult<Revision> compact(Revision revision) = 0;
    // Returns when everything accepted before the call is durable and published, or the store has failed.
    virtual void flush() = 0;
    // The revision that was current at (or just before) the given age, for the compactor. 0 when unknown.
    virtual Revision revision_at_age(std::chrono::seconds age) const = 0;
    // Values that outlive a restart and are not objects (for example the cluster's own id).
    virtual std::optional<std::string> meta(std::string_view name) const = 0;
    virtual StoreResult<bool> set_meta(std::string_view name, std::string_view value) = 0;
};

// From now on what this thread writes is also flushed by it, soon: no other thread is woken for that. Meant for a loop
// that flushes anyway.
void this_thread_flushes(bool flushes);

}  // namespace kubemu::storage

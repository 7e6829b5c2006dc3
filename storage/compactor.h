// Compaction: what may be forgotten, and forgetting it in small steps.
//
// A version may go when it was replaced at or before the compaction's revision, and so may a deletion. Both
// are found by walking the rows since the last compaction only: each row names the version that it replaced.
#pragma once

#include <chrono>

#include "storage/base/limits.h"
#include "storage/sqlite.h"
#include "storage/store.h"

namespace kubemu::storage {

// What stays of the newest revisions where five minutes pass in no time: half a second's work of the control loop. (The
// last thousand events of each resource are in its event log anyway.)
inline constexpr Revision revisions_kept_on_quick_clocks = 5'000;

// Forgets history that is older than five minutes, as kube-apiserver asks etcd to do. The server calls
// run_once() now and then (once a minute is plenty); any thread, no more than one at a time.
class Compactor {
  public:
    // The newest `kept` revisions stay, however old they are: on a clock that is not the machine's five minutes may pass
    // in one of its milliseconds, in which no watcher could keep up. Then nothing is done for a few revisions.
    explicit Compactor(Store& store, std::chrono::seconds age = limits::compaction_age, Revision kept = 0)
        : store_(store), age_(age), kept_(kept) {}
    // The revision up to which history is gone. Errors: io, read_only.
    StoreResult<Revision> run_once();

  private:
    Store& store_;
    const std::chrono::seconds age_;
    const Revision kept_;
};

// One compaction of a database, done in slices so that writes go on in between.
// A crash between slices leaves rows that the next compaction deletes: the progress is kept in the same
// transactions.
class CompactionRun {
  public:
    CompactionRun(Connection& connection, Revision revision) : connection_(connection), revision_(revision) {}
    // Looks at the next 1,000 rows; true when there are no more.
    StoreResult<bool> slice();

  private:
    StoreResult<bool> start();

    Connection& connection_;
    const Revision revision_;
    Revision progress_ = -1;  // rows up to here are done; -1 before the start
};

}  // namespace kubemu::storage

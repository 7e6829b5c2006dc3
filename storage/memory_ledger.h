// MemoryLedger: the past of a store without a file, as the records themselves.
//
// A revision is one record, and revisions have no gaps: so the log is a queue in which a revision finds its place by
// subtraction. Records are shared with the index and the event logs, and the texts of those that have grown cold are
// packed (text_packer.h): a version of a pod that is kept only for its history takes half a kilobyte. What compaction
// forgets goes back to the system; what it leaves of the time before stands apart, in the order of revisions. For
// example, after a@1, b@2, a@3, b@4 (deletes b), a compaction at 3 leaves before = {b@2, a@3} and the queue {b@4}.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/ledger.h"

namespace kubemu::storage {

// Thread-safe.
class MemoryLedger final : public Ledger {
  public:
    StoreResult<bool> write(const std::vector<Accepted>& batch, const std::optional<TimeMark>& mark) override;
    std::function<StoreResult<bool>()> compaction(Revision revision) override;
    StoreResult<bool> set_meta(std::string_view name, std::string_view value) override;

    StoreResult<Page> list(const Store::PageQuery& query) const override;
    StoreResult<RecordPtr> get(std::string_view resource, std::string_view key, Revision revision) const override;
    StoreResult<EventSource::Part> replay(const EventSource::Query& query, Revision until) const override;
    StoreResult<std::optional<std::string>> meta(std::string_view name) const override;

    // Records that are kept.
    std::size_t size() const;

  private:
    using Records = std::vector<RecordPtr>;

    // Forgets up to `revision`, a slice of the queue at most; true when it got there.
    bool forget_slice(Revision revision);
    // Null when it is not kept.
    RecordPtr at(Revision revision) const KUBEMU_REQUIRES(mutex_);

    mutable Mutex mutex_;
    Records before_ KUBEMU_GUARDED_BY(mutex_);           // what compaction left, by revision
    std::deque<RecordPtr> queue_ KUBEMU_GUARDED_BY(mutex_);  // all later revisions
    std::map<std::string, std::string, std::less<>> meta_ KUBEMU_GUARDED_BY(mutex_);
};

}  // namespace kubemu::storage

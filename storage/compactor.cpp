// Which revision to compact at: the one that was current at the age limit.
#include "storage/compactor.h"

#include "storage/base/limits.h"

namespace kubemu::storage {

StoreResult<Revision> compact_old_history(Store& store) {
    const Revision revision = store.revision_at_age(limits::compaction_age);
    if (revision <= store.compacted_revision()) return store.compacted_revision();
    return store.compact(revision);
}

}  // namespace kubemu::storage

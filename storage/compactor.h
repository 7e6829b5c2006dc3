// Compactor: forgets history that is older than five minutes, as kube-apiserver asks etcd to do.
#pragma once

#include "storage/store.h"

namespace kubemu::storage {

// Call it every few minutes; it decides from the store's marks what may go. Returns the revision up to which history
// is gone.
StoreResult<Revision> compact_old_history(Store& store);

}  // namespace kubemu::storage

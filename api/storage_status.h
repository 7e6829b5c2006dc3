// The one map from what can go wrong in the store to what a client is told.
#pragma once

#include <string_view>

#include "api/schema/kind.h"
#include "api/values/status.h"
#include "storage/error.h"

namespace kubemu::api {

Status storage_status(const storage::Error& error, const KindSpec& kind, std::string_view name);

// The object is not the one, or not the version, that the request is about (storage.Preconditions): `what` is UID or
// ResourceVersion. As of storage.NewInvalidObjError, or of DryRunnableStorage.
Status precondition_failed(const KindSpec& kind, std::string_view namespace_name, std::string_view name, std::string_view what,
                           std::string_view wanted, std::string_view found, bool dry_run);

}  // namespace kubemu::api

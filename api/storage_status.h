// The one map from what can go wrong in the store to what a client is told.
#pragma once

#include <string_view>

#include "api/schema/kind.h"
#include "api/values/status.h"
#include "storage/error.h"

namespace kubemu::api {

Status storage_status(const storage::Error& error, const KindSpec& kind, std::string_view name);

}  // namespace kubemu::api

// A look into a database file that another process may have open.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/store.h"

namespace kubemu::storage {

// Store::meta of the file; nothing when it has no such value. Errors: io, corrupt; also when there is no such file.
StoreResult<std::optional<std::string>> meta_of_file(const std::string& path, std::string_view name);

}  // namespace kubemu::storage

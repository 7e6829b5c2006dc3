// The tables of the revision log and their version.
#pragma once

#include "storage/sqlite.h"

namespace kubemu::storage {

// Rises with each change of the tables; a database of a higher version is refused.
inline constexpr std::int64_t schema_version = 1;

// Makes the tables in a new database, checks them in an old one. Errors: corrupt, newer_schema, io.
Result<bool, Error> prepare_schema(Connection& connection, const std::string& path);

}  // namespace kubemu::storage

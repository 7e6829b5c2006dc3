// The tables of the revision log and their version.
#pragma once

#include <cstdint>
#include <string>

#include "storage/sqlite.h"

namespace kubemu::storage {

// Rises with each change of the tables; a database of a higher version is refused.
inline constexpr std::int64_t schema_version = 1;

// Makes the tables in a new database, checks them in an old one. Errors: corrupt, newer_schema, io.
Result<bool, Error> prepare_schema(Connection& connection, const std::string& path);

// Columns of `revision` in the order in which every query of whole rows selects them.
#define KUBEMU_REVISION_COLUMNS "rev,resource,key,verb,create_rev,prev_rev,bytes"

enum class Verb : std::int64_t {
    put = 0,
    erase = 1,
};

}  // namespace kubemu::storage

// What a store reads when it opens a database: the newest version of each live object, and a few numbers.
#pragma once

#include <vector>

#include "storage/history.h"
#include "storage/key_index.h"
#include "storage/text_packer.h"
#include "storage/time_marks.h"

namespace kubemu::storage {

struct Startup {
    Revision newest = 0;
    Revision compacted = 0;
    KeyIndexes indexes;
    std::vector<TimeMark> marks;
};

// One pass over an index, one row a live object, packed at once. Errors: corrupt, io.
StoreResult<Startup> read_startup(Connection& connection, const ViewOf& view_of, TextPacker& packer);

}  // namespace kubemu::storage

// What can go wrong in the store. api/storage_status.* is the one place that turns it into a Status.
#pragma once

#include <string>

#include "storage/record.h"

namespace kubemu::storage {

struct Error {
    enum class Code {
        already_exists,       // the key is taken
        not_found,            // there is no such key (at that revision)
        conflict,             // the key is at another revision than the writer thought; `revision` says at which
        compacted,            // the revision asked for is no longer kept; `revision` is the oldest that is
        future_revision,      // the revision asked for does not exist yet; `revision` is the current one
        read_only,            // an earlier commit failed, so nothing is written any more
        corrupt,              // the database holds what this program did not write
        newer_schema,         // the database belongs to a newer kubemu
        locked,               // another process has the database open
        io,                   // the disk failed, is full, or the path cannot be opened
    };
    Code code = Code::io;
    std::string key;
    Revision revision = 0;
    std::string detail;  // for people; empty where the code says it all
};

// A sentence for a log line or for the terminal.
std::string to_string(const Error& error);

}  // namespace kubemu::storage

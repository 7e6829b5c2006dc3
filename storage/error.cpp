// The sentences of storage errors.
#include "storage/error.h"

namespace kubemu::storage {

std::string to_string(const Error& error) {
    if (!error.detail.empty()) return error.detail;
    const std::string revision = std::to_string(error.revision);
    switch (error.code) {
        case Error::Code::already_exists:
            return error.key + " exists already";
        case Error::Code::not_found:
            return error.key + " does not exist";
        case Error::Code::conflict:
            return error.key + " is at revision " + revision;
        case Error::Code::compacted:
            return "the oldest revision that is kept is " + revision;
        case Error::Code::future_revision:
            return "the current revision is " + revision;
        case Error::Code::read_only:
            return "the store refuses writes because an earlier one failed";
        case Error::Code::corrupt:
            return "the database is damaged";
        case Error::Code::newer_schema:
            return "the database belongs to a newer kubemu";
        case Error::Code::locked:
            return "another process uses the database";
        case Error::Code::io:
            return "the disk failed";
    }
    return "unknown storage error";
}

}  // namespace kubemu::storage

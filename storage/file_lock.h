// FileLock: one process a database. SQLite's own locks would also keep out this process's readers.
#pragma once

#include <string>
#include <utility>

#include "storage/base/result.h"
#include "storage/error.h"

namespace kubemu::storage {

// Holds an exclusive lock on `<database>.lock` while it lives; the system frees it when the process dies,
// however it dies. The file itself stays: removing it would race with the next process.
class FileLock {
  public:
    // Errors: locked, io; the detail names the database.
    static Result<FileLock, Error> take(const std::string& database_path);

    FileLock() = default;
    ~FileLock();
    FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }

  private:
    int descriptor_ = -1;
};

}  // namespace kubemu::storage

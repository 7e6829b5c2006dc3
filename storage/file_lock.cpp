// flock() on a file beside the database.
#include "storage/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace kubemu::storage {

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<FileLock, Error> FileLock::take(const std::string& database_path) {
    FileLock lock;
    const std::string path = database_path + ".lock";
    lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock.descriptor_ < 0) {
        return Error{Error::Code::io, {}, 0, "cannot open " + path + ": " + std::strerror(errno)};
    }
    if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return Error{Error::Code::io, {}, 0, "cannot lock " + path + ": " + std::strerror(errno)};
        }
        return Error{
            Error::Code::locked, {}, 0, "database " + database_path + " is in use by another kubemu"};
    }
    return lock;
}

}  // namespace kubemu::storage

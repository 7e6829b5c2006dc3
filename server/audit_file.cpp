// One write(2) a line: with O_APPEND lines of several threads do not mix.
#include "server/audit_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace kubemu::server {
namespace {

struct File {
    explicit File(int given) : descriptor(given) {}
    ~File() { if (descriptor > STDERR_FILENO) ::close(descriptor); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    const int descriptor;
};

}  // namespace

Result<std::function<void(std::string)>, std::string> open_audit_file(const std::string& path) {
    const int descriptor = path == "-" ? STDOUT_FILENO : ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return path + ": the audit log cannot be opened: " + std::strerror(errno);
    return std::function<void(std::string)>([file = std::make_shared<File>(descriptor)](const std::string& line) {
        for (std::size_t at = 0; at < line.size();) {
            const ssize_t wrote = ::write(file->descriptor, line.data() + at, line.size() - at);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) return;
            at += static_cast<std::size_t>(wrote);
        }
    });
}

}  // namespace kubemu::server

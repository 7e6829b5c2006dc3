// What the process has of the machine's memory, in bytes.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace kubemu::tests {

inline std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace kubemu::tests

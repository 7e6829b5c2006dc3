// Pages of files that are mapped for reading are dropped from the process, not from the machine: the next read of one
// costs a minor fault for sixteen of them. What the loader has relocated stands in writable segments and stays.
#include "storage/base/idle_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>

namespace kubemu {
namespace {

// Breakpoints are copies of pages that a debugger has changed, and would be dropped with the rest.
bool is_traced() {
    std::ifstream status("/proc/self/status");
    const std::string name = "TracerPid:";
    for (std::string line; std::getline(status, line);) {
        if (line.compare(0, name.size(), name) == 0) return line.find_first_not_of("\t 0", name.size()) != std::string::npos;
    }
    return false;
}

int drop_read_only_segments(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        // A last page may be shared with the next segment.
        const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
        const std::uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_filesz) / page * page;
        if (begin < end) (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void give_back_memory() {
    malloc_trim(0);
    if (!is_traced()) dl_iterate_phdr(drop_read_only_segments, nullptr);
}

}  // namespace kubemu

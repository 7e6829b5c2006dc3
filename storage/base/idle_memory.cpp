// glibc gives whole free pages back from the end of its heap alone, unless it is told to look between.
#include "storage/base/idle_memory.h"

#include <malloc.h>

#include "storage/base/small_blocks.h"

namespace kubemu {

namespace {

// Lists of thousands of objects take this much and more; a buffer that is used again and again takes less.
constexpr int free_bytes_max = 1024 * 1024;

}  // namespace

// By itself glibc keeps twice the largest buffer that was ever freed, up to 64 MB for each thread, and malloc_trim does not
// look at the end of a thread's heap.
void limit_free_memory() {
    mallopt(M_MMAP_THRESHOLD, free_bytes_max);
    mallopt(M_TRIM_THRESHOLD, free_bytes_max);
}

void give_back_memory() {
    give_back_small_blocks();
    malloc_trim(0);
}

}  // namespace kubemu

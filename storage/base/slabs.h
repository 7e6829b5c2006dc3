// Slabs: where small blocks come from, each size apart from the others.
//
// What lives long lies among what lived as long as a request: when ten thousand pods are gone, the events that tell of
// them stay, some in each page of a heap that knows no sizes, and hold all of it. Blocks of one size mostly have one
// purpose and one length of life, so that here a page is soon free as a whole, and a block needs no header. Which blocks
// are free is noted beside the slabs and not in them: the pages of free blocks can be given back to the machine.
//
// Allocators of libraries were tried in their place, mimalloc 2.0 (with mi_collect at rest) and jemalloc 5.3. They are as
// quick within a tenth, but a pod of 10,000 takes 0.4 to 0.7 KB more, and of what those took 155 and 214 MB stay after their
// deletion where it is 127 MB here. glibc alone takes a third to half more processor time for patches and rollouts.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kubemu::slabs {

inline constexpr std::size_t granule = 16;
// Blocks of a class hold `size_class * granule` bytes. Class 0 is none.
inline constexpr std::size_t block_bytes_max = 512;
inline constexpr std::size_t classes = block_bytes_max / granule + 1;
// All slabs together; only what is used takes memory. More small blocks than this are malloc's.
inline constexpr std::size_t region_bytes = std::size_t{16} << 30;

struct FreeBlock {
    FreeBlock* next;
};

// Null until the first block was taken.
extern constinit std::atomic<const char*> region;

// Whether a block is from here.
inline bool own(const void* block) {
    const char* const begin = region.load(std::memory_order_relaxed);
    return begin != nullptr && reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(begin) < region_bytes;
}

// The rest is thread-safe.

// A chain of `count` free blocks, those at low addresses first; fewer, or none, when the machine has no room.
FreeBlock* take(std::size_t size_class, std::size_t count);
// Takes back a chain of blocks, of whatever classes.
void put(FreeBlock* chain);
// Of a block that is in use.
std::size_t class_of(const void* block);
// Gives the machine all pages without a block in use. Looks only at slabs that got blocks back since it was last called.
void give_back();

}  // namespace kubemu::slabs

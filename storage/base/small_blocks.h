// Small blocks: operator new and delete of the whole program, with a stock of small blocks for each thread.
//
// A document is a tree of some hundred nodes that is made, changed, written and dropped within a hundred microseconds.
// glibc keeps seven free blocks of a size at hand; what goes beyond is sorted, merged and split again, which took a
// quarter of the processor time of a busy cluster. A thread's stock takes a block off a list and puts it back, with
// neither locks nor counters of other threads. What does not fit into the stock goes back to the slabs (slabs.h), from
// which stocks are filled.
//
// Where a sanitizer watches the heap all this stays out of its way: every block is malloc's there.
#pragma once

#include <cstddef>

namespace kubemu {

// Larger blocks are left to malloc.
inline constexpr std::size_t small_block_bytes_max = 512;
// A thread's stock: the nodes of a few large documents.
inline constexpr std::size_t small_blocks_kept_max = 192 * 1024;

// Bytes in the calling thread's stock.
std::size_t small_blocks_kept();

// Gives the machine the pages of small blocks that nobody uses or has in stock.
void give_back_small_blocks();

}  // namespace kubemu

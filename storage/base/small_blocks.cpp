// Lists of free blocks, one a size.
//
// The blocks are malloc's, of the sizes that glibc makes anyway: a multiple of 16 less its header of 8. So a block may
// come from one side and go back to the other: from malloc into the stock of whichever thread frees it, and to free()
// when the stock is full or its thread ends. A block goes by its size where the compiler says it, else by what glibc
// made of it, which is never less.
#include "storage/base/small_blocks.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KUBEMU_WATCHED_HEAP
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KUBEMU_WATCHED_HEAP
#endif
#endif

#if defined(KUBEMU_WATCHED_HEAP) || !defined(__GLIBC__)

namespace kubemu {
std::size_t small_blocks_kept() { return 0; }
}  // namespace kubemu

#else

namespace kubemu {
namespace {

constexpr std::size_t granule = 16;
constexpr std::size_t header = 8;

// The class of blocks that hold `bytes`, and the bytes that each block of a class holds.
constexpr std::size_t class_of(std::size_t bytes) {
    return std::max<std::size_t>(1, (bytes + granule - 1 - header) / granule);
}
constexpr std::size_t bytes_of(std::size_t size_class) { return size_class * granule + header; }

constexpr std::size_t classes = class_of(small_block_bytes_max) + 1;
static_assert(bytes_of(classes - 1) == small_block_bytes_max);

struct FreeBlock {
    FreeBlock* next;
};

struct Stock {
    std::array<FreeBlock*, classes> blocks{};
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;  // until the thread frees its first block, and when it ends
    bool closed = false;

    void empty();
};

// Without a destructor, so that no access has to ask whether it has been made.
constinit thread_local Stock stock;

// Empties the stock of a thread that ends; what the thread frees after that goes to free().
struct Closing {
    bool armed = false;
    ~Closing() {
        stock.empty();
        stock.closed = true;
        stock.bytes_max = 0;
    }
};
thread_local Closing closing;

void Stock::empty() {
    for (FreeBlock*& first : blocks) {
        while (first != nullptr) std::free(std::exchange(first, first->next));
    }
    bytes = 0;
}

[[gnu::noinline]] void* from_malloc(std::size_t bytes) {
    for (;;) {
        if (void* block = std::malloc(bytes)) return block;
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

inline void* take(std::size_t bytes) {
    if (bytes > small_block_bytes_max) return from_malloc(bytes);
    const std::size_t size_class = class_of(bytes);
    FreeBlock* const block = stock.blocks[size_class];
    if (block == nullptr) return from_malloc(bytes_of(size_class));
    stock.blocks[size_class] = block->next;
    stock.bytes -= bytes_of(size_class);
    return block;
}

inline void keep(void* block, std::size_t size_class) {
    stock.blocks[size_class] = new (block) FreeBlock{stock.blocks[size_class]};
    stock.bytes += bytes_of(size_class);
}

// There is no room, or the stock is not open.
[[gnu::noinline]] void put_beyond(void* block, std::size_t size_class) {
    if (stock.closed || stock.bytes_max != 0) return std::free(block);
    closing.armed = true;
    stock.bytes_max = small_blocks_kept_max;
    keep(block, size_class);
}

inline void put(void* block, std::size_t size_class) {
    if (stock.bytes + bytes_of(size_class) > stock.bytes_max) return put_beyond(block, size_class);
    keep(block, size_class);
}

}  // namespace

std::size_t small_blocks_kept() { return stock.bytes; }

}  // namespace kubemu

void* operator new(std::size_t bytes) { return kubemu::take(bytes); }

void operator delete(void* block, std::size_t bytes) noexcept {
    if (block == nullptr) return;
    if (bytes > kubemu::small_block_bytes_max) return std::free(block);
    kubemu::put(block, kubemu::class_of(bytes));
}

void operator delete(void* block) noexcept {
    if (block == nullptr) return;
    const std::size_t bytes = malloc_usable_size(block);
    if (bytes > kubemu::small_block_bytes_max) return std::free(block);
    kubemu::put(block, (bytes - kubemu::header) / kubemu::granule);
}

#endif

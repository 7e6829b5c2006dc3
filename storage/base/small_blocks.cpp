// Lists of free blocks, one a size.
//
// A block of a slab may be freed by any thread, and goes into that thread's stock. It goes by its size where the compiler
// says it, else by its slab's.
#include "storage/base/small_blocks.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "storage/base/slabs.h"

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
void give_back_small_blocks() {}
}  // namespace kubemu

#else

namespace kubemu {
namespace {

using slabs::FreeBlock;

static_assert(small_block_bytes_max == slabs::block_bytes_max);

constexpr std::size_t class_of(std::size_t bytes) {
    return std::max<std::size_t>(1, (bytes + slabs::granule - 1) / slabs::granule);
}
constexpr std::size_t bytes_of(std::size_t size_class) { return size_class * slabs::granule; }

// Blocks that move between a stock and the slabs at a time.
constexpr std::size_t moved_at_once(std::size_t size_class) { return std::max<std::size_t>(8, 4096 / bytes_of(size_class)); }

struct Stock {
    std::array<FreeBlock*, slabs::classes> blocks{};
    std::size_t bytes = 0;
    std::size_t bytes_max = 0;  // until the thread's first block, and when it ends
    bool closed = false;

    bool open();
    void empty();
};

// Without a destructor, so that no access has to ask whether it has been made.
constinit thread_local Stock stock;

// Empties the stock of a thread that ends; what the thread frees after that goes to the slabs.
struct Closing {
    bool armed = false;
    ~Closing() {
        stock.empty();
        stock.closed = true;
        stock.bytes_max = 0;
    }
};
thread_local Closing closing;

bool Stock::open() {
    if (closed) return false;
    closing.armed = true;
    bytes_max = small_blocks_kept_max;
    return true;
}

void Stock::empty() {
    for (FreeBlock*& first : blocks) {
        if (first != nullptr) slabs::put(std::exchange(first, nullptr));
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

[[gnu::noinline]] void* from_slabs(std::size_t size_class) {
    const bool keeps = stock.bytes_max != 0 || stock.open();
    FreeBlock* const block = slabs::take(size_class, keeps ? moved_at_once(size_class) : 1);
    if (block == nullptr) return from_malloc(bytes_of(size_class));
    stock.blocks[size_class] = block->next;
    for (const FreeBlock* more = block->next; more != nullptr; more = more->next) stock.bytes += bytes_of(size_class);
    return block;
}

inline void* take(std::size_t bytes) {
    if (bytes > small_block_bytes_max) return from_malloc(bytes);
    const std::size_t size_class = class_of(bytes);
    FreeBlock* const block = stock.blocks[size_class];
    if (block == nullptr) return from_slabs(size_class);
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
    if (stock.bytes_max == 0 && stock.open()) return keep(block, size_class);
    auto* const chain = new (block) FreeBlock{nullptr};
    FreeBlock* last = chain;
    FreeBlock*& first = stock.blocks[size_class];
    for (std::size_t more = moved_at_once(size_class); more > 0 && first != nullptr; --more) {
        last = last->next = std::exchange(first, first->next);
        stock.bytes -= bytes_of(size_class);
    }
    last->next = nullptr;
    slabs::put(chain);
}

inline void put(void* block, std::size_t size_class) {
    if (stock.bytes + bytes_of(size_class) > stock.bytes_max) return put_beyond(block, size_class);
    keep(block, size_class);
}

}  // namespace

std::size_t small_blocks_kept() { return stock.bytes; }

void give_back_small_blocks() { slabs::give_back(); }

}  // namespace kubemu

void* operator new(std::size_t bytes) { return kubemu::take(bytes); }

void operator delete(void* block, std::size_t bytes) noexcept {
    if (bytes > kubemu::small_block_bytes_max || !kubemu::slabs::own(block)) return std::free(block);
    kubemu::put(block, kubemu::class_of(bytes));
}

void operator delete(void* block) noexcept {
    if (!kubemu::slabs::own(block)) return std::free(block);
    kubemu::put(block, kubemu::slabs::class_of(block));
}

#endif

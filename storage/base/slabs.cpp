// Bitmaps of free blocks, and bitmaps of the slabs that have some. The lowest free block is always the next, so that what
// is in use draws together at low addresses.
#include "storage/base/slabs.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "storage/base/mutex.h"

namespace kubemu::slabs {

constinit std::atomic<const char*> region{nullptr};

namespace {

constexpr std::size_t slab_bytes = 16 * 1024;
constexpr std::size_t slabs_max = region_bytes / slab_bytes;
constexpr std::size_t word_bits = 64;

using Word = std::uint64_t;

struct Slab {
    std::array<Word, slab_bytes / granule / word_bits> free;  // a bit for each block
    std::uint16_t free_count;
    std::uint8_t size_class;
    bool got_some_back;  // since the last give_back

    std::size_t block_bytes() const { return size_class * granule; }
    std::size_t blocks() const { return slab_bytes / block_bytes(); }
    bool is_free(std::size_t block) const { return (free[block / word_bits] >> (block % word_bits) & 1) != 0; }
};

// A set of slabs of which the lowest is found quickly.
struct SlabSet {
    std::array<Word, slabs_max / word_bits> words;
    std::size_t lowest_word;  // none before it has a bit

    void add(std::size_t slab) {
        words[slab / word_bits] |= Word{1} << (slab % word_bits);
        lowest_word = std::min(lowest_word, slab / word_bits);
    }
    void remove(std::size_t slab) { words[slab / word_bits] &= ~(Word{1} << (slab % word_bits)); }
    // `end` when there is none; all slabs are below `end`.
    std::size_t lowest(std::size_t end) {
        for (; lowest_word * word_bits < end; ++lowest_word) {
            if (const Word word = words[lowest_word]) return lowest_word * word_bits + static_cast<std::size_t>(std::countr_zero(word));
        }
        return end;
    }
};

// As large as the region allows; what is not used of it stays untouched, and all begins as zeros.
struct Books {
    std::array<Slab, slabs_max> slabs;
    std::array<SlabSet, classes> partial;  // some blocks are free, some in use
    SlabSet empty;                         // all are free
    std::size_t fresh;                     // slabs from here on were never used
};

constinit Mutex mutex;
constinit Books* books KUBEMU_GUARDED_BY(mutex) = nullptr;
constinit char* begin KUBEMU_GUARDED_BY(mutex) = nullptr;
constinit bool refused KUBEMU_GUARDED_BY(mutex) = false;

char* reserve(std::size_t bytes) {
    void* const got = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return got == MAP_FAILED ? nullptr : static_cast<char*>(got);
}

bool open() KUBEMU_REQUIRES(mutex) {
    if (begin != nullptr || refused) return begin != nullptr;
    char* const at = reserve(region_bytes);
    char* const notes = at == nullptr ? nullptr : reserve(sizeof(Books));
    if (notes == nullptr) {
        if (at != nullptr) munmap(at, region_bytes);
        refused = true;
        return false;
    }
    // A page of 2 MB for each few blocks would be what this is to avoid.
    (void)madvise(at, region_bytes, MADV_NOHUGEPAGE);
    (void)madvise(notes, sizeof(Books), MADV_NOHUGEPAGE);
    books = reinterpret_cast<Books*>(notes);
    begin = at;
    region.store(at, std::memory_order_relaxed);
    return true;
}

// A slab with free blocks; slabs_max when there is no room.
std::size_t find_slab(std::size_t size_class) KUBEMU_REQUIRES(mutex) {
    const std::size_t partial = books->partial[size_class].lowest(books->fresh);
    if (partial < books->fresh) return partial;
    std::size_t found = books->empty.lowest(books->fresh);
    if (found == books->fresh) {
        if (found == slabs_max) return slabs_max;
        ++books->fresh;
    } else {
        books->empty.remove(found);
    }
    Slab& slab = books->slabs[found];
    slab.size_class = static_cast<std::uint8_t>(size_class);
    slab.free_count = static_cast<std::uint16_t>(slab.blocks());
    for (std::size_t word = 0, left = slab.blocks(); word < slab.free.size(); ++word) {
        const std::size_t here = std::min(left, word_bits);
        slab.free[word] = here == word_bits ? ~Word{0} : (Word{1} << here) - 1;
        left -= here;
    }
    books->partial[size_class].add(found);
    return found;
}

// Whether no block of the slab that reaches into these bytes of it is in use.
bool unused(const Slab& slab, std::size_t from, std::size_t to) {
    const std::size_t end = std::min((to + slab.block_bytes() - 1) / slab.block_bytes(), slab.blocks());
    for (std::size_t block = from / slab.block_bytes(); block < end; ++block) {
        if (!slab.is_free(block)) return false;
    }
    return true;
}

// Neighbouring pages go together.
class Returned {
  public:
    void add(char* from, std::size_t bytes) {
        if (from != end_) flush(from);
        end_ = from + bytes;
    }
    void flush(char* next = nullptr) {
        if (end_ != begin_) (void)madvise(begin_, static_cast<std::size_t>(end_ - begin_), MADV_DONTNEED);
        begin_ = end_ = next;
    }

  private:
    char* begin_ = nullptr;
    char* end_ = nullptr;
};

void give_back_pages(Slab& slab, char* at, std::size_t page, Returned& returned) {
    if (!slab.got_some_back) return;
    slab.got_some_back = false;
    if (slab.free_count == slab.blocks()) return returned.add(at, slab_bytes);
    for (std::size_t from = 0; from < slab_bytes; from += page) {
        if (unused(slab, from, from + page)) returned.add(at + from, page);
    }
}

}  // namespace

FreeBlock* take(std::size_t size_class, std::size_t count) {
    FreeBlock* chain = nullptr;
    FreeBlock** tail = &chain;
    const Lock lock(mutex);
    if (!open()) return nullptr;
    while (count > 0) {
        const std::size_t found = find_slab(size_class);
        if (found == slabs_max) break;
        Slab& slab = books->slabs[found];
        char* const at = begin + found * slab_bytes;
        for (std::size_t word = 0; count > 0 && slab.free_count > 0; ++word) {
            for (Word& bits = slab.free[word]; count > 0 && bits != 0; bits &= bits - 1) {
                const std::size_t block = word * word_bits + static_cast<std::size_t>(std::countr_zero(bits));
                *tail = reinterpret_cast<FreeBlock*>(at + block * slab.block_bytes());
                tail = &(*tail)->next;
                --slab.free_count;
                --count;
            }
        }
        if (slab.free_count == 0) books->partial[size_class].remove(found);
    }
    *tail = nullptr;
    return chain;
}

void put(FreeBlock* chain) {
    const Lock lock(mutex);
    while (chain != nullptr) {
        const auto offset = static_cast<std::size_t>(reinterpret_cast<char*>(chain) - begin);
        chain = chain->next;
        const std::size_t index = offset / slab_bytes;
        Slab& slab = books->slabs[index];
        const std::size_t block = offset % slab_bytes / slab.block_bytes();
        slab.free[block / word_bits] |= Word{1} << (block % word_bits);
        slab.got_some_back = true;
        if (++slab.free_count == 1) books->partial[slab.size_class].add(index);
        if (slab.free_count == slab.blocks()) {
            books->partial[slab.size_class].remove(index);
            books->empty.add(index);
        }
    }
}

// Nobody else writes to the notes of the class while one of its blocks is in use.
std::size_t class_of(const void* block) KUBEMU_THREAD_ATTRIBUTE(no_thread_safety_analysis) {
    return books->slabs[static_cast<std::size_t>(static_cast<const char*>(block) - begin) / slab_bytes].size_class;
}

void give_back() {
    constexpr std::size_t at_a_time = 64;  // slabs: others wait for blocks meanwhile
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (std::size_t index = 0;; index += at_a_time) {
        Returned returned;
        const Lock lock(mutex);
        if (begin == nullptr || index >= books->fresh) return;
        const std::size_t end = std::min(index + at_a_time, books->fresh);
        for (std::size_t i = index; i < end; ++i) give_back_pages(books->slabs[i], begin + i * slab_bytes, page, returned);
        returned.flush();
    }
}

}  // namespace kubemu::slabs

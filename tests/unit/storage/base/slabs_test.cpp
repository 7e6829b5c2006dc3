// Slabs: blocks of one size together, low addresses first, and pages without blocks in use go back.
#include "storage/base/slabs.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/harness/resident_bytes.h"

namespace kubemu {
namespace {

using Blocks = std::vector<slabs::FreeBlock*>;

Blocks taken(std::size_t size_class, std::size_t count) {
    Blocks blocks;
    for (slabs::FreeBlock* block = slabs::take(size_class, count); block != nullptr; block = block->next) blocks.push_back(block);
    return blocks;
}

void put(const Blocks& blocks) {
    slabs::FreeBlock* chain = nullptr;
    for (slabs::FreeBlock* block : blocks) block->next = std::exchange(chain, block);
    slabs::put(chain);
}

}  // namespace

TEST_CASE("blocks of every size are apart, and known as what they are") {
    std::set<std::pair<char*, char*>> places;
    std::vector<Blocks> all;
    for (std::size_t size_class = 1; size_class < slabs::classes; ++size_class) {
        const std::size_t bytes = size_class * slabs::granule;
        const std::size_t count = 40'000 / bytes;  // more than a slab has
        all.push_back(taken(size_class, count));
        REQUIRE(all.back().size() == count);
        for (slabs::FreeBlock* block : all.back()) {
            CHECK(slabs::own(block));
            CHECK(slabs::class_of(block) == size_class);
            auto* const begin = reinterpret_cast<char*>(block);
            std::memset(begin, static_cast<int>(size_class), bytes);
            places.insert({begin, begin + bytes});
        }
    }
    const char* end = nullptr;
    for (const auto& [from, to] : places) {
        CHECK(from >= end);
        end = to;
    }
    int on_the_stack = 0;
    CHECK_FALSE(slabs::own(&on_the_stack));
    CHECK_FALSE(slabs::own(nullptr));
    for (const Blocks& blocks : all) put(blocks);
}

TEST_CASE("the lowest free block is the next") {
    const Blocks blocks = taken(20, 1000);
    put({blocks[900], blocks[17], blocks[501]});
    CHECK(taken(20, 3) == Blocks{blocks[17], blocks[501], blocks[900]});
    put(blocks);
}

TEST_CASE("a slab without blocks in use serves every size") {
    Blocks small = taken(3, 100'000);
    const std::set<slabs::FreeBlock*> places(small.begin(), small.end());
    put(small);
    const Blocks large = taken(30, 1000);
    std::size_t again = 0;
    for (slabs::FreeBlock* block : large) again += places.lower_bound(block) != places.end() && block >= *places.begin() ? 1 : 0;
    CHECK(again > 900);
    put(large);
}

TEST_CASE("pages without a block in use are given back, and what stays is whole") {
    constexpr std::size_t size_class = 12, count = 100'000;
    constexpr std::size_t bytes = size_class * slabs::granule;
    const Blocks blocks = taken(size_class, count);
    for (slabs::FreeBlock* block : blocks) std::memset(static_cast<void*>(block), 'x', bytes);
    // One of two hundred stays: every tenth page has one.
    Blocks gone, staying;
    for (std::size_t i = 0; i < count; ++i) (i % 200 == 0 ? staying : gone).push_back(blocks[i]);
    put(gone);
    const std::size_t before = tests::resident_bytes();
    slabs::give_back();
    const std::size_t after = tests::resident_bytes();
    CHECK(after + count * bytes * 3 / 4 < before);
    for (slabs::FreeBlock* block : staying) {
        const char* const text = reinterpret_cast<const char*>(block);
        for (std::size_t i = 0; i < bytes; ++i) REQUIRE(text[i] == 'x');
    }
    const Blocks again = taken(size_class, gone.size());
    CHECK(std::set(again.begin(), again.end()) == std::set(gone.begin(), gone.end()));
    put(again);
    put(staying);
}

TEST_CASE("threads take and put at the same time") {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([i] {
            for (std::size_t round = 0; round < 200; ++round) {
                const Blocks blocks = taken(2 + round % 3, 100);
                for (slabs::FreeBlock* block : blocks) std::memset(static_cast<void*>(block), i, 32);
                for (slabs::FreeBlock* block : blocks) {
                    if (*reinterpret_cast<char*>(block) != i) std::abort();
                }
                put(blocks);
                if (round % 50 == 0) slabs::give_back();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace kubemu

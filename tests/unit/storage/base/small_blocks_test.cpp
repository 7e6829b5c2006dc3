// The stock of small blocks: what is freed is used again, in bounds, whichever thread frees it.
#include "storage/base/small_blocks.h"

#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

// Clang 14 does not declare it by itself.
void operator delete(void* block, std::size_t bytes) noexcept;

namespace kubemu {
namespace {

// A sanitizer's heap has no stock.
bool stocked() {
    ::operator delete(::operator new(40), std::size_t{40});
    return small_blocks_kept() > 0;
}

}  // namespace

TEST_CASE("a block that was freed is the next of its size") {
    if (!stocked()) return;
    // In a thread of its own: what tests before this one have freed may fill the stock of theirs.
    std::thread fresh([] {
        for (std::size_t bytes = 1; bytes <= small_block_bytes_max; ++bytes) {
            void* const block = ::operator new(bytes);
            std::memset(block, 1, bytes);
            ::operator delete(block, bytes);
            void* const next = ::operator new(bytes);
            CHECK(next == block);
            // Without its size it goes by its slab's, which may be more than was asked for.
            const std::size_t usable = (bytes + 15) / 16 * 16;
            ::operator delete(next);
            void* const third = ::operator new(usable);
            CHECK(third == block);
            std::memset(third, 2, usable);
            ::operator delete(third);
        }
    });
    fresh.join();
}

TEST_CASE("blocks that are in use do not overlap") {
    std::vector<std::unique_ptr<std::vector<unsigned char>>> texts;
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 2000; ++i) {
            const std::size_t size = i * 7 % 700 + 1;
            texts.push_back(std::make_unique<std::vector<unsigned char>>(size, static_cast<unsigned char>(i)));
        }
        for (std::size_t i = 0; i < 2000; ++i) {
            for (const unsigned char byte : *texts[i]) REQUIRE(byte == static_cast<unsigned char>(i));
        }
        texts.clear();
    }
}

TEST_CASE("a stock is bounded, and a thread's stock ends with it") {
    if (!stocked()) return;
    std::vector<std::unique_ptr<std::array<char, 100>>> many;
    for (std::size_t bytes = 0; bytes < 2 * small_blocks_kept_max; bytes += 100) {
        many.push_back(std::make_unique<std::array<char, 100>>());
    }
    std::size_t kept = 0;
    std::thread other([&] {
        many.clear();
        kept = small_blocks_kept();
    });
    other.join();
    CHECK(kept > small_blocks_kept_max / 2);
    CHECK(kept <= small_blocks_kept_max);
    CHECK(small_blocks_kept() <= small_blocks_kept_max);
}

}  // namespace kubemu

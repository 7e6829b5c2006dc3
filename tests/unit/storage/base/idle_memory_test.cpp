// Memory that is free goes back, and the program goes on.
#include "storage/base/idle_memory.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/base/small_blocks.h"
#include "tests/harness/resident_bytes.h"

// Clang 14 does not declare it by itself.
void operator delete(void* block, std::size_t bytes) noexcept;

namespace kubemu {
namespace {

// A sanitizer's heap keeps what is freed.
bool plain_heap() {
    ::operator delete(::operator new(40), std::size_t{40});
    return small_blocks_kept() > 0;
}

}  // namespace

TEST_CASE("a thread that has freed much keeps little of it") {
    limit_free_memory();
    // After this glibc would keep up to 64 MB.
    ::operator delete(::operator new(32'000'000));
    std::size_t before = 0, after = 0;
    std::thread([&] {
        // What the look itself needs stands below the blocks from now on.
        (void)tests::resident_bytes();
        constexpr std::size_t size = 100'000, count = 200;
        std::vector<std::unique_ptr<char[]>> blocks(count);
        for (auto& block : blocks) block = std::make_unique<char[]>(size);
        before = tests::resident_bytes();
        blocks.clear();
        after = tests::resident_bytes();
        if (plain_heap()) CHECK(after + size * count / 2 < before);
    }).join();
}

TEST_CASE("what was freed between blocks that stay is given back") {
    constexpr std::size_t size = 4000, count = 8000;
    std::vector<std::unique_ptr<std::string>> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(std::make_unique<std::string>(size, 'x'));
    // Every sixteenth stays, so that the heap cannot shrink from its end.
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 16 != 0) texts[i].reset();
    }
    const std::size_t before = tests::resident_bytes();
    give_back_memory();
    const std::size_t after = tests::resident_bytes();
    if (plain_heap()) CHECK(after + size * count / 8 < before);
    for (std::size_t i = 0; i < count; i += 16) REQUIRE(*texts[i] == std::string(size, 'x'));
}

}  // namespace kubemu

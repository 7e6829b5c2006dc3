// Memory that is free goes back, and the program goes on.
#include "storage/base/idle_memory.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/small_blocks.h"

namespace kubemu {
namespace {

std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0, resident = 0;
    statm >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// A sanitizer's heap keeps what is freed.
bool plain_heap() {
    ::operator delete(::operator new(40), std::size_t{40});
    return small_blocks_kept() > 0;
}

}  // namespace

TEST_CASE("what was freed between blocks that stay is given back") {
    constexpr std::size_t size = 4000, count = 8000;
    std::vector<std::unique_ptr<std::string>> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(std::make_unique<std::string>(size, 'x'));
    // Every sixteenth stays, so that the heap cannot shrink from its end.
    for (std::size_t i = 0; i < count; ++i) {
        if (i % 16 != 0) texts[i].reset();
    }
    const std::size_t before = resident_bytes();
    give_back_memory();
    const std::size_t after = resident_bytes();
    if (plain_heap()) CHECK(after + size * count / 8 < before);
    for (std::size_t i = 0; i < count; i += 16) REQUIRE(*texts[i] == std::string(size, 'x'));
}

}  // namespace kubemu

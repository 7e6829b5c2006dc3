// One seed decides all draws, and purposes do not disturb each other.
#include "storage/base/random.h"

#include <doctest/doctest.h>

#include <tuple>

namespace kubemu {
namespace {

TEST_CASE("the same seed gives the same draws, purpose by purpose") {
    Random one(7);
    Random two(7);
    std::ignore = two.below("jitter", 100);
    CHECK(one.uuid() == two.uuid());
    CHECK(one.suffix() == two.suffix());
    CHECK(one.suffix("a") != one.suffix("b"));
    CHECK(Random(8).uuid() != Random(7).uuid());
    CHECK(one.seed() == 7);
}

TEST_CASE("draws have the right form") {
    Random random(1);
    for (int i = 0; i < 1000; ++i) {
        CHECK(random.below("x", 10) < 10);
        const double unit = random.unit("x");
        CHECK(unit >= 0);
        CHECK(unit < 1);
    }
    const std::string uuid = random.uuid();
    REQUIRE(uuid.size() == 36);
    CHECK(uuid[8] == '-');
    CHECK(uuid[14] == '4');
    CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
    CHECK(random.suffix("name", 8).find_first_not_of("bcdfghjklmnpqrstvwxz2456789") == std::string::npos);
}

}  // namespace
}  // namespace kubemu

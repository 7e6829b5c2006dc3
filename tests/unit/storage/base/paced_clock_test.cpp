// PacedClock: a factor, standing still, and being turned.
#include "storage/base/paced_clock.h"

#include <doctest/doctest.h>

namespace kubemu {
namespace {

constexpr Time noon = std::chrono::sys_days(std::chrono::year(2026) / 5 / 1) + std::chrono::hours(12);

TEST_CASE("a standing clock shows its start until it is turned, and never goes back") {
    PacedClock clock(0, noon);
    CHECK(clock.stands_still());
    CHECK(clock.now() == noon);
    clock.turn(noon + std::chrono::hours(1));
    CHECK(clock.now() == noon + std::chrono::hours(1));
    clock.turn(noon);
    CHECK(clock.now() == noon + std::chrono::hours(1));
}

TEST_CASE("only a turn brings a standing clock to a later time") {
    PacedClock clock(0, noon);
    CHECK_FALSE(clock.machine_time_until(noon + Duration(1)).has_value());
    CHECK(clock.machine_time_until(noon) == Duration(0));
    CHECK(clock.machine_time_until(noon - std::chrono::hours(1)) == Duration(0));
}

TEST_CASE("those who asked for it hear of turns, as long as they are there") {
    PacedClock clock(0, noon);
    int turns = 0;
    auto listener = std::make_shared<std::function<void()>>([&] { ++turns; });
    clock.on_turn(listener);
    clock.turn(noon + Duration(1));
    CHECK(turns == 1);
    listener.reset();
    clock.turn(noon + Duration(2));
    CHECK(turns == 1);
}

TEST_CASE("a scaled clock begins where it is told and needs a fraction of the machine's time") {
    PacedClock clock(3600, noon);
    CHECK_FALSE(clock.stands_still());
    const Time shown = clock.now();
    CHECK(shown >= noon);
    const auto left = clock.machine_time_until(shown + std::chrono::hours(1000));
    REQUIRE(left.has_value());
    CHECK(*left <= std::chrono::seconds(1001));
    CHECK(*left > std::chrono::seconds(500));
}

TEST_CASE("with factor 1 it is the machine's clock") {
    PacedClock clock(1, noon);
    const Time before = RealClock().now();
    const Time shown = clock.now();
    CHECK(shown >= before);
    CHECK(shown <= RealClock().now());
}

}  // namespace
}  // namespace kubemu

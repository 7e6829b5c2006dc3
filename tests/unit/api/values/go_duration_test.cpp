// Durations as Go reads them.
#include "api/values/go_duration.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("durations") {
    const auto count = [](const char* text) {
        const auto read = parse_go_duration(text);
        REQUIRE(read.has_value());
        return read->count();
    };
    CHECK(count("0") == 0);
    CHECK(count("-0") == 0);
    CHECK(count("1h30m") == 5'400'000'000'000);
    CHECK(count("-1.5s") == -1'500'000'000);
    CHECK(count(".5ms") == 500'000);
    CHECK(count("1us2\xc2\xb5s3ns") == 3003);
    CHECK(count("-9223372036854775808ns") == INT64_MIN);
}

TEST_CASE("what is no duration") {
    const auto why = [](const char* text) {
        const auto read = parse_go_duration(text);
        REQUIRE_FALSE(read.has_value());
        return read.error().message;
    };
    for (const char* text : {"x", "", "-", ".s", "9999999999999h", "9223372036854775808ns"}) {
        CHECK(why(text) == "time: invalid duration \"" + std::string(text) + "\"");
    }
    CHECK(why("1") == "time: missing unit in duration \"1\"");
    CHECK(why("1s1") == "time: missing unit in duration \"1s1\"");
    CHECK(why("1e3s") == "time: unknown unit \"e\" in duration \"1e3s\"");
    CHECK(why("1y") == "time: unknown unit \"y\" in duration \"1y\"");
}

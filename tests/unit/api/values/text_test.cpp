// Text as Go writes and reads it; times; percentages.
#include "api/values/text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/values/int_or_string.h"
#include "api/values/time.h"

using namespace kubemu;
using namespace kubemu::api;

TEST_CASE("quoting") {
    CHECK(go_quote("a\"b\\c\n\x01\xff\xc3\xa9") == R"("a\"b\\c\n\x01\xff)" "\xc3\xa9\"");
    std::string json;
    append_json_string(json, "<a&b>\xe2\x80\xa8\x02\xff");
    CHECK(json == "\"\\u003ca\\u0026b\\u003e\\u2028\\u0002\\ufffd\"");
}

TEST_CASE("URLs and base64") {
    CHECK(percent_decode("a%2Fb+c%zz", true) == "a/b c%zz");
    CHECK(percent_decode("a+b", false) == "a+b");
    std::string bytes;
    for (const char* text : {"", "a", "ab", "abc", "\xff\xfe"}) {
        REQUIRE(base64_decode(base64_encode(text), bytes));
        CHECK(bytes == text);
    }
    CHECK_FALSE(base64_decode("a", bytes));
    CHECK_FALSE(base64_decode("a===", bytes));
    CHECK_FALSE(base64_decode("YQ==YQ==", bytes));
}

TEST_CASE("UTF-8 is checked as Go checks it") {
    CHECK(valid_utf8("\xf0\x9f\x98\x80"));
    CHECK_FALSE(valid_utf8("\xed\xa0\x80"));
    CHECK_FALSE(valid_utf8("\xc0\x80"));
    CHECK_FALSE(valid_utf8("\xf5\x80\x80\x80"));
    CHECK_FALSE(valid_utf8("\xe2\x82"));
}

TEST_CASE("times in any zone are one moment, and ages are as long as kubectl shows them") {
    const auto time = parse_time("2024-02-29T12:30:00.25+01:30");
    REQUIRE(time);
    CHECK(format_time(*time) == "2024-02-29T11:00:00Z");
    CHECK(format_micro_time(*time) == "2024-02-29T11:00:00.250000Z");
    for (const char* text : {"2023-02-29T00:00:00Z", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T25:00:00Z", "x"}) {
        CHECK_FALSE(parse_time(text));
    }
    using namespace std::chrono_literals;
    CHECK(human_duration(119s) == "119s");
    CHECK(human_duration(150s) == "2m30s");
    CHECK(human_duration(10min) == "10m");
    CHECK(human_duration(3h + 5min) == "3h5m");
    CHECK(human_duration(50h) == "2d2h");
    CHECK(human_duration(24h * 400) == "400d");
    CHECK(human_duration(24h * 365 * 3) == "3y");
    CHECK(age_of("", *time) == "<unknown>");
}

TEST_CASE("numbers and percentages of a total") {
    CHECK(scaled_value(Json(3), 10, true) == 3);
    CHECK(scaled_value(Json("25%"), 10, true) == 3);
    CHECK(scaled_value(Json("25%"), 10, false) == 2);
    CHECK_FALSE(scaled_value(Json("25"), 10, true));
    CHECK_FALSE(scaled_value(Json("x%"), 10, true));
}

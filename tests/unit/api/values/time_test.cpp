// Times as they are read and written.
#include "api/values/time.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("years have four digits, whenever they were") {
    for (const char* text : {"0693-01-02T03:04:05Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}) {
        CAPTURE(text);
        const auto time = parse_time(text);
        REQUIRE(time.has_value());
        CHECK(format_time(*time) == text);
    }
    CHECK_FALSE(parse_time("0000-01-01T00:00:00+14:00").has_value());
    CHECK_FALSE(parse_time("9999-12-31T23:59:59-01:00").has_value());
}

// Quantities: what is one, its canonical form, its arithmetic.
#include "api/values/quantity.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

// Some are kept as they were written: see is_kept_as_written.
TEST_CASE("canonical forms") {
    struct Case {
        const char* text;
        const char* canonical;
    };
    const Case cases[] = {{"0", "0"},        {"1000m", "1"},     {"0.5", "500m"},   {"1.5Gi", "1536Mi"}, {"1024", "1024"},
                          {"1024Ki", "1Mi"}, {"1000Ki", "1000Ki"}, {"1000", "1k"},  {"2000000", "2M"},   {"+5", "+5"},
                          {"-5", "-5"},      {"0.0001m", "100n"},  {"1E3", "1E3"},  {"1e0", "1e0"},        {"0.1Ki", "102400m"},
                          {"1n", "1n"},      {".5", "500m"},       {"5.", "5."}};
    for (const Case& one : cases) {
        CAPTURE(one.text);
        const auto canonical = canonical_quantity(one.text);
        REQUIRE(canonical);
        CHECK(*canonical == one.canonical);
    }
}

TEST_CASE("what is no quantity") {
    for (const char* text : {"", "x", "1x", "1 ", "1.2.3", "1ki", "--1", "1e", "Ki", "."}) {
        CAPTURE(text);
        CHECK_FALSE(Quantity::parse(text));
    }
}

TEST_CASE("values are rounded up, and beyond the limits they stay there") {
    CHECK(Quantity::parse("100m")->value() == 1);
    CHECK(Quantity::parse("1500m")->milli_value() == 1500);
    CHECK(Quantity::parse("-1500m")->value() == -2);
    CHECK(Quantity::parse("100E")->value() == INT64_MAX);
    Quantity sum = *Quantity::parse("1Gi");
    sum += *Quantity::parse("512Mi");
    CHECK(sum.text() == "1536Mi");
    sum -= *Quantity::parse("1536Mi");
    CHECK(sum.is_zero());
    CHECK(*Quantity::parse("1") == *Quantity::parse("1000m"));
    CHECK(*Quantity::parse("999m") < *Quantity::parse("1"));
}

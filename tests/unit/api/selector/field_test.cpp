// Field selectors: terms, escapes, and what is none.
#include "api/selector/field.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("terms with their operators and escapes") {
    const auto parsed = parse_field_selector(R"(a=1,b!=2,c==3,d=x\,y\=z\\)");
    REQUIRE(parsed);
    REQUIRE(parsed->size() == 4);
    CHECK((*parsed)[0].field == "a");
    CHECK((*parsed)[1].negated);
    CHECK((*parsed)[2].value == "3");
    CHECK_FALSE((*parsed)[2].negated);
    CHECK((*parsed)[3].value == R"(x,y=z\)");
    CHECK(parse_field_selector("")->empty());
}

TEST_CASE("what is no field selector") {
    CHECK(parse_field_selector("a").error() == "invalid selector: 'a'; can't understand 'a'");
    CHECK(parse_field_selector("a=b\\x").error() == "invalid field selector: invalid escape sequence: \\x");
    CHECK(parse_field_selector("a=b\\").error() == "invalid field selector: unterminated escape sequence");
    CHECK(parse_field_selector("a=b=c").error() == "invalid field selector: unescaped character in value: 61");
}

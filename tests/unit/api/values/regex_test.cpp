// Patterns: compiled once for all who ask for the same one.
#include "api/values/regex.h"

#include <doctest/doctest.h>

using namespace kubemu::api;

TEST_CASE("a pattern is compiled once while it is in use, and again when many others came between") {
    const auto first = compiled_regex("^a+$");
    CHECK(first->matches("aaa"));
    CHECK_FALSE(first->matches("aab"));
    CHECK(compiled_regex("^a+$") == first);
    for (int i = 0; i < 1000; ++i) compiled_regex("x{" + std::to_string(i) + "}");
    const auto again = compiled_regex("^a+$");
    CHECK(again != first);
    CHECK(again->matches("aaa"));
    CHECK(first->matches("a"));
}

TEST_CASE("a broken pattern says what is wrong with it, and matches nothing") {
    const auto broken = compiled_regex("[a");
    CHECK(broken->error() == "error parsing regexp: missing closing ]: `[a`");
    CHECK_FALSE(broken->matches("a"));
    CHECK(broken->find_all("a").empty());
}

// Warning headers: escaped, once each, within limits.
#include "api/warnings.h"

#include <doctest/doctest.h>

using kubemu::api::warning_headers;

TEST_CASE("texts are escaped and said once; what no header can hold is left out") {
    const auto headers = warning_headers({"a \"b\" \\", "x", "a \"b\" \\", "two\nlines", "\xff", ""});
    REQUIRE(headers.size() == 2);
    CHECK(headers[0].first == "Warning");
    CHECK(headers[0].second == R"(299 - "a \"b\" \\")");
    CHECK(headers[1].second == R"(299 - "x")");
}

TEST_CASE("too much is cut, each text by itself") {
    std::vector<std::string> warnings;
    for (char c = 'a'; c <= 't'; ++c) warnings.push_back(std::string(300, c));
    const auto headers = warning_headers(warnings);
    CHECK(headers.size() == 16);
    CHECK(headers[0].second == "299 - \"" + std::string(256, 'a') + "\"");
    CHECK(warning_headers({std::string(4096, 'x')})[0].second.size() == 4096 + 8);
}

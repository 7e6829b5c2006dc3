// Words are found where the standard library finds them.
#include "storage/base/text_search.h"

#include <doctest/doctest.h>

#include <string>

namespace kubemu {

TEST_CASE("a word is found wherever it stands") {
    const std::string text = R"({"a":"\"b\"","ab":{"b":1},"b":2})";
    for (std::size_t from = 0; from <= text.size() + 1; ++from) {
        for (const char* part : {"\"b\":", "{", "}", "\"a\"", "ab", "zzz", "", "2}"}) {
            CAPTURE(from);
            CAPTURE(part);
            CHECK(find_text(text, part, from) == std::string_view(text).find(part, from));
        }
    }
    CHECK(contains_text(text, "\"ab\":"));
    CHECK(!contains_text(text, "\"abc\":"));
    CHECK(!contains_text({}, "a"));
}

}  // namespace kubemu

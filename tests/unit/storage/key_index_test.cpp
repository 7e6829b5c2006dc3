// KeyIndex against std::map, and ranges that do not change under their reader.
#include "storage/key_index.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

TEST_CASE("prefix_end") {
    CHECK(prefix_end("") == "");
    CHECK(prefix_end("a/") == "a0");
    CHECK(prefix_end("a\xff\xff") == "b");
    CHECK(prefix_end("\xff") == "");
}

TEST_CASE("an index finds, replaces and erases like a map") {
    std::mt19937_64 random(1);
    KeyIndex index;
    std::map<std::string, RecordPtr> model;
    for (Revision revision = 1; revision <= 20000; ++revision) {
        const std::string key =
            std::string(1, static_cast<char>('a' + random() % 4)) + std::to_string(random() % 1500);
        // Phases of growth and of shrinking, so that chunks split and merge.
        if (random() % 10 < (revision / 5000 % 2 == 0 ? 7U : 2U)) {
            const RecordPtr record = make_record("pods", key, revision);
            index.put(record);
            model[key] = record;
        } else {
            REQUIRE(index.erase(key) == (model.erase(key) == 1));
        }
        REQUIRE(index.size() == model.size());
        if (revision % 100 != 0) continue;
        const std::string prefix =
            random() % 3 == 0 ? "" : std::string(1, static_cast<char>('a' + random() % 5));
        const std::string after = random() % 2 == 0 ? "" : key;
        std::vector<RecordPtr> expected;
        std::size_t with_prefix = 0;
        for (const auto& [name, record] : model) {
            if (name.compare(0, prefix.size(), prefix) != 0) continue;
            ++with_prefix;
            if (after.empty() || name > after) expected.push_back(record);
        }
        const KeyRange range = index.range(prefix, after);
        REQUIRE(range.size() == expected.size());
        REQUIRE(range.records() == expected);
        if (expected.size() > 3) {
            expected.resize(3);
            REQUIRE(range.records(3) == expected);
        }
        REQUIRE(index.count(prefix) == with_prefix);
        const auto found = model.find(key);
        REQUIRE(index.find(key) == (found == model.end() ? nullptr : found->second));
    }
}

TEST_CASE("a range stays as it was while the index changes") {
    KeyIndex index;
    for (int i = 0; i < 1000; ++i) index.put(make_record("pods", std::to_string(1000 + i), i + 1));
    const KeyRange range = index.range("");
    const std::vector<RecordPtr> before = range.records();
    for (int i = 0; i < 1000; i += 2) index.erase(std::to_string(1000 + i));
    for (int i = 1; i < 1000; i += 2) index.put(make_record("pods", std::to_string(1000 + i), 5000 + i));
    CHECK(range.records() == before);
    CHECK(index.size() == 500);
    CHECK(index.range("").records().front()->revision == 5001);
}

}  // namespace
}  // namespace kubemu::storage

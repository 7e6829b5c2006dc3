// Texts that lean on others, and come back as they were.
#include "storage/text_packer.h"

#include <doctest/doctest.h>

#include <random>

#include "storage/base/limits.h"
#include "tests/unit/storage/store_fixture.h"

namespace kubemu::storage {
namespace {

RecordPtr record_with(std::string text, std::string resource = "pods") {
    auto record = std::make_shared<Record>();
    record->resource = std::move(resource);
    record->bytes = make_bytes(std::move(text));
    return record;
}

// Some hundred members, of which a few differ from one number to the next.
std::string document(int number, const std::string& note = "steady") {
    std::string text = "{\"name\":\"web-" + std::to_string(number) + "\",";
    for (int i = 0; i < 100; ++i)
        text += "\"member" + std::to_string(i) + "\":\"" + (i % 25 == 7 ? std::to_string(number * 7919) : note) + "\",";
    return text + "\"last\":" + std::to_string(number) + "}";
}

std::string random_text(std::mt19937& random, std::size_t size) {
    std::string text;
    while (text.size() < size) text += static_cast<char>(random() % 256);
    return text;
}

TEST_CASE("the difference from a like text is small and whole again") {
    const PackingBase base(make_bytes(document(1)));
    for (const int number : {1, 2, 10, 4711, 123456789}) {
        const std::string text = document(number);
        const auto packed = base.pack(text, text.size());
        REQUIRE(packed != nullptr);
        CHECK(packed->steps_size < text.size() / 10);
        CHECK(packed->size == text.size());
        CHECK(unpack(*packed) == text);
    }
    CHECK(base.pack(document(2), 20) == nullptr);
}

TEST_CASE("random edits of random texts come back as they were") {
    std::mt19937 random(20240607);
    for (int round = 0; round < 400; ++round) {
        const std::string from = random_text(random, random() % 3000);
        std::string text = from;
        for (unsigned edits = random() % 12; edits > 0; --edits) {
            const std::size_t at = text.empty() ? 0 : random() % text.size();
            switch (random() % 4) {
                case 0: text.insert(at, random_text(random, random() % 40)); break;
                case 1: text.erase(at, random() % 40); break;
                case 2: text.insert(at, from.substr(std::min(from.size(), at / 2), random() % 400)); break;
                default: text = text.substr(at) + text.substr(0, at);
            }
        }
        const PackingBase base(make_bytes(from));
        const auto packed = base.pack(text, 2 * text.size() + 100);
        CAPTURE(round);
        REQUIRE(packed != nullptr);
        REQUIRE(unpack(*packed) == text);
    }
}

TEST_CASE("an object is packed against an earlier version of itself") {
    // Two texts of a size that have little in common, and of each a later version.
    std::mt19937 random(7);
    std::vector<std::string> texts;
    for (int i = 0; i < 2; ++i) texts.push_back(random_text(random, 3000));
    TextPacker packer;
    std::vector<RecordPtr> records;
    for (const char* round : {"first", "later"}) {
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto record = std::make_shared<Record>();
            record->resource = "leases";
            record->key = "node-" + std::to_string(i);
            record->bytes = make_bytes(texts[i] + round);
            records.push_back(record);
            const std::size_t taken = packer.pack(*record);
            CHECK((taken < 20) == (records.size() > texts.size()));
        }
    }
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(*records[2 + i]->bytes.get() == texts[i] + "later");
}

TEST_CASE("a record is packed against one like it and reads the same") {
    TextPacker packer;
    const RecordPtr first = record_with(document(1));
    packer.pack(*first);
    CHECK(!first->bytes.packed());  // the base of the others
    std::vector<RecordPtr> records;
    for (int i = 2; i < 50; ++i) {
        records.push_back(record_with(document(i)));
        const Bytes before = records.back()->bytes.get();
        packer.pack(*records.back());
        REQUIRE(records.back()->bytes.packed());
        REQUIRE(*records.back()->bytes.get() == *before);
        packer.pack(*records.back());  // for a second time: nothing
        REQUIRE(*records.back()->bytes.get() == *before);
    }
    packer.pack(*first);
    CHECK(!first->bytes.packed());
    // A copy is packed, too, and a record that gets a text of its own is not.
    Record copy = *records[0];
    CHECK(copy.bytes.packed());
    CHECK(*copy.bytes.get() == document(2));
    copy.bytes = make_bytes("{}");
    CHECK(*copy.bytes.get() == "{}");
    CHECK(*records[0]->bytes.get() == document(2));
}

TEST_CASE("what is unlike the rest, small or huge stays plain") {
    TextPacker packer;
    std::mt19937 random(7);
    packer.pack(*record_with(document(1)));
    const RecordPtr noise = record_with(random_text(random, 5000)), small = record_with("{\"a\":1}"),
                    huge = record_with(std::string(limits::packed_text_bytes_max + 1, 'x'));
    for (const RecordPtr& record : {noise, small, huge}) {
        packer.pack(*record);
        CHECK(!record->bytes.packed());
    }
    // The noise has become a base beside the other one.
    const RecordPtr louder = record_with(*noise->bytes.get() + "!"), other = record_with(document(2)),
                    elsewhere = record_with(document(3), "nodes");
    for (const RecordPtr& record : {louder, other, elsewhere}) packer.pack(*record);
    CHECK(louder->bytes.packed());
    CHECK(other->bytes.packed());
    CHECK(!elsewhere->bytes.packed());  // resources have bases of their own
    CHECK(*louder->bytes.get() == *noise->bytes.get() + "!");
    CHECK(*other->bytes.get() == document(2));
}

TEST_CASE("texts that have come to be like each other more than like the base bring a new one") {
    TextPacker packer;
    const std::string more(100, '-');
    CHECK(packer.pack(*record_with(document(1))) == document(1).size());
    for (int i = 2; i < 60; ++i) {
        std::string text = document(i);
        for (int k = 0; k < 5; ++k) text += "\"grown" + std::to_string(k * 1234567) + "\":\"" + more + "\",";
        const RecordPtr record = record_with(text);
        const std::size_t size = packer.pack(*record);
        CAPTURE(i);
        REQUIRE(record->bytes.packed());
        REQUIRE(*record->bytes.get() == text);
        CHECK((size < text.size() / 8) == (i >= 2 + static_cast<int>(limits::packing_poor_max)));
    }
    // What is like the first one still finds it.
    CHECK(packer.pack(*record_with(document(77))) < document(77).size() / 8);
}

TEST_CASE("a base outlives the record that brought it and the packer") {
    RecordPtr second;
    {
        TextPacker packer;
        packer.pack(*record_with(document(1)));
        second = record_with(document(2));
        packer.pack(*second);
    }
    REQUIRE(second->bytes.packed());
    CHECK(*second->bytes.get() == document(2));
}

}  // namespace
}  // namespace kubemu::storage

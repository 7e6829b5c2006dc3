// What is kept is the document of that very record, within bounds.
#include "api/document_cache.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/codec/json.h"
#include "api/kind_registry.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

std::shared_ptr<storage::Record> record_at(storage::Revision revision, std::string text = "{}") {
    auto record = std::make_shared<storage::Record>();
    record->revision = revision;
    record->bytes = make_bytes(std::move(text));
    record->view = std::make_shared<const storage::View>();
    return record;
}

std::shared_ptr<Json> document(int number) { return std::make_shared<Json>(Json{{"number", number}}); }

}  // namespace

TEST_CASE("a document is found by its record until it is taken") {
    DocumentCache cache;
    const auto first = record_at(7), second = record_at(8);
    cache.add(*first, document(1));
    cache.add(*second, document(2));
    REQUIRE(cache.find(*first) != nullptr);
    CHECK((*cache.find(*first))["number"] == 1);
    CHECK((*cache.find(*second))["number"] == 2);
    CHECK(cache.take(*first).value()["number"] == 1);
    CHECK(cache.find(*first) == nullptr);
    CHECK(!cache.take(*first));
    cache.clear();
    CHECK(cache.find(*second) == nullptr);
}

TEST_CASE("an object that was never stored is not taken for the one whose revision it shows") {
    DocumentCache cache;
    const auto stored = record_at(7), dry_run = record_at(7);
    cache.add(*stored, document(1));
    CHECK(cache.find(*dry_run) == nullptr);
    cache.add(*dry_run, document(2));
    CHECK((*cache.find(*stored))["number"] == 1);
    CHECK((*cache.find(*dry_run))["number"] == 2);
}

TEST_CASE("who still reads a document keeps it as it was") {
    DocumentCache cache;
    const auto record = record_at(7);
    cache.add(*record, document(1));
    const DocumentCache::Document reader = cache.find(*record);
    Json taken = *cache.take(*record);
    taken["number"] = 2;
    CHECK((*reader)["number"] == 1);
}

TEST_CASE("what was read longest ago goes first") {
    DocumentCache cache;
    const auto first = record_at(1), second = record_at(2);
    cache.add(*first, document(1));
    cache.add(*second, document(2));
    CHECK(cache.find(*first) != nullptr);
    for (std::size_t i = 0; i + 1 < limits::kept_documents_max; ++i) {
        cache.add(*record_at(100 + static_cast<storage::Revision>(i)), document(0));
    }
    CHECK(cache.find(*second) == nullptr);
    CHECK(cache.find(*first) != nullptr);
    // Large ones push out more than one, and those that are too large are not kept at all.
    for (int i = 0; i < 8; ++i) {
        const auto large = record_at(200 + i, std::string(limits::kept_document_bytes_max, ' '));
        cache.add(*large, document(i));
        CHECK(cache.find(*large) != nullptr);
    }
    CHECK(cache.find(*first) == nullptr);
    const auto too_large = record_at(300, std::string(limits::kept_document_bytes_max + 1, ' '));
    cache.add(*too_large, document(0));
    CHECK(cache.find(*too_large) == nullptr);
}

TEST_CASE("what was written is found as it would be read") {
    DocumentCache cache;
    const KindRegistry kinds;
    const KindSpec& pods = kinds.stored("pods");
    const Json form = {{"metadata", {{"name", "a"}}}, {"spec", {{"nodeName", ""}, {"containers", {{{"name", "c"}, {"image", "i"}}}}}}};
    Encoded encoded = encode_object(form, *pods.type, "v1", "Pod");
    encoded.text.insert(encoded.revision_at, "7");
    const auto record = record_at(7, encoded.text), next = record_at(8, encoded.text);
    cache.add_written(*record, form, pods);
    REQUIRE(cache.find(*record) != nullptr);
    CHECK(*cache.find(*record) == parse_stored_json(encoded.text));
    cache.add_written(*next, form, pods);
    const Json taken = cache.take(*next).value();
    CHECK(taken["metadata"]["resourceVersion"] == "8");
    CHECK(taken["spec"] == cache.find(*record)->at("spec"));
}

}  // namespace kubemu::api

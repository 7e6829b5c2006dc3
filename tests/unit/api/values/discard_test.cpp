// A discarded document holds nothing any more, whatever it was.
#include "api/values/discard.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "storage/base/limits.h"

namespace kubemu::api {

TEST_CASE("documents of any form are emptied") {
    for (const char* text : {R"({"a":{"b":[{"c":"d"},[],{}]},"e":1})", R"([1,"two",[3,{"four":null}]])", "{}", "[]"}) {
        Json document = Json::parse(text);
        discard(document);
        CHECK(document.is_structured());
        CHECK(document.empty());
    }
    Json number = 7;
    discard(number);
    CHECK(number == 7);
}

TEST_CASE("the deepest document that is read can be discarded at the end of a scope") {
    Json document = "leaf";
    for (std::size_t depth = 0; depth < limits::document_depth_max; ++depth) {
        if (depth % 2 == 0) document = Json::array({std::move(document)});
        else document = Json{{"inside", std::move(document)}};
    }
    {
        const DiscardLater later(document);
        CHECK(!document.empty());
    }
    CHECK(document.empty());
}

}  // namespace kubemu::api

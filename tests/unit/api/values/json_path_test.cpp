// JSONPath of printer columns.
#include "api/values/json_path.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

const Json document = Json::parse(R"({
    "spec": {"size": 3, "list": ["x", "y", "z"], "conds": [{"type": "A", "n": 1}, {"type": "Ready", "status": "False", "n": 5}]},
    "metadata": {"annotations": {"example.com/x": "v"}}
})");

// What is found, as one JSON text.
std::string found(std::string_view path) {
    const auto parsed = JsonPath::parse(path);
    if (!parsed) return "unreadable";
    Json all = Json::array();
    for (const Json* value : parsed->find(document)) all.push_back(*value);
    return all.dump();
}

}  // namespace

TEST_CASE("members, indexes, wildcards, slices, unions and filters find what kubectl finds") {
    CHECK(found(".spec.size") == "[3]");
    CHECK(found(".spec['size']") == "[3]");
    CHECK(found(".spec.none.deeper") == "[]");
    CHECK(found(".spec.list[0]") == R"(["x"])");
    CHECK(found(".spec.list[-1]") == R"(["z"])");
    CHECK(found(".spec.list[7]") == "[]");
    CHECK(found(".spec.list[*]") == R"(["x","y","z"])");
    CHECK(found(".spec.list[1:]") == R"(["y","z"])");
    CHECK(found(".spec.list[0,2]") == R"(["x","z"])");
    CHECK(found(R"(.metadata.annotations.example\.com/x)") == R"(["v"])");
    CHECK(found(R"(.spec.conds[?(@.type=="Ready")].status)") == R"(["False"])");
    CHECK(found(".spec.conds[?(@.n>1)].type") == R"(["Ready"])");
    CHECK(found(".spec.conds[?(@.status)].n") == "[5]");
    CHECK(found("..type") == R"(["A","Ready"])");
}

TEST_CASE("what is no path is refused") {
    for (const char* path : {".spec[", ".spec[?(@.a==)]", ".spec['a]", ".spec[x]", ". a"}) {
        CAPTURE(path);
        CHECK(found(path) == "unreadable");
    }
}

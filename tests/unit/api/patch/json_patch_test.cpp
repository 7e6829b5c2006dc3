// JSON patches and merge patches, with the tolerances of the library behind the real server.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/patch/patch.h"

using namespace kubemu::api;

namespace {

struct Case {
    const char* what;
    const char* before;
    const char* patch;
    const char* after;  // null: refused with 422
};

Json parse(const char* text) { return Json::parse(text); }

}  // namespace

TEST_CASE("JSON patch operations") {
    const Case cases[] = {
        {"add to a map", R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
        {"add below what is not there", R"({})", R"([{"op":"add","path":"/x/y","value":1}])", nullptr},
        {"add without a value", R"({})", R"([{"op":"add","path":"/x"}])", R"({"x":null})"},
        {"add at the end", R"({"l":[1,2]})", R"([{"op":"add","path":"/l/-","value":3}])", R"({"l":[1,2,3]})"},
        {"add in between", R"({"l":[1,2]})", R"([{"op":"add","path":"/l/1","value":3}])", R"({"l":[1,3,2]})"},
        {"add counted from the end", R"({"l":[1,2]})", R"([{"op":"add","path":"/l/-1","value":3}])", R"({"l":[1,2,3]})"},
        {"add beyond the end", R"({"l":[1,2]})", R"([{"op":"add","path":"/l/3","value":3}])", nullptr},
        {"add at a word", R"({"l":[1,2]})", R"([{"op":"add","path":"/l/a1","value":3}])", nullptr},
        {"add to a scalar", R"({"a":"x"})", R"([{"op":"add","path":"/a/b","value":3}])", nullptr},
        {"add the whole document", R"({"a":1})", R"([{"op":"add","path":"","value":{}}])", nullptr},
        {"escaped names", R"({"a/b":{"c~d":1}})", R"([{"op":"replace","path":"/a~1b/c~0d","value":2}])", R"({"a/b":{"c~d":2}})"},
        {"a path that begins with a word", R"({"a":1})", R"([{"op":"replace","path":"x/a","value":2}])", R"({"a":2})"},
        {"a path without a slash", R"({"a":1})", R"([{"op":"replace","path":"a","value":2}])", nullptr},
        {"remove", R"({"a":1,"l":[1,2,3]})", R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/l/-1"}])", R"({"l":[1,2]})"},
        {"remove what is not there", R"({})", R"([{"op":"remove","path":"/a"}])", nullptr},
        {"replace adds to a map", R"({})", R"([{"op":"replace","path":"/a","value":1}])", R"({"a":1})"},
        {"replace does not add to a list", R"({"l":[]})", R"([{"op":"replace","path":"/l/0","value":1}])", nullptr},
        {"replace the whole document", R"({"a":1})", R"([{"op":"replace","path":"","value":{"b":2}}])", R"({"b":2})"},
        {"replace it with a word", R"({"a":1})", R"([{"op":"replace","path":"","value":"b"}])", nullptr},
        {"move", R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/c"}])", R"({"a":{},"c":1})"},
        {"move what is not there", R"({"a":{}})", R"([{"op":"move","from":"/a/b","path":"/c"}])", nullptr},
        {"copy", R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"}])", R"({"a":[1],"b":[1]})"},
        {"copy what is not there", R"({"a":1})", R"([{"op":"copy","from":"/x","path":"/b"}])", R"({"a":1,"b":null})"},
        {"test", R"({"a":{"b":[1,"x"]}})", R"([{"op":"test","path":"/a","value":{"b":[1,"x"]}}])", R"({"a":{"b":[1,"x"]}})"},
        {"test of another value", R"({"a":1})", R"([{"op":"test","path":"/a","value":2}])", nullptr},
        {"test of another form of a number", R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0}])", nullptr},
        {"test of nothing for null", R"({"a":1})", R"([{"op":"test","path":"/b","value":null}])", R"({"a":1})"},
        {"all or nothing", R"({"a":1})", R"([{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":1}])", nullptr},
        {"an unknown operation", R"({"a":1})", R"([{"op":"fly","path":"/a"}])", nullptr},
        {"an operation without a path", R"({"a":1})", R"([{"op":"remove"}])", nullptr},
    };
    for (const Case& one : cases) {
        CAPTURE(one.what);
        Json document = parse(one.before);
        const auto applied = apply_json_patch(document, parse(one.patch));
        if (one.after != nullptr) {
            REQUIRE(applied);
            CHECK(document == parse(one.after));
        } else {
            REQUIRE(!applied);
            CHECK(applied.error().code() == 422);
            CHECK(applied.error()->shows_details);
            CHECK(document == parse(one.before));
        }
    }
}

TEST_CASE("what is no list of operations is told apart, and unknown members are noted") {
    std::vector<std::string> complaints;
    CHECK(check_json_patch(parse("{}"), complaints) == "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
    CHECK(check_json_patch(parse("[5]"), complaints) == "json: cannot unmarshal number into Go value of type handlers.jsonPatchOp");
    CHECK(check_json_patch(parse(R"([{"op":1}])"), complaints) ==
          "json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string");
    CHECK(complaints.empty());
    CHECK(check_json_patch(parse(R"([{"op":"add","path":"/a","vlaue":1}])"), complaints).empty());
    CHECK(complaints == std::vector<std::string>{R"(unknown field "[0].vlaue")"});
    Json document = Json::object();
    const auto many = apply_json_patch(document, Json(Json::array_t(10001, Json::object())));
    REQUIRE(!many);
    CHECK(many.error().code() == 413);
}

TEST_CASE("merge patches") {
    const Case cases[] = {
        {"members", R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"c":null,"e":4}})", R"({"a":1,"b":{"d":3,"e":4}})"},
        {"lists are replaced", R"({"l":[1,2]})", R"({"l":[3]})", R"({"l":[3]})"},
        {"nulls leave no trace in what is new", R"({})", R"({"a":{"b":null,"c":[{"d":null,"e":1}]}})", R"({"a":{"c":[{"e":1}]}})"},
        {"a scalar becomes a map", R"({"a":1})", R"({"a":{"b":2}})", R"({"a":{"b":2}})"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.what);
        Json document = parse(one.before);
        apply_merge_patch(document, parse(one.patch));
        CHECK(document == parse(one.after));
    }
}

// Patched documents as values of their types: the converter's rules, which are not the decoder's.
#include "api/patch/convert.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/patch/go_text.h"

using namespace kubemu::api;

TEST_CASE("mistakes are told in the order of the fields, in the converter's words") {
    const TypeInfo& deployment = *find_type("apps/v1.Deployment");
    struct Case {
        const char* object;
        const char* message;
    };
    const Case cases[] = {
        {R"({"spec":"x"})", "cannot restore struct from: string"},
        {R"({"spec":{"replicas":"x"}})", "unrecognized type: int32"},
        {R"({"spec":{"replicas":1.5}})", "cannot convert float64 to int32"},
        {R"({"spec":{"paused":"yes"}})", "unrecognized type: bool"},
        {R"({"spec":{"template":{"spec":{"containers":"x"}}}})", "cannot restore slice from string"},
        {R"({"spec":{"template":{"spec":{"nodeSelector":["x"]}}}})", "cannot restore map from slice"},
        {R"({"spec":{"template":{"spec":{"hostname":5}}}})", "cannot convert int64 to string"},
        {R"({"spec":{"template":{"spec":{"hostname":true}}}})", "unrecognized type: string"},
        {R"({"metadata":{"labels":{"a":{}}},"spec":{"replicas":"x"}})", "unrecognized type: string"},
        // What parses itself knows nothing of where it stands.
        {R"({"metadata":{"creationTimestamp":5}})", "json: cannot unmarshal number into Go value of type string"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.object);
        Json object = Json::parse(one.object);
        const auto wrong = convert(object, deployment);
        REQUIRE(wrong);
        CHECK(*wrong == one.message);
    }
}

TEST_CASE("numbers take the form of their fields") {
    const TypeInfo& deployment = *find_type("apps/v1.Deployment");
    Json object = Json::parse(R"({"spec":{"replicas":3.0,"minReadySeconds":4294967297}})");
    CHECK(!convert(object, deployment));
    CHECK(object["spec"]["replicas"].is_number_integer());
    CHECK(object["spec"]["replicas"] == 3);
    CHECK(object["spec"]["minReadySeconds"] == 1);
}

TEST_CASE("documents print as Go prints maps and slices") {
    CHECK(go_text(Json::parse(R"({"b":[1,"x",null],"a":{"c":true,"d":1.5,"e":2.0}})")) == "map[a:map[c:true d:1.5 e:2] b:[1 x <nil>]]");
    CHECK(go_text(Json(1e21)) == "1e+21");
    CHECK(go_text(Json::parse(R"(["","a",""])")) == "[ a ]");
}

// Documents that need no decoding are told from those that do: never taken for one where decoding would change them.
#include "api/codec/conforming.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/codec/json.h"

using namespace kubemu::api;

namespace {

Json parse(const char* text) { return *parse_json(text); }

// What comes of the way through text.
bool decoding_keeps(const Json& object, const TypeInfo& type) {
    std::vector<std::string> complaints;
    const auto decoded = decode_json(encode_raw(object), type, complaints);
    return decoded && complaints.empty() && *decoded == object;
}

}  // namespace

TEST_CASE("documents in the form of their type conform") {
    const TypeInfo& pod = *find_type("core/v1.Pod");
    for (const char* text : {
             R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","labels":{"x":"y"},"creationTimestamp":"2024-01-02T03:04:05Z"}})",
             R"({"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"100m"}},"ports":[{"containerPort":80}],
                 "livenessProbe":{"httpGet":{"port":"http"}}}],"hostNetwork":true,"priority":-3}})",
             R"({"metadata":{"managedFields":[{"manager":"m","fieldsV1":{"f:spec":{"f:x":{}}}}]},"spec":{}})",
         }) {
        CAPTURE(text);
        const Json object = parse(text);
        CHECK(is_conforming(object, pod));
        CHECK(decoding_keeps(object, pod));
    }
    CHECK(is_conforming(parse(R"({"data":{"k":"dmFsdWU="}})"), *find_type("core/v1.Secret")));
}

TEST_CASE("whatever decoding changes or complains of does not conform") {
    const TypeInfo& pod = *find_type("core/v1.Pod");
    for (const char* text : {
             R"({"metadata":{"name":null}})",
             R"({"metadata":{"name":7}})",
             R"({"spec":{"bogus":1}})",
             R"({"spec":{"Containers":[]}})",
             R"({"spec":{"containers":{}}})",
             R"({"spec":{"containers":[null]}})",
             R"({"spec":{"hostNetwork":"true"}})",
             R"({"spec":{"priority":3000000000}})",
             R"({"spec":{"priority":1.5}})",
             R"({"spec":{"nodeSelector":{"a":null}}})",
             R"({"spec":{"overhead":{"cpu":"1000m"}}})",
             R"({"spec":{"overhead":{"cpu":1}}})",
             R"({"metadata":{"creationTimestamp":"2024-01-02T03:04:05+01:00"}})",
             R"({"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":1.5}}}]}})",
             R"({"spec":{"containers":[{"name":"c","ports":[{"containerPort":"80"}]}]}})",
             R"([])",
         }) {
        CAPTURE(text);
        CHECK(!is_conforming(parse(text), pod));
    }
    CHECK(!is_conforming(parse(R"({"data":{"k":"not base64"}})"), *find_type("core/v1.Secret")));
    CHECK(!is_conforming(parse(R"({"data":{"n":1.0}})"), *find_type("apps/v1.ControllerRevision")));
    // What a decoder of its own may refuse or change.
    const auto& schema = *find_type("apiextensions/v1.JSONSchemaProps");
    CHECK(is_conforming(parse(R"({"additionalProperties":true})"), schema));
    for (const char* text : {R"({"additionalProperties":"x"})", R"({"items":"x"})", R"({"items":[]})"}) CHECK(!is_conforming(parse(text), schema));
    CHECK(!is_conforming(parse(R"({"data":{"n":[18446744073709551615]}})"), *find_type("apps/v1.ControllerRevision")));
}

TEST_CASE("conforming documents are left as they are") {
    const TypeInfo& pod = *find_type("core/v1.Pod");
    Json object = parse(R"({"spec":{"containers":[{"name":"c","image":"i"}]}})");
    const Json before = object;
    std::vector<std::string> complaints;
    REQUIRE(conform(object, pod, "Pod", complaints));
    CHECK(object == before);
    object["spec"]["bogus"] = 1;
    REQUIRE(conform(object, pod, "Pod", complaints));
    CHECK(object == before);
    CHECK(complaints == std::vector<std::string>{"unknown field \"spec.bogus\""});
}

TEST_CASE("the text of a record is read as it was written, and a broken one does no harm") {
    const char* text = R"({"a":{"b":[1,-2.5,true,null,"x\"é\u00e9\n"],"c":{}},"d":"plain"})";
    CHECK(parse_stored_json(text) == Json::parse(text));
    for (const char* broken : {"", "{", "[", "\"", R"({"a)", R"({"a":)", R"({"a":"b\)", R"({"a":[1,)", "nul", "{]}", R"({"a":{"b":"c")", "}{"}) {
        CAPTURE(broken);
        (void)parse_stored_json(broken);
    }
}

// OpenAPI of other servers in ours.
#include "api/documents/openapi_merge.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

const char* ours = R"({"paths":{"/api/v1/pods":{"get":{}}},
  "definitions":{"Meta":{"description":"In our words.","properties":{"name":{"type":"string"}}},"Time":{"type":"string"}}})";

ForeignOpenApi foreign(const char* text) {
    return {"example.com", "v1", {}, std::make_shared<const Json>(Json::parse(text))};
}

}  // namespace

TEST_CASE("paths of the group come with what they name; the rest stays away") {
    const Json merged = Json::parse(merge_openapi_v2(ours, {foreign(R"({"paths":{
      "/apis/example.com/v1/things":{"get":{"schema":{"$ref":"#/definitions/Thing"},"parameters":[{"$ref":"#/parameters/limit"}]}},
      "/api/v1/pods":{"post":{}},"/version":{"get":{}}},
      "parameters":{"limit":{"in":"query"}},
      "definitions":{"Unused":{"type":"object"},"Time":{"type":"integer"},
        "Thing":{"properties":{"meta":{"$ref":"#/definitions/Meta"},"when":{"$ref":"#/definitions/Time"},"part":{"$ref":"#/definitions/Thing"}}},
        "Meta":{"description":"In theirs.","properties":{"name":{"type":"string"}}}}})")}));
    CHECK(merged["paths"].size() == 2);
    CHECK(merged["paths"]["/api/v1/pods"] == Json::parse(R"({"get":{}})"));
    CHECK(merged["parameters"]["limit"]["in"] == "query");
    const Json& definitions = merged["definitions"];
    CHECK(!definitions.contains("Unused"));
    CHECK(definitions["Meta"]["description"] == "In our words.");  // the same but for its words
    CHECK(definitions["Time"]["type"] == "string");
    CHECK(definitions["Time_v2"]["type"] == "integer");
    const Json& properties = definitions["Thing"]["properties"];
    CHECK(properties["meta"]["$ref"] == "#/definitions/Meta");
    CHECK(properties["when"]["$ref"] == "#/definitions/Time_v2");
    CHECK(properties["part"]["$ref"] == "#/definitions/Thing");
}

TEST_CASE("a server without a document changes nothing") {
    CHECK(merge_openapi_v2(ours, {{"example.com", "v1", {}, nullptr}}) == ours);
    CHECK(merge_openapi_v2(ours, {foreign("[]")}) == ours);
}

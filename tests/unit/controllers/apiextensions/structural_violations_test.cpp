// The condition of definitions from before structural schemas.
#include "controllers/apiextensions/structural_violations.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using kubemu::api::Json;
using kubemu::controllers::structural_violations;

TEST_CASE("what is not structural is named with the place where v1 has it") {
    CHECK(structural_violations(Json::parse(R"({"spec":{"preserveUnknownFields":true}})")) ==
          "spec.preserveUnknownFields: Invalid value: true: must be false");
    CHECK(structural_violations(Json::parse(R"({"spec":{"preserveUnknownFields":true,"versions":[
              {"name":"v1","schema":{"openAPIV3Schema":{"properties":{"spec":{"type":"object"}}}}}]}})")) ==
          "[spec.preserveUnknownFields: Invalid value: true: must be false, "
          "spec.versions[0].schema.openAPIV3Schema.type: Required value: must not be empty at the root]");
    CHECK(structural_violations(Json::parse(
              R"({"spec":{"versions":[{"name":"v1","schema":{"openAPIV3Schema":{"type":"object"}}},{"name":"v2"}]}})")) == "");
}

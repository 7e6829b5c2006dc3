// Claims for devices and the slices that offer them.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "resource.k8s.io";
std::string claim(const std::string& devices) {
    return R"({"spec":{"devices":{)" + devices + "}}}";
}
}  // namespace

TEST_CASE("ResourceClaim: requests, constraints, configuration") {
    RulesUnderTest under(group, "v1", "ResourceClaim");
    const std::string requests = R"("requests":[{"name":"r","exactly":{"deviceClassName":"c"}}])";
    CHECK(under.defaulted(claim(requests))["spec"]["devices"]["requests"][0]["exactly"] ==
          Json::parse(R"({"deviceClassName":"c","allocationMode":"ExactCount","count":1})"));
    const std::string at = "spec.devices";
    struct Case {
        std::string devices, complaint;
    };
    const Case cases[] = {
        {requests, ""},
        {R"("requests":[{"name":"r"}])",
         at + ".requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"},
        {R"("requests":[{"name":"r","exactly":{"deviceClassName":"","allocationMode":"All","count":2}}])",
         at + ".requests[0].exactly.deviceClassName: Required value\n" + at +
             ".requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is "
             "'All'"},
        {requests + R"(,"constraints":[{"requests":["x"],"matchAttribute":"plain"}])",
         at +
             ".constraints[0].requests[0]: Invalid value: \"x\": must be the name of a request in the claim "
             "or the name of a request and a "
             "subrequest separated by '/'\n" +
             at + ".constraints[0].matchAttribute: Invalid value: \"plain\": must include a domain"},
        {requests + R"(,"config":[{"requests":["r"]}])", at + ".config[0].opaque: Required value"},
    };
    for (const Case& item : cases) CHECK(under.creating(claim(item.devices)) == item.complaint);
    CHECK(under
              .updating(claim(requests),
                        claim(R"("requests":[{"name":"s","exactly":{"deviceClassName":"c"}}])"))
              .find("field is immutable") != std::string::npos);
    CHECK(under.updating_status("{}", R"({"status":{"reservedFor":[{"resource":"pods","name":"p"}]}})") ==
          "status.reservedFor[0].uid: Required value\nstatus.reservedFor: Forbidden: may not be specified "
          "when `allocated` is not set");
}

TEST_CASE("ResourceSlice: pool, place and devices") {
    RulesUnderTest under(group, "v1", "ResourceSlice");
    const std::string pool = R"("driver":"d.example","pool":{"name":"p","resourceSliceCount":1})";
    CHECK(
        under
            .creating(R"({"spec":{)" + pool +
                      R"(,"nodeName":"n","devices":[{"name":"g","attributes":{"v":{"version":"1.2.3"}}}]}})")
            .empty());
    CHECK(under.creating(R"({"spec":{"driver":"d.example","pool":{"name":"p"}}})") ==
          "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero\nspec: Required value: "
          "exactly one of `nodeName`, "
          "`nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required");
    CHECK(
        under.creating(
            R"({"spec":{)" + pool +
            R"(,"nodeName":"n","allNodes":true,"devices":[{"name":"g","attributes":{"v":{"version":"1"}}},{"name":"g","nodeName":"n"}]}})") ==
        "spec: Invalid value: \"{`nodeName`, `allNodes`}\": exactly one of `nodeName`, `nodeSelector`, "
        "`allNodes`, `perDeviceNodeSelection` is "
        "required, but multiple fields are set\n"
        "spec.devices[0].attributes[v].version: Invalid value: \"1\": must be a string compatible with "
        "semver.org spec 2.0.0\n"
        "spec.devices[1]: Invalid value: \"null\": `nodeName`, `nodeSelector` and `allNodes` can only be set "
        "if `perDeviceNodeSelection` is "
        "set to true in the ResourceSlice spec\nspec.devices[1]: Duplicate value: \"g\"");
    CHECK(under.updating(R"({"spec":{)" + pool + R"(,"nodeName":"n"}})",
                         R"({"spec":{)" + pool + R"(,"nodeName":"m"}})") ==
          "spec.nodeName: Invalid value: \"m\": field is immutable");
}

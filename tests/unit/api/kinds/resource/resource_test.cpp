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
             at + ".constraints[0].matchAttribute: Invalid value: \"plain\": a fully qualified name must be a domain and a name separated by a slash"},
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

TEST_CASE("ResourceClaim: tolerations, and what drivers report") {
    RulesUnderTest under(group, "v1", "ResourceClaim");
    const std::string at = "spec.devices.requests[0].exactly.tolerations[0].";
    const auto tolerating = [&](const std::string& toleration) {
        return under.creating(claim(R"("requests":[{"name":"r","exactly":{"deviceClassName":"c","tolerations":[)" + toleration + "]}}]"));
    };
    CHECK(tolerating(R"({"key":"a","value":"b"})") == "");
    CHECK(tolerating(R"({"operator":"Exists","value":"b"})") == at + "value: Invalid value: \"b\": must be empty for operator `Exists`");
    CHECK(tolerating(R"({"operator":"In"})") == at + "operator: Unsupported value: \"In\": supported values: \"Equal\", \"Exists\"");
    CHECK(tolerating(R"({"effect":"X"})") ==
          at + "effect: Unsupported value: \"X\": supported values: \"NoExecute\", \"NoSchedule\", \"None\"");

    const std::string spec = R"("spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c"}}]}})";
    const std::string result = R"({"request":"r","driver":"d.example","pool":"p","device":"g"})";
    const auto status = [&](const std::string& allocation, const std::string& devices) {
        return "{" + spec + R"(,"status":{"allocation":{"devices":{"results":[)" + allocation + R"(]}},"devices":[)" + devices + "]}}";
    };
    const std::string before = "{" + spec + "}";
    CHECK(under.updating_status(before, status(result, R"({"driver":"d.example","pool":"p","device":"g","networkData":{"ips":["10.0.0.1/8"]}})")) == "");
    CHECK(under.updating_status(before, status(R"({"request":"x","driver":"d.example","pool":"p","device":"g"})", "")) ==
          "status.allocation.devices.results[0].request: Invalid value: \"x\": must be the name of a request in the claim or the name of a "
          "request and a subrequest separated by '/'");
    CHECK(under.updating_status(before, status(result, R"({"driver":"d.example","pool":"p","device":"h","data":[1],
          "networkData":{"ips":["10.0.0.1"]}})")) ==
          "status.devices[0]: Invalid value: \"d.example/p/h\": must be an allocated device in the claim\n"
          "status.devices[0].data: Invalid value: \"<value omitted>\": must be a valid JSON object\n"
          "status.devices[0].networkData.ips[0]: Invalid value: \"10.0.0.1\": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or "
          "2001:db8::1/64)");
}

TEST_CASE("ResourceClaim, DeviceClass: selectors are expressions, and administrators have namespaces of their own") {
    RulesUnderTest classes(group, "v1", "DeviceClass"), claims(group, "v1", "ResourceClaim"),
        templates(group, "v1", "ResourceClaimTemplate");
    CHECK(classes.creating(R"({"spec":{"selectors":[{"cel":{"expression":"device.driver == 'd'"}}]}})") == "");
    CHECK(classes.creating(R"({"spec":{"selectors":[{"cel":{"expression":"device.driver"}}]}})") ==
          "spec.selectors[0].cel.expression: Invalid value: \"device.driver\": must evaluate to bool or the unknown type, "
          "not string");
    const std::string all = "device.attributes.all(k, device.attributes[k].all(j, device.attributes.all(m, "
                            "device.attributes[m].all(n, k == m))))";
    CHECK(classes.creating(R"({"spec":{"selectors":[{"cel":{"expression":")" + all + R"("}}]}})") ==
          "spec.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit");
    const std::string devices = R"("devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"c","adminAccess":true}}]})";
    const std::string refused =
        "spec.devices.requests[0].adminAccess: Forbidden: admin access to devices requires the "
        "`resource.kubernetes.io/admin-access: true` label on the containing namespace";
    CHECK(claims.creating("{\"spec\":{" + devices + "}}") == refused);
    CHECK(templates.creating("{\"spec\":{\"spec\":{" + devices + "}}}") == refused);
    CHECK(claims.updating_status(R"({"spec":{}})",
                                 R"({"spec":{},"status":{"allocation":{"devices":{"results":[
                                     {"request":"r","driver":"d","pool":"p","device":"e","adminAccess":true}]}}}})")
              .starts_with("status.allocation.devices.results[0].adminAccess: Forbidden: admin access to devices requires"));
    CHECK(templates.creating(R"({"spec":{"metadata":{"finalizers":["a/b"]},"spec":{}}})") ==
          "spec.metadata.finalizers: Forbidden: cannot be set");
}

TEST_CASE("ResourceSlice: taints, conditions for binding, shared amounts") {
    RulesUnderTest under(group, "v1", "ResourceSlice");
    const auto with = [&](const std::string& device) {
        return R"({"spec":{"driver":"d.example","pool":{"name":"p","resourceSliceCount":1},"nodeName":"n","devices":[{"name":"g",)" + device + "}]}}";
    };
    const std::string at = "spec.devices[0].";
    CHECK(under.creating(with(R"("taints":[{"key":"a","effect":"X"}])")) ==
          at + "taints[0].effect: Unsupported value: \"X\": supported values: \"NoExecute\", \"NoSchedule\", \"None\"");
    // What was accepted stays.
    CHECK(under.updating(with(R"("taints":[{"key":"a","effect":"X"}])"), with(R"("taints":[{"key":"a","effect":"X"}])")) == "");
    CHECK(under.creating(with(R"("bindingConditions":["a","a"],"bindingFailureConditions":["a"])")) ==
          at + "bindingConditions[1]: Duplicate value: \"a\"\n" + at +
              "bindingFailureConditions[0]: Invalid value: \"a\": bindingFailureConditions must not overlap with bindingConditions");
    CHECK(under.creating(with(R"("capacity":{"no-name":{"value":"1"}})")).find("a valid C identifier") != std::string::npos);
    const auto policy = [&](const std::string& text) {
        return under.creating(with(R"("allowMultipleAllocations":true,"capacity":{"c":{"value":"10","requestPolicy":{)" + text + "}}}"));
    };
    const std::string there = at + "capacity[c].requestPolicy.";
    CHECK(policy(R"("default":"2","validRange":{"min":"1","max":"4","step":"1"})") == "");
    CHECK(policy(R"("validValues":["1"])") == there + "default: Required value: required when validValues is defined");
    CHECK(policy(R"("default":"3","validValues":["2","1","20"])") ==
          there + "validValues[1]: Invalid value: \"1\": values must be sorted in ascending order\n" + there +
              "validValues[2]: Invalid value: \"20\": option is larger than capacity value: 10\n" + there +
              "validValues: Invalid value: \"3\": default value is not valid according to the requestPolicy");
    CHECK(policy(R"("default":"2","validRange":{"min":"1","step":"3"})") ==
          there + "validRange.step: Invalid value: \"2\": value is not a multiple of a given step (3) from (1)");
}

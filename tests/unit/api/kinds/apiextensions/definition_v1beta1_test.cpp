// v1beta1 definitions: defaults, the form that is stored and back, what only they may say.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char *group = "apiextensions.k8s.io", *kind = "CustomResourceDefinition";

std::string definition(const std::string& spec) {
    return R"({"metadata":{"name":"foos.example.com"},"spec":{"group":"example.com","names":{"plural":"foos","kind":"Foo"},)" + spec +
           R"(},"status":{"storedVersions":["v1"]}})";
}
}  // namespace

TEST_CASE("v1beta1 definitions: one version, cluster-wide fields kept, parts of all versions beside them") {
    RulesUnderTest under(group, "v1beta1", kind);
    const Json made = under.defaulted(definition(
        R"("version":"v1","validation":{"openAPIV3Schema":{"type":"object"}},"subresources":{"status":{}},
           "additionalPrinterColumns":[{"name":"a","type":"string","JSONPath":".spec.a"}],
           "conversion":{"strategy":"Webhook","webhookClientConfig":{"url":"https://x"}})"));
    CHECK(made["spec"]["scope"] == "Namespaced");
    CHECK(made["spec"]["preserveUnknownFields"] == true);
    CHECK(made["spec"]["names"]["listKind"] == "FooList");
    CHECK(made["spec"]["versions"] == Json::parse(R"([{"name":"v1","served":true,"storage":true}])"));
    CHECK(made["spec"]["conversion"]["conversionReviewVersions"] == Json::parse(R"(["v1beta1"])"));

    Json stored = made;
    under.rules.to_storage(stored);
    const Json& version = stored["spec"]["versions"][0];
    CHECK(version["schema"]["openAPIV3Schema"]["type"] == "object");
    CHECK(version["additionalPrinterColumns"][0]["jsonPath"] == ".spec.a");
    CHECK(stored["spec"]["conversion"]["webhook"]["clientConfig"]["url"] == "https://x");
    CHECK(!stored["spec"].contains("validation"));
    CHECK(!stored["spec"].contains("version"));
    under.rules.from_storage(stored);
    CHECK(stored == made);
}

TEST_CASE("definitions: the names in the status, and one storage version") {
    RulesUnderTest v1(group, "v1", kind);
    CHECK(v1.updating_status("{}", R"({"status":{"acceptedNames":{"plural":"a","kind":"A","shortNames":["1x"]}}})")
              .starts_with("status.acceptedNames.shortNames[0]: Invalid value: \"1x\": a DNS-1035 label must"));
    const std::string version = R"({"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}})";
    const std::string twice = v1.creating(definition(R"("scope":"Cluster","versions":[)" + version + "," + version + "]"));
    CHECK(twice.find("status.storedVersions: Invalid value: []string{\"v1\"}: must have the storage version v1") != std::string::npos);
}

TEST_CASE("v1beta1 definitions: what contradicts itself, and what needs no schema") {
    RulesUnderTest under(group, "v1beta1", kind);
    CHECK(under.creating(definition(R"("version":"v1")")) == "");
    CHECK(under.creating(definition(R"("version":"v1","preserveUnknownFields":false)")) ==
          "spec.versions[0].schema.openAPIV3Schema: Required value: because otherwise all fields are pruned");
    CHECK(under.creating(definition(R"("version":"v2","versions":[{"name":"v1","served":true,"storage":true}])")) ==
          "spec.version: Invalid value: \"v2\": must match the first version in spec.versions");
    CHECK(under.creating(definition(
              R"("subresources":{"status":{}},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{}}}])")) ==
          "spec.subresources: Forbidden: top-level and per-version subresources are mutually exclusive");
}

TEST_CASE("definitions: a default of the whole resource is a resource") {
    RulesUnderTest v1(group, "v1", kind);
    const std::string schema = R"("scope":"Cluster","versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{
        "type":"object","properties":{"a":{"type":"string"}},"default":)";
    CHECK(v1.creating(definition(schema + "{}}}}]")) ==
          "spec.validation.openAPIV3Schema.default.apiVersion: Required value\n"
          "spec.validation.openAPIV3Schema.default.kind: Required value");
    CHECK(v1.creating(definition(schema + R"({"apiVersion":"example.com/v1","kind":"Foo","a":"b"}}}}])")) == "");
}

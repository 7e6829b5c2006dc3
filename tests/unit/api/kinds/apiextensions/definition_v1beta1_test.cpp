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

TEST_CASE("what no structural schema may hold hides all that is asked of a structural one") {
    RulesUnderTest v1(group, "v1", kind);
    const auto creating = [&](const std::string& schema, const std::string& rest = "") {
        return v1.creating(definition(R"("scope":"Cluster","versions":[{"name":"v1","served":true,"storage":true)" +
                                      (schema.empty() ? "" : R"(,"schema":)" + schema) + rest + "}]"));
    };
    const auto with = [&](const std::string& members) {
        return creating(R"({"openAPIV3Schema":{"type":"object",)" + members + "}}");
    };
    const std::string untyped = R"("properties":{"a":{}},"x-kubernetes-validations":[{"rule":"b","fieldPath":"c"}])";
    const std::string root = "spec.validation.openAPIV3Schema";
    CHECK(with(untyped).starts_with(root + ".properties[a].type: Required value"));
    CHECK(with(R"("$schema":"x",)" + untyped) == root + ": Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported");
    CHECK(with(R"("dependencies":{"a":["b"]},)" + untyped) == root + ".dependencies: Forbidden: dependencies is not supported");
    // Nothing stands in these.
    CHECK(with(R"("$ref":"",)" + untyped).find(root + ".properties[a].type: Required value") != std::string::npos);
    // Selectable fields are looked for in the schema beside them.
    const std::string fields = R"(,"selectableFields":[{"jsonPath":"a"}])";
    const std::string no_schema = "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required\n";
    CHECK(creating("", fields) ==
          no_schema + "spec.selectableFields: Invalid value: \"\": may only be set when validations.schema is included");
    CHECK(creating("{}", fields) == no_schema + "spec.selectableFields[0].jsonPath: Invalid value: \"a\": is an invalid "
                                                "path: expected [ or . but got: a");
    CHECK(creating(R"({"openAPIV3Schema":{"type":"object","id":"x"}})", fields) ==
          root + ".id: Forbidden: id is not supported\n"
                 "spec.schema.openAPIV3Schema: Invalid value: \"\": OpenAPIV3Schema 'id' is not supported\n"
                 "spec.selectableFields[0].jsonPath: Invalid value: \"a\": is an invalid path: expected [ or . but got: a");
}

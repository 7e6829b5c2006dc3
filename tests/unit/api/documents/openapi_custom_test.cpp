// Kinds of CustomResourceDefinitions in the documents: published as written, whole, and for old clients reduced.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/documents/openapi.h"

using namespace kubemu::api;

namespace {

constexpr std::uint16_t all_verbs = 0xff;

const KindSpec& cron_tab() {
    static const SubresourceSpec subresources[] = {{.name = "status", .kind = "CronTab", .verbs = all_verbs}};
    static const KindSpec kind{.group = "stable.example.com",
                               .version = "v1",
                               .kind = "CronTab",
                               .list_kind = "CronTabList",
                               .plural = "crontabs",
                               .singular = "crontab",
                               .verbs = all_verbs,
                               .subresources = subresources,
                               .resource = "crontabs.stable.example.com"};
    return kind;
}

const Json& written() {
    static const Json schema = Json::parse(R"({
        "type": "object", "description": "A schedule.",
        "properties": {
            "spec": {"type": "object", "required": ["cron", "note"], "properties": {
                "cron": {"type": "string", "pattern": "^.+$", "default": "* * * * *"},
                "note": {"type": "string", "nullable": true},
                "port": {"x-kubernetes-int-or-string": true},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "template": {"type": "object", "x-kubernetes-embedded-resource": true}
            }, "oneOf": [{"required": ["cron"]}]}
        }})");
    return schema;
}

struct Documents {
    Kinds kinds{&cron_tab()};
    const Json* schema = &written();
    OpenApiSource source() {
        OpenApiSource source{kinds, "v1.28.7"};
        source.custom_schema = [this](const KindSpec& kind) -> std::optional<const Json*> {
            return &kind == &cron_tab() ? std::optional<const Json*>(schema) : std::nullopt;
        };
        return source;
    }
    Json v3() { return Json::parse(openapi_v3_document(source(), "apis/stable.example.com/v1")); }
    Json v2() { return Json::parse(openapi_v2_document(source())); }
};

constexpr const char* name = "com.example.stable.v1.CronTab";

}  // namespace

TEST_CASE("v3 publishes the schema with the members that every object has") {
    Documents documents;
    const Json document = documents.v3();
    const Json& schema = document["components"]["schemas"][name];
    CHECK(schema["description"] == "A schedule.");
    CHECK(schema["properties"]["metadata"]["allOf"][0]["$ref"] ==
          "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    CHECK(schema["properties"]["kind"]["type"] == "string");
    CHECK(schema["x-kubernetes-group-version-kind"][0]["kind"] == "CronTab");
    const Json& spec = schema["properties"]["spec"];
    CHECK(spec["oneOf"] == written()["properties"]["spec"]["oneOf"]);
    CHECK(spec["properties"]["cron"]["default"] == "* * * * *");
    CHECK(spec["properties"]["note"]["nullable"] == true);
    CHECK(spec["properties"]["port"]["anyOf"] == Json::array({{{"type", "integer"}}, {{"type", "string"}}}));
    CHECK(spec["properties"]["template"]["required"] == Json({"kind", "apiVersion"}));
    CHECK(document["components"]["schemas"]["com.example.stable.v1.CronTabList"]["properties"]["items"]["items"]
                  ["$ref"] == std::string("#/components/schemas/") + name);
    CHECK(document["components"]["schemas"].contains("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"));
    CHECK(document["info"]["title"] == "Kubernetes CRD Swagger");
}

TEST_CASE("v3 has its operations, and no paths for watching") {
    Documents documents;
    const Json document = documents.v3();
    const std::string collection = "/apis/stable.example.com/v1/namespaces/{namespace}/crontabs";
    CHECK(document["paths"][collection]["post"]["operationId"] == "createStableExampleComV1NamespacedCronTab");
    CHECK(document["paths"].contains(collection + "/{name}/status"));
    CHECK(!document["paths"].contains("/apis/stable.example.com/v1/watch/crontabs"));
    CHECK(!document["paths"][collection + "/{name}"]["patch"]["requestBody"]["content"].contains(
        "application/strategic-merge-patch+json"));
    CHECK(openapi_v3_document(documents.source(), "apis/stable.example.com").empty());
}

TEST_CASE("v2 leaves out what Swagger and old kubectls cannot read") {
    Documents documents;
    const Json document = documents.v2();
    const Json& spec = document["definitions"][name]["properties"]["spec"];
    CHECK(!spec.contains("oneOf"));
    CHECK(spec["required"] == Json({"cron"}));
    CHECK(!spec["properties"]["cron"].contains("default"));
    CHECK(spec["properties"]["cron"]["pattern"] == "^.+$");
    CHECK(!spec["properties"]["note"].contains("type"));
    CHECK(!spec["properties"]["any"].contains("type"));
    CHECK(!spec["properties"]["port"].contains("anyOf"));
}

TEST_CASE("no schema, and one that keeps unknown fields, allow everything") {
    Documents documents;
    documents.schema = nullptr;
    CHECK(!documents.v3()["components"]["schemas"][name].contains("properties"));
    const Json unknown = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    documents.schema = &unknown;
    CHECK(!documents.v2()["definitions"][name].contains("properties"));
    CHECK(documents.v3()["components"]["schemas"][name]["properties"].contains("metadata"));
}

// Encoding along the schema: order, emptiness and escaping as encoding/json has them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/codec/json.h"

using namespace kubemu::api;

namespace {

Encoded encode(std::string_view type_name, std::string_view text, std::string_view api_version,
               std::string_view kind) {
    const TypeInfo* type = find_type(type_name);
    REQUIRE(type != nullptr);
    return encode_object(*parse_json(text), *type, api_version, kind);
}

std::string value(std::string_view type_name, std::string_view text) {
    const TypeInfo* type = find_type(type_name);
    REQUIRE(type != nullptr);
    return encode_value(*parse_json(text), *type);
}

}  // namespace

TEST_CASE("kind and apiVersion come first, then the members in the order of the schema") {
    const Encoded out = encode(
        "core/v1.ConfigMap",
        R"({"data":{"b":"2","a":"1"},"apiVersion":"v1","metadata":{"uid":"u","name":"n","namespace":"d"}})",
        "v1", "ConfigMap");
    CHECK(
        out.text ==
        R"({"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"n","namespace":"d","uid":"u","resourceVersion":"","creationTimestamp":null},"data":{"a":"1","b":"2"}})");
}

TEST_CASE("the places of the revision and of a list item's text") {
    Encoded out =
        encode("core/v1.ConfigMap", R"({"metadata":{"name":"n","resourceVersion":"7"}})", "v1", "ConfigMap");
    CHECK(body_offset(out.text) == out.body_at);
    CHECK(out.text.substr(out.body_at, 10) == "\"metadata\"");
    out.text.insert(out.revision_at, "1234");
    CHECK(parse_json(out.text)->at("metadata").at("resourceVersion") == "1234");
    CHECK(parse_json("{" + out.text.substr(out.body_at))->contains("kind") == false);
}

TEST_CASE("omitempty leaves out zero values but never structs") {
    CHECK(value("core/v1.ReplicationControllerStatus", "{}") == R"({"replicas":0})");
    CHECK(value("core/v1.Container", R"({"name":"","image":"","args":[],"tty":false})") ==
          R"({"name":"","resources":{}})");
    CHECK(value("core/v1.PodTemplateSpec", "{}") ==
          R"({"metadata":{"creationTimestamp":null},"spec":{"containers":null}})");
    CHECK(value("apps/v1.DeploymentSpec", R"({"replicas":0})").find("\"replicas\":0") == 1);
    CHECK(value("core/v1.HTTPGetAction", "{}") == R"({"port":0})");
    CHECK(value("core/v1.ResourceFieldSelector", R"({"resource":"cpu"})") ==
          R"({"resource":"cpu","divisor":"0"})");
    CHECK(value("rbac/v1.ClusterRole", R"({"metadata":{"name":"r"}})") ==
          R"({"metadata":{"name":"r","creationTimestamp":null},"rules":null})");
    CHECK(value("rbac/v1.PolicyRule", R"({"verbs":[]})") == R"({"verbs":[]})");
    CHECK(value("core/v1.TypedLocalObjectReference", R"({"kind":"K","name":"n"})") ==
          R"({"apiGroup":null,"kind":"K","name":"n"})");
    CHECK(value("core/v1.Volume", R"({"name":"v","emptyDir":{}})") == R"({"name":"v","emptyDir":{}})");
}

TEST_CASE("a schema in the place of a list or boolean is written as a schema") {
    CHECK(value("apiextensions/v1.JSONSchemaProps",
                R"({"additionalProperties":{"maximum":1,"format":"int32","description":"","type":"integer"},
                    "items":[{"type":"array","items":{"type":"string","id":"x"}}]})") ==
          R"({"items":[{"type":"array","items":{"id":"x","type":"string"}}],)"
          R"("additionalProperties":{"type":"integer","format":"int32","maximum":1}})");
}

TEST_CASE("a nested object keeps its own kind and apiVersion") {
    CHECK(
        value("core/v1.PersistentVolumeClaim",
              R"({"spec":{},"apiVersion":"v1","kind":"PersistentVolumeClaim"})") ==
        R"({"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{"creationTimestamp":null},"spec":{"resources":{}},"status":{}})");
}

TEST_CASE("text is escaped for HTML and JavaScript") {
    CHECK(value("core/v1.EnvVar", R"({"name":"a","value":"<a&b>\u2028\u0001\n\u007f"})") ==
          "{\"name\":\"a\",\"value\":\"\\u003ca\\u0026b\\u003e\\u2028\\u0001\\n\x7f\"}");
}

TEST_CASE("what was decoded from an encoding encodes to the same bytes") {
    const Encoded first =
        encode("apps/v1.StatefulSet",
               R"({"metadata":{"name":"s"},"spec":{"serviceName":"x","selector":{"matchLabels":{"a":"b"}},
                                     "template":{"spec":{"containers":[{"name":"c","env":[{"name":"E","value":"1"}]}]}},
                                     "volumeClaimTemplates":[{"metadata":{"name":"d"}}]}})",
               "apps/v1", "StatefulSet");
    std::vector<std::string> complaints;
    const auto decoded = decode_json(first.text, *find_type("apps/v1.StatefulSet"), complaints);
    REQUIRE(decoded);
    CHECK(complaints.empty());
    CHECK(encode_object(*decoded, *find_type("apps/v1.StatefulSet"), "apps/v1", "StatefulSet").text ==
          first.text);
}

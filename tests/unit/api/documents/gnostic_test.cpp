// The Protocol Buffers form of the documents, read by a reader that knows nothing of the writer: it must hold what the
// JSON holds, under the numbers of gnostic's .proto files.
#include "api/documents/gnostic.h"

#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "api/documents/openapi.h"

using namespace kubemu::api;

namespace {

struct Field {
    int number = 0, wire = 0;
    std::uint64_t value = 0;  // of a varint, or the bits of a double
    std::string bytes;
};

std::uint64_t read_varint(std::string_view data, std::size_t& at) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        REQUIRE(at < data.size());
        const auto byte = static_cast<unsigned char>(data[at++]);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    FAIL("a varint of more than ten bytes");
    return 0;
}

std::vector<Field> read(std::string_view data) {
    std::vector<Field> fields;
    for (std::size_t at = 0; at < data.size();) {
        Field field;
        const std::uint64_t key = read_varint(data, at);
        field.number = static_cast<int>(key >> 3);
        field.wire = static_cast<int>(key & 7);
        if (field.wire == 0) {
            field.value = read_varint(data, at);
        } else if (field.wire == 1) {
            REQUIRE(at + 8 <= data.size());
            std::memcpy(&field.value, data.data() + at, 8);
            at += 8;
        } else {
            REQUIRE(field.wire == 2);
            const std::uint64_t size = read_varint(data, at);
            REQUIRE(at + size <= data.size());
            field.bytes = data.substr(at, size);
            at += size;
        }
        fields.push_back(std::move(field));
    }
    return fields;
}

// The only field of this number; empty when there is none.
std::string one(std::string_view message, int number) {
    std::optional<std::string> found;
    for (Field& field : read(message)) {
        if (field.number != number) continue;
        CHECK(!found);
        found = field.bytes;
    }
    return found.value_or("");
}

// The value (2) of the entry with this name (1) in a repeated field of named values.
std::string entry(std::string_view message, int number, std::string_view name) {
    for (const Field& field : read(message)) {
        if (field.number == number && one(field.bytes, 1) == name) return one(field.bytes, 2);
    }
    FAIL("no entry " << name);
    return {};
}

std::size_t count(std::string_view message, int number) {
    std::size_t found = 0;
    for (const Field& field : read(message)) found += field.number == number ? 1 : 0;
    return found;
}

std::uint64_t value_of(std::string_view message, int number) {
    for (const Field& field : read(message)) {
        if (field.number == number) return field.value;
    }
    return 0;
}

OpenApiSource source() {
    static const Kinds all = [] {
        Kinds kinds;
        for (const KindSpec& kind : builtin_kinds()) kinds.push_back(&kind);
        return kinds;
    }();
    return {all, "v1.28.7"};
}

}  // namespace

TEST_CASE("openapi.v2.Document") {
    const std::string json = openapi_v2_document(source());
    const std::string document = gnostic_v2_document(json);
    const Json expected = Json::parse(json);
    CHECK(one(document, 1) == "2.0");
    CHECK(one(one(document, 2), 1) == "Kubernetes");
    CHECK(one(one(document, 2), 2) == "v1.28.7");
    const std::string paths = one(document, 8), definitions = one(document, 9);
    CHECK(count(paths, 2) == expected["paths"].size());
    CHECK(count(definitions, 1) == expected["definitions"].size());
    CHECK(count(one(document, 10), 1) == expected["parameters"].size());

    const std::string pod = entry(definitions, 1, "io.k8s.api.core.v1.Pod");
    CHECK(one(pod, 4) == expected["definitions"]["io.k8s.api.core.v1.Pod"]["description"].get<std::string>());
    CHECK(one(one(pod, 22), 1) == "object");
    CHECK(one(entry(one(pod, 25), 1, "spec"), 1) == "#/definitions/io.k8s.api.core.v1.PodSpec");
    const std::string kinds = one(entry(pod, 31, "x-kubernetes-group-version-kind"), 2);
    CHECK(kinds.find("kind: Pod") != std::string::npos);
    const std::string containers = entry(one(entry(definitions, 1, "io.k8s.api.core.v1.PodSpec"), 25), 1, "containers");
    CHECK(one(one(one(containers, 23), 1), 1) == "#/definitions/io.k8s.api.core.v1.Container");
    CHECK(one(entry(containers, 31, "x-kubernetes-patch-merge-key"), 2).substr(0, 4) == "name");

    const std::string create = one(entry(paths, 2, "/api/v1/namespaces/{namespace}/pods"), 4);
    CHECK(one(create, 5) == "createCoreV1NamespacedPod");
    CHECK(count(create, 8) == expected["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]["parameters"].size());
    bool dry_run = false, reference = false, body = false;
    for (const Field& field : read(create)) {
        if (field.number != 8) continue;
        const std::string parameter = one(field.bytes, 1);
        if (one(one(field.bytes, 2), 1).find("#/parameters/") == 0) reference = true;
        const std::string query = one(one(parameter, 2), 3);
        if (one(query, 4) == "dryRun")
            dry_run = one(query, 2) == "query" && one(query, 6) == "string" && value_of(query, 20) == 1;
        if (one(one(one(parameter, 1), 5), 1) == "#/definitions/io.k8s.api.core.v1.Pod") body = true;
    }
    CHECK(dry_run);
    CHECK(reference);
    CHECK(body);
    const std::string token = entry(one(document, 13), 1, "BearerToken");
    CHECK(one(one(token, 2), 1) == "apiKey");
}

TEST_CASE("openapi.v3.Document") {
    const std::string json = openapi_v3_document(source(), "apis/apps/v1");
    const std::string document = gnostic_v3_document(json);
    const Json expected = Json::parse(json);
    CHECK(one(document, 1) == "3.0.0");
    CHECK(one(one(document, 2), 6) == "v1.28.7");
    const std::string paths = one(document, 4), schemas = one(one(document, 5), 1);
    CHECK(count(paths, 1) == expected["paths"].size());
    CHECK(count(schemas, 1) == expected["components"]["schemas"].size());
    // SchemaOrReference: 1 is a schema, 2 a reference.
    const std::string spec =
        one(entry(one(one(entry(schemas, 1, "io.k8s.api.apps.v1.Deployment"), 1), 31), 1, "spec"), 1);
    CHECK(one(one(one(spec, 26), 2), 1) == "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec");
    CHECK(count(spec, 33) == 1);
    const std::string port = one(entry(schemas, 1, "io.k8s.api.core.v1.ContainerPort"), 1);
    CHECK(one(port, 23) == "containerPort");
    const std::string protocol = one(entry(one(port, 31), 1, "protocol"), 1);
    CHECK(one(one(protocol, 33), 3) == "TCP");
    CHECK(count(protocol, 24) == 3);
    CHECK(one(entry(one(port, 31), 1, "containerPort"), 1).find("int32") != std::string::npos);

    const std::string list = one(entry(paths, 1, "/apis/apps/v1/deployments"), 4);
    CHECK(one(list, 5) == "listAppsV1DeploymentForAllNamespaces");
    const std::string ok = one(entry(one(list, 8), 2, "200"), 1);
    CHECK(one(one(one(entry(one(ok, 3), 1, "application/json"), 1), 2), 1) ==
          "#/components/schemas/io.k8s.api.apps.v1.DeploymentList");
    const std::string create = one(entry(paths, 1, "/apis/apps/v1/namespaces/{namespace}/deployments"), 6);
    CHECK(value_of(one(one(create, 7), 1), 3) == 1);
}

TEST_CASE("numbers of custom schemas are doubles and varints") {
    const std::string document = gnostic_v2_document(
        R"({"definitions": {"x": {"minimum": 1.5, "maxLength": 300, "additionalProperties": true}}})");
    const std::string schema = entry(one(document, 9), 1, "x");
    double minimum = 0;
    const std::uint64_t bits = value_of(schema, 9);
    std::memcpy(&minimum, &bits, sizeof minimum);
    CHECK(minimum == 1.5);
    CHECK(value_of(schema, 11) == 300);
    CHECK(value_of(one(schema, 21), 2) == 1);
}

// Answers in Protocol Buffers, YAML and pretty JSON: what each endpoint gives, and what it refuses.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/codec/protobuf.h"
#include "api/codec/yaml.h"
#include "api/handlers.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

const std::string config_maps = "/api/v1/namespaces/default/configmaps";
const std::string deployments = "/apis/apps/v1/namespaces/default/deployments";
const char* const protobuf = "application/vnd.kubernetes.protobuf";
const char* const config_map =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":{"l":"1"}},"data":{"a":"<1>"}})";

std::string text_of(const Scatter& parts) {
    std::string text;
    for (const Slice& part : parts) text += part.text;
    return text;
}

// An enveloped object as "apiVersion/kind" and document.
struct Opened {
    std::string name;
    Json object;
};

Opened open(std::string_view bytes, const char* type) {
    const auto body = api::open_protobuf(bytes);
    if (!body) FAIL(body.error());
    auto object = api::decode_protobuf(body->raw, *api::find_type(type));
    if (!object) FAIL(object.error());
    return {body->api_version + " " + body->kind, std::move(*object)};
}

struct Answer {
    int code = 0;
    std::string type, text;
    std::unique_ptr<api::Stream> stream;
};

struct Server : tests::TestCluster {
    tests::OpenAccess access{*this};
    api::Handlers handlers{{registry(), access.get()}};

    struct Ask {
        std::string method = "GET", target = {}, accept = protobuf, body = {}, type = {}, agent = {};
    };
    Answer ask(Ask asked) {
        api::Request request;
        request.method = asked.method;
        const std::size_t mark = asked.target.find('?');
        request.path = asked.target.substr(0, mark);
        if (mark != std::string::npos) request.query = asked.target.substr(mark + 1);
        request.body = asked.body;
        request.content_type = asked.type;
        request.accept = asked.accept;
        request.user_agent = asked.agent;
        std::optional<api::Response> response;
        handlers.handle(std::move(request), [&](api::Response given) { response = std::move(given); });
        if (!response) store().flush();
        REQUIRE(response);
        return {response->code, response->content_type, text_of(response->body), std::move(response->stream)};
    }
    Answer get(const std::string& target, const std::string& accept = protobuf) {
        return ask({.target = target, .accept = accept});
    }
    Answer post(const std::string& target, const std::string& body) {
        return ask({.method = "POST", .target = target, .body = body});
    }
};

}  // namespace

TEST_CASE("objects, lists and their metadata") {
    Server server;
    const Answer made = server.post(config_maps, config_map);
    CHECK(made.code == 201);
    CHECK(made.type == protobuf);
    const Opened created = open(made.text, "core/v1.ConfigMap");
    CHECK(created.name == "v1 ConfigMap");
    CHECK(created.object["data"]["a"] == "<1>");

    const Json json = Json::parse(server.get(config_maps + "/x", "application/json").text);
    const Opened got = open(server.get(config_maps + "/x").text, "core/v1.ConfigMap");
    const api::TypeInfo& type = *api::find_type("core/v1.ConfigMap");
    CHECK(api::encode_object(got.object, type, "v1", "ConfigMap").text ==
          api::encode_object(json, type, "v1", "ConfigMap").text);

    const Opened list = open(server.get(config_maps).text, "core/v1.ConfigMapList");
    CHECK(list.name == "v1 ConfigMapList");
    REQUIRE(list.object["items"].size() == 1);
    CHECK(list.object["items"][0] == got.object);
    CHECK(list.object["metadata"]["resourceVersion"] == json["metadata"]["resourceVersion"]);

    const auto as = [](const char* form, const char* version) {
        return std::string(protobuf) + ";as=" + form + ";g=meta.k8s.io;v=" + version;
    };
    const Opened metadata =
        open(server.get(config_maps + "/x", as("PartialObjectMetadata", "v1")).text, "meta/v1.PartialObjectMetadata");
    CHECK(metadata.name == "meta.k8s.io/v1 PartialObjectMetadata");
    CHECK(metadata.object["metadata"] == got.object["metadata"]);
    const Opened all =
        open(server.get(config_maps, as("PartialObjectMetadataList", "v1")).text, "meta/v1.PartialObjectMetadataList");
    CHECK(all.name == "meta.k8s.io/v1 PartialObjectMetadataList");
    CHECK(all.object["items"][0]["metadata"] == got.object["metadata"]);
    // In v1beta1 the two fields have each other's numbers.
    const auto old = api::open_protobuf(server.get(config_maps, as("PartialObjectMetadataList", "v1beta1")).text);
    CHECK(old->raw.substr(0, 1) == "\x0a");
    CHECK(old->api_version == "meta.k8s.io/v1beta1");
    // A Table is none of it.
    CHECK(server.get(config_maps, as("Table", "v1")).code == 406);
    CHECK(server.get(config_maps, as("Table", "v1") + ",application/json").type == "application/json");
}

TEST_CASE("what writes answer, failures included") {
    Server server;
    server.post(config_maps, config_map);
    const Answer twice = server.post(config_maps, config_map);
    CHECK(twice.code == 409);
    CHECK(twice.type == protobuf);
    const Opened status = open(twice.text, "meta/v1.Status");
    CHECK(status.name == "v1 Status");
    CHECK(status.object["reason"] == "AlreadyExists");
    CHECK(status.object["code"] == 409);

    const Answer patched = server.ask({.method = "PATCH",
                                       .target = config_maps + "/x",
                                       .body = R"({"data":{"b":"2"}})",
                                       .type = "application/merge-patch+json"});
    CHECK(open(patched.text, "core/v1.ConfigMap").object["data"]["b"] == "2");

    // Options in Protocol Buffers too.
    const std::string options =
        api::encode_protobuf(R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"other"}})",
                             *api::find_type("meta/v1.DeleteOptions"));
    Server::Ask removal{.method = "DELETE", .target = config_maps + "/x", .body = options, .type = protobuf};
    CHECK(server.ask(removal).code == 409);
    removal.body =
        api::encode_protobuf(R"({"kind":"DeleteOptions","apiVersion":"v1"})", *api::find_type("meta/v1.DeleteOptions"));
    const Opened removed = open(server.ask(removal).text, "meta/v1.Status");
    CHECK(removed.object["status"] == "Success");
    CHECK(removed.object["details"]["name"] == "x");

    const Answer review = server.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                      R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})");
    const Opened reviewed = open(review.text, "authorization/v1.SelfSubjectAccessReview");
    CHECK(reviewed.name == "authorization.k8s.io/v1 SelfSubjectAccessReview");
    CHECK(reviewed.object["status"]["allowed"] == true);
}

TEST_CASE("a Scale, in the order of its fields") {
    Server server;
    const Answer made =
        server.post(deployments, R"({"metadata":{"name":"d"},"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},
        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    REQUIRE(made.code == 201);
    const Opened scale = open(server.get(deployments + "/d/scale").text, "autoscaling/v1.Scale");
    CHECK(scale.name == "autoscaling/v1 Scale");
    CHECK(scale.object["spec"]["replicas"] == 3);
    CHECK(scale.object["status"]["selector"] == "a=b");
    const std::string json = server.get(deployments + "/d/scale", "").text;
    CHECK(json.substr(0, 48) == R"({"kind":"Scale","apiVersion":"autoscaling/v1","m)");
    CHECK(json.find("\"spec\"") < json.find("\"status\""));
    const Json table =
        Json::parse(server.get(deployments + "/d/scale", "application/json;as=Table;g=meta.k8s.io;v=v1").text);
    CHECK(table["columnDefinitions"][1]["name"] == "Desired");
    CHECK(table["rows"][0]["cells"] == Json({"d", 3, 0, "0s"}));
    CHECK(table["rows"][0]["object"]["kind"] == "PartialObjectMetadata");
}

TEST_CASE("watches are frames, and what is encoded once is shared") {
    Server server;
    server.post(config_maps, config_map);
    Answer first = server.get(config_maps + "?watch=1&labelSelector=l"),
           second = server.get(config_maps + "?watch=1&labelSelector=l");
    CHECK(first.type == "application/vnd.kubernetes.protobuf;stream=watch");
    REQUIRE(first.stream);
    api::Stream::Step step = first.stream->next();
    REQUIRE(step.data.size() == 2);
    // Four bytes of length, the type, then the object in its envelope.
    CHECK(step.data[0].text.substr(4, 7) == "\x0a\x05" "ADDED");
    CHECK(static_cast<unsigned char>(step.data[0].text[3]) + 256U * static_cast<unsigned char>(step.data[0].text[2]) ==
          total_size(step.data) - 4);
    CHECK(open(step.data[1].text, "core/v1.ConfigMap").object["metadata"]["name"] == "x");
    second.stream->next();
    const auto patch = [&](const char* body) {
        server.ask(
            {.method = "PATCH", .target = config_maps + "/x", .body = body, .type = "application/merge-patch+json"});
    };
    patch(R"({"data":{"a":"2"}})");
    patch(R"({"metadata":{"labels":{"l":null}}})");
    step = first.stream->next();
    const api::Stream::Step other = second.stream->next();
    REQUIRE(step.data.size() == 4);
    REQUIRE(other.data.size() == 4);
    CHECK(step.data[0].text.substr(6, 8) == "MODIFIED");
    CHECK(step.data[2].text.substr(6, 7) == "DELETED");
    CHECK(step.data[1].text.data() == other.data[1].text.data());
    CHECK(step.data[3].text.data() == other.data[3].text.data());
    const Json left = open(step.data[3].text, "core/v1.ConfigMap").object;
    CHECK(left["data"]["a"] == "2");
    CHECK(left["metadata"]["resourceVersion"] == std::to_string(server.store().current_revision()));
    // What cuts off a reader is an event like the others.
    const Scatter cut = first.stream->cut_off();
    CHECK(cut[0].text.substr(6, 5) == "ERROR");
    CHECK(open(cut[1].text, "meta/v1.Status").object["code"] == 410);
}

TEST_CASE("discovery") {
    Server server;
    const Opened groups = open(server.get("/apis").text, "meta/v1.APIGroupList");
    CHECK(groups.name == "v1 APIGroupList");
    const Opened resources = open(server.get("/apis/apps/v1").text, "meta/v1.APIResourceList");
    CHECK(resources.object["groupVersion"] == "apps/v1");
    CHECK(resources.object["resources"][0]["verbs"][0] == "create");
    const std::string aggregated = std::string(protobuf) + ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const Answer answer = server.get("/apis", aggregated + ",application/json");
    CHECK(answer.type == aggregated);
    CHECK(
        open(answer.text, "apidiscovery/v2.APIGroupDiscoveryList").object["items"][0]["metadata"]["name"].is_string());
    CHECK(open(server.get("/api/v1/nothing").text, "meta/v1.Status").object["code"] == 404);
}

TEST_CASE("YAML and JSON for people") {
    Server server;
    server.post(config_maps, config_map);
    const Answer yaml = server.get(config_maps + "/x", "application/yaml");
    CHECK(yaml.type == "application/yaml");
    CHECK((*api::parse_yaml(yaml.text))["data"]["a"] == "<1>");
    CHECK(server.get(config_maps + "/none", "application/yaml").text.substr(0, 10) == "apiVersion");
    const Answer pretty = server.ask({.target = config_maps + "/x", .accept = "", .agent = "curl/8.0"});
    CHECK(pretty.text.substr(0, 24) == "{\n  \"kind\": \"ConfigMap\",");
    CHECK(pretty.text.back() == '}');
    CHECK(pretty.text.find("\"a\": \"\\u003c1\\u003e\"") != std::string::npos);
    CHECK(server.ask({.target = config_maps + "?pretty=1&labelSelector=none", .accept = ""})
              .text.find("\"items\": []\n}") != std::string::npos);
    // Who accepts nothing that there is gets a failure in JSON.
    const Answer refused = server.get("/apis/apps/v1/nothing", "application/cbor");
    CHECK(refused.type == "application/json");
    CHECK(refused.text.substr(0, 22) == "{\n  \"kind\": \"Status\",\n");
    const Answer body =
        server.ask({.method = "POST", .target = config_maps, .accept = "", .body = "x", .type = "application/cbor"});
    CHECK(body.code == 415);
}

TEST_CASE("bodies that are no message") {
    Server server;
    const auto message = [&](const std::string& body) {
        const Answer answer =
            server.ask({.method = "POST", .target = config_maps, .accept = "", .body = body, .type = protobuf});
        CHECK(answer.code == 400);
        return Json::parse(answer.text)["message"].get<std::string>();
    };
    CHECK(message("{}") ==
          "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a "
          "protobuf "
          "message, expected prefix [107 56 115 0] ({})");
    const std::string empty("k8s\0\x0a\x00\x12\x02\x0a\x05", 10);
    CHECK(message(empty) == "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: unexpected EOF");
}

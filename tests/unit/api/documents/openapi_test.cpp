// What the documents say of types and kinds, and that they are whole: nothing they refer to is missing, no operation
// has the name of another.
#include "api/documents/openapi.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

using namespace kubemu::api;

namespace {

const Kinds& kinds() {
    static const Kinds all = [] {
        Kinds kinds;
        for (const KindSpec& kind : builtin_kinds()) kinds.push_back(&kind);
        return kinds;
    }();
    return all;
}
OpenApiSource source() {
    return {kinds(), "v1.28.7"};
}

// Parsers of newer clients refuse a name that an object has twice.
Json parse(const std::string& text) {
    std::vector<std::set<std::string>> names;
    std::string twice;
    const auto look = [&](int, Json::parse_event_t event, Json& value) {
        if (event == Json::parse_event_t::object_start) names.emplace_back();
        if (event == Json::parse_event_t::object_end) names.pop_back();
        if (event == Json::parse_event_t::key && !names.back().insert(value.get<std::string>()).second) twice += value.get<std::string>() + " ";
        return true;
    };
    Json document = Json::parse(text, look, false);
    CHECK(twice == "");
    REQUIRE(document.is_object());
    return document;
}
const Json& apps() {
    static const Json document = parse(openapi_v3_document(source(), "apis/apps/v1"));
    return document;
}
const Json& core() {
    static const Json document = parse(openapi_v3_document(source(), "api/v1"));
    return document;
}
const Json& swagger() {
    static const Json document = parse(openapi_v2_document(source()));
    return document;
}
const Json& core_type(const char* name) {
    return core()["components"]["schemas"][std::string("io.k8s.api.core.v1.") + name];
}

void check_references(const Json& node, const Json& document, std::set<std::string>& broken) {
    if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) {
        const std::string reference = node["$ref"];
        if (reference.substr(0, 2) != "#/" || !document.contains(Json::json_pointer(reference.substr(1))))
            broken.insert(reference);
    }
    if (!node.is_structured()) return;
    for (const Json& below : node) check_references(below, document, broken);
}

void check_whole(const Json& document) {
    std::set<std::string> broken, names, twice;
    check_references(document, document, broken);
    CHECK(broken == std::set<std::string>{});
    for (const Json& path : document["paths"]) {
        for (const auto& [method, operation] : path.items()) {
            if (method == "parameters") continue;
            if (!names.insert(operation["operationId"]).second) twice.insert(operation["operationId"]);
        }
    }
    CHECK(twice == std::set<std::string>{});
    CHECK(!names.empty());
}

std::set<std::string> parameter_names(const Json& list) {
    std::set<std::string> names;
    for (const Json& parameter : list) names.insert(parameter["name"].get<std::string>());
    return names;
}

}  // namespace

TEST_CASE("every document is whole") {
    check_whole(swagger());
    for (const std::string& name : openapi_v3_names(source())) {
        CAPTURE(name);
        check_whole(parse(openapi_v3_document(source(), name)));
    }
}

TEST_CASE("the v3 documents are those of every group version, every group and the roots") {
    const auto names = openapi_v3_names(source());
    const std::set<std::string> found(names.begin(), names.end());
    for (const char* name : {"api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "apis/rbac.authorization.k8s.io/v1",
                             "version", "logs", "openid/v1/jwks", ".well-known/openid-configuration"}) {
        CAPTURE(name);
        CHECK(found.count(name) == 1);
    }
    CHECK(openapi_v3_document(source(), "apis/apps/v2").empty());
    CHECK(openapi_v3_document(source(), "apis/none").empty());
    CHECK(openapi_v3_document(source(), "").empty());
    CHECK(parse(openapi_v3_document(source(), "version"))["paths"]["/version/"]["get"]["operationId"] ==
          "getCodeVersion");
    CHECK(parse(openapi_v3_document(source(), "apis/apps"))["paths"]["/apis/apps/"]["get"]["operationId"] ==
          "getAppsAPIGroup");
}

TEST_CASE("a property tells type, format, default, enum and how lists merge") {
    const Json& port = core_type("ContainerPort")["properties"];
    CHECK(port["containerPort"]["type"] == "integer");
    CHECK(port["containerPort"]["format"] == "int32");
    CHECK(port["containerPort"]["default"] == 0);
    CHECK(!port["hostPort"].contains("default"));
    CHECK(port["protocol"]["default"] == "TCP");
    CHECK(port["protocol"]["enum"] == Json({"SCTP", "TCP", "UDP"}));
    CHECK(core_type("ContainerPort")["required"] == Json({"containerPort"}));

    const Json& pod = core_type("PodSpec")["properties"];
    CHECK(pod["containers"]["x-kubernetes-patch-merge-key"] == "name");
    CHECK(pod["containers"]["x-kubernetes-patch-strategy"] == "merge");
    CHECK(pod["volumes"]["x-kubernetes-patch-strategy"] == "merge,retainKeys");
    CHECK(pod["nodeSelector"]["x-kubernetes-map-type"] == "atomic");
    CHECK(pod["nodeSelector"]["additionalProperties"]["default"] == "");
    CHECK(core_type("Container")["properties"]["ports"]["x-kubernetes-list-map-keys"] ==
          Json({"containerPort", "protocol"}));
    // kube-apiserver sets it, but does not say so in its documents.
    CHECK(!pod["restartPolicy"].contains("default"));
    CHECK(core_type("Secret")["properties"]["data"]["additionalProperties"]["format"] == "byte");
}

TEST_CASE("v3 wraps a reference that has something beside it; structs default to {}") {
    const Json& deployment = apps()["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"];
    CHECK(deployment["properties"]["spec"]["allOf"][0]["$ref"] ==
          "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec");
    CHECK(deployment["properties"]["spec"]["default"] == Json::object());
    CHECK(deployment["x-kubernetes-group-version-kind"] ==
          Json::array({{{"group", "apps"}, {"kind", "Deployment"}, {"version", "v1"}}}));
    const Json& swagger_deployment = swagger()["definitions"]["io.k8s.api.apps.v1.Deployment"];
    CHECK(swagger_deployment["properties"]["spec"]["$ref"] == "#/definitions/io.k8s.api.apps.v1.DeploymentSpec");
    CHECK(!swagger_deployment["properties"]["spec"].contains("default"));
}

TEST_CASE("quantities and int-or-string are both in v3 and text in v2") {
    const std::string quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity",
                      either = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
    const Json &v3 = core()["components"]["schemas"], &v2 = swagger()["definitions"];
    CHECK(v3[quantity]["oneOf"] == Json::array({{{"type", "string"}}, {{"type", "number"}}}));
    CHECK(v3[either]["oneOf"] == Json::array({{{"type", "integer"}}, {{"type", "string"}}}));
    CHECK(v3[either]["format"] == "int-or-string");
    CHECK(v2[quantity]["type"] == "string");
    CHECK(v2[either]["format"] == "int-or-string");
    CHECK(!v2[either].contains("oneOf"));
}

TEST_CASE("unions name their discriminator and what each of its values stands for") {
    CHECK(core_type("SeccompProfile")["x-kubernetes-unions"] ==
          Json::array(
              {{{"discriminator", "type"}, {"fields-to-discriminateBy", {{"localhostProfile", "LocalhostProfile"}}}}}));
}

TEST_CASE("DeleteOptions and WatchEvent belong to every group version") {
    const Json& schemas = core()["components"]["schemas"];
    for (const char* name : {"DeleteOptions", "WatchEvent"}) {
        const Json& of =
            schemas[std::string("io.k8s.apimachinery.pkg.apis.meta.v1.") + name]["x-kubernetes-group-version-kind"];
        CHECK(of.size() > 15);
        CHECK(of[0] == Json{{"group", ""}, {"kind", name}, {"version", "v1"}});
    }
}

TEST_CASE("operations of a kind") {
    const std::string collection = "/apis/apps/v1/namespaces/{namespace}/deployments";
    const Json& paths = apps()["paths"];
    const Json& all = paths[collection];
    CHECK(all["get"]["operationId"] == "listAppsV1NamespacedDeployment");
    CHECK(all["get"]["x-kubernetes-action"] == "list");
    CHECK(all["delete"]["operationId"] == "deleteAppsV1CollectionNamespacedDeployment");
    CHECK(all["post"]["x-kubernetes-group-version-kind"] ==
          Json{{"group", "apps"}, {"kind", "Deployment"}, {"version", "v1"}});
    CHECK(parameter_names(all["post"]["parameters"]) ==
          std::set<std::string>{"dryRun", "fieldManager", "fieldValidation"});
    CHECK(parameter_names(all["parameters"]) == std::set<std::string>{"namespace", "pretty"});
    CHECK(parameter_names(all["get"]["parameters"]).count("allowWatchBookmarks") == 1);
    CHECK(parameter_names(all["delete"]["parameters"]).count("allowWatchBookmarks") == 0);
    CHECK(parameter_names(all["delete"]["parameters"]).count("propagationPolicy") == 1);

    const Json& one = paths[collection + "/{name}"];
    CHECK(parameter_names(one["patch"]["parameters"]) ==
          std::set<std::string>{"dryRun", "fieldManager", "fieldValidation", "force"});
    for (const char* type : {"application/apply-patch+yaml", "application/json-patch+json",
                             "application/merge-patch+json", "application/strategic-merge-patch+json"}) {
        CHECK(one["patch"]["requestBody"]["content"].contains(type));
    }
    CHECK(one["put"]["responses"].contains("201"));
    CHECK(one["delete"]["responses"].contains("202"));
    CHECK(one["get"]["responses"]["401"]["description"] == "Unauthorized");
    CHECK(paths["/apis/apps/v1/watch/deployments"]["get"]["operationId"] ==
          "watchAppsV1DeploymentListForAllNamespaces");
    CHECK(paths["/apis/apps/v1/deployments"]["get"]["operationId"] == "listAppsV1DeploymentForAllNamespaces");
    CHECK(paths[collection + "/{name}/scale"]["get"]["x-kubernetes-group-version-kind"]["group"] == "autoscaling");
}

TEST_CASE("subresources that are connections or text") {
    const std::string pod = "/api/v1/namespaces/{namespace}/pods/{name}/";
    const Json& paths = core()["paths"];
    const Json& exec = paths[pod + "exec"];
    CHECK(exec["post"]["operationId"] == "connectCoreV1PostNamespacedPodExec");
    CHECK(parameter_names(exec["parameters"]).count("command") == 1);
    CHECK(exec["get"]["responses"]["200"]["content"]["*/*"]["schema"]["type"] == "string");
    CHECK(paths[pod + "proxy/{path}"]["options"]["operationId"] == "connectCoreV1OptionsNamespacedPodProxyWithPath");
    CHECK(paths[pod + "log"]["get"]["responses"]["200"]["content"].contains("text/plain"));
    CHECK(parameter_names(paths[pod + "log"]["parameters"]).count("tailLines") == 1);
    CHECK(paths[pod + "eviction"]["post"]["x-kubernetes-group-version-kind"]["kind"] == "Eviction");
}

TEST_CASE("Swagger keeps parameters of many operations in one place, but not those that old kubectls look for") {
    const Json& post = swagger()["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"];
    bool body = false, dry_run = false, manager = false;
    for (const Json& parameter : post["parameters"]) {
        if (parameter.value("in", "") == "body")
            body = parameter["schema"]["$ref"] == "#/definitions/io.k8s.api.core.v1.Pod";
        if (parameter.value("name", "") == "dryRun") dry_run = true;
        if (parameter.value("$ref", "").find("#/parameters/fieldManager-") == 0) manager = true;
    }
    CHECK(body);
    CHECK(dry_run);
    CHECK(manager);
    CHECK(post["consumes"] == Json({"*/*"}));
    CHECK(swagger()["securityDefinitions"]["BearerToken"]["type"] == "apiKey");
}

TEST_CASE("every type and every field is described, and an enum by all its values") {
    std::set<std::string> silent, unnamed;
    for (const auto& [name, schema] : swagger()["definitions"].items()) {
        if (!schema.contains("description")) silent.insert(name);
        if (!schema.contains("properties")) continue;
        for (const auto& [field, property] : schema["properties"].items()) {
            // What a type of its own describes may leave it to that.
            if (!property.contains("description") && !property.contains("$ref")) silent.insert(name + "." + field);
            if (!property.contains("enum")) continue;
            for (const Json& value : property["enum"]) {
                const std::string text = value.get<std::string>();
                if (property["description"].get<std::string>().find(text) == std::string::npos)
                    unnamed.insert(name + "." + field);
            }
        }
    }
    CHECK(silent == std::set<std::string>{});
    CHECK(unnamed == std::set<std::string>{});
}

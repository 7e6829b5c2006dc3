// Routes that belong to no kind: lists of resources, groups, and what is beside the groups (pkg/endpoints/discovery,
// pkg/server/routes).
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>

#include "api/documents/openapi_routes.h"
#include "api/documents/openapi_schema.h"

namespace kubemu::api {
namespace {

constexpr std::array<std::string_view, 3> media = {"application/json", "application/yaml",
                                                   "application/vnd.kubernetes.protobuf"};
constexpr std::array<std::string_view, 1> json_media = {"application/json"};
constexpr std::array<std::string_view, 1> key_set_media = {"application/jwk-set+json"};

}  // namespace

void add_resource_list(Routes& routes, std::string_view group, std::string_view version) {
    Route route;
    route.method = "get";
    route.operation_id = "get" + operation_word(group, true) + operation_word(version, true) + "APIResources";
    route.description = "List the resources of this group version";
    route.tag = operation_tag(group, version);
    route.consumes = media;
    route.produces = media;
    route.answer = meta_schema_name("APIResourceList");
    routes[group_version_path(group, version)].push_back(std::move(route));
}

void add_group(Routes& routes, std::string_view group) {
    Route route;
    route.method = "get";
    route.operation_id = "get" + operation_word(group, true) + "APIGroup";
    route.description = "List the versions of this group";
    route.tag = operation_word(group, false);
    route.consumes = media;
    route.produces = media;
    route.answer = meta_schema_name("APIGroup");
    routes["/apis/" + std::string(group) + "/"].push_back(std::move(route));
}

void add_root(Routes& routes, std::string_view name) {
    struct Root {
        std::string_view name, id, tag, description;
        std::span<const std::string_view> consumes, produces;
        std::string answer;
    };
    const Root roots[] = {
        {"api", "getCoreAPIVersions", "core", "List the versions of the core group", media, media,
         meta_schema_name("APIVersions")},
        {"apis", "getAPIVersions", "apis", "List the groups that are served", media, media,
         meta_schema_name("APIGroupList")},
        {"version", "getCodeVersion", "version", "Read the version of the server", json_media, json_media,
         "io.k8s.apimachinery.pkg.version.Info"},
        {".well-known/openid-configuration",
         "getServiceAccountIssuerOpenIDConfiguration",
         "WellKnown",
         "Read the OpenID Connect configuration of the issuer of service account tokens",
         {},
         json_media,
         ""},
        {"openid/v1/jwks",
         "getServiceAccountIssuerOpenIDKeyset",
         "openid",
         "Read the public keys that service account tokens are signed with",
         {},
         key_set_media,
         ""},
    };
    if (name == "logs") {
        for (const auto& [path, id] :
             {std::pair{"/logs/", "logFileListHandler"}, std::pair{"/logs/{logpath}", "logFileHandler"}}) {
            Route route;
            route.method = "get";
            route.operation_id = id;
            route.tag = "logs";
            route.has_answer = false;
            if (id == std::string_view("logFileHandler"))
                route.parameters = {{"logpath", "string", "Path of the log file.", true}};
            routes[path].push_back(std::move(route));
        }
        return;
    }
    const auto root =
        std::find_if(std::begin(roots), std::end(roots), [name](const Root& root) { return root.name == name; });
    if (root == std::end(roots)) std::abort();  // names come from the list in openapi.cpp, which has these
    Route route;
    route.method = "get";
    route.operation_id = root->id;
    route.description = root->description;
    route.tag = root->tag;
    route.consumes = root->consumes;
    route.produces = root->produces;
    route.answer = root->answer;
    routes["/" + std::string(name) + "/"].push_back(std::move(route));
}

}  // namespace kubemu::api

// The routes of served kinds: what kube-apiserver's installer registers for each (k8s.io/apiserver,
// pkg/endpoints/installer.go), from which the OpenAPI documents are written.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/documents/discovery.h"

namespace kubemu::api {

struct Parameter {
    std::string_view name;
    std::string_view type;  // string, integer, boolean
    std::string_view description;
    bool in_path = false;

    bool operator==(const Parameter& other) const { return name == other.name && in_path == other.in_path; }
};

struct GroupVersionKind {
    std::string_view group, version, kind;
};

struct Route {
    std::string_view method;  // "get"
    std::string operation_id, description;
    std::string tag;
    std::string_view action;            // x-kubernetes-action; empty for what is no resource
    GroupVersionKind kind;              // with an action
    std::vector<Parameter> parameters;  // by name; those of the path and `pretty` too
    std::span<const std::string_view> consumes, produces;
    std::string body;          // OpenAPI name of the type of the body; empty for none
    std::string answer;        // OpenAPI name of the type of the answer; empty for text
    bool has_answer = true;    // false: nothing is known of it
    std::uint8_t created = 0;  // 1: 201 beside 200; 2: 202; 3: both
};

// Routes by path, those of one path in the order in which they were added.
using Routes = std::map<std::string, std::vector<Route>>;

// All routes of a kind and its subresources.
void add_routes(Routes& routes, const KindSpec& kind);
// Those of a kind of a CustomResourceDefinition, which are fewer (k8s.io/apiextensions-apiserver,
// pkg/controller/openapi/builder). `type` and `list_type` are the OpenAPI names of its schemas.
void add_custom_routes(Routes& routes, const KindSpec& kind, const std::string& type, const std::string& list_type);
// The list of resources: /apis/apps/v1/.
void add_resource_list(Routes& routes, std::string_view group, std::string_view version);
// /apis/apps/.
void add_group(Routes& routes, std::string_view group);
// Documents apart from groups: `name` is "api", "apis", "version", "logs", "openid/v1/jwks" or
// ".well-known/openid-configuration".
void add_root(Routes& routes, std::string_view name);

// rbac.authorization.k8s.io -> RbacAuthorization: the parts of a name, capitalised from the first or the second on;
// .k8s.io says nothing, and the group without a name is core.
std::string operation_word(std::string_view text, bool capital);
// rbacAuthorization_v1.
std::string operation_tag(std::string_view group, std::string_view version);
// "/apis/apps/v1/" or "/api/v1/".
std::string group_version_path(std::string_view group, std::string_view version);

}  // namespace kubemu::api

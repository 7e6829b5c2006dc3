// Attributes: what a request wants to do, in the words in which authorization is decided and refused
// (k8s.io/apiserver/pkg/endpoints/filters/authorization.go).
#pragma once

#include <string>
#include <string_view>

#include "api/request.h"
#include "api/request_info.h"
#include "api/values/status.h"

namespace kubemu::api {

struct Attributes {
    std::string verb;  // get, list, watch, create, update, patch, delete, deletecollection; of a path: the HTTP method
    bool resource_request = false;
    std::string group, version, resource, subresource, name, namespace_name;
    std::string path;  // of a request that is for no resource
};

Attributes attributes_of(const Request& request, const RequestInfo& info);

// 403 `pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "y"`; `reason` may be
// empty.
Status forbidden(const User& user, const Attributes& attributes, std::string_view reason);

}  // namespace kubemu::api

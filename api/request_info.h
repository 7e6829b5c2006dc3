// RequestInfo: what a URL and a method ask for (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go).
//
// Forms: /api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUBRESOURCE]], /apis/GROUP/VERSION/..., the same with watch/ in front
// of what follows the version, and paths that are no resources (/version, /healthz, /openapi/...).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

using Query = std::multimap<std::string, std::string, std::less<>>;

struct RequestInfo {
    bool is_resource = false;
    std::string group, version, namespace_name, resource, name, subresource;
    bool watch_path = false;
    bool lacks_namespace = false;  // namespaces//pods
    Query query;

    // The first value of a parameter; empty when it is absent.
    std::string_view parameter(std::string_view name) const;
    bool has(std::string_view name) const { return query.find(name) != query.end(); }
    // Go's reading of a boolean parameter: absent, "false" and "0" are false, anything else is true.
    bool flag(std::string_view name) const;
};

RequestInfo parse_request_info(std::string_view path, std::string_view query);
// Whether a path can be decoded; net/http refuses others.
bool is_percent_encoded(std::string_view path);
// What is wrong with the parameter timeout; empty: nothing.
std::string wrong_timeout(const RequestInfo& info);

}  // namespace kubemu::api

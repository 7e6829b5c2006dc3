// What another server serves, told as ours is: its APIResourceList as an entry of APIGroupDiscovery.
#include <map>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/documents/discovery.h"

namespace kubemu::api {
namespace {

Json response_kind(const AggregatedService& service, const Json& resource) {
    return {{"group", string_at(resource, {"group"}, service.group)}, {"version", string_at(resource, {"version"}, service.version)}, {"kind", string_at(resource, {"kind"})}};
}

}  // namespace

std::string aggregated_version(const AggregatedService& service) {
    Json entry = {{"version", service.version}, {"freshness", service.available ? "Current" : "Stale"}};
    if (service.resources == nullptr) return encode_raw(entry);
    std::map<std::string, Json> subresources;
    Json resources = Json::array();
    for (const Json& resource : array_at(*service.resources, {"resources"})) {
        const std::string name(string_at(resource, {"name"}));
        const std::size_t slash = name.find('/');
        Json shown = {{"responseKind", response_kind(service, resource)}, {"verbs", array_at(resource, {"verbs"})}};
        if (slash != std::string::npos) {
            shown["subresource"] = name.substr(slash + 1);
            Json& list = subresources[name.substr(0, slash)];
            if (!list.is_array()) list = Json::array();
            list.push_back(std::move(shown));
            continue;
        }
        shown["resource"] = name;
        shown["scope"] = bool_at(resource, {"namespaced"}) ? "Namespaced" : "Cluster";
        shown["singularResource"] = string_at(resource, {"singularName"});
        for (const char* member : {"shortNames", "categories"}) {
            if (const Json* value = find(resource, member)) shown[member] = *value;
        }
        resources.push_back(std::move(shown));
    }
    for (Json& resource : resources) {
        const auto at = subresources.find(resource["resource"].get<std::string>());
        if (at != subresources.end()) resource["subresources"] = at->second;
    }
    entry["resources"] = std::move(resources);
    return encode_raw(entry);
}

}  // namespace kubemu::api

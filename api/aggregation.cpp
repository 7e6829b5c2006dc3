// The table, the calls, and the texts of discovery.
#include "api/aggregation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/json.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Groups by their priority, each with its versions by theirs.
std::vector<std::pair<std::string, std::vector<AggregatedServicePtr>>> grouped(std::vector<AggregatedServicePtr> services) {
    std::sort(services.begin(), services.end(), [](const AggregatedServicePtr& a, const AggregatedServicePtr& b) {
        if (a->group != b->group) return a->group_priority != b->group_priority ? a->group_priority > b->group_priority : a->group < b->group;
        return a->version_priority != b->version_priority ? a->version_priority > b->version_priority : a->version < b->version;
    });
    std::vector<std::pair<std::string, std::vector<AggregatedServicePtr>>> groups;
    for (AggregatedServicePtr& service : services) {
        if (groups.empty() || groups.back().first != service->group) groups.emplace_back(service->group, std::vector<AggregatedServicePtr>());
        groups.back().second.push_back(std::move(service));
    }
    return groups;
}

std::string version_text(const AggregatedService& service) {
    return R"({"groupVersion":")" + service.group + "/" + service.version + R"(","version":")" + service.version + "\"}";
}

std::string group_text(const std::string& group, const std::vector<AggregatedServicePtr>& versions, bool alone) {
    std::string text = "{";
    if (alone) text += R"("kind":"APIGroup","apiVersion":"v1",)";
    text += R"("name":")" + group + R"(","versions":[)";
    for (std::size_t i = 0; i < versions.size(); ++i) text += (i == 0 ? "" : ",") + version_text(*versions[i]);
    return text + R"(],"preferredVersion":)" + version_text(*versions[0]) + "}";
}

// Puts an element before the last ']' of a text.
void append_element(std::string& text, const std::string& element) {
    const std::size_t end = text.rfind(']');
    if (end == std::string::npos) return;
    const bool first = end > 0 && text[end - 1] == '[';
    text.insert(end, (first ? "" : ",") + element);
}

Json response_kind(const AggregatedService& service, const Json& resource) {
    return {{"group", string_at(resource, {"group"}, service.group)}, {"version", string_at(resource, {"version"}, service.version)}, {"kind", string_at(resource, {"kind"})}};
}

// One version's entry of APIGroupDiscovery, made from its APIResourceList.
Json version_discovery(const AggregatedService& service) {
    Json entry = {{"version", service.version}, {"freshness", service.available ? "Current" : "Stale"}};
    if (service.resources == nullptr) return entry;
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
    return entry;
}

// A header's value may hold no line ends.
std::string header_text(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\r' || c == '\n' ? ' ' : c;
    return out;
}

}  // namespace

AggregatedServicePtr AggregatedServices::find(std::string_view group, std::string_view version) const {
    if (empty()) return nullptr;
    Lock lock(mutex_);
    const auto at = services_.find(std::string(version) + "." + std::string(group));
    return at == services_.end() ? nullptr : at->second;
}

std::vector<AggregatedServicePtr> AggregatedServices::all() const {
    std::vector<AggregatedServicePtr> out;
    if (empty()) return out;
    Lock lock(mutex_);
    for (const auto& [name, service] : services_) out.push_back(service);
    return out;
}

void AggregatedServices::set(const std::string& name, AggregatedServicePtr service) {
    Lock lock(mutex_);
    const auto at = services_.find(name);
    const auto before = at == services_.end() ? nullptr : at->second->openapi;
    if ((service == nullptr ? nullptr : service->openapi) != before) openapi_epoch_.fetch_add(1, std::memory_order_release);
    if (service == nullptr) {
        if (at == services_.end()) return;
        services_.erase(at);
    } else {
        services_[name] = std::move(service);
    }
    count_.store(services_.size(), std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_release);
}

RemoteCall call_service(const AggregatedService& service, std::string method, const std::string& path) {
    RemoteCall call;
    call.method = std::move(method);
    call.url = "https://" + service.name + "." + service.namespace_name + ".svc:" + std::to_string(service.port) + path;
    call.service = service.namespace_name + "/" + service.name;
    call.address = service.address;
    call.unreachable = service.unreachable;
    call.ca_bundle = service.ca_bundle;
    call.insecure = service.insecure;
    call.as_front_proxy = true;
    return call;
}

RemoteCall forwarded(const AggregatedService& service, const Request& request) {
    RemoteCall call = call_service(service, request.method, request.path + (request.query.empty() ? "" : "?" + request.query));
    call.timeout = std::chrono::seconds(60);
    call.body = request.body;
    for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"Content-Type", request.content_type},
                                      {"Accept", request.accept}, {"User-Agent", request.user_agent}}) {
        if (!value.empty()) call.headers.emplace_back(name, header_text(value));
    }
    const User& user = request.user;
    call.headers.emplace_back("X-Remote-User", header_text(user.name));
    if (!user.uid.empty()) call.headers.emplace_back("X-Remote-Uid", header_text(user.uid));
    for (const std::string& group : user.groups) call.headers.emplace_back("X-Remote-Group", header_text(group));
    for (const auto& [key, values] : user.extra) {
        for (const std::string& value : values) call.headers.emplace_back("X-Remote-Extra-" + header_text(key), header_text(value));
    }
    return call;
}

std::string with_aggregated_groups(std::string group_list, const std::vector<AggregatedServicePtr>& services) {
    for (const auto& [group, versions] : grouped(services)) append_element(group_list, group_text(group, versions, false));
    return group_list;
}

std::string with_aggregated_discovery(std::string discovery, const std::vector<AggregatedServicePtr>& services) {
    for (const auto& [group, versions] : grouped(services)) {
        Json entry = {{"metadata", {{"name", group}, {"creationTimestamp", nullptr}}}, {"versions", Json::array()}};
        for (const AggregatedServicePtr& service : versions) entry["versions"].push_back(version_discovery(*service));
        append_element(discovery, encode_raw(entry));
    }
    return discovery;
}

std::string aggregated_group(const std::vector<AggregatedServicePtr>& services, std::string_view wanted) {
    for (const auto& [group, versions] : grouped(services)) {
        if (group == wanted) return group_text(group, versions, true);
    }
    return {};
}

}  // namespace kubemu::api

// Requests to a server inside a pod, and its answers (kubernetes pkg/registry/core/pod/strategy.go, ResourceLocation;
// pkg/registry/core/service/storage, ResourceLocation; apimachinery pkg/util/proxy/upgradeaware.go).
#include "api/subresources/proxy.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/kinds/views.h"
#include "api/subresources/pod_connect.h"
#include "api/subresources/pod_streams.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Where the request goes: a pod, and a port of it.
struct Location {
    storage::RecordPtr pod;
    int port = 80;
};

int number_of(std::string_view text) {
    int number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? number : 0;
}

ApiResult<Location> pod_location(const Registry& registry, const RequestInfo& info, std::string_view name, std::string_view port) {
    Location location{registry.get("pods", info.namespace_name, name), number_of(port)};
    if (location.pod == nullptr) return Status::not_found({}, "pods", name);
    const Json pod = registry.document(*location.pod);
    if (port.empty()) {
        location.port = 80;
        for (const Json& container : array_at(pod, {"spec", "containers"})) {
            const Json& ports = array_at(container, {"ports"});
            if (ports.empty()) continue;
            location.port = static_cast<int>(int_at(ports[0], {"containerPort"}));
            break;
        }
    }
    if (pod_view_of(*location.pod).pod_ip.empty()) return Status::bad_request("address not allowed");
    return location;
}

// A ready pod behind the Service, at the port that is named, or the only one.
ApiResult<Location> service_location(const Registry& registry, const RequestInfo& info, std::string_view name, std::string_view port) {
    const auto record = registry.get("services", info.namespace_name, name);
    if (record == nullptr) return Status::not_found({}, "services", name);
    const Status nobody = Status::service_unavailable("no endpoints available for service " + go_quote(name));
    std::string wanted(port);
    if (const int number = number_of(port); number != 0) {
        const Json service = registry.document(*record);
        bool found = false;
        for (const Json& known : array_at(service, {"spec", "ports"})) {
            if (int_at(known, {"port"}) != number) continue;
            wanted = string_at(known, {"name"});
            found = true;
            break;
        }
        if (!found) return Status::service_unavailable("no service port " + std::to_string(number) + " found for service " + go_quote(name));
    }
    const auto endpoints = registry.get("endpoints", info.namespace_name, name);
    if (endpoints == nullptr) return Status::not_found({}, "endpoints", name);
    const Json document = registry.document(*endpoints);
    const Json& subsets = array_at(document, {"subsets"});
    if (subsets.empty()) return nobody;
    for (const Json& subset : subsets) {
        const Json& addresses = array_at(subset, {"addresses"});
        if (addresses.empty()) continue;
        for (const Json& known : array_at(subset, {"ports"})) {
            if (string_at(known, {"name"}) != wanted) continue;
            const auto pod = registry.get("pods", string_at(addresses[0], {"targetRef", "namespace"}), string_at(addresses[0], {"targetRef", "name"}));
            if (pod == nullptr) continue;
            return Location{pod, static_cast<int>(int_at(known, {"port"}))};
        }
    }
    return nobody;
}

// What the server inside said, as an answer of ours.
Response parse_answer(const std::string& text) {
    Response response;
    response.content_type.clear();
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos) return response;
    bool first = true;
    for (const std::string_view raw : split(std::string_view(text).substr(0, end), '\n')) {
        const std::string_view line = trim(raw);
        if (std::exchange(first, false)) {
            response.code = number_of(line.substr(std::min<std::size_t>(line.size(), 9), 3));
            continue;
        }
        const std::size_t colon = line.find(':');
        if (colon == line.npos) continue;
        const std::string name(line.substr(0, colon));
        const std::string value(trim(line.substr(colon + 1)));
        if (lower(name) == "content-type") response.content_type = value;
        else if (lower(name) != "content-length" && lower(name) != "connection") response.headers.emplace_back(name, value);
    }
    response.body.push_back(Slice::of(text.substr(end + 4)));
    return response;
}

// Behind ".../proxy", still encoded; nothing when that ends the path.
std::string_view rest_of(std::string_view path) {
    constexpr std::string_view word = "/proxy";
    const std::size_t at = path.find(word, path.find("/namespaces/"));
    return at == path.npos ? std::string_view() : path.substr(at + word.size());
}

}  // namespace

bool split_scheme_name_port(std::string_view id, std::string_view& scheme, std::string_view& name, std::string_view& port) {
    const auto parts = split(id, ':');
    scheme = name = port = {};
    if (parts.size() == 1) name = parts[0];
    else if (parts.size() == 2) name = parts[0], port = parts[1];
    else if (parts.size() == 3) scheme = parts[0], name = parts[1], port = parts[2];
    const bool known = scheme.empty() || scheme == "http" || scheme == "https";
    return parts.size() <= 3 && !name.empty() && known;
}

ApiResult<bool> handle_proxy(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    const Request& request = exchange->request;
    const bool service = exchange->kind->resource == "services";
    Json options = {{"kind", service ? "ServiceProxyOptions" : "PodProxyOptions"}, {"apiVersion", "v1"}};
    const std::string_view rest = rest_of(request.path);
    if (rest.size() > 1) options["path"] = rest.substr(1);
    TRY(admit_connection(*exchange, options));
    std::string_view scheme, name, port;
    if (!split_scheme_name_port(info.name, scheme, name, port)) {
        return Status::bad_request("invalid " + std::string(service ? "service" : "pod") + " request " + go_quote(info.name));
    }
    TRY_ASSIGN(const Location location, service ? service_location(exchange->registry, info, name, port)
                                                : pod_location(exchange->registry, info, name, port));
    if (rest.empty() && (request.method == "GET" || request.method == "HEAD")) {
        Response moved;
        moved.code = 301;
        moved.content_type.clear();
        moved.headers.emplace_back("Location", request.path + "/" + (request.query.empty() ? "" : "?" + request.query));
        exchange->respond(std::move(moved));
        return true;
    }
    const std::string address = pod_view_of(*location.pod).pod_ip + ":" + std::to_string(location.port);
    const std::string failed = "error trying to reach service: dial tcp " + address + ": connect: connection refused";
    if (exchange->streams == nullptr) return Status::service_unavailable(failed);
    auto dialed = exchange->streams->dial(location.pod, location.port);
    if (!dialed) return Status::service_unavailable(failed);
    (*dialed)->input(request.method + " " + (rest.empty() ? "/" : std::string(rest)) +
                     (request.query.empty() ? "" : "?" + request.query) + " HTTP/1.1\r\nHost: " + address +
                     "\r\nUser-Agent: " + request.user_agent + "\r\nContent-Length: " + std::to_string(request.body.size()) +
                     "\r\nX-Forwarded-Uri: " + request.path + "\r\n\r\n" + request.body);
    exchange->respond(parse_answer((*dialed)->output()));
    return true;
}

}  // namespace kubemu::api

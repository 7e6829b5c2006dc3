// URLs, Services, and the words of client-go.
#include "api/remote_client.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/codec/json.h"
#include "api/selector/label.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// errors.NewGenericServerResponse for a POST of no resource.
std::string status_text(int code, const std::string& body) {
    switch (code) {
        case 400: return "the server rejected our request for an unknown reason";
        case 401: return "the server has asked for the client to provide credentials";
        case 403: return body;
        case 404: return "the server could not find the requested resource";
        case 405: return "the server does not allow this method on the requested resource";
        case 406: return body.empty() ? "the server was unable to respond with a content type that the client supports" : body;
        case 409: return "the server reported a conflict";
        case 410: return "the server reported that the requested resource is gone";
        case 413: return body.empty() ? "Request entity too large: limit is 3145728" : "Request entity too large: limit is 3145728";
        case 415: return body.empty() ? "the body of the request was in an unknown format" : body;
        case 422: return "the server rejected our request due to an error in our request";
        case 429: return "the server has received too many requests and has asked us to try again later";
        case 503: return "the server is currently unable to handle the request";
        case 504:
            return "the server was unable to return a response in the time allotted, but may still be processing the request";
        default: break;
    }
    if (code >= 500) return "an error on the server (" + go_quote(body) + ") has prevented the request from succeeding";
    return "the server responded with the status code " + std::to_string(code) + " but did not return more information";
}

// The number of the port of a slice that the Service's port leads to.
std::int64_t target_of(const Json& slice, std::string_view port_name) {
    for (const Json& port : array_at(slice, {"ports"})) {
        if (string_at(port, {"name"}) == port_name) return int_at(port, {"port"});
    }
    return 0;
}

// The path as client-go's REST client makes it of one that it is given: path.Join("/", path).
std::string joined_path(std::string_view path) {
    std::vector<std::string_view> steps;
    for (const std::string_view step : split(path, '/')) {
        if (step == ".." && !steps.empty()) steps.pop_back();
        if (!step.empty() && step != "." && step != "..") steps.push_back(step);
    }
    std::string joined;
    for (const std::string_view step : steps) joined.append("/").append(step);
    return joined.empty() ? "/" : joined;
}

}  // namespace

Result<std::string, Unreachable> resolve_service(const Lookup& lookup, std::string_view namespace_name, std::string_view name,
                                                 std::int64_t port) {
    const storage::RecordPtr record = lookup.get("services", namespace_name, name);
    if (record == nullptr) return Unreachable{"service " + go_quote(name) + " not found"};
    const Json service = lookup.document(*record);
    if (string_at(service, {"spec", "type"}) == "ExternalName") {
        return std::string(string_at(service, {"spec", "externalName"})) + ":" + std::to_string(port);
    }
    const Json* wanted = nullptr;
    for (const Json& candidate : array_at(service, {"spec", "ports"})) {
        if (int_at(candidate, {"port"}) == port) wanted = &candidate;
    }
    if (wanted == nullptr) return Unreachable{"no service port " + std::to_string(port) + " found for service " + go_quote(name)};
    for (const storage::RecordPtr& slice_record : lookup.list("endpointslices.discovery.k8s.io", namespace_name)) {
        const Json slice = lookup.document(*slice_record);
        if (string_at(object_at(slice, {"metadata", "labels"}), {"kubernetes.io/service-name"}) != name) continue;
        const std::int64_t target = target_of(slice, string_at(*wanted, {"name"}));
        if (target == 0) continue;
        for (const Json& endpoint : array_at(slice, {"endpoints"})) {
            const Json& addresses = array_at(endpoint, {"addresses"});
            if (!bool_at(endpoint, {"conditions", "ready"}, true) || addresses.empty() || !addresses[0].is_string()) continue;
            const std::string& address = addresses[0].get_ref<const std::string&>();
            const bool six = address.find(':') != std::string::npos;
            return (six ? "[" + address + "]" : address) + ":" + std::to_string(target);
        }
    }
    return Unreachable{"no endpoints available for service " + go_quote(name)};
}

RemoteCall call_by_config(const Lookup& lookup, const Json& client_config, std::int64_t timeout_seconds, std::string body) {
    RemoteCall call;
    call.body = std::move(body);
    call.timeout = std::chrono::seconds(timeout_seconds);
    call.follows_redirects = true;
    if (!base64_decode(string_at(client_config, {"caBundle"}), call.ca_bundle)) call.ca_bundle.clear();
    const Json* service = find(client_config, "service");
    if (service == nullptr) {
        call.url = string_at(client_config, {"url"});
        const std::size_t scheme = call.url.find("://");
        const std::size_t path = scheme == std::string::npos ? scheme : std::min(call.url.find('/', scheme + 3), call.url.size());
        if (path != std::string::npos) call.url = call.url.substr(0, path) + joined_path(std::string_view(call.url).substr(path));
    } else {
        const std::string space(string_at(*service, {"namespace"})), name(string_at(*service, {"name"}));
        const std::int64_t port = int_at(*service, {"port"}, 443);
        call.url = "https://" + name + "." + space + ".svc:" + std::to_string(port) + joined_path(string_at(*service, {"path"}));
        call.service = space + "/" + name;
        auto address = resolve_service(lookup, space, name, port);
        if (address) call.address = std::move(*address);
        else call.unreachable = std::move(address).error().why;
    }
    call.url += "?timeout=" + std::to_string(timeout_seconds) + "s";
    return call;
}

Result<Json, std::string> read_answer(const RemoteCall& call, const RemoteAnswer& answer) {
    if (!answer.error.empty()) return "Post " + go_quote(answer.url.empty() ? call.url : answer.url) + ": " + answer.error;
    const std::string body(trim(answer.body));
    auto document = parse_json(answer.body);
    if (answer.code < 200 || answer.code > 206) {
        // A Status speaks for itself.
        if (document && string_at(*document, {"kind"}) == "Status" && !string_at(*document, {"message"}).empty()) {
            return std::string(string_at(*document, {"message"}));
        }
        return status_text(answer.code, body);
    }
    if (!document) return "couldn't get version/kind; json parse error: " + document.error().message;
    if (!document->is_object()) return std::string("couldn't get version/kind; json parse error: json: cannot unmarshal value into Go value");
    return std::move(*document);
}

}  // namespace kubemu::api

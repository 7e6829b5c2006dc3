// Requests to a server inside a pod, and its answers (kubernetes pkg/registry/core/pod/strategy.go, ResourceLocation;
// pkg/registry/core/service/storage, ResourceLocation; apimachinery pkg/util/proxy/upgradeaware.go).
#include "api/subresources/proxy.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/admission/unstored.h"
#include "api/headers.h"
#include "api/kinds/views.h"
#include "api/subresources/pod_connect.h"
#include "api/subresources/pod_streams.h"
#include "api/tunnel.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// Where the request goes: a pod and a port of it, or a server outside.
struct Location {
    storage::RecordPtr pod;
    int port = 80;
    std::string host = {};  // without a pod: an address, or the name of the Service, which somebody has said where to reach
};

// A connection to a pod whose server has agreed on another protocol.
class PodTunnel final : public Tunnel {
  public:
    PodTunnel(std::unique_ptr<PortConnection> connection, std::string early)
        : connection_(std::move(connection)), early_(std::move(early)) {}
    void input(std::string_view bytes) override { connection_->input(bytes); }
    void input_closed() override { connection_->input_closed(); }
    Step next() override {
        Step step;
        std::string said = std::exchange(early_, {}) + connection_->output();
        if (!said.empty()) step.data.push_back(Slice::of(std::move(said)));
        if (connection_->ended()) step.state = Step::State::end;
        return step;
    }
    void on_wake(std::function<void()>) override {}  // it only answers

  private:
    std::unique_ptr<PortConnection> connection_;
    std::string early_;
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
ApiResult<Location> service_location(const Registry& registry, const RequestInfo& info, std::string_view name, std::string_view port,
                                     const RemoteCaller* remote) {
    const auto record = registry.get("services", info.namespace_name, name);
    if (record == nullptr) return Status::not_found({}, "services", name);
    if (remote != nullptr && remote->reaches(info.namespace_name + "/" + std::string(name))) {
        const int number = number_of(port);
        return Location{nullptr, number != 0 ? number : 80, std::string(name) + "." + info.namespace_name + ".svc"};
    }
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
    // They are looked for under the resource of the request, and missed as such.
    if (endpoints == nullptr) return Status::not_found({}, "services", name);
    const Json document = registry.document(*endpoints);
    const Json& subsets = array_at(document, {"subsets"});
    if (subsets.empty()) return nobody;
    for (const Json& subset : subsets) {
        const Json& addresses = array_at(subset, {"addresses"});
        if (addresses.empty()) continue;
        for (const Json& known : array_at(subset, {"ports"})) {
            if (string_at(known, {"name"}) != wanted) continue;
            const int number = static_cast<int>(int_at(known, {"port"}));
            if (find(addresses[0], "targetRef") == nullptr) return Location{nullptr, number, std::string(string_at(addresses[0], {"ip"}))};
            const auto pod = registry.get("pods", string_at(addresses[0], {"targetRef", "namespace"}), string_at(addresses[0], {"targetRef", "name"}));
            if (pod == nullptr) continue;
            return Location{pod, number};
        }
    }
    return Status::service_unavailable("no endpoints available for service " + go_quote(info.name));
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
        else if (lower(name) != "content-length" && (response.code == 101 || !is_hop_header(name))) response.headers.emplace_back(name, value);
    }
    response.body.push_back(Slice::of(text.substr(end + 4)));
    return response;
}

}  // namespace

std::string_view rest_of_proxy(std::string_view path) {
    constexpr std::string_view word = "/proxy";
    const std::size_t space = path.find("/namespaces/");
    const std::size_t at = path.find(word, space == path.npos ? path.find("/nodes/") : space);
    return at == path.npos ? std::string_view() : path.substr(at + word.size());
}

bool split_scheme_name_port(std::string_view id, std::string_view& scheme, std::string_view& name, std::string_view& port) {
    const auto parts = split(id, ':');
    scheme = name = port = {};
    if (parts.size() == 1) name = parts[0];
    else if (parts.size() == 2) name = parts[0], port = parts[1];
    else if (parts.size() == 3) scheme = parts[0], name = parts[1], port = parts[2];
    const bool known = scheme.empty() || scheme == "http" || scheme == "https";
    return parts.size() <= 3 && !name.empty() && known;
}

namespace {

// The headers that go on, one a line.
std::string header_lines(const Exchange& exchange) {
    if (exchange.headers == nullptr) return "User-Agent: " + exchange.request.user_agent + "\r\n";
    std::string lines;
    for (const auto& [name, value] : passed_on(*exchange.headers)) lines += name + ": " + value + "\r\n";
    return lines;
}

// To a server outside of the simulated nodes; its certificate may be any.
void pass_outside(const ExchangePtr& exchange, const Location& location, std::string_view scheme, const std::string& target) {
    const Request& request = exchange->request;
    RemoteCall call;
    call.method = request.method;
    const bool six = location.host.find(':') != std::string::npos;
    call.url = std::string(scheme == "https" ? "https" : "http") + "://" + (six ? "[" + location.host + "]" : location.host) + ":" +
               std::to_string(location.port) + target;
    std::string_view scheme_of_name, name, port;
    split_scheme_name_port(exchange->info.name, scheme_of_name, name, port);
    if (location.host.ends_with(".svc")) call.service = exchange->info.namespace_name + "/" + std::string(name);
    call.insecure = true;
    call.body = request.body;
    call.timeout = std::chrono::seconds(60);
    if (exchange->headers != nullptr) call.headers = passed_on(*exchange->headers);
    call.headers.emplace_back("X-Forwarded-Uri", request.path);
    exchange->remote->forward(std::move(call), exchange->respond);
}

}  // namespace

ApiResult<bool> handle_proxy(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    const Request& request = exchange->request;
    const bool service = exchange->kind->resource == "services";
    Json options = {{"kind", service ? "ServiceProxyOptions" : "PodProxyOptions"}, {"apiVersion", "v1"}};
    const std::string_view rest = rest_of_proxy(request.path);
    if (rest.size() > 1) options["path"] = rest.substr(1);
    TRY(admit_connection(*exchange, options));
    std::string_view scheme, name, port;
    if (!split_scheme_name_port(info.name, scheme, name, port)) {
        return Status::bad_request("invalid " + std::string(service ? "service" : "pod") + " request " + go_quote(info.name));
    }
    TRY_ASSIGN(const Location location, service ? service_location(exchange->registry, info, name, port, exchange->remote)
                                                : pod_location(exchange->registry, info, name, port));
    if (rest.empty() && (request.method == "GET" || request.method == "HEAD")) {
        Response moved;
        moved.code = 301;
        moved.content_type.clear();
        moved.headers.emplace_back("Location", request.path + "/" + (request.query.empty() ? "" : "?" + request.query));
        exchange->respond(std::move(moved));
        return true;
    }
    const std::string target = (rest.empty() ? "/" : std::string(rest)) + (request.query.empty() ? "" : "?" + request.query);
    const bool outside = location.pod == nullptr;
    if (outside && exchange->remote != nullptr) {
        pass_outside(exchange, location, scheme, target);
        return true;
    }
    const std::string address = (outside ? location.host : pod_view_of(*location.pod).pod_ip) + ":" + std::to_string(location.port);
    const std::string failed = "error trying to reach service: dial tcp " + address + ": connect: connection refused";
    if (outside || exchange->streams == nullptr) return Status::service_unavailable(failed);
    auto dialed = exchange->streams->dial(location.pod, location.port);
    if (!dialed) return Status::service_unavailable(failed);
    (*dialed)->input(request.method + " " + target + " HTTP/1.1\r\nHost: " + address + "\r\n" + header_lines(*exchange) +
                     "Content-Length: " + std::to_string(request.body.size()) + "\r\nX-Forwarded-Uri: " + request.path + "\r\n\r\n" +
                     request.body);
    Response response = parse_answer((*dialed)->output());
    if (response.code == 101) {
        std::string early;
        for (const Slice& part : std::exchange(response.body, {})) early += part.text;
        response.stream = std::make_unique<PodTunnel>(std::move(*dialed), std::move(early));
    }
    exchange->respond(std::move(response));
    return true;
}

}  // namespace kubemu::api

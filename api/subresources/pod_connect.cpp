// Connections to the inside of a pod, up to where the node takes over (kubernetes pkg/registry/core/pod/rest/subresources.go;
// pkg/registry/core/pod/strategy.go, streamLocation and validateContainer).
#include "api/subresources/pod_connect.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "api/access.h"
#include "api/admission/unstored.h"
#include "api/authorization/attributes.h"
#include "api/exchange.h"
#include "api/subresources/node_location.h"
#include "api/subresources/pod_streams.h"
#include "api/values/text.h"

namespace kubemu::api {

ApiResult<std::string> container_of(const Json& pod, std::string_view wanted) {
    std::vector<std::string> names;
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        for (const Json& container : array_at(pod, {"spec", list})) names.emplace_back(string_at(container, {"name"}));
    }
    const std::string name(name_of(pod));
    if (!wanted.empty()) {
        for (const std::string& known : names) {
            if (known == wanted) return std::string(wanted);
        }
        return Status::bad_request("container " + std::string(wanted) + " is not valid for pod " + name);
    }
    const Json& containers = array_at(pod, {"spec", "containers"});
    if (containers.size() == 1) return std::string(string_at(containers[0], {"name"}));
    std::string message = "a container name must be specified for pod " + name;
    if (!containers.empty()) message += ", choose one of: [" + join(names, " ") + "]";
    return Status::bad_request(message);
}

namespace {

std::vector<std::string> values_of(const RequestInfo& info, std::string_view name) {
    std::vector<std::string> values;
    const auto [first, last] = info.query.equal_range(name);
    for (auto at = first; at != last; ++at) values.push_back(at->second);
    return values;
}

// The query as the object that admission judges: PodExecOptions, PodAttachOptions, PodPortForwardOptions.
Json options_of(const RequestInfo& info, std::string_view kind) {
    Json options = {{"kind", kind}, {"apiVersion", "v1"}};
    if (info.subresource == "portforward") {
        for (const std::string& text : values_of(info, "ports")) {
            for (const std::string_view part : split(text, ',')) {
                int port = 0;
                if (std::from_chars(part.data(), part.data() + part.size(), port).ec == std::errc()) {
                    options["ports"].push_back(port);
                }
            }
        }
        return options;
    }
    for (const char* name : {"stdin", "stdout", "stderr", "tty"}) {
        if (info.flag(name)) options[name] = true;
    }
    if (const std::string_view container = info.parameter("container"); !container.empty()) options["container"] = container;
    if (info.subresource == "exec") options["command"] = values_of(info, "command");
    return options;
}

// Since 1.35 whoever may get the subresource alone may not connect: a WebSocket's request is a GET (kubernetes
// pkg/registry/core/pod/rest/authorize.go, gate AuthorizePodWebsocketUpgradeCreatePermission).
ApiResult<bool> may_create(const Exchange& exchange) {
    const User& user = exchange.request.user;
    if (exchange.request.method != "GET" || exchange.access == nullptr || user.in_group(masters_group)) return true;
    if (exchange.minor < 35) return true;
    Attributes attributes = attributes_of(exchange.request, exchange.info);
    attributes.verb = "create";
    const auto answer = exchange.access->authorizer.authorize(user, attributes);
    if (!answer.allowed) return forbidden(user, attributes, answer.reason);
    return true;
}

// Whether the kubelet of the pod's node can be reached.
ApiResult<bool> check_node(const Exchange& exchange, std::string_view node_name) {
    TRY_ASSIGN(const NodeLocation location, node_location(exchange, node_name));
    if (exchange.streams != nullptr) return true;
    return Status::plain_500("error dialing backend: " + refused(location.address, std::to_string(location.port)));
}

}  // namespace

ApiResult<bool> handle_connect(const ExchangePtr& exchange) {
    const RequestInfo& info = exchange->info;
    const SubresourceSpec* subresource = exchange->kind->subresource(info.subresource);
    Json options = options_of(info, subresource == nullptr ? std::string_view() : subresource->kind);
    TRY(admit_connection(*exchange, options));
    TRY(may_create(*exchange));
    CommandQuery query;
    query.pod = exchange->registry.get("pods", info.namespace_name, info.name);
    if (query.pod == nullptr) return Status::not_found({}, "pods", info.name);
    const Json pod = exchange->registry.document(*query.pod);
    const bool ports = info.subresource == "portforward";
    if (!ports) {
        TRY_ASSIGN(query.container, container_of(pod, string_at(options, {"container"})));
    }
    const std::string_view node_name = string_at(pod, {"spec", "nodeName"});
    if (node_name.empty()) return Status::bad_request("pod " + std::string(info.name) + " does not have a host assigned");
    TRY(check_node(*exchange, node_name));
    query.attach = info.subresource == "attach";
    for (const Json& word : array_at(options, {"command"})) {
        if (word.is_string()) query.command.push_back(word.get<std::string>());
    }
    query.in = bool_at(options, {"stdin"});
    query.out = bool_at(options, {"stdout"});
    query.err = bool_at(options, {"stderr"});
    query.tty = bool_at(options, {"tty"});
    std::vector<std::string> numbers;
    for (const Json& port : array_at(options, {"ports"})) numbers.push_back(std::to_string(port.get<int>()));
    if (numbers.empty()) numbers = values_of(info, "ports");
    Response response;
    response.code = 101;
    response.stream = std::make_unique<PodConnect>(*exchange->streams, std::move(query), ports, std::move(numbers), exchange->request);
    exchange->respond(std::move(response));
    return true;
}

}  // namespace kubemu::api

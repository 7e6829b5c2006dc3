// Addresses of nodes, and the proxy to their kubelets.
#include "api/subresources/node_location.h"

#include <nlohmann/json.hpp>

#include "api/admission/unstored.h"
#include "api/subresources/proxy.h"
#include "api/values/net.h"
#include "api/values/text.h"

namespace kubemu::api {

ApiResult<NodeLocation> node_location(const Exchange& exchange, std::string_view node_name) {
    const auto record = exchange.registry.get("nodes", {}, node_name);
    // It is looked for under the resource of the request, and missed as such.
    if (record == nullptr) return Status::not_found({}, exchange.kind->plural, node_name);
    const Json node = exchange.registry.document(*record);
    const Json& addresses = array_at(node, {"status", "addresses"});
    NodeLocation location;
    if (const auto port = int_at(node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"})) location.port = static_cast<int>(port);
    // The default of --kubelet-preferred-address-types.
    for (const char* preferred : {"Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"}) {
        for (const Json& address : addresses) {
            if (string_at(address, {"type"}) != preferred) continue;
            location.host = location.address = string_at(address, {"address"});
            for (const Json& other : addresses) {
                if (string_at(other, {"type"}) == "InternalIP") location.address = string_at(other, {"address"});
            }
            return location;
        }
    }
    std::vector<std::string> known;
    for (const Json& address : addresses) {
        known.push_back("{" + std::string(string_at(address, {"type"})) + " " + std::string(string_at(address, {"address"})) + "}");
    }
    return Status::plain_500("no preferred addresses found; known addresses: [" + join(known, " ") + "]");
}

std::string refused(std::string_view address, std::string_view port) {
    const bool six = address.find(':') != address.npos;
    return "dial tcp " + (six ? "[" + std::string(address) + "]" : std::string(address)) + ":" + std::string(port) +
           ": connect: connection refused";
}

ApiResult<bool> handle_node_proxy(const ExchangePtr& exchange) {
    const std::string& id = exchange->info.name;
    Json options = {{"kind", "NodeProxyOptions"}, {"apiVersion", "v1"}};
    const std::string_view rest = rest_of_proxy(exchange->request.path);
    if (rest.size() > 1) options["path"] = rest.substr(1);
    TRY(admit_connection(*exchange, options));
    std::string_view scheme, name, port;
    if (!split_scheme_name_port(id, scheme, name, port)) return Status::bad_request("invalid node request " + go_quote(id));
    TRY_ASSIGN(const NodeLocation location, node_location(*exchange, name));
    if (const auto known = NetipAddress::parse(location.address); known && !known->global_unicast()) {
        return Status::bad_request("address not allowed");
    }
    const std::string number = port.empty() ? std::to_string(location.port) : std::string(port);
    return Status::service_unavailable("error trying to reach service: " + refused(location.address, number));
}

}  // namespace kubemu::api

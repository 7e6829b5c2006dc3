// Records of the addresses and node ports that Services have.
//
// An address is an IPAddress object, as in kubernetes 1.33 and later (pkg/registry/core/service/ipallocator); a node
// port is a record that no kind shows.
#include "api/kinds/core/service_allocations.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/codec/json.h"
#include "api/kinds/networking/service_networks.h"
#include "api/kinds/views.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

constexpr int node_port_min = 30000, node_port_max = 32767;
// Random tries before the range is searched from one end to the other.
constexpr int tries_max = 64;

constexpr std::string_view ip_resource = ip_address_resource;
constexpr std::string_view port_resource = "servicenodeports";

bool taken(std::string_view resource, const std::string& name, const HookContext& context) {
    return context.lookup.get(resource, {}, name) != nullptr;
}

storage::Draft port_draft(const std::string& port, storage::Precondition precondition) {
    storage::Draft draft;
    draft.resource = port_resource;
    draft.key = port;
    draft.precondition = precondition;
    draft.text = "{}";
    draft.revision_at = std::string::npos;
    draft.view = std::make_shared<ObjectView>();
    return draft;
}

void take_ip(const std::string& ip, const Json& service, const HookContext& context) {
    Json address = ip_address_object(ip, context.namespace_name, name_of(service));
    address["metadata"]["uid"] = context.random.uuid();
    address["metadata"]["creationTimestamp"] = format_time(context.now);
    context.companions->push_back(network_draft(ip_resource, address, storage::Precondition::absent()));
}

void release(std::string_view resource, const std::string& name, const HookContext& context) {
    const storage::RecordPtr record = context.lookup.get(resource, {}, name);
    if (record == nullptr) return;
    const auto precondition = storage::Precondition::at(record->revision);
    storage::Draft draft = resource == ip_resource ? network_draft(ip_resource, context.lookup.document(*record), precondition)
                                                   : port_draft(name, precondition);
    draft.deletes = true;
    context.companions->push_back(std::move(draft));
}

std::set<std::string> ips_of(const Json* service) {
    std::set<std::string> ips;
    if (service == nullptr) return ips;
    for (const Json& ip : array_at(*service, {"spec", "clusterIPs"})) {
        const auto address = ip.is_string() ? IpAddress::parse(ip.get_ref<const std::string&>()) : std::nullopt;
        if (address) ips.insert(address->text());
    }
    return ips;
}

std::set<std::string> ports_of(const Json* service) {
    std::set<std::string> ports;
    if (service == nullptr) return ports;
    const auto add = [&](std::int64_t port) {
        if (port != 0) ports.insert(std::to_string(port));
    };
    for (const Json& port : array_at(*service, {"spec", "ports"})) add(int_at(port, {"nodePort"}));
    add(int_at(*service, {"spec", "healthCheckNodePort"}));
    return ports;
}

}  // namespace

std::string service_ip_problem(std::string_view ip, const HookContext& context) {
    const auto address = IpAddress::parse(ip);
    const auto networks = open_service_networks(context.lookup, address ? family_of(*address) : IpFamily::v4);
    if (networks.empty()) return "the provided network does not match the current range";
    if (!address || std::none_of(networks.begin(), networks.end(), [&](const ServiceNetwork& each) {
            return gives_out(each.network, *address);
        })) {
        return "the provided IP (" + std::string(ip) + ") is not in the valid range. The range of valid IPs is " +
               networks.front().network.text();
    }
    return taken(ip_resource, address->text(), context) ? "provided IP is already allocated" : std::string();
}

std::optional<std::string> free_service_ip(IpFamily family, const HookContext& context) {
    // Of a network that nobody can look through, the search ends somewhere.
    constexpr std::uint64_t search_max = std::uint64_t{1} << 20;
    for (const ServiceNetwork& network : open_service_networks(context.lookup, family)) {
        for (int tries = 0; tries < tries_max && network.count > network.band; ++tries) {
            const std::uint64_t at = network.band + context.random.below("service-ip", network.count - network.band);
            std::string ip = network.at(at).text();
            if (!taken(ip_resource, ip, context)) return ip;
        }
        for (std::uint64_t i = std::min(network.count, search_max); i-- > 0;) {
            std::string ip = network.at(i).text();
            if (!taken(ip_resource, ip, context)) return ip;
        }
    }
    return std::nullopt;
}

std::string node_port_problem(int port, const HookContext& context) {
    if (port < node_port_min || port > node_port_max) {
        return "provided port is not in the valid range. The range of valid ports is " + std::to_string(node_port_min) +
               "-" + std::to_string(node_port_max);
    }
    return taken(port_resource, std::to_string(port), context) ? "provided port is already allocated" : std::string();
}

std::optional<int> free_node_port(const std::set<int>& avoid, const HookContext& context) {
    const auto fits = [&](int port) {
        return !avoid.contains(port) && !taken(port_resource, std::to_string(port), context);
    };
    for (int tries = 0; tries < tries_max; ++tries) {
        const int port =
            node_port_min + static_cast<int>(context.random.below("node-port", node_port_max - node_port_min + 1));
        if (fits(port)) return port;
    }
    for (int port = node_port_max; port >= node_port_min; --port) {
        if (fits(port)) return port;
    }
    return std::nullopt;
}

void record_allocations(const Json* after, const Json* before, const HookContext& context) {
    if (context.companions == nullptr || context.dry_run) return;
    const std::set<std::string> ips = ips_of(after), had_ips = ips_of(before);
    const std::set<std::string> ports = ports_of(after), had_ports = ports_of(before);
    for (const std::string& ip : ips) {
        if (!had_ips.contains(ip)) take_ip(ip, *after, context);
    }
    for (const std::string& port : ports) {
        if (!had_ports.contains(port)) context.companions->push_back(port_draft(port, storage::Precondition::absent()));
    }
    for (const std::string& ip : had_ips) {
        if (!ips.contains(ip)) release(ip_resource, ip, context);
    }
    for (const std::string& port : had_ports) {
        if (!ports.contains(port)) release(port_resource, port, context);
    }
}

}  // namespace kubemu::api::kinds

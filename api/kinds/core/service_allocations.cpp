// Records of the addresses and node ports that Services have.
//
// An address is an IPAddress object, as in kubernetes 1.33 and later (pkg/registry/core/service/ipallocator); a node
// port is a record that no kind shows.
#include "api/kinds/core/service_allocations.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/codec/json.h"
#include "api/kinds/views.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

// 10.96.0.0/12. Those who ask for an address find the lower ones free: the dynamic band begins behind the first 256.
constexpr std::uint32_t network = 10U << 24 | 96U << 16;
constexpr std::uint32_t network_size = 1U << 20;
constexpr std::uint32_t static_band = 256;
constexpr std::string_view network_text = "10.96.0.0/12";
constexpr int node_port_min = 30000, node_port_max = 32767;
// Random tries before the range is searched from one end to the other.
constexpr int tries_max = 64;

constexpr std::string_view ip_resource = "ipaddresses.networking.k8s.io";
constexpr std::string_view port_resource = "servicenodeports";

std::string ip_text(std::uint32_t ip) {
    return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." + std::to_string(ip >> 8 & 255) + "." +
           std::to_string(ip & 255);
}

std::optional<std::uint32_t> ip_number(std::string_view text) {
    const auto parts = split(text, '.');
    if (parts.size() != 4) return std::nullopt;
    std::uint32_t ip = 0;
    for (const std::string_view part : parts) {
        std::uint32_t octet = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), octet);
        if (error != std::errc() || end != part.data() + part.size() || octet > 255) return std::nullopt;
        ip = ip << 8 | octet;
    }
    return ip;
}

const KindSpec* ip_kind() {
    for (const KindSpec& kind : builtin_kinds()) {
        if (kind.resource == ip_resource && kind.storage_version) return &kind;
    }
    return nullptr;
}

bool taken(std::string_view resource, const std::string& name, const HookContext& context) {
    return context.lookup.get(resource, {}, name) != nullptr;
}

storage::Draft ip_draft(const Json& object, storage::Precondition precondition) {
    const KindSpec& kind = *ip_kind();
    Encoded encoded =
        encode_object(object, *kind.type, std::string(kind.group) + "/" + std::string(kind.version), kind.kind);
    storage::Draft draft;
    draft.resource = ip_resource;
    draft.key = name_of(object);
    draft.precondition = precondition;
    draft.text = std::move(encoded.text);
    draft.revision_at = encoded.revision_at;
    draft.view = make_view(kind, object);
    return draft;
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
    if (ip_kind() == nullptr) return;
    const Json address = {{"metadata",
                           {{"name", ip},
                            {"uid", context.random.uuid()},
                            {"creationTimestamp", format_time(context.now)},
                            {"labels",
                             {{"ipaddress.kubernetes.io/ip-family", "IPv4"},
                              {"ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"}}}}},
                          {"spec",
                           {{"parentRef",
                             {{"group", ""},
                              {"resource", "services"},
                              {"namespace", std::string(context.namespace_name)},
                              {"name", std::string(name_of(service))}}}}}};
    context.companions->push_back(ip_draft(address, storage::Precondition::absent()));
}

void release(std::string_view resource, const std::string& name, const HookContext& context) {
    const storage::RecordPtr record = context.lookup.get(resource, {}, name);
    if (record == nullptr) return;
    const auto precondition = storage::Precondition::at(record->revision);
    storage::Draft draft = resource == ip_resource ? ip_draft(context.lookup.document(*record), precondition)
                                                   : port_draft(name, precondition);
    draft.deletes = true;
    context.companions->push_back(std::move(draft));
}

std::set<std::string> ips_of(const Json* service) {
    std::set<std::string> ips;
    if (service == nullptr) return ips;
    for (const Json& ip : array_at(*service, {"spec", "clusterIPs"})) {
        const auto number = ip.is_string() ? ip_number(ip.get_ref<const std::string&>()) : std::nullopt;
        if (number) ips.insert(ip_text(*number));
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
    const auto number = ip_number(ip);
    if (!number || *number <= network || *number >= network + network_size - 1) {
        return "the provided IP (" + std::string(ip) + ") is not in the valid range. The range of valid IPs is " +
               std::string(network_text);
    }
    return taken(ip_resource, ip_text(*number), context) ? "provided IP is already allocated" : std::string();
}

std::optional<std::string> free_service_ip(const HookContext& context) {
    constexpr std::uint32_t dynamic = network_size - 1 - static_band;
    for (int tries = 0; tries < tries_max; ++tries) {
        const auto offset = static_cast<std::uint32_t>(context.random.below("service-ip", dynamic));
        std::string ip = ip_text(network + static_band + offset);
        if (!taken(ip_resource, ip, context)) return ip;
    }
    for (std::uint32_t offset = network_size - 2; offset > 0; --offset) {
        std::string ip = ip_text(network + offset);
        if (!taken(ip_resource, ip, context)) return ip;
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

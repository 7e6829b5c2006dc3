// Rules of Services: addresses and ports are taken when the Service is written.
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/rules.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

// 10.96.0.0/12 without the network's and the API's own address; the first addresses are left to those who ask for one.
constexpr std::uint32_t network = 10U << 24 | 96U << 16;
constexpr std::uint32_t network_size = 1U << 20;
constexpr int node_port_min = 30000, node_port_max = 32767;

std::string ip_text(std::uint32_t ip) {
    return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." + std::to_string(ip >> 8 & 255) + "." +
           std::to_string(ip & 255);
}

std::uint32_t ip_number(std::string_view text) {
    std::uint32_t ip = 0;
    for (const std::string_view part : split(text, '.')) ip = ip << 8 | static_cast<std::uint32_t>(std::atoi(std::string(part).c_str()));
    return ip;
}

struct Taken {
    std::set<std::string> addresses;
    std::set<std::int64_t> ports;
};

Taken taken_by_others(const HookContext& context, std::string_view uid) {
    Taken taken;
    for (const auto& record : context.lookup.list("services", {})) {
        const Json service = context.lookup.document(*record);
        if (uid_of(service) == uid) continue;
        for (const Json& ip : array_at(service, {"spec", "clusterIPs"})) taken.addresses.insert(ip.get<std::string>());
        for (const Json& port : array_at(service, {"spec", "ports"})) taken.ports.insert(int_at(port, {"nodePort"}));
    }
    return taken;
}

bool has_cluster_ip(std::string_view type) { return type != "ExternalName"; }
bool has_node_ports(const Json& service) {
    const std::string_view type = string_at(service, {"spec", "type"});
    return type == "NodePort" || (type == "LoadBalancer" && bool_at(service, {"spec", "allocateLoadBalancerNodePorts"}, true));
}

void set_defaults(Json& service, const HookContext&) {
    Json& spec = ensure(service, {"spec"});
    const std::string_view type = string_at(spec, {"type"});
    if (Json* ports = find(spec, "ports"); ports != nullptr && ports->is_array()) {
        for (Json& port : *ports) {
            const Json* target = find(port, "targetPort");
            if (target == nullptr || *target == 0 || *target == "") port["targetPort"] = int_at(port, {"port"});
        }
    }
    if (string_at(spec, {"sessionAffinity"}) == "ClientIP" && find(spec, "sessionAffinityConfig") == nullptr) {
        spec["sessionAffinityConfig"] = {{"clientIP", {{"timeoutSeconds", 10800}}}};
    }
    if (type == "NodePort" || type == "LoadBalancer") {
        if (string_at(spec, {"externalTrafficPolicy"}).empty()) spec["externalTrafficPolicy"] = "Cluster";
    }
    if (type == "LoadBalancer" && find(spec, "allocateLoadBalancerNodePorts") == nullptr) spec["allocateLoadBalancerNodePorts"] = true;
    if (has_cluster_ip(type) && string_at(spec, {"internalTrafficPolicy"}).empty()) spec["internalTrafficPolicy"] = "Cluster";
    // clusterIP and the first of clusterIPs are one fact.
    const std::string first(string_at(spec, {"clusterIP"}));
    if (!first.empty() && array_at(spec, {"clusterIPs"}).empty()) spec["clusterIPs"] = Json::array({first});
    if (first.empty() && !array_at(spec, {"clusterIPs"}).empty()) spec["clusterIP"] = spec["clusterIPs"][0];
}

void prepare_for_create(Json& service, const HookContext&) { service["status"] = {{"loadBalancer", Json::object()}}; }

void prepare_for_update(Json& service, const Json& old, const HookContext&) {
    Json& spec = service["spec"];
    const std::string_view type = string_at(spec, {"type"}), before = string_at(old, {"spec", "type"});
    if (has_cluster_ip(type) && has_cluster_ip(before) && string_at(spec, {"clusterIP"}).empty()) {
        for (const char* member : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
            if (const Json* value = find(old, {"spec", member}); value != nullptr && find(spec, member) == nullptr) spec[member] = *value;
        }
    }
    if (!has_cluster_ip(type) && has_cluster_ip(before)) {
        for (const char* member : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
            if (find(spec, member) != nullptr && find(old, {"spec", member}) != nullptr) spec.erase(member);
        }
    }
    const bool keeps_ports = has_node_ports(service);
    if (Json* ports = find(spec, "ports"); ports != nullptr && ports->is_array()) {
        for (Json& port : *ports) {
            for (const Json& had : array_at(old, {"spec", "ports"})) {
                const bool same = int_at(had, {"port"}) == int_at(port, {"port"}) && string_at(had, {"protocol"}) == string_at(port, {"protocol"});
                if (!same) continue;
                if (keeps_ports && int_at(port, {"nodePort"}) == 0 && int_at(had, {"nodePort"}) != 0) port["nodePort"] = had["nodePort"];
                // A type without node ports releases those that it only inherited.
                if (!keeps_ports && string_at(old, {"spec", "type"}) != type && int_at(port, {"nodePort"}) == int_at(had, {"nodePort"})) {
                    port.erase("nodePort");
                }
            }
        }
    }
    if (!keeps_ports && type != before) {
        for (const char* member : {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "healthCheckNodePort"}) {
            if (type == "ClusterIP" || type == "ExternalName") spec.erase(member);
        }
    }
}

void validate(const Json& service, const HookContext&, FieldErrors& errors) {
    const FieldPath spec("spec");
    const std::string_view type = string_at(service, {"spec", "type"});
    const Json& ports = array_at(service, {"spec", "ports"});
    const bool headless = string_at(service, {"spec", "clusterIP"}) == "None";
    if (ports.empty() && !headless && type != "ExternalName") errors.required(spec.child("ports"), "");
    std::set<std::string> names;
    std::size_t i = 0;
    for (const Json& port : ports) {
        const FieldPath at = spec.child("ports").index(i++);
        const std::string name(string_at(port, {"name"}));
        if (name.empty() && ports.size() > 1) {
            errors.required(at.child("name"), "");
        } else if (!name.empty()) {
            for (const std::string& message : check_dns1123_label(name)) errors.invalid(at.child("name"), name, message);
            if (!names.insert(name).second) errors.duplicate(at.child("name"), name);
        }
        const std::int64_t number = int_at(port, {"port"});
        if (number < 1 || number > 65535) errors.invalid(at.child("port"), number, "must be between 1 and 65535, inclusive");
        const Json* target = find(port, "targetPort");
        if (target != nullptr && target->is_number() && (target->get<std::int64_t>() < 1 || target->get<std::int64_t>() > 65535)) {
            errors.invalid(at.child("targetPort"), *target, "must be between 1 and 65535, inclusive");
        }
        if (target != nullptr && target->is_string()) {
            for (const std::string& message : check_port_name(target->get<std::string>())) errors.invalid(at.child("targetPort"), *target, message);
        }
        if (int_at(port, {"nodePort"}) != 0 && type == "ClusterIP") {
            errors.forbidden(at.child("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    if (type == "ExternalName") {
        const std::string host(string_at(service, {"spec", "externalName"}));
        if (host.empty()) errors.required(spec.child("externalName"), "");
        else
            for (const std::string& message : check_dns1123_subdomain(host)) errors.invalid(spec.child("externalName"), host, message);
    }
    i = 0;
    for (const Json& ip : array_at(service, {"spec", "clusterIPs"})) {
        const FieldPath at = spec.child("clusterIPs").index(i++);
        if (ip == "None") {
            if (type == "NodePort" || type == "LoadBalancer") {
                errors.invalid(at, ip, "may not be set to 'None' for " + std::string(type) + " services");
            }
        } else if (ip.is_string() && !ip.get<std::string>().empty()) {
            for (const std::string& message : check_ip(ip.get<std::string>())) errors.invalid(at, ip, message);
        }
    }
    validate_labels(object_at(service, {"spec", "selector"}), spec.child("selector"), errors);
    if (!string_at(service, {"spec", "externalTrafficPolicy"}).empty() && type != "NodePort" && type != "LoadBalancer" &&
        array_at(service, {"spec", "externalIPs"}).empty()) {
        errors.invalid(spec.child("externalTrafficPolicy"), service["spec"]["externalTrafficPolicy"],
                       "may only be set when `type` is 'NodePort' or 'LoadBalancer'");
    }
}

void validate_update(const Json& service, const Json& old, const HookContext&, FieldErrors& errors) {
    const std::string_view before = string_at(old, {"spec", "clusterIP"}), after = string_at(service, {"spec", "clusterIP"});
    const bool both = has_cluster_ip(string_at(old, {"spec", "type"})) && has_cluster_ip(string_at(service, {"spec", "type"}));
    if (both && !before.empty() && before != after) {
        errors.invalid(FieldPath("spec.clusterIPs").index(0), after.empty() ? Json::array() : Json(std::string(after)),
                       after.empty() ? "primary clusterIP can not be unset" : "may not change once set");
    }
}

Status invalid(const Json& service, const std::string& field, const Json& value, const std::string& detail) {
    FieldErrors errors;
    errors.invalid(FieldPath(field), value, detail);
    return Status::invalid({}, "Service", name_of(service), errors);
}

ApiResult<bool> allocate(Json& service, const Json*, const HookContext& context) {
    Json& spec = service["spec"];
    if (!has_cluster_ip(string_at(spec, {"type"}))) return true;
    spec["ipFamilies"] = spec.value("ipFamilies", Json::array({"IPv4"}));
    if (string_at(spec, {"ipFamilyPolicy"}).empty()) spec["ipFamilyPolicy"] = "SingleStack";
    const Taken taken = taken_by_others(context, uid_of(service));
    const std::string asked(string_at(spec, {"clusterIP"}));
    if (asked.empty()) {
        std::string ip;
        do {
            ip = ip_text(network + 256 + static_cast<std::uint32_t>(context.random.below("service-ip", network_size - 512)));
        } while (taken.addresses.contains(ip));
        spec["clusterIP"] = ip;
        spec["clusterIPs"] = Json::array({ip});
    } else if (asked != "None" && is_ipv4(asked)) {
        const std::uint32_t number = ip_number(asked);
        if (number <= network || number >= network + network_size - 1) {
            return invalid(service, "spec.clusterIPs", Json::array({asked}),
                           "failed to allocate IP " + asked + ": the provided IP (" + asked +
                               ") is not in the valid range. The range of valid IPs is 10.96.0.0/12");
        }
        if (taken.addresses.contains(asked)) {
            return invalid(service, "spec.clusterIPs", Json::array({asked}),
                           "failed to allocate IP " + asked + ": provided IP is already allocated");
        }
    }
    if (!has_node_ports(service)) return true;
    std::set<std::int64_t> own;
    std::size_t i = 0;
    for (Json& port : spec["ports"]) {
        const std::string at = "spec.ports[" + std::to_string(i++) + "].nodePort";
        std::int64_t number = int_at(port, {"nodePort"});
        if (number == 0) {
            do {
                number = node_port_min + static_cast<std::int64_t>(context.random.below("node-port", node_port_max - node_port_min + 1));
            } while (taken.ports.contains(number) || own.contains(number));
            port["nodePort"] = number;
        } else if (number < node_port_min || number > node_port_max) {
            return invalid(service, at, number, "provided port is not in the valid range. The range of valid ports is 30000-32767");
        } else if (taken.ports.contains(number)) {
            return invalid(service, at, number, "provided port is already allocated");
        }
        own.insert(number);
    }
    return true;
}

}  // namespace

extern const KindRules service_rules;
const KindRules service_rules{.set_defaults = set_defaults,
                              .prepare_for_create = prepare_for_create,
                              .prepare_for_update = prepare_for_update,
                              .validate = validate,
                              .validate_update = validate_update,
                              .validate_name = check_name_as_dns1035,
                              .allocate = allocate};

}  // namespace kubemu::api::kinds

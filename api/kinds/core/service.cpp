// Rules of Services: what their type asks for, defaults, and what a change of type gives back.
#include "api/kinds/core/service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/core/service_allocations.h"
#include "api/kinds/validation.h"
#include "api/values/ip_address.h"
#include "api/values/names.h"
#include "api/values/net.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {

bool needs_cluster_ip(const Json& service) {
    return string_at(service, {"spec", "type"}) != "ExternalName";
}

bool needs_node_ports(const Json& service) {
    const std::string_view type = string_at(service, {"spec", "type"});
    return type == "NodePort" ||
           (type == "LoadBalancer" && bool_at(service, {"spec", "allocateLoadBalancerNodePorts"}, true));
}

bool needs_external_traffic_policy(const Json& service) {
    const std::string_view type = string_at(service, {"spec", "type"});
    return type == "NodePort" || type == "LoadBalancer";
}

bool needs_health_check_port(const Json& service) {
    return string_at(service, {"spec", "type"}) == "LoadBalancer" &&
           string_at(service, {"spec", "externalTrafficPolicy"}) == "Local";
}

bool is_headless(const Json& service) {
    const Json& ips = array_at(service, {"spec", "clusterIPs"});
    return ips.size() == 1 && ips[0] == "None";
}

namespace {

void set_defaults(Json& service, const HookContext&) {
    Json& spec = ensure(service, {"spec"});
    const std::string_view type = string_at(spec, {"type"});
    if (Json* ports = find(spec, "ports"); ports != nullptr && ports->is_array()) {
        for (Json& port : *ports) {
            const Json* target = find(port, "targetPort");
            if (target == nullptr || *target == 0 || *target == "") port["targetPort"] = int_at(port, {"port"});
        }
    }
    const std::string_view affinity = string_at(spec, {"sessionAffinity"});
    if (affinity == "None") erase(spec, "sessionAffinityConfig");
    if (affinity == "ClientIP" && find(spec, {"sessionAffinityConfig", "clientIP", "timeoutSeconds"}) == nullptr) {
        spec["sessionAffinityConfig"] = {{"clientIP", {{"timeoutSeconds", 10800}}}};
    }
    if (needs_external_traffic_policy(service) && string_at(spec, {"externalTrafficPolicy"}).empty()) {
        spec["externalTrafficPolicy"] = "Cluster";
    }
    if (type == "LoadBalancer") {
        if (find(spec, "allocateLoadBalancerNodePorts") == nullptr) spec["allocateLoadBalancerNodePorts"] = true;
        if (Json* ingress = find(service, {"status", "loadBalancer", "ingress"});
            ingress != nullptr && ingress->is_array()) {
            for (Json& item : *ingress) {
                if (!string_at(item, {"ip"}).empty() && find(item, "ipMode") == nullptr) item["ipMode"] = "VIP";
            }
        }
    }
    const bool known = type == "ClusterIP" || type == "NodePort" || type == "LoadBalancer";
    if (known && find(spec, "internalTrafficPolicy") == nullptr) spec["internalTrafficPolicy"] = "Cluster";
}

bool same(const Json& service, const Json& old, std::string_view member) {
    const Json* now = find(service, {"spec", member});
    const Json* before = find(old, {"spec", member});
    return now == before || (now != nullptr && before != nullptr && *now == *before);
}

// True when the new Service has no node port that the old one did not have.
bool no_new_node_ports(const Json& service, const Json& old) {
    std::set<std::int64_t> before;
    for (const Json& port : array_at(old, {"spec", "ports"})) before.insert(int_at(port, {"nodePort"}));
    const Json& ports = array_at(service, {"spec", "ports"});
    return std::all_of(ports.begin(), ports.end(), [&](const Json& port) {
        const std::int64_t number = int_at(port, {"nodePort"});
        return number == 0 || before.contains(number);
    });
}

// What the old type had been given and the new one has no use for goes, unless the client has changed it
// (dropTypeDependentFields).
void drop_what_the_type_lacks(Json& service, const Json& old) {
    Json& spec = service["spec"];
    const auto drop_if_same = [&](std::initializer_list<const char*> members) {
        for (const char* member : members) {
            if (same(service, old, member)) erase(spec, member);
        }
    };
    if (needs_cluster_ip(old) && !needs_cluster_ip(service)) {
        if (same(service, old, "clusterIP") && same(service, old, "clusterIPs")) {
            erase(spec, "clusterIP");
            erase(spec, "clusterIPs");
        }
        drop_if_same({"ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"});
    }
    if (needs_node_ports(old) && !needs_node_ports(service) && no_new_node_ports(service, old)) {
        if (Json* ports = find(spec, "ports")) {
            for (Json& port : *ports) erase(port, "nodePort");
        }
    }
    if (needs_health_check_port(old) && !needs_health_check_port(service)) drop_if_same({"healthCheckNodePort"});
    const bool balances = string_at(spec, {"type"}) == "LoadBalancer";
    if (string_at(old, {"spec", "type"}) == "LoadBalancer" && !balances) {
        drop_if_same({"allocateLoadBalancerNodePorts", "loadBalancerClass"});
    }
    if (needs_external_traffic_policy(old) && !needs_external_traffic_policy(service)) {
        drop_if_same({"externalTrafficPolicy"});
    }
    if (!balances) {
        if (Json* status = find(service, "status")) (*status)["loadBalancer"] = Json::object();
    }
}

void prepare_for_create(Json& service, const HookContext&) {
    service["status"] = {{"loadBalancer", Json::object()}};
}

void prepare_for_update(Json& service, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status")) service["status"] = *status;
}

// A status write changes nothing else.
void prepare_for_status_update(Json& service, const Json& old, const HookContext&) {
    if (const Json* spec = find(old, "spec")) service["spec"] = *spec;
}

ApiResult<bool> allocate(Json& service, const Json* old, const HookContext& context) {
    TRY(allocate_service(service, old, context));
    if (old != nullptr) drop_what_the_type_lacks(service, *old);
    record_allocations(&service, old, context);
    return true;
}

void validate_create(const Json& service, const HookContext&, FieldErrors& errors) {
    validate_service(service, errors);
}

void validate_update(const Json& service, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_service_update(service, old, errors);
    validate_service(service, errors);
}

void validate_status_update(const Json& service, const Json&, const HookContext&, FieldErrors& errors) {
    validate_service_status(service, errors);
}

// The older parser took octets with leading zeros, which others may read as octal.
std::string parse_error(std::string_view address) {
    return "ParseAddr(" + go_quote(address) + "): IPv4 field has octet with leading zero";
}

void warn_of_address(const std::string& field, std::string_view address, std::vector<std::string>& warnings) {
    const auto lenient = IpAddress::parse(address);
    const auto strict = NetipAddress::parse(address);
    if (!lenient) return;
    if (!strict) {
        warnings.push_back(field + ": IP address was accepted, but will be invalid in a future Kubernetes release: " +
                           parse_error(address));
    } else if (const std::string canonical = strict->is_mapped() ? "::ffff:" + lenient->text() : lenient->text();
               strict->v6 && canonical != address) {
        warnings.push_back(field + ": IPv6 address " + go_quote(address) + " is not in RFC 5952 canonical format (" +
                           go_quote(canonical) + "), which may cause controller apply-loops");
    }
}

void warn_of_network(const std::string& field, std::string_view network, std::vector<std::string>& warnings) {
    if (!IpNetwork::parse(network)) return;
    const std::string_view address = network.substr(0, network.find('/')),
                           length = network.substr(network.find('/') + 1);
    const std::string start = "netip.ParsePrefix(" + go_quote(network) + "): ";
    const auto strict = Cidr::parse(network);
    const auto lenient = IpAddress::parse(address);
    if (!strict) {
        const std::string why =
            NetipAddress::parse(address) ? "bad bits after slash: " + go_quote(length) : parse_error(address);
        warnings.push_back(
            field + ": IP prefix was accepted, but will be invalid in a future Kubernetes release: " + start + why);
    } else if (strict->address.v6 && lenient) {
        const std::string canonical =
            (strict->address.is_mapped() ? "::ffff:" : "") + lenient->text() + "/" + std::to_string(strict->prefix);
        if (canonical == network) return;
        warnings.push_back(field + ": IPv6 prefix " + go_quote(network) + " is not in RFC 5952 canonical format (" +
                           go_quote(canonical) + "), which may cause controller apply-loops");
    }
}

void warnings(const Json& service, const Json*, const HookContext&, std::vector<std::string>& out) {
    const Json& spec = object_at(service, {"spec"});
    constexpr const char* hints = "service.kubernetes.io/topology-aware-hints";
    if (find(object_at(service, {"metadata", "annotations"}), hints) != nullptr) {
        out.push_back(std::string("annotation ") + hints +
                      " is deprecated, please use service.kubernetes.io/topology-mode instead");
    }
    const auto warn_of_list = [&](const char* member, auto warn) {
        std::size_t i = 0;
        for (const Json& ip : array_at(spec, {member})) {
            const std::string field = std::string("spec.") + member + "[" + std::to_string(i++) + "]";
            if (ip.is_string()) warn(field, ip.get_ref<const std::string&>(), out);
        }
    };
    if (string_at(spec, {"clusterIP"}) != "None") warn_of_list("clusterIPs", warn_of_address);
    const std::string_view type = string_at(spec, {"type"});
    const bool external_ips = !array_at(spec, {"externalIPs"}).empty();
    if (type == "ClusterIP" && string_at(spec, {"clusterIP"}) == "None") {
        if (!string_at(spec, {"loadBalancerIP"}).empty())
            out.emplace_back("spec.loadBalancerIP is ignored for headless services");
        if (external_ips) out.emplace_back("spec.externalIPs is ignored for headless services");
        if (string_at(spec, {"sessionAffinity"}) != "None") {
            out.emplace_back("spec.SessionAffinity is ignored for headless services");
        }
    }
    warn_of_list("externalIPs", warn_of_address);
    warn_of_address("spec.loadBalancerIP", string_at(spec, {"loadBalancerIP"}), out);
    warn_of_list("loadBalancerSourceRanges", warn_of_network);
    if (type == "ExternalName" && external_ips) {
        out.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    }
    if (type != "ExternalName" && !string_at(spec, {"externalName"}).empty()) {
        out.emplace_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
    }
    if (string_at(spec, {"trafficDistribution"}) == "PreferClose") {
        out.emplace_back("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
    }
}

void release(const Json& service, const HookContext& context) {
    record_allocations(nullptr, &service, context);
}

}  // namespace

extern const KindRules service_rules;
const KindRules service_rules{.set_defaults = set_defaults,
                              .prepare_for_create = prepare_for_create,
                              .prepare_for_update = prepare_for_update,
                              .prepare_for_status_update = prepare_for_status_update,
                              .validate_create = validate_create,
                              .validate_update = validate_update,
                              .validate_status_update = validate_status_update,
                              .validate_name = check_name_as_dns1035,
                              .warnings = warnings,
                              .allocate = allocate,
                              .release = release};

}  // namespace kubemu::api::kinds

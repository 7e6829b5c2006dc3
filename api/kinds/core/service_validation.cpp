// What a Service may say: kubernetes pkg/apis/core/validation, validateService and what it calls.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/kinds/core/endpoint_address.h"
#include "api/kinds/core/service.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

const FieldPath spec_path("spec");
constexpr const char* source_ranges_annotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

std::string_view type_of(const Json& service) {
    return string_at(service, {"spec", "type"});
}
GoText ips_text(const Json& service) {
    return go_strings("[]string", find(service, {"spec", "clusterIPs"}));
}

void validate_port(const Json& port, bool name_required, std::set<std::string>& names, const FieldPath& path,
                   FieldErrors& errors) {
    const std::string name(string_at(port, {"name"}));
    if (name.empty()) {
        if (name_required) errors.required(path.child("name"), "");
    } else {
        validate_dns1123_label(name, path.child("name"), errors);
        if (!names.insert(name).second) errors.duplicate(path.child("name"), name);
    }
    validate_port_number(int_at(port, {"port"}), path.child("port"), errors);
    validate_enum(string_at(port, {"protocol"}), {"SCTP", "TCP", "UDP"}, path.child("protocol"), errors);
    validate_port_number_or_name(find(port, "targetPort"), path.child("targetPort"), errors);
    if (find(port, "appProtocol") != nullptr) {
        validate_qualified_name(string_at(port, {"appProtocol"}), path.child("appProtocol"), errors);
    }
}

void validate_type_and_name(const Json& service, FieldErrors& errors) {
    const std::string type(type_of(service));
    if (type == "LoadBalancer" || type == "NodePort") {
        if (is_headless(service)) {
            errors.invalid(spec_path.child("clusterIPs").index(0), "None",
                           "may not be set to 'None' for " + type + " services");
        }
    } else if (type == "ExternalName") {
        for (const char* member : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
            const Json* value = find(service, {"spec", member});
            if (value != nullptr && !value->empty()) {
                errors.forbidden(spec_path.child(member), "may not be set for ExternalName services");
            }
        }
        std::string_view host = string_at(service, {"spec", "externalName"});
        if (host.ends_with('.')) host.remove_suffix(1);
        if (validate_required(host, spec_path.child("externalName"), errors)) {
            validate_dns1123_subdomain(host, spec_path.child("externalName"), errors);
        }
    }
}

void validate_affinity(const Json& service, FieldErrors& errors) {
    const std::string_view affinity = string_at(service, {"spec", "sessionAffinity"});
    validate_enum(affinity, {"ClientIP", "None"}, spec_path.child("sessionAffinity"), errors);
    const FieldPath path = spec_path.child("sessionAffinityConfig");
    const Json* config = find(service, {"spec", "sessionAffinityConfig"});
    if (affinity == "None" && config != nullptr)
        errors.forbidden(path, "must not be set when session affinity is None");
    if (affinity != "ClientIP") return;
    const FieldPath timeout_path = path.child("clientIP").child("timeoutSeconds");
    if (config == nullptr) return errors.required(path, "when session affinity type is ClientIP");
    const Json* client = find(*config, "clientIP");
    if (client == nullptr) return errors.required(path.child("clientIP"), "when session affinity type is ClientIP");
    const Json* timeout = find(*client, "timeoutSeconds");
    if (timeout == nullptr) return errors.required(timeout_path, "when session affinity type is ClientIP");
    constexpr std::int64_t timeout_seconds_max = 86400;
    if (const auto seconds = timeout->get<std::int64_t>(); seconds <= 0 || seconds > timeout_seconds_max) {
        errors.invalid(timeout_path, *timeout,
                       "must be greater than 0 and less than " + std::to_string(timeout_seconds_max));
    }
}

constexpr GoField port_fields[] = {{"Name", "name", "string"},
                                   {"Protocol", "protocol", "string"},
                                   {"AppProtocol", "appProtocol", "*string"},
                                   {"Port", "port", "int32"},
                                   {"TargetPort", "targetPort", "intstr.IntOrString"},
                                   {"NodePort", "nodePort", "int32"}};

// A pair of protocol and number may stand only once, for ports and for node ports.
void validate_unique_ports(const Json& service, FieldErrors& errors) {
    const Json& ports = array_at(service, {"spec", "ports"});
    const FieldPath path = spec_path.child("ports");
    using Pair = std::pair<std::string, std::int64_t>;
    std::set<Pair> node_ports, numbers;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::int64_t number = int_at(ports[i], {"nodePort"});
        if (number == 0 || node_ports.emplace(string_at(ports[i], {"protocol"}), number).second) continue;
        errors.duplicate(path.index(i).child("nodePort"), number);
    }
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::int64_t number = int_at(ports[i], {"port"});
        const std::string protocol(string_at(ports[i], {"protocol"}));
        if (numbers.emplace(protocol, number).second) continue;
        // The comparison is made with a port of which only these two are known, and that is what is printed.
        const Json key = {{"protocol", protocol}, {"port", number}, {"targetPort", 0}};
        errors.duplicate(path.index(i), go_struct("core.ServicePort", port_fields, key));
    }
}

void validate_source_ranges(const Json& service, FieldErrors& errors) {
    const Json& ranges = array_at(service, {"spec", "loadBalancerSourceRanges"});
    const Json* annotation = find(object_at(service, {"metadata", "annotations"}), source_ranges_annotation);
    if (ranges.empty() && annotation == nullptr) return;
    FieldPath path = spec_path.child("LoadBalancerSourceRanges");
    std::vector<std::string> parts;
    std::string echo;
    if (!ranges.empty()) {
        for (const Json& range : ranges) parts.push_back(range.get<std::string>());
        echo = "[" + join(parts, " ") + "]";
    } else {
        path = FieldPath("metadata").child("annotations").key(source_ranges_annotation);
        echo = annotation->is_string() ? annotation->get<std::string>() : std::string();
        if (!trim(echo).empty()) {
            for (const std::string_view part : split(echo, ',')) parts.emplace_back(part);
        }
    }
    if (type_of(service) != "LoadBalancer") errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
    if (!std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return is_cidr(trim(part)); })) {
        errors.invalid(path, echo, "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ");
    }
}

// `old` is null but for the first of the two checks that an update makes of the class.
void validate_load_balancer_class(const Json& service, const Json* old, FieldErrors& errors) {
    const FieldPath path = spec_path.child("loadBalancerClass");
    const Json* name = find(service, {"spec", "loadBalancerClass"});
    const bool balances = type_of(service) == "LoadBalancer";
    if (old != nullptr && balances && type_of(*old) == "LoadBalancer") {
        const Json* before = find(*old, {"spec", "loadBalancerClass"});
        const bool same = name == before || (name != nullptr && before != nullptr && *name == *before);
        if (!same) errors.invalid(path, name == nullptr ? Json() : *name, "may not change once set");
    }
    if (name == nullptr) return;
    if (balances) {
        validate_qualified_name(string_at(service, {"spec", "loadBalancerClass"}), path, errors);
    } else {
        errors.forbidden(path, "may only be used when `type` is 'LoadBalancer'");
    }
}

void validate_load_balancer(const Json& service, FieldErrors& errors) {
    validate_source_ranges(service, errors);
    const bool balances = type_of(service) == "LoadBalancer";
    const bool given = find(service, {"spec", "allocateLoadBalancerNodePorts"}) != nullptr;
    if (given && !balances) {
        errors.forbidden(spec_path.child("allocateLoadBalancerNodePorts"),
                         "may only be used when `type` is 'LoadBalancer'");
    }
    if (!given && balances) errors.required(FieldPath("allocateLoadBalancerNodePorts"), "");
    validate_load_balancer_class(service, nullptr, errors);
}

void validate_traffic(const Json& service, FieldErrors& errors) {
    const std::string policy(string_at(service, {"spec", "externalTrafficPolicy"}));
    const FieldPath policy_path = spec_path.child("externalTrafficPolicy");
    if (needs_external_traffic_policy(service)) {
        validate_enum(policy, {"Cluster", "Local"}, policy_path, errors);
    } else if (!policy.empty()) {
        errors.invalid(policy_path, policy, "may only be set when `type` is 'NodePort' or 'LoadBalancer'");
    }
    const std::int64_t health_port = int_at(service, {"spec", "healthCheckNodePort"});
    const FieldPath health_path = spec_path.child("healthCheckNodePort");
    if (!needs_health_check_port(service)) {
        if (health_port != 0) {
            errors.invalid(health_path, health_port,
                           "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        }
    } else if (health_port == 0) {
        errors.required(health_path, "");
    } else {
        validate_port_number(health_port, health_path, errors);
    }
    const FieldPath internal_path = spec_path.child("internalTrafficPolicy");
    const std::string_view type = type_of(service);
    const bool typed = type == "NodePort" || type == "LoadBalancer" || type == "ClusterIP";
    if (find(service, {"spec", "internalTrafficPolicy"}) == nullptr) {
        if (typed) errors.required(internal_path, "");
    } else if (const std::string_view internal = string_at(service, {"spec", "internalTrafficPolicy"});
               internal != "Cluster" && internal != "Local") {
        errors.not_supported(internal_path, internal, {"Cluster", "Local"});
    }
    if (find(service, {"spec", "trafficDistribution"}) == nullptr) return;
    const std::string_view distribution = string_at(service, {"spec", "trafficDistribution"});
    if (distribution != "PreferClose" && distribution != "PreferSameZone" && distribution != "PreferSameNode") {
        errors.not_supported(spec_path.child("trafficDistribution"), distribution,
                             {"PreferClose", "PreferSameZone", "PreferSameNode"});
    }
}

void validate_family_lists(const Json& service, FieldErrors& errors) {
    std::set<std::string> seen;
    std::size_t i = 0;
    for (const Json& item : array_at(service, {"spec", "ipFamilies"})) {
        const FieldPath path = spec_path.child("ipFamilies").index(i++);
        const std::string family = item.is_string() ? item.get<std::string>() : std::string();
        if (family != "IPv4" && family != "IPv6") errors.not_supported(path, family, {"IPv4", "IPv6"});
        if (!seen.insert(family).second) errors.duplicate(path, family);
    }
    if (find(service, {"spec", "ipFamilyPolicy"}) == nullptr) return;
    const std::string_view policy = string_at(service, {"spec", "ipFamilyPolicy"});
    if (policy != "SingleStack" && policy != "PreferDualStack" && policy != "RequireDualStack") {
        errors.not_supported(spec_path.child("ipFamilyPolicy"), policy,
                             {"PreferDualStack", "RequireDualStack", "SingleStack"});
    }
}

// False when an address is bad, so that what follows would only repeat it.
bool validate_each_cluster_ip(const Json& service, FieldErrors& errors) {
    const Json& ips = array_at(service, {"spec", "clusterIPs"});
    const FieldPath path = spec_path.child("clusterIPs");
    bool fine = true;
    for (std::size_t i = 0; i < ips.size(); ++i) {
        if (i == 0 && ips[i] == "None") {
            if (ips.size() == 1) continue;
            fine = false;
            errors.invalid(path, ips_text(service), "'None' must be the first and only value");
        } else if (const std::string& ip = ips[i].get_ref<const std::string&>(); !is_ip(ip)) {
            fine = false;
            validate_ip(ip, path.index(i), errors);
        }
    }
    if (ips.size() > 2) errors.invalid(path, ips_text(service), "may only hold up to 2 values");
    return fine;
}

bool both_have_ips(const Json& service, const Json& old) {
    return needs_cluster_ip(service) && needs_cluster_ip(old);
}

void validate_ips_kept(const Json& service, const Json& old, FieldErrors& errors) {
    if (!both_have_ips(service, old) || (is_headless(service) && is_headless(old))) return;
    const Json& now = array_at(service, {"spec", "clusterIPs"});
    const Json& before = array_at(old, {"spec", "clusterIPs"});
    const FieldPath path = spec_path.child("clusterIPs");
    if (now.size() == before.size()) {
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (now[i] != before[i]) errors.invalid(path.index(i), ips_text(service), "may not change once set");
        }
        return;
    }
    if (now.empty()) errors.invalid(path.index(0), ips_text(service), "primary clusterIP can not be unset");
    if (!now.empty() && !before.empty() && now[0] != before[0]) {
        errors.invalid(path.index(0), ips_text(service), "may not change once set");
    }
    if (before.size() > now.size() && now.size() == 1 &&
        string_at(service, {"spec", "ipFamilyPolicy"}) != "SingleStack") {
        errors.invalid(spec_path.child("ipFamilyPolicy"), object_at(service, {"spec"}).value("ipFamilyPolicy", Json()),
                       "must be set to 'SingleStack' when releasing the secondary clusterIP");
    }
}

void validate_families_kept(const Json& service, const Json& old, FieldErrors& errors) {
    if (!both_have_ips(service, old) || is_headless(service) || is_headless(old)) return;
    const Json& now = array_at(service, {"spec", "ipFamilies"});
    const Json& before = array_at(old, {"spec", "ipFamilies"});
    const FieldPath path = spec_path.child("ipFamilies").index(0);
    const GoText echo = go_strings("[]core.IPFamily", find(service, {"spec", "ipFamilies"}));
    if (now.size() == before.size()) {
        for (std::size_t i = 0; i < now.size(); ++i) {
            if (now[i] != before[i]) errors.invalid(path, echo, "may not change once set");
        }
        return;
    }
    if (before.size() > now.size() && array_at(service, {"spec", "clusterIPs"}).empty()) {
        errors.invalid(path, echo, "primary ipFamily can not be unset");
    }
    if (!now.empty() && !before.empty() && now[0] != before[0])
        errors.invalid(path, ips_text(service), "may not change once set");
    if (before.size() > now.size() && now.size() == 1 &&
        string_at(service, {"spec", "ipFamilyPolicy"}) != "SingleStack") {
        errors.invalid(spec_path.child("ipFamilyPolicy"), object_at(service, {"spec"}).value("ipFamilyPolicy", Json()),
                       "must be set to 'SingleStack' when releasing the secondary ipFamily");
    }
}

}  // namespace

void validate_service_addresses(const Json& service, FieldErrors& errors) {
    if (!needs_cluster_ip(service)) return;
    const Json& ips = array_at(service, {"spec", "clusterIPs"});
    const FieldPath path = spec_path.child("clusterIPs");
    const std::string_view ip = string_at(service, {"spec", "clusterIP"});
    if (ip.empty()) {
        if (!ips.empty()) errors.invalid(path, ips_text(service), "must be empty when `clusterIP` is not specified");
    } else if (ips.empty()) {
        errors.required(path, "");
    } else if (ips[0] != ip) {
        errors.invalid(path, ips_text(service), "first value must match `clusterIP`");
    }
    validate_family_lists(service, errors);
    if (!validate_each_cluster_ip(service, errors)) return;
    if (ips.size() > 1) {
        std::size_t v6 = 0;
        for (const Json& each : ips) v6 += is_ipv6(each.get_ref<const std::string&>()) ? 1 : 0;
        if (v6 == 0 || v6 == ips.size()) {
            errors.invalid(path, ips_text(service), "may specify no more than one IP for each IP family");
        }
    }
    if (is_headless(service)) return;
    const Json& families = array_at(service, {"spec", "ipFamilies"});
    for (std::size_t i = 0; i < ips.size() && i < families.size(); ++i) {
        const bool v6 = is_ipv6(ips[i].get_ref<const std::string&>());
        if (families[i] == (v6 ? "IPv4" : "IPv6")) {
            errors.invalid(path.index(i), ips[i],
                           std::string("expected an ") + (v6 ? "IPv4" : "IPv6") +
                               " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
        }
    }
}

void validate_service(const Json& service, FieldErrors& errors) {
    const Json& spec = object_at(service, {"spec"});
    const Json& ports = array_at(spec, {"ports"});
    const std::string_view type = type_of(service);
    const Json& annotations = object_at(service, {"metadata", "annotations"});
    constexpr const char* hints = "service.kubernetes.io/topology-aware-hints";
    constexpr const char* mode = "service.kubernetes.io/topology-mode";
    if (annotations.contains(hints) && annotations.contains(mode) && annotations[hints] != annotations[mode]) {
        errors.invalid(FieldPath("metadata").child("annotations").key(mode), annotations[mode],
                       std::string("must match annotations[") + hints + "] when both are specified");
    }
    if (ports.empty() && !is_headless(service) && type != "ExternalName") errors.required(spec_path.child("ports"), "");
    validate_type_and_name(service, errors);
    std::set<std::string> names;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        validate_port(ports[i], ports.size() > 1, names, spec_path.child("ports").index(i), errors);
    }
    validate_labels(object_at(spec, {"selector"}), spec_path.child("selector"), errors);
    validate_affinity(service, errors);
    validate_service_addresses(service, errors);
    std::size_t i = 0;
    for (const Json& ip : array_at(spec, {"externalIPs"})) {
        const FieldPath path = spec_path.child("externalIPs").index(i++);
        const std::string& text = ip.get_ref<const std::string&>();
        validate_ip(text, path, errors);
        if (is_ip(text)) validate_endpoint_address(text, path, errors);
    }
    validate_enum(type, {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}, spec_path.child("type"), errors);
    if (type == "ClusterIP") {
        for (i = 0; i < ports.size(); ++i) {
            if (int_at(ports[i], {"nodePort"}) == 0) continue;
            errors.forbidden(spec_path.child("ports").index(i).child("nodePort"),
                             "may not be used when `type` is 'ClusterIP'");
        }
    }
    validate_unique_ports(service, errors);
    validate_load_balancer(service, errors);
    validate_traffic(service, errors);
}

void validate_service_update(const Json& service, const Json& old, FieldErrors& errors) {
    validate_ips_kept(service, old, errors);
    validate_families_kept(service, old, errors);
    validate_load_balancer_class(service, &old, errors);
}

void validate_service_status(const Json& service, FieldErrors& errors) {
    const FieldPath path = FieldPath("status").child("loadBalancer").child("ingress");
    const Json& ingress = array_at(service, {"status", "loadBalancer", "ingress"});
    if (type_of(service) != "LoadBalancer" && !ingress.empty()) {
        return errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
    }
    for (std::size_t i = 0; i < ingress.size(); ++i) {
        const FieldPath at = path.index(i);
        const std::string_view ip = string_at(ingress[i], {"ip"}), host = string_at(ingress[i], {"hostname"});
        if (!ip.empty()) validate_ip(ip, at.child("ip"), errors);
        const Json* mode = find(ingress[i], "ipMode");
        if (mode != nullptr && ip.empty()) {
            errors.forbidden(at.child("ipMode"), "may not be specified when `ip` is not set");
        } else if (mode != nullptr && *mode != "VIP" && *mode != "Proxy") {
            errors.not_supported(at.child("ipMode"), string_at(ingress[i], {"ipMode"}), {"Proxy", "VIP"});
        }
        if (host.empty()) continue;
        validate_dns1123_subdomain(host, at.child("hostname"), errors);
        if (is_ip(host))
            errors.invalid(at.child("hostname"), std::string(host), "must be a DNS name, not an IP address");
    }
}

}  // namespace kubemu::api::kinds

// Addresses and ports of Services: what a client leaves open is chosen, what it asks for is refused when another has
// it.
//
// Each address that is in use is an IPAddress object and each node port a record of its own, written and removed in
// the transaction of the Service, so that two writes at the same time cannot take the same one. Order of the steps as
// in kubernetes pkg/registry/core/service/storage/alloc.go.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "api/kinds/core/service.h"
#include "api/kinds/core/service_allocations.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

Status invalid(const Json& service, FieldErrors errors) {
    return Status::invalid({}, "Service", name_of(service), errors);
}

template <class Value>
Status invalid(const Json& service, const FieldPath& path, const Value& value, const std::string& detail) {
    FieldErrors errors;
    errors.invalid(path, value, detail);
    return invalid(service, std::move(errors));
}

const FieldPath spec_path("spec");

// ---------------------------------------------------------------- what an update leaves out

bool has_member(const Json& list, const Json& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

// An update that leaves out what has been allocated means to keep it (patchAllocatedValues).
void keep_allocated(Json& service, const Json& old) {
    Json& spec = ensure(service, {"spec"});
    const auto keep = [&](const char* member) {
        if (const Json* value = find(old, {"spec", member})) spec[member] = *value;
    };
    if (needs_cluster_ip(old) && needs_cluster_ip(service)) {
        if (string_at(spec, {"clusterIP"}).empty()) keep("clusterIP");
        if (array_at(spec, {"clusterIPs"}).empty()) keep("clusterIPs");
    }
    if (needs_node_ports(old) && needs_node_ports(service) && find(spec, "ports") != nullptr) {
        const auto numbers = [](const Json& of) {
            Json list = Json::array();
            for (const Json& port : array_at(of, {"spec", "ports"})) {
                if (int_at(port, {"nodePort"}) != 0) list.push_back(port["nodePort"]);
            }
            return list;
        };
        Json used = Json::array();
        const Json now = numbers(service);
        for (const Json& number : numbers(old)) {
            if (has_member(now, number)) used.push_back(number);
        }
        for (Json& port : spec["ports"]) {
            if (int_at(port, {"nodePort"}) != 0) continue;
            for (const Json& had : array_at(old, {"spec", "ports"})) {
                if (string_at(had, {"name"}) != string_at(port, {"name"}) || int_at(had, {"nodePort"}) == 0) continue;
                if (has_member(used, had["nodePort"])) continue;
                port["nodePort"] = had["nodePort"];
                used.push_back(had["nodePort"]);
            }
        }
    }
    if (needs_health_check_port(old) && needs_health_check_port(service) &&
        int_at(spec, {"healthCheckNodePort"}) == 0) {
        keep("healthCheckNodePort");
    }
}

// clusterIP is the first of clusterIPs; old clients know the one and new clients both (normalizeClusterIPs).
void join_cluster_ips(Json& service, const Json* old) {
    Json& spec = ensure(service, {"spec"});
    const std::string ip(string_at(spec, {"clusterIP"}));
    const Json& ips = array_at(spec, {"clusterIPs"});
    if (old == nullptr) {
        if (!ip.empty() && ips.empty()) spec["clusterIPs"] = Json::array({ip});
        return;
    }
    const std::string_view old_ip = string_at(*old, {"spec", "clusterIP"});
    const Json& old_ips = array_at(*old, {"spec", "clusterIPs"});
    if (!old_ips.empty() && ips.empty() && ip == old_ip) spec["clusterIPs"] = old_ips;
    if (ip == old_ip || array_at(spec, {"clusterIPs"}) != old_ips) return;
    if (ip.empty()) {
        erase(spec, "clusterIPs");
    } else {
        spec["clusterIPs"] = Json::array({ip});
    }
}

// ---------------------------------------------------------------- families

// A policy that the client leaves open is that of before; else one family, but for Services without cluster IP and
// selector: whoever fills in their endpoints may use any.
void default_policy(Json& service, const Json* old) {
    Json& spec = ensure(service, {"spec"});
    if (find(spec, "ipFamilyPolicy") != nullptr) return;
    const std::string_view before = old == nullptr ? std::string_view() : string_at(*old, {"spec", "ipFamilyPolicy"});
    const bool any_family = string_at(spec, {"clusterIP"}) == "None" && object_at(spec, {"selector"}).empty();
    spec["ipFamilyPolicy"] = std::string(!before.empty() ? before : any_family ? "RequireDualStack" : "SingleStack");
}

// The second of two addresses or families goes by the policy alone.
void release_second(Json& service, const Json& old, FieldErrors& errors) {
    Json& spec = service["spec"];
    const Json policy = spec["ipFamilyPolicy"];
    constexpr std::pair<const char*, const char*> lists[] = {{"clusterIPs", "cluster IP"}, {"ipFamilies", "IP family"}};
    for (const auto& [member, what] : lists) {
        Json* now = find(spec, member);
        const Json& before = array_at(old, {"spec", member});
        if (policy == "SingleStack") {
            if (now != nullptr && now->size() > 1 && *now == before) now->erase(1);
        } else if (now != nullptr && !now->empty() && now->size() < before.size()) {
            errors.invalid(spec_path.child("ipFamilyPolicy"), policy,
                           std::string("must be 'SingleStack' to release the secondary ") + what);
        }
    }
}

using Families = std::vector<std::string>;

bool has_family(const Families& families, const Json& family) {
    return std::any_of(families.begin(), families.end(), [&](const std::string& each) { return family == each; });
}

ApiResult<bool> infer_families(Json& service, const Json* old, const Families& configured) {
    Json& spec = service["spec"];
    FieldErrors errors;
    if (old != nullptr) release_second(service, *old, errors);
    const Json* policy = find(spec, "ipFamilyPolicy");
    if (policy != nullptr && *policy == "SingleStack") {
        const FieldPath path = spec_path.child("ipFamilyPolicy");
        if (array_at(spec, {"clusterIPs"}).size() == 2) {
            errors.invalid(path, *policy,
                           "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
        }
        if (array_at(spec, {"ipFamilies"}).size() == 2) {
            errors.invalid(path, *policy,
                           "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
        }
    }
    std::size_t i = 0;
    for (const Json& ip : array_at(spec, {"clusterIPs"})) {
        if (ip == "None") break;
        const std::string family = is_ipv6(ip.get_ref<const std::string&>()) ? "IPv6" : "IPv4";
        if (i >= array_at(spec, {"ipFamilies"}).size()) {
            if (!has_family(configured, family)) {
                errors.invalid(spec_path.child("clusterIPs").index(i), go_strings("[]string", find(spec, "clusterIPs")),
                               family + " is not configured on this cluster");
            } else {
                Json& families = spec["ipFamilies"];
                if (!families.is_array()) families = Json::array();
                families.push_back(family);
            }
        }
        ++i;
    }
    if (!errors.empty()) return invalid(service, std::move(errors));
    return true;
}

// A Service that prefers two families and says nothing new is left as it is, whatever the cluster has got meanwhile
// (isMatchingPreferDualStackClusterIPFields).
bool keeps_its_families(const Json& service, const Json* old) {
    constexpr const char* prefers = "PreferDualStack";
    if (old == nullptr || !needs_cluster_ip(service)) return false;
    const auto same = [&](const char* member) {
        return array_at(service, {"spec", member}) == array_at(*old, {"spec", member});
    };
    return string_at(service, {"spec", "type"}) == string_at(*old, {"spec", "type"}) &&
           string_at(service, {"spec", "ipFamilyPolicy"}) == prefers &&
           string_at(*old, {"spec", "ipFamilyPolicy"}, prefers) == prefers && same("clusterIPs") && same("ipFamilies");
}

void add_other_family(Json& families) {
    families.push_back(families[0] == "IPv4" ? "IPv6" : "IPv4");
}

// ipFamilies and ipFamilyPolicy that fit together and the cluster (initIPFamilyFields).
ApiResult<bool> settle_families(Json& service, const Json* old, const Families& configured) {
    if (!needs_cluster_ip(service)) return true;
    default_policy(service, old);
    FieldErrors errors;
    validate_service_addresses(service, errors);
    if (!errors.empty()) return invalid(service, std::move(errors));
    TRY(infer_families(service, old, configured));
    Json& spec = service["spec"];
    const std::string policy(string_at(spec, {"ipFamilyPolicy"}));
    if (is_headless(service) && object_at(spec, {"selector"}).empty()) {
        Json families = array_at(spec, {"ipFamilies"});
        if (families.empty()) families.push_back(configured.front());
        if (families.size() < 2 && policy != "SingleStack") add_other_family(families);
        spec["ipFamilies"] = std::move(families);
        return true;
    }
    if (policy == "RequireDualStack" && configured.size() < 2) {
        errors.invalid(spec_path.child("ipFamilyPolicy"), policy,
                       "this cluster is not configured for dual-stack services");
    }
    std::size_t i = 0;
    for (const Json& family : array_at(spec, {"ipFamilies"})) {
        if (!has_family(configured, family))
            errors.invalid(spec_path.child("ipFamilies").index(i), family, "not configured on this cluster");
        ++i;
    }
    if (!errors.empty()) return invalid(service, std::move(errors));
    if (array_at(spec, {"ipFamilies"}).empty()) spec["ipFamilies"] = Json::array({configured.front()});
    if (policy != "SingleStack" && spec["ipFamilies"].size() == 1 && configured.size() == 2)
        add_other_family(spec["ipFamilies"]);
    return true;
}

// ---------------------------------------------------------------- addresses and ports

// An address of each family from the `begin`th on: the one that is asked for, or any that is free (allocClusterIPs).
ApiResult<bool> allocate_from(std::size_t begin, Json& service, const HookContext& context) {
    Json& spec = service["spec"];
    const Json families = array_at(spec, {"ipFamilies"});
    Json ips = array_at(spec, {"clusterIPs"});
    while (ips.size() < families.size()) ips.push_back("");
    for (std::size_t i = begin; i < families.size(); ++i) {
        const std::string asked = ips[i].get<std::string>();
        if (asked.empty()) {
            const auto ip = free_service_ip(families[i] == "IPv6" ? IpFamily::v6 : IpFamily::v4, context);
            if (!ip) return Status::internal("failed to allocate a serviceIP: range is full");
            ips[i] = *ip;
            continue;
        }
        const std::string problem = service_ip_problem(asked, context);
        if (problem.empty()) continue;
        return invalid(service, spec_path.child("clusterIPs"), go_strings("[]string", &ips),
                       "failed to allocate IP " + asked + ": " + problem);
    }
    spec["clusterIP"] = ips[0];
    spec["clusterIPs"] = std::move(ips);
    return true;
}

// updateClusterIPs: what a Service has it keeps, but that it may get a second address; what goes is given back with the
// record of it.
ApiResult<bool> allocate_cluster_ips(Json& service, const Json* old, const HookContext& context) {
    if (!needs_cluster_ip(service)) return true;
    if (old == nullptr || !needs_cluster_ip(*old)) return is_headless(service) ? true : allocate_from(0, service, context);
    const bool gains = array_at(*old, {"spec", "ipFamilies"}).size() == 1 && array_at(service, {"spec", "ipFamilies"}).size() == 2;
    return is_headless(*old) || !gains ? true : allocate_from(1, service, context);
}

std::set<int> node_ports_of(const Json& service) {
    std::set<int> ports;
    for (const Json& port : array_at(service, {"spec", "ports"}))
        ports.insert(static_cast<int>(int_at(port, {"nodePort"})));
    ports.erase(0);
    return ports;
}

// Chooses for the ports that have none. Ports of one number (TCP and UDP) share a node port.
ApiResult<bool> allocate_node_ports(Json& service, const Json* old, const HookContext& context) {
    if (!needs_external_traffic_policy(service)) return true;
    std::set<int> own = old == nullptr ? std::set<int>() : node_ports_of(*old);
    const std::set<int> asked = node_ports_of(service);
    std::size_t i = 0;
    Json* ports = find(service, {"spec", "ports"});
    if (ports == nullptr || !ports->is_array()) return true;
    for (Json& port : *ports) {
        const FieldPath path = spec_path.child("ports").index(i++).child("nodePort");
        const int number = static_cast<int>(int_at(port, {"nodePort"}));
        if (number == 0 && !needs_node_ports(service)) continue;
        if (number != 0) {
            if (!own.insert(number).second) continue;
            const std::string problem = node_port_problem(number, context);
            if (!problem.empty()) return invalid(service, path, Json(number), problem);
            continue;
        }
        int shared = 0;
        if (old == nullptr) {
            for (const Json& other : *ports) {
                if (int_at(other, {"port"}) != int_at(port, {"port"})) continue;
                shared = std::max(shared, static_cast<int>(int_at(other, {"nodePort"})));
            }
        }
        if (shared == 0) {
            std::set<int> avoid = own;
            avoid.insert(asked.begin(), asked.end());
            const auto chosen = free_node_port(avoid, context);
            if (!chosen) return Status::internal("failed to allocate a nodePort: range is full");
            shared = *chosen;
            own.insert(shared);
        }
        port["nodePort"] = shared;
    }
    return true;
}

ApiResult<bool> allocate_health_check_port(Json& service, const Json* old, const HookContext& context) {
    if (!needs_health_check_port(service)) return true;
    Json& spec = service["spec"];
    const int asked = static_cast<int>(int_at(spec, {"healthCheckNodePort"}));
    if (old != nullptr && needs_health_check_port(*old)) {
        if (asked == int_at(*old, {"spec", "healthCheckNodePort"})) return true;
        FieldErrors errors;
        errors.forbidden(spec_path.child("healthCheckNodePort"), "field is immutable");
        return invalid(service, std::move(errors));
    }
    if (asked != 0) {
        const std::string problem = node_port_problem(asked, context);
        if (problem.empty()) return true;
        return Status::internal("failed to allocate requested HealthCheck NodePort " + std::to_string(asked) + ": " +
                                problem);
    }
    const auto chosen = free_node_port(node_ports_of(service), context);
    if (!chosen) return Status::internal("failed to allocate a HealthCheck NodePort 0: range is full");
    spec["healthCheckNodePort"] = *chosen;
    return true;
}

}  // namespace

ApiResult<bool> allocate_service(Json& service, const Json* old, const HookContext& context) {
    if (old != nullptr) keep_allocated(service, *old);
    join_cluster_ips(service, old);
    if (!keeps_its_families(service, old)) {
        Families configured;
        for (const IpFamily family : service_families(context.lookup)) configured.emplace_back(family_name(family));
        TRY(settle_families(service, old, configured));
        TRY(allocate_cluster_ips(service, old, context));
    }
    TRY(allocate_node_ports(service, old, context));
    return allocate_health_check_port(service, old, context);
}

}  // namespace kubemu::api::kinds

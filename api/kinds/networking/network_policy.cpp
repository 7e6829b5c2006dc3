// Rules of NetworkPolicy.
#include <nlohmann/json.hpp>

#include "api/kinds/address_warnings.h"
#include "api/kinds/define.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/validation.h"
#include "api/values/ip_address.h"

namespace kubemu::api::kinds {
namespace {

void default_ports(Json& rules) {
    if (!rules.is_array()) return;
    for (Json& rule : rules) {
        Json* ports = find(rule, "ports");
        if (ports == nullptr || !ports->is_array()) continue;
        for (Json& port : *ports) {
            if (port.is_object() && find(port, "protocol") == nullptr) port["protocol"] = "TCP";
        }
    }
}

void set_defaults(Json& object, const HookContext&) {
    Json& spec = ensure(object, {"spec"});
    if (array_at(spec, {"policyTypes"}).empty()) {
        // A policy that does not say so is about what comes in at least.
        spec["policyTypes"] = Json::array({"Ingress"});
        if (!array_at(spec, {"egress"}).empty()) spec["policyTypes"].push_back("Egress");
    }
    for (const char* direction : {"ingress", "egress"}) {
        if (Json* rules = find(spec, direction)) default_ports(*rules);
    }
}

void validate_port(const Json& port, const FieldPath& path, FieldErrors& errors) {
    validate_given_enum(port, "protocol", {"TCP", "UDP", "SCTP"}, path, errors);
    const Json* number = find(port, "port");
    const Json* end = find(port, "endPort");
    const FieldPath last = path.child("endPort");
    const bool named = number != nullptr && number->is_string();
    if (end != nullptr && named) errors.invalid(last, *end, "may not be specified when `port` is non-numeric");
    if (number != nullptr) validate_port_number_or_name(number, path.child("port"), errors);
    if (end == nullptr || named) return;
    if (number == nullptr) {
        errors.invalid(last, *end, "may not be specified when `port` is not specified");
    } else {
        const auto first = number->get<std::int64_t>(), most = end->get<std::int64_t>();
        if (most < first) errors.invalid(last, *number, "must be greater than or equal to `port`");
        validate_port_number(most, last, errors);
    }
}

void validate_block(const Json& block, const FieldPath& path, FieldErrors& errors) {
    const std::string_view cidr = string_at(block, {"cidr"});
    if (!validate_required(cidr, path.child("cidr"), errors)) return;
    const auto network = IpNetwork::parse(cidr);
    if (!network) return errors.invalid(path.child("cidr"), std::string(cidr), "not a valid CIDR");
    const Json& holes = array_at(block, {"except"});
    for (std::size_t i = 0; i < holes.size(); ++i) {
        const FieldPath at = path.child("except").index(i);
        if (!holes[i].is_string()) continue;
        const auto hole = IpNetwork::parse(holes[i].get_ref<const std::string&>());
        if (!hole) {
            errors.invalid(at, holes[i], "not a valid CIDR");
        } else if (!network->contains(hole->address) || network->prefix_bits >= hole->prefix_bits) {
            errors.invalid(at, holes[i], "must be a strict subset of `cidr`");
        }
    }
}

void validate_peer(const Json& peer, const FieldPath& path, FieldErrors& errors) {
    int peers = 0;
    for (const char* member : {"podSelector", "namespaceSelector"}) {
        const Json* selector = find(peer, member);
        if (selector == nullptr) continue;
        ++peers;
        validate_label_selector(*selector, path.child(member), errors);
    }
    const Json* block = find(peer, "ipBlock");
    if (block != nullptr) {
        ++peers;
        validate_block(*block, path.child("ipBlock"), errors);
    }
    if (peers == 0) {
        errors.required(path, "must specify a peer");
    } else if (peers > 1 && block != nullptr) {
        errors.forbidden(path, "may not specify both ipBlock and another peer");
    }
}

void validate_rules(const Json& spec, const char* direction, const char* peers, FieldErrors& errors) {
    const Json& rules = array_at(spec, {direction});
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const FieldPath path = FieldPath("spec").child(direction).index(i);
        const Json& ports = array_at(rules[i], {"ports"});
        for (std::size_t j = 0; j < ports.size(); ++j)
            validate_port(ports[j], path.child("ports").index(j), errors);
        const Json& others = array_at(rules[i], {peers});
        for (std::size_t j = 0; j < others.size(); ++j)
            validate_peer(others[j], path.child(peers).index(j), errors);
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_label_selector(object_at(spec, {"podSelector"}), path.child("podSelector"), errors);
    validate_rules(spec, "ingress", "from", errors);
    validate_rules(spec, "egress", "to", errors);
    const Json& types = array_at(spec, {"policyTypes"});
    if (types.size() > 2) {
        return errors.invalid(path.child("policyTypes"), go_strings("[]networking.PolicyType", &types),
                              "may not specify more than two policyTypes");
    }
    for (std::size_t i = 0; i < types.size(); ++i) {
        const std::string type = types[i].is_string() ? types[i].get<std::string>() : "";
        if (type == "Ingress" || type == "Egress") continue;
        errors.not_supported(path.child("policyTypes").index(i), type, {"Ingress", "Egress"});
    }
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    constexpr std::pair<const char*, const char*> directions[] = {{"ingress", "from"}, {"egress", "to"}};
    for (const auto& [rules, peers] : directions) {
        const Json& list = array_at(object, {"spec", rules});
        for (std::size_t i = 0; i < list.size(); ++i) {
            std::size_t j = 0;
            for (const Json& peer : array_at(list[i], {peers})) {
                const FieldPath path = FieldPath("spec").child(rules).index(i).child(peers).index(j++).child("ipBlock");
                warn_of_cidr(string_at(peer, {"ipBlock", "cidr"}), path.child("cidr"), out);
                std::size_t k = 0;
                for (const Json& except : array_at(peer, {"ipBlock", "except"})) {
                    const FieldPath at = path.child("except").index(k++);
                    if (except.is_string()) warn_of_cidr(except.get_ref<const std::string&>(), at, out);
                }
            }
        }
    }
}

}  // namespace

KUBEMU_RULES(network_policy_rules){.set_defaults = set_defaults, .validate = validate, .warnings = warnings};

}  // namespace kubemu::api::kinds

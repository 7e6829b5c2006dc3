// Rules of EndpointSlice, and the conversion of discovery.k8s.io/v1beta1, which knew a map of topology labels
// instead of fields (kubernetes pkg/apis/discovery/validation, pkg/apis/discovery/v1beta1/conversion.go).
#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/address_warnings.h"
#include "api/kinds/core/endpoint_address.h"
#include "api/kinds/define.h"
#include "api/kinds/domains.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/ip_address.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t addresses_max = 100, ports_max = 20000, endpoints_max = 1000, topology_labels_max = 16,
                      hints_max = 8;
constexpr const char* zone_label = "topology.kubernetes.io/zone";
constexpr const char* hostname_label = "kubernetes.io/hostname";

void validate_hints(const Json& hints, const char* member, const FieldPath& parent, FieldErrors& errors) {
    const Json& list = array_at(hints, {member});
    const FieldPath path = parent.child(member);
    const bool of_nodes = std::string_view(member) == "forNodes";
    if (list.size() > hints_max) return errors.too_many(path, list.size(), hints_max);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string_view name = string_at(list[i], {"name"});
        const FieldPath at = path.index(i).child("name");
        if (!seen.insert(name).second) errors.duplicate(at, std::string(name));
        // A zone is the value of a label, a node a name.
        add_invalid(of_nodes ? check_dns1123_subdomain(name) : check_label_value(name), at, name, errors);
    }
}

// Of IPv4, which came first, more spellings are taken than of IPv6.
void validate_address(const std::string& address, bool v6, const FieldPath& list, std::size_t index, FieldErrors& errors) {
    const auto parsed = IpAddress::parse(address);
    if (!parsed) return validate_ip(address, list.index(index), errors);
    if (const Messages wrong = v6 ? check_canonical_ip(address) : Messages{}; !wrong.empty()) {
        return add_invalid(wrong, list.index(index), address, errors);
    }
    if (parsed->v4 == v6) errors.invalid(list, address, v6 ? "must be an IPv6 address" : "must be an IPv4 address");
    validate_endpoint_address(address, list.index(index), errors);
}

void validate_endpoint(const Json& endpoint, std::string_view type, const FieldPath& path,
                       FieldErrors& errors) {
    const FieldPath at = path.child("addresses");
    const Json& addresses = array_at(endpoint, {"addresses"});
    if (addresses.empty()) {
        errors.required(at, "must contain at least 1 address");
    } else if (addresses.size() > addresses_max) {
        errors.too_many(at, addresses.size(), addresses_max);
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const std::string address = addresses[i].is_string() ? addresses[i].get<std::string>() : "";
        if (type == "IPv4" || type == "IPv6") validate_address(address, type == "IPv6", at, i, errors);
        if (type == "FQDN") validate_fully_qualified_domain(address, at.index(i), errors);
    }
    if (const Json* node = find(endpoint, "nodeName"); node != nullptr && node->is_string()) {
        const auto& name = node->get_ref<const std::string&>();
        add_invalid(check_dns1123_subdomain(name), path.child("nodeName"), name, errors);
    }
    const Json& topology = object_at(endpoint, {"deprecatedTopology"});
    if (topology.size() > topology_labels_max) {
        errors.too_many(path.child("deprecatedTopology"), topology.size(), topology_labels_max);
    }
    validate_labels(topology, path.child("deprecatedTopology"), errors);
    if (const Json* host = find(endpoint, "hostname"); host != nullptr && host->is_string()) {
        validate_dns1123_label(host->get_ref<const std::string&>(), path.child("hostname"), errors);
    }
    if (const Json* hints = find(endpoint, "hints")) {
        validate_hints(*hints, "forZones", path.child("hints"), errors);
        validate_hints(*hints, "forNodes", path.child("hints"), errors);
    }
}

void validate_ports(const Json& ports, FieldErrors& errors) {
    const FieldPath path("ports");
    if (ports.size() > ports_max) return errors.too_many(path, ports.size(), ports_max);
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::string_view name = string_at(ports[i], {"name"}),
                               protocol = string_at(ports[i], {"protocol"});
        const FieldPath at = path.index(i);
        if (!name.empty()) validate_dns1123_label(name, at.child("name"), errors);
        if (!names.insert(name).second) errors.duplicate(at.child("name"), std::string(name));
        if (find(ports[i], "protocol") == nullptr) {
            errors.required(at.child("protocol"), "");
        } else if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP") {
            errors.not_supported(at.child("protocol"), protocol, {"SCTP", "TCP", "UDP"});
        }
        if (const Json* app = find(ports[i], "appProtocol"); app != nullptr && app->is_string()) {
            validate_qualified_name(app->get_ref<const std::string&>(), at.child("appProtocol"), errors);
        }
    }
}

// Endpoints that are there already may stay: older releases took more.
void validate_slice(const Json& object, const Json* old, FieldErrors& errors) {
    const std::string_view type = string_at(object, {"addressType"});
    validate_enum(type, {"FQDN", "IPv4", "IPv6"}, FieldPath("addressType"), errors);
    validate_ports(array_at(object, {"ports"}), errors);
    if (old != nullptr && array_at(object, {"endpoints"}) == array_at(*old, {"endpoints"})) return;
    const Json& endpoints = array_at(object, {"endpoints"});
    if (endpoints.size() > endpoints_max) {
        errors.too_many(FieldPath("endpoints"), endpoints.size(), endpoints_max);
    } else {
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            validate_endpoint(endpoints[i], type, FieldPath("endpoints").index(i), errors);
        }
    }
}

void validate_create(const Json& object, const HookContext&, FieldErrors& errors) { validate_slice(object, nullptr, errors); }

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_slice(object, &old, errors);
    validate_immutable_text(string_at(object, {"addressType"}), string_at(old, {"addressType"}), FieldPath("addressType"),
                            errors);
}

// There is no spec: the generation rises with anything outside of metadata, and with labels.
void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    Json now = object, before = old;
    erase(now, "metadata");
    erase(before, "metadata");
    if (now == before && object_at(object, {"metadata", "labels"}) == object_at(old, {"metadata", "labels"}))
        return;
    object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

// Labels of topology are the older version's; this one has members for what matters of them.
void drop_topology(Json& object, const Json* old) {
    const auto has_any = [](const Json& slice) {
        for (const Json& endpoint : array_at(slice, {"endpoints"})) {
            if (!object_at(endpoint, {"deprecatedTopology"}).empty()) return true;
        }
        return false;
    };
    if (old != nullptr && has_any(*old) && array_at(object, {"endpoints"}) == array_at(*old, {"endpoints"})) return;
    Json* endpoints = find(object, "endpoints");
    if (endpoints == nullptr || !endpoints->is_array()) return;
    for (Json& endpoint : *endpoints) {
        if (endpoint.is_object()) erase(endpoint, "deprecatedTopology");
    }
}

void prepare_v1_for_create(Json& object, const HookContext&) { drop_topology(object, nullptr); }

void prepare_v1_for_update(Json& object, const Json& old, const HookContext& context) {
    drop_topology(object, &old);
    prepare_for_update(object, old, context);
}

// ---------------------------------------------------------------- v1beta1

void each_endpoint(Json& object, void (*convert)(Json&)) {
    Json* endpoints = find(object, "endpoints");
    if (endpoints == nullptr || !endpoints->is_array()) return;
    for (Json& endpoint : *endpoints) {
        if (endpoint.is_object()) convert(endpoint);
    }
}

void endpoint_to_storage(Json& endpoint) {
    const Json* given = find(endpoint, "topology");
    if (given == nullptr) return;
    Json topology = *given;
    erase(endpoint, "topology");
    if (const Json* zone = find(topology, zone_label)) {
        endpoint["zone"] = *zone;
        erase(topology, zone_label);
    }
    const Json* host = find(topology, hostname_label);
    const Json* node = find(endpoint, "nodeName");
    if (host != nullptr && node != nullptr && *host == *node) erase(topology, hostname_label);
    if (!topology.empty()) endpoint["deprecatedTopology"] = std::move(topology);
}

void endpoint_from_storage(Json& endpoint) {
    Json topology = object_at(endpoint, {"deprecatedTopology"});
    erase(endpoint, "deprecatedTopology");
    if (const Json* zone = find(endpoint, "zone")) topology[zone_label] = *zone;
    erase(endpoint, "zone");
    if (const Json* node = find(endpoint, "nodeName")) topology[hostname_label] = *node;
    if (!topology.empty()) endpoint["topology"] = std::move(topology);
}

void to_storage(Json& object) {
    each_endpoint(object, endpoint_to_storage);
}
void from_storage(Json& object) {
    each_endpoint(object, endpoint_from_storage);
}

Json as_stored(Json object) {
    to_storage(object);
    return object;
}

void validate_v1beta1_create(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_slice(as_stored(object), nullptr, errors);
}

void validate_v1beta1_update(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    validate_update(as_stored(object), as_stored(old), context, errors);
}

void warnings(const Json& object, const Json* old, const HookContext&, std::vector<std::string>& out) {
    if (old == nullptr && string_at(object, {"addressType"}) == "FQDN") {
        out.emplace_back("spec.addressType: FQDN endpoints are deprecated");
    }
    // Controllers mend what they copy.
    const std::string_view manager =
        string_at(object, {"metadata", "labels", "endpointslice.kubernetes.io/managed-by"});
    if (manager == "endpointslice-controller.k8s.io" || manager == "endpointslicemirroring-controller.k8s.io") return;
    std::size_t i = 0;
    for (const Json& endpoint : array_at(object, {"endpoints"})) {
        const FieldPath path = FieldPath("endpoints").index(i++).child("addresses");
        std::size_t j = 0;
        for (const Json& address : array_at(endpoint, {"addresses"})) {
            const FieldPath at = path.index(j++);
            if (address.is_string()) warn_of_ip(address.get_ref<const std::string&>(), at, out);
        }
    }
}

}  // namespace

KUBEMU_RULES(endpoint_slice_rules){.prepare_for_create = prepare_v1_for_create,
                                   .prepare_for_update = prepare_v1_for_update,
                                   .validate_create = validate_create,
                                   .validate_update = validate_update,
                                   .warnings = warnings};
KUBEMU_RULES(endpoint_slice_v1beta1_rules){.prepare_for_update = prepare_for_update,
                                           .validate_create = validate_v1beta1_create,
                                           .validate_update = validate_v1beta1_update,
                                           .warnings = warnings,
                                           .to_storage = to_storage,
                                           .from_storage = from_storage};

}  // namespace kubemu::api::kinds

// Rules of Endpoints (kubernetes pkg/apis/core/validation, ValidateEndpoints).
#include <nlohmann/json.hpp>

#include "api/kinds/core/endpoint_address.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"

namespace kubemu::api::kinds {
namespace {

void validate_address(const Json& address, const FieldPath& path, FieldErrors& errors) {
    const std::string_view ip = string_at(address, {"ip"});
    validate_ip(ip, path.child("ip"), errors);
    if (const std::string_view host = string_at(address, {"hostname"}); !host.empty()) {
        validate_dns1123_label(host, path.child("hostname"), errors);
    }
    if (find(address, "nodeName") != nullptr) {
        validate_dns1123_subdomain(string_at(address, {"nodeName"}), path.child("nodeName"), errors);
    }
    validate_endpoint_address(ip, path.child("ip"), errors);
}

void validate_port(const Json& port, bool name_required, const FieldPath& path, FieldErrors& errors) {
    const std::string_view name = string_at(port, {"name"});
    if (!name.empty()) {
        validate_dns1123_label(name, path.child("name"), errors);
    } else if (name_required) {
        errors.required(path.child("name"), "");
    }
    validate_port_number(int_at(port, {"port"}), path.child("port"), errors);
    validate_enum(string_at(port, {"protocol"}), {"SCTP", "TCP", "UDP"}, path.child("protocol"), errors);
    if (find(port, "appProtocol") != nullptr) {
        validate_qualified_name(string_at(port, {"appProtocol"}), path.child("appProtocol"), errors);
    }
}

void validate_subsets(const Json& object, FieldErrors& errors) {
    std::size_t i = 0;
    for (const Json& subset : array_at(object, {"subsets"})) {
        const FieldPath path = FieldPath("subsets").index(i++);
        const Json& ports = array_at(subset, {"ports"});
        if (array_at(subset, {"addresses"}).empty() && array_at(subset, {"notReadyAddresses"}).empty()) {
            errors.required(path, "must specify `addresses` or `notReadyAddresses`");
        }
        for (const char* list : {"addresses", "notReadyAddresses"}) {
            std::size_t j = 0;
            for (const Json& address : array_at(subset, {list}))
                validate_address(address, path.child(list).index(j++), errors);
        }
        for (std::size_t j = 0; j < ports.size(); ++j) {
            validate_port(ports[j], ports.size() > 1, path.child("ports").index(j), errors);
        }
    }
}

void validate_create(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_subsets(object, errors);
}

// Subsets that were written under older rules stay valid for as long as nobody touches them.
void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (array_at(object, {"subsets"}) != array_at(old, {"subsets"})) validate_subsets(object, errors);
}

}  // namespace

extern const KindRules endpoints_rules;
const KindRules endpoints_rules{.validate_create = validate_create, .validate_update = validate_update};

}  // namespace kubemu::api::kinds

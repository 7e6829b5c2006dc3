// Requests for devices, constraints between them, configuration.
#include "api/kinds/resource/claims.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/cel/device.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/go_syntax.h"
#include "api/kinds/resource/devices.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t items_max = 32, alternatives_max = 8, expression_bytes_max = 10 * 1024,
                      parameters_bytes_max = 10 * 1024;
constexpr std::size_t driver_bytes_max = 63, pool_bytes_max = 253;
// What a selector may cost at worst (resource/v1.CELSelectorExpressionMaxCost).
constexpr std::uint64_t expression_cost_max = 1000000;

// Requests by name, each with the names of its alternatives.
using RequestNames = std::map<std::string, std::set<std::string>>;

RequestNames request_names(const Json& claim) {
    RequestNames names;
    for (const Json& request : array_at(claim, {"requests"})) {
        auto& alternatives = names[std::string(string_at(request, {"name"}))];
        for (const Json& other : array_at(request, {"firstAvailable"}))
            alternatives.emplace(string_at(other, {"name"}));
    }
    return names;
}

void validate_request_reference(const std::string& name, const RequestNames& names, const FieldPath& path,
                                FieldErrors& errors) {
    constexpr const char* wrong =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by "
        "'/'";
    const auto parts = split(name, '/');
    if (parts.size() > 2) return errors.invalid(path, name, wrong);
    for (const std::string_view part : parts) validate_dns1123_label(part, path, errors);
    const auto found = names.find(std::string(parts[0]));
    const bool known =
        found != names.end() && (parts.size() == 1 || found->second.contains(std::string(parts[1])));
    if (!known) errors.invalid(path, name, wrong);
}

void validate_request_references(const Json& list, const RequestNames& names, const FieldPath& path,
                                 FieldErrors& errors) {
    if (list.size() > items_max) return errors.too_many(path, list.size(), items_max);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string name = list[i].is_string() ? list[i].get<std::string>() : "";
        validate_request_reference(name, names, path.index(i), errors);
        if (!seen.insert(name).second) errors.duplicate(path.index(i), name);
    }
}

// What an exact request and an alternative have in common.
void validate_wish(const Json& wish, const FieldPath& path, FieldErrors& errors) {
    const std::string_view device_class = string_at(wish, {"deviceClassName"});
    if (validate_required(device_class, path.child("deviceClassName"), errors)) {
        add_invalid(check_dns1123_subdomain(device_class), path.child("deviceClassName"), device_class,
                    errors);
    }
    validate_device_selectors(array_at(wish, {"selectors"}), path.child("selectors"), errors);
    const std::string mode(string_at(wish, {"allocationMode"}));
    const std::int64_t count = int_at(wish, {"count"});
    if (mode == "All") {
        if (count != 0)
            errors.invalid(path.child("count"), count, "must not be specified when allocationMode is 'All'");
    } else if (mode == "ExactCount") {
        if (count <= 0) errors.invalid(path.child("count"), count, "must be greater than zero");
    } else {
        errors.not_supported(path.child("allocationMode"), mode, {"All", "ExactCount"});
    }
    validate_device_tolerations(wish, path, errors);
}

void validate_request(const Json& request, const FieldPath& path, FieldErrors& errors) {
    validate_dns1123_label(string_at(request, {"name"}), path.child("name"), errors);
    const Json& alternatives = array_at(request, {"firstAvailable"});
    const Json* exactly = find(request, "exactly");
    if (exactly == nullptr && alternatives.empty()) {
        errors.required(path, "exactly one of `exactly` or `firstAvailable` is required");
    } else if (exactly != nullptr && !alternatives.empty()) {
        errors.invalid(
            path, nullptr,
            "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set");
    } else if (exactly != nullptr) {
        validate_wish(*exactly, path.child("exactly"), errors);
    } else {
        const FieldPath at = path.child("firstAvailable");
        if (alternatives.size() > alternatives_max) {
            return errors.too_many(at, alternatives.size(), alternatives_max);
        }
        std::set<std::string_view> names;
        for (std::size_t i = 0; i < alternatives.size(); ++i) {
            const std::string_view name = string_at(alternatives[i], {"name"});
            validate_dns1123_label(name, at.index(i).child("name"), errors);
            validate_wish(alternatives[i], at.index(i), errors);
            if (!names.insert(name).second) errors.duplicate(at.index(i), std::string(name));
        }
    }
}

void validate_constraint(const Json& constraint, const RequestNames& names, const FieldPath& path,
                         FieldErrors& errors) {
    validate_request_references(array_at(constraint, {"requests"}), names, path.child("requests"), errors);
    if (find(constraint, "matchAttribute") != nullptr) {
        validate_device_property_name(string_at(constraint, {"matchAttribute"}), true, path.child("matchAttribute"),
                                      errors);
    } else if (find(constraint, "distinctAttribute") != nullptr) {
        validate_device_property_name(string_at(constraint, {"distinctAttribute"}), true,
                                      path.child("distinctAttribute"), errors);
    } else {
        errors.required(path,
                        "exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but "
                        "multiple fields are set");
    }
}

void default_wish(Json& wish) {
    if (!wish.is_object()) return;
    if (string_at(wish, {"allocationMode"}).empty()) wish["allocationMode"] = "ExactCount";
    if (string_at(wish, {"allocationMode"}) == "ExactCount" && int_at(wish, {"count"}) == 0)
        wish["count"] = 1;
}

std::string go_list(const Json& list, const std::string& type, std::string (*item)(const Json&)) {
    if (list.empty()) return "[]" + type + "(nil)";
    std::string text = "[]" + type + "{";
    for (const Json& element : list) text += (text.back() == '{' ? "" : ", ") + item(element);
    return text + "}";
}

}  // namespace

void default_device_claim(Json& spec) {
    Json* requests = find(spec, {"devices", "requests"});
    if (requests == nullptr || !requests->is_array()) return;
    for (Json& request : *requests) {
        if (Json* exactly = find(request, "exactly")) default_wish(*exactly);
        Json* alternatives = find(request, "firstAvailable");
        if (alternatives == nullptr || !alternatives->is_array()) continue;
        for (Json& alternative : *alternatives) default_wish(alternative);
    }
}

void validate_resource_driver_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(name, path, errors)) return;
    if (name.size() > driver_bytes_max) errors.too_long(path, driver_bytes_max);
    add_invalid(check_dns1123_subdomain(lower(name)), path, name, errors);
}

void validate_pool_name(std::string_view name, const FieldPath& path, FieldErrors& errors) {
    if (!validate_required(name, path, errors)) return;
    if (name.size() > pool_bytes_max) errors.too_long(path, pool_bytes_max);
    for (const std::string_view part : split(name, '/')) validate_dns1123_subdomain(part, path, errors);
}

void validate_device_selectors(const Json& selectors, const FieldPath& path, FieldErrors& errors) {
    if (selectors.size() > items_max) return errors.too_many(path, selectors.size(), items_max);
    for (std::size_t i = 0; i < selectors.size(); ++i) {
        const FieldPath cel_path = path.index(i).child("cel");
        if (find(selectors[i], "cel") == nullptr) {
            errors.required(cel_path, "");
            continue;
        }
        const FieldPath at = cel_path.child("expression");
        const std::string expression(string_at(selectors[i], {"cel", "expression"}));
        if (expression.size() > expression_bytes_max) {
            errors.too_long(at, expression_bytes_max);
            continue;
        }
        const cel::DeviceSelector selector = cel::compile_device_selector(expression);
        if (!selector.error.empty()) {
            errors.invalid(at, expression, selector.error);
        } else if (selector.cost > expression_cost_max) {
            errors.forbidden(at, "too complex, exceeds cost limit");
        }
    }
}

void validate_device_configuration(const Json& configuration, const FieldPath& path, FieldErrors& errors) {
    const Json* opaque = find(configuration, "opaque");
    if (opaque == nullptr) return errors.required(path.child("opaque"), "");
    const FieldPath at = path.child("opaque");
    validate_resource_driver_name(string_at(*opaque, {"driver"}), at.child("driver"), errors);
    validate_opaque(find(*opaque, "parameters"), parameters_bytes_max, at.child("parameters"), errors);
}

void validate_device_claim(const Json& claim, const FieldPath& path, FieldErrors& errors) {
    const RequestNames names = request_names(claim);
    const Json& requests = array_at(claim, {"requests"});
    const auto checked = [&](const Json& list, const char* member) {
        if (list.size() > items_max) errors.too_many(path.child(member), list.size(), items_max);
        return list.size() > items_max ? 0 : list.size();
    };
    std::set<std::string_view> seen;
    const std::size_t requests_checked = checked(requests, "requests");
    for (std::size_t i = 0; i < requests_checked; ++i) {
        const std::string_view name = string_at(requests[i], {"name"});
        validate_request(requests[i], path.child("requests").index(i), errors);
        if (!seen.insert(name).second) errors.duplicate(path.child("requests").index(i), std::string(name));
    }
    const Json& constraints = array_at(claim, {"constraints"});
    const std::size_t constraints_checked = checked(constraints, "constraints");
    for (std::size_t i = 0; i < constraints_checked; ++i) {
        validate_constraint(constraints[i], names, path.child("constraints").index(i), errors);
    }
    const Json& config = array_at(claim, {"config"});
    const std::size_t config_checked = checked(config, "config");
    for (std::size_t i = 0; i < config_checked; ++i) {
        const FieldPath at = path.child("config").index(i);
        validate_request_references(array_at(config[i], {"requests"}), names, at.child("requests"), errors);
        validate_device_configuration(config[i], at, errors);
    }
}

void validate_allocation(const Json& allocation, const Json& claim, const FieldPath& path, FieldErrors& errors) {
    const RequestNames names = request_names(claim);
    const FieldPath devices = path.child("devices");
    const Json& results = array_at(allocation, {"devices", "results"});
    if (results.size() > items_max) errors.too_many(devices.child("results"), results.size(), items_max);
    for (std::size_t i = 0; i < results.size() && results.size() <= items_max; ++i) {
        const FieldPath at = devices.child("results").index(i);
        validate_request_reference(std::string(string_at(results[i], {"request"})), names, at.child("request"), errors);
        validate_resource_driver_name(string_at(results[i], {"driver"}), at.child("driver"), errors);
        validate_pool_name(string_at(results[i], {"pool"}), at.child("pool"), errors);
        validate_dns1123_label(string_at(results[i], {"device"}), at.child("device"), errors);
        validate_binding_conditions(results[i], at, errors);
        validate_share_id(results[i], at, errors);
    }
    const Json& config = array_at(allocation, {"devices", "config"});
    const FieldPath list = devices.child("config");
    if (config.size() > 2 * items_max) errors.too_many(list, config.size(), 2 * items_max);
    for (std::size_t i = 0; i < config.size() && config.size() <= 2 * items_max; ++i) {
        const FieldPath at = list.index(i);
        validate_enum(string_at(config[i], {"source"}), {"FromClaim", "FromClass"}, at.child("source"), errors);
        validate_request_references(array_at(config[i], {"requests"}), names, at.child("requests"), errors);
        validate_device_configuration(config[i], at, errors);
    }
    if (const Json* nodes = find(allocation, "nodeSelector"))
        validate_node_selector(*nodes, path.child("nodeSelector"), errors);
}

GoText go_claim_spec(const Json& spec) {
    const auto request = [](const Json& item) {
        return "resource.DeviceRequest{Name:" + go_quote(string_at(item, {"name"})) +
               ", Exactly:" + go_value("*resource.ExactDeviceRequest", find(item, "exactly")).text +
               ", FirstAvailable:[]resource.DeviceSubRequest(nil)}";
    };
    const auto constraint = [](const Json& item) {
        constexpr GoField fields[] = {
            {"Requests", "requests", "[]string"},
            {"MatchAttribute", "matchAttribute", "*resource.FullyQualifiedName"},
            {"DistinctAttribute", "distinctAttribute", "*resource.FullyQualifiedName"}};
        return go_struct("resource.DeviceConstraint", fields, item).text;
    };
    const auto configuration = [](const Json& item) {
        return "resource.DeviceClaimConfiguration{Requests:" +
               go_value("[]string", find(item, "requests")).text +
               ", DeviceConfiguration:resource.DeviceConfiguration{Opaque:" +
               go_value("*resource.OpaqueDeviceConfiguration", find(item, "opaque")).text + "}}";
    };
    return {
        "resource.ResourceClaimSpec{Devices:resource.DeviceClaim{Requests:" +
        go_list(array_at(spec, {"devices", "requests"}), "resource.DeviceRequest", request) +
        ", Constraints:" +
        go_list(array_at(spec, {"devices", "constraints"}), "resource.DeviceConstraint", constraint) +
        ", Config:" +
        go_list(array_at(spec, {"devices", "config"}), "resource.DeviceClaimConfiguration", configuration) +
        "}}"};
}

}  // namespace kubemu::api::kinds

// Rules of ResourceClaim, ResourceClaimTemplate and DeviceClass.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "api/kinds/conditions.h"
#include "api/kinds/core/pod_checks.h"
#include "api/kinds/define.h"
#include "api/kinds/resource/claims.h"
#include "api/kinds/resource/devices.h"
#include "api/kinds/validation.h"
#include "api/schema/zero.h"
#include "api/values/ip_address.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t consumers_max = 256, config_max = 32, addresses_max = 16, conditions_max = 8,
                      data_bytes_max = 10 * 1024;

void claim_defaults(Json& object, const HookContext&) {
    default_device_claim(ensure(object, {"spec"}));
}
void template_defaults(Json& object, const HookContext&) {
    default_device_claim(ensure(object, {"spec", "spec"}));
}

// Access for administrators is for namespaces that are marked for it.
void validate_admin_namespace(const FieldPath& path, const HookContext& context, FieldErrors& errors) {
    constexpr std::string_view label = "resource.kubernetes.io/admin-access";
    const storage::RecordPtr space = context.lookup.get("namespaces", {}, context.namespace_name);
    const Json labels =
        space == nullptr ? Json::object() : object_at(context.lookup.document(*space), {"metadata", "labels"});
    if (string_at(labels, {label}) == "true") return;
    errors.forbidden(path, "admin access to devices requires the `" + std::string(label) +
                               ": true` label on the containing namespace");
}

void validate_admin_access(const Json& claim, const HookContext& context, FieldErrors& errors) {
    const Json& requests = array_at(claim, {"devices", "requests"});
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (!bool_at(requests[i], {"exactly", "adminAccess"})) continue;
        const FieldPath path = FieldPath("spec").child("devices").child("requests").index(i).child("adminAccess");
        return validate_admin_namespace(path, context, errors);
    }
}

// The first device that was given for administrators; an allocation that has one does not change.
std::optional<std::size_t> admin_result(const Json& claim) {
    const Json& results = array_at(claim, {"status", "allocation", "devices", "results"});
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (bool_at(results[i], {"adminAccess"})) return i;
    }
    return std::nullopt;
}

void validate_claim(const Json& object, const HookContext& context, FieldErrors& errors) {
    validate_admin_access(object_at(object, {"spec"}), context, errors);
    validate_device_claim(object_at(object, {"spec", "devices"}), FieldPath("spec").child("devices"), errors);
}

void validate_claim_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    if (object_at(object, {"spec"}) == object_at(old, {"spec"})) return;
    errors.invalid(FieldPath("spec"), go_claim_spec(object_at(object, {"spec"})), "field is immutable");
}

std::string device_id(const Json& device) {
    std::string id;
    for (const char* member : {"driver", "pool", "device"})
        id += (id.empty() ? "" : "/") + std::string(string_at(device, {member}));
    const std::string_view share = string_at(device, {"shareID"});
    return share.empty() ? id : id + "/" + std::string(share);
}

// What drivers reported of devices that the claim no longer has goes with them (strategy.go dropDeallocatedStatusDevices).
void drop_given_back(Json& object, const Json& old, const HookContext&) {
    std::set<std::string> gone;
    for (const Json& result : array_at(old, {"status", "allocation", "devices", "results"})) gone.insert(device_id(result));
    for (const Json& result : array_at(object, {"status", "allocation", "devices", "results"})) gone.erase(device_id(result));
    Json* reports = find(object, {"status", "devices"});
    if (reports == nullptr || !reports->is_array()) return;
    const auto kept = std::remove_if(reports->begin(), reports->end(), [&](const Json& report) { return gone.contains(device_id(report)); });
    reports->erase(kept, reports->end());
    if (reports->empty()) object["status"].erase("devices");
}

void validate_network_data(const Json& data, const FieldPath& path, FieldErrors& errors) {
    constexpr std::pair<const char*, std::size_t> limits[] = {{"interfaceName", 256}, {"hardwareAddress", 128}};
    for (const auto& [member, bytes_max] : limits) {
        if (string_at(data, {member}).size() > bytes_max) errors.too_long(path.child(member), bytes_max);
    }
    const Json& addresses = array_at(data, {"ips"});
    if (addresses.size() > addresses_max) return errors.too_many(path.child("ips"), addresses.size(), addresses_max);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const FieldPath at = path.child("ips").index(i);
        const std::string text = addresses[i].is_string() ? addresses[i].get<std::string>() : "";
        const auto network = IpNetwork::parse(text);
        const auto address = IpAddress::parse(std::string_view(text).substr(0, text.find('/')));
        if (!network || !address) {
            errors.invalid(at, text, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)");
        } else if (const std::string canonical = address->text() + network->text().substr(network->text().find('/'));
                   canonical != text) {
            errors.invalid(at, text, "must be in canonical form (" + go_quote(canonical) + ")");
        }
        if (!seen.insert(text).second) errors.duplicate(at, text);
    }
}

// What drivers report of the devices that the claim was given.
void validate_device_reports(const Json& status, const FieldPath& path, FieldErrors& errors) {
    std::set<std::string> allocated, seen;
    for (const Json& result : array_at(status, {"allocation", "devices", "results"}))
        allocated.insert(device_id(result));
    const Json& devices = array_at(status, {"devices"});
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const FieldPath at = path.index(i);
        const std::string id = device_id(devices[i]);
        validate_resource_driver_name(string_at(devices[i], {"driver"}), at.child("driver"), errors);
        validate_pool_name(string_at(devices[i], {"pool"}), at.child("pool"), errors);
        validate_dns1123_label(string_at(devices[i], {"device"}), at.child("device"), errors);
        validate_share_id(devices[i], at, errors);
        if (!allocated.contains(id)) errors.invalid(at, id, "must be an allocated device in the claim");
        const Json& conditions = array_at(devices[i], {"conditions"});
        if (conditions.size() > conditions_max)
            errors.too_many(at.child("conditions"), conditions.size(), conditions_max);
        validate_conditions(conditions, at.child("conditions"), errors);
        if (const Json* data = find(devices[i], "data"))
            validate_opaque(data, data_bytes_max, at.child("data"), errors);
        validate_network_data(object_at(devices[i], {"networkData"}), at.child("networkData"), errors);
        if (!seen.insert(id).second) errors.duplicate(at, id);
    }
}

void validate_claim_status(const Json& object, const Json& old, const HookContext& context, FieldErrors& errors) {
    const FieldPath path("status");
    if (const auto given = admin_result(object); given && !admin_result(old)) {
        const FieldPath results = path.child("allocation").child("devices").child("results");
        validate_admin_namespace(results.index(*given).child("adminAccess"), context, errors);
    }
    const FieldPath at = path.child("reservedFor");
    const Json& consumers = array_at(object, {"status", "reservedFor"});
    if (consumers.size() > consumers_max) errors.too_many(at, consumers.size(), consumers_max);
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < consumers.size() && consumers.size() <= consumers_max; ++i) {
        for (const char* member : {"resource", "name", "uid"}) {
            validate_required(string_at(consumers[i], {member}), at.index(i).child(member), errors);
        }
        const std::string_view uid = string_at(consumers[i], {"uid"});
        if (!seen.insert(uid).second) errors.duplicate(at.index(i), std::string(uid));
    }
    const Json* allocation = find(object, {"status", "allocation"});
    const Json* before = find(old, {"status", "allocation"});
    validate_device_reports(object_at(object, {"status"}), path.child("devices"), errors);
    if (!consumers.empty() && allocation == nullptr) {
        errors.forbidden(at, "may not be specified when `allocated` is not set");
    } else if (find(object, {"metadata", "deletionTimestamp"}) != nullptr) {
        std::set<std::string_view> known;
        for (const Json& consumer : array_at(old, {"status", "reservedFor"}))
            known.insert(string_at(consumer, {"uid"}));
        for (const std::string_view uid : seen) {
            if (known.contains(uid)) continue;
            errors.forbidden(
                at,
                "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set");
            break;
        }
    }
    if (allocation != nullptr && before != nullptr && *allocation != *before) {
        errors.invalid(path.child("allocation"), *allocation, "field is immutable");
    } else if (allocation != nullptr && before == nullptr) {
        validate_allocation(*allocation, object_at(object, {"spec", "devices"}), path.child("allocation"), errors);
    }
}

void validate_template(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    pods::validate_template_metadata(object_at(object, {"spec", "metadata"}), path.child("metadata"), errors);
    validate_device_claim(object_at(object, {"spec", "spec", "devices"}), path.child("spec").child("devices"),
                          errors);
}

void validate_new_template(const Json& object, const HookContext& context, FieldErrors& errors) {
    validate_admin_access(object_at(object, {"spec", "spec"}), context, errors);
}

void validate_template_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    Json spec = object_at(object, {"spec"});
    if (spec == object_at(old, {"spec"})) return;
    drop_all_zero_values(spec, *find_type("resource/v1.ResourceClaimTemplateSpec"));
    if (spec != object_at(old, {"spec"})) errors.invalid(FieldPath("spec"), spec, "field is immutable");
}

void validate_class(const Json& object, const HookContext&, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_device_selectors(array_at(spec, {"selectors"}), path.child("selectors"), errors);
    const Json& config = array_at(spec, {"config"});
    if (config.size() > config_max) errors.too_many(path.child("config"), config.size(), config_max);
    for (std::size_t i = 0; i < config.size() && config.size() <= config_max; ++i)
        validate_device_configuration(config[i], path.child("config").index(i), errors);
    const Json* name = find(spec, "extendedResourceName");
    if (name != nullptr && !is_extended_resource(string_at(spec, {"extendedResourceName"}))) {
        errors.invalid(path.child("extendedResourceName"), *name, "must be a valid extended resource name");
    }
}

// What a name is generated from may look like anything that fits into a path.
Messages check_class_name(std::string_view name, bool prefix) {
    return prefix ? Messages{} : check_name_as_subdomain(name, false);
}

}  // namespace

KUBEMU_RULES(resource_claim_rules){.set_defaults = claim_defaults,
                                   .prepare_for_status_update = drop_given_back,
                                   .validate_create = validate_claim,
                                   .validate_update = validate_claim_update,
                                   .validate_status_update = validate_claim_status};
KUBEMU_RULES(resource_claim_template_rules){.set_defaults = template_defaults,
                                            .validate = validate_template,
                                            .validate_create = validate_new_template,
                                            .validate_update = validate_template_update};
KUBEMU_RULES(device_class_rules){.validate = validate_class, .validate_name = check_class_name};

}  // namespace kubemu::api::kinds

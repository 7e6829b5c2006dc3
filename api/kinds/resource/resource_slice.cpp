// Rules of ResourceSlice: which devices a driver offers where.
#include <re2/re2.h>

#include <nlohmann/json.hpp>
#include <set>

#include "api/kinds/define.h"
#include "api/kinds/core/pod_spec.h"
#include "api/kinds/resource/claims.h"
#include "api/kinds/resource/devices.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"
#include "api/values/time.h"

namespace kubemu::api::kinds {
namespace {

constexpr std::size_t devices_max = 128, devices_with_extras_max = 64, properties_max = 32,
                      value_bytes_max = 64;
constexpr std::size_t counter_sets_max = 8, counters_max = 32, consumptions_max = 2;

// An empty list is one of two that exclude each other, or nothing.
void drop_lone_empty_list(Json& spec) {
    const Json *devices = find(spec, "devices"), *counters = find(spec, "sharedCounters");
    const auto given = [](const Json* list) { return list != nullptr && !list->is_null(); };
    if (given(devices) && given(counters)) return;
    for (const char* member : {"devices", "sharedCounters"}) {
        if (array_at(spec, {member}).empty()) erase(spec, member);
    }
}

void set_defaults(Json& object, const HookContext& context) {
    if (Json* spec = find(object, {"spec"})) drop_lone_empty_list(*spec);
    Json* devices = find(object, {"spec", "devices"});
    if (devices == nullptr || !devices->is_array()) return;
    for (Json& device : *devices) {
        Json* taints = find(device, "taints");
        if (taints == nullptr || !taints->is_array()) continue;
        for (Json& taint : *taints) {
            if (taint.is_object() && find(taint, "timeAdded") == nullptr)
                taint["timeAdded"] = format_time(context.now);
        }
    }
}

bool is_semantic_version(const std::string& text) {
    static const re2::RE2 pattern(
        "(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)"
        "(-(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(\\.(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
        "(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?");
    return re2::RE2::FullMatch(text, pattern);
}

void validate_attribute(const Json& attribute, const FieldPath& path, FieldErrors& errors) {
    std::size_t values = 0;
    for (const char* member : {"bool", "int", "string", "version", "bools", "ints", "strings", "versions"}) {
        if (find(attribute, member) != nullptr) ++values;
    }
    if (find(attribute, "string") != nullptr && string_at(attribute, {"string"}).size() > value_bytes_max) {
        errors.too_long(path.child("string"), value_bytes_max);
    }
    if (find(attribute, "version") != nullptr) {
        const std::string version(string_at(attribute, {"version"}));
        if (!is_semantic_version(version)) {
            errors.invalid(path.child("version"), version,
                           "must be a string compatible with semver.org spec 2.0.0");
        }
        if (version.size() > value_bytes_max) errors.too_long(path.child("version"), value_bytes_max);
    }
    if (values == 1) return;
    errors.invalid(path, values == 0 ? Json("") : attribute, "exactly one value must be specified");
}

void validate_counters(const Json& holder, const FieldPath& path, FieldErrors& errors) {
    const Json& counters = object_at(holder, {"counters"});
    if (counters.empty()) errors.required(path.child("counters"), "");
    if (counters.size() > counters_max) return errors.too_many(path.child("counters"), counters.size(), counters_max);
    for (const auto& [name, counter] : counters.items()) validate_dns1123_label(name, path.child("counters"), errors);
}

// Exactly one way to say where; `ways` are its members that are set. `one_term`: a selector has just one.
std::vector<std::string> node_choices(const Json& holder, std::initializer_list<const char*> flags, bool one_term,
                                      const FieldPath& path, FieldErrors& errors) {
    std::vector<std::string> ways;
    if (const Json* node = find(holder, "nodeName")) {
        const std::string_view name = string_at(holder, {"nodeName"});
        if (name.empty()) {
            errors.invalid(path.child("nodeName"), *node,
                           "must be either unset or set to a non-empty string");
        } else {
            ways.emplace_back("`nodeName`");
            add_invalid(check_dns1123_subdomain(name), path.child("nodeName"), name, errors);
        }
    }
    if (const Json* selector = find(holder, "nodeSelector")) {
        ways.emplace_back("`nodeSelector`");
        validate_node_selector(*selector, path.child("nodeSelector"), errors);
        const Json& terms = array_at(*selector, {"nodeSelectorTerms"});
        if (one_term && terms.size() != 1) {
            errors.invalid(path.child("nodeSelector").child("nodeSelectorTerms"), terms,
                           "must have exactly one node selector term");
        }
    }
    for (const char* flag : flags) {
        const Json* value = find(holder, flag);
        if (value == nullptr) continue;
        if (*value == true) {
            ways.push_back("`" + std::string(flag) + "`");
        } else {
            errors.invalid(path.child(flag), *value, "must be either unset or set to true");
        }
    }
    return ways;
}

void validate_device_node(const Json& device, bool per_device, const FieldPath& path, FieldErrors& errors) {
    if (!per_device) {
        if (find(device, "nodeName") == nullptr && find(device, "nodeSelector") == nullptr &&
            find(device, "allNodes") == nullptr)
            return;
        return errors.invalid(path, nullptr,
                              "`nodeName`, `nodeSelector` and `allNodes` can only be set if "
                              "`perDeviceNodeSelection` is set to true in "
                              "the ResourceSlice spec");
    }
    constexpr const char* wanted =
        "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` "
        "is "
        "set to true in the ResourceSlice spec";
    const auto ways = node_choices(device, {"allNodes"}, false, path, errors);
    if (ways.empty()) errors.required(path, wanted);
    if (ways.size() > 1) errors.invalid(path, "{" + join(ways, ", ") + "}", wanted);
}

void validate_device(const Json& device, bool check_taints, bool per_device, const FieldPath& path,
                     FieldErrors& errors) {
    validate_dns1123_label(string_at(device, {"name"}), path.child("name"), errors);
    const Json& attributes = object_at(device, {"attributes"});
    const Json& capacity = object_at(device, {"capacity"});
    const std::size_t properties = attributes.size() + capacity.size();
    if (properties > properties_max) {
        errors.invalid(path, properties, "the total number of attributes and capacities must not exceed 32");
    }
    for (const auto& [name, attribute] : attributes.items()) {
        validate_device_property_name(name, false, path.child("attributes"), errors);
        validate_attribute(attribute, path.child("attributes").key(name), errors);
    }
    const bool shared = bool_at(device, {"allowMultipleAllocations"});
    for (const auto& [name, amount] : capacity.items()) {
        const FieldPath at = path.child("capacity").key(name);
        validate_device_property_name(name, false, path.child("capacity"), errors);
        if (shared) {
            validate_request_policy(amount, at, errors);
        } else if (find(amount, "requestPolicy") != nullptr) {
            errors.forbidden(at.child("requestPolicy"), "allowMultipleAllocations must be true");
        }
    }
    if (check_taints) validate_device_taints(device, path, errors);
    const Json& consumed = array_at(device, {"consumesCounters"});
    if (consumed.size() > consumptions_max) {
        errors.too_many(path.child("consumesCounters"), consumed.size(), consumptions_max);
    }
    std::set<std::string_view> counted;
    for (std::size_t i = 0; i < consumed.size() && consumed.size() <= consumptions_max; ++i) {
        const FieldPath at = path.child("consumesCounters").index(i);
        const std::string_view set = string_at(consumed[i], {"counterSet"});
        if (validate_required(set, at.child("counterSet"), errors))
            validate_dns1123_label(set, at.child("counterSet"), errors);
        validate_counters(consumed[i], at, errors);
        if (!counted.insert(set).second) errors.duplicate(at, std::string(set));
    }
    validate_device_node(device, per_device, path, errors);
    validate_binding_conditions(device, path, errors);
}

void validate_where(const Json& spec, const FieldPath& path, FieldErrors& errors) {
    const auto ways = node_choices(spec, {"allNodes", "perDeviceNodeSelection"}, true, path, errors);
    const std::string wanted =
        "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
    if (ways.empty()) errors.required(path, wanted);
    if (ways.size() > 1)
        errors.invalid(path, "{" + join(ways, ", ") + "}", wanted + ", but multiple fields are set");
}

void validate_frozen(const Json& object, const Json& old, FieldErrors& errors) {
    const FieldPath path("spec");
    validate_immutable_text(string_at(object, {"spec", "pool", "name"}), string_at(old, {"spec", "pool", "name"}),
                            path.child("pool").child("name"), errors);
    validate_immutable_text(string_at(object, {"spec", "driver"}), string_at(old, {"spec", "driver"}),
                            path.child("driver"), errors);
    validate_immutable(find(object, {"spec", "nodeName"}), find(old, {"spec", "nodeName"}), path.child("nodeName"), errors);
}

const Json* device_named(const Json& slice, std::string_view name) {
    for (const Json& device : array_at(slice, {"spec", "devices"})) {
        if (string_at(device, {"name"}) == name) return &device;
    }
    return nullptr;
}

// `old` is null for a new slice. What was accepted of a device's taints stays.
void validate_spec(const Json& object, const Json* old, FieldErrors& errors) {
    const FieldPath path("spec");
    const Json& spec = object_at(object, {"spec"});
    validate_resource_driver_name(string_at(spec, {"driver"}), path.child("driver"), errors);
    validate_pool_name(string_at(spec, {"pool", "name"}), path.child("pool").child("name"), errors);
    const std::int64_t slices = int_at(spec, {"pool", "resourceSliceCount"}),
                       generation = int_at(spec, {"pool", "generation"});
    if (slices <= 0)
        errors.invalid(path.child("pool").child("resourceSliceCount"), slices, "must be greater than zero");
    if (generation < 0)
        errors.invalid(path.child("pool").child("generation"), generation,
                       "must be greater than or equal to zero");
    if (old != nullptr) validate_frozen(object, *old, errors);
    validate_where(spec, path, errors);

    const Json& devices = array_at(spec, {"devices"});
    const Json& sets = array_at(spec, {"sharedCounters"});
    if (find(spec, "devices") != nullptr && find(spec, "sharedCounters") != nullptr)
        errors.invalid(path, "", "only one of `sharedCounters` or `devices` is allowed");
    std::size_t most = devices_max;
    std::set<std::string_view> names;
    for (const Json& device : devices) {
        if (!array_at(device, {"taints"}).empty() || !array_at(device, {"consumesCounters"}).empty())
            most = devices_with_extras_max;
    }
    if (devices.size() > most) errors.too_many(path.child("devices"), devices.size(), most);
    const bool per_device = bool_at(spec, {"perDeviceNodeSelection"});
    for (std::size_t i = 0; i < devices.size() && devices.size() <= most; ++i) {
        const std::string_view name = string_at(devices[i], {"name"});
        const Json* before = old == nullptr ? nullptr : device_named(*old, name);
        const bool same_taints = before != nullptr && array_at(*before, {"taints"}) == array_at(devices[i], {"taints"});
        validate_device(devices[i], !same_taints, per_device, path.child("devices").index(i), errors);
        if (!names.insert(name).second) errors.duplicate(path.child("devices").index(i), std::string(name));
    }
    if (sets.size() > counter_sets_max)
        errors.too_many(path.child("sharedCounters"), sets.size(), counter_sets_max);
    std::set<std::string_view> set_names;
    for (std::size_t i = 0; i < sets.size() && sets.size() <= counter_sets_max; ++i) {
        const FieldPath at = path.child("sharedCounters").index(i);
        const std::string_view name = string_at(sets[i], {"name"});
        if (validate_required(name, at.child("name"), errors))
            validate_dns1123_label(name, at.child("name"), errors);
        validate_counters(sets[i], at, errors);
        if (!set_names.insert(name).second) errors.duplicate(at, std::string(name));
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_spec(object, nullptr, errors);
}
void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_spec(object, &old, errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    const std::string_view driver = string_at(object, {"spec", "driver"});
    if (lower(driver) == driver) return;
    out.push_back("spec.driver: driver names should be lowercase; " + go_quote(driver) +
                  " contains uppercase characters");
}

}  // namespace

KUBEMU_RULES(resource_slice_rules){.set_defaults = set_defaults,
                                   .validate = validate,
                                   .validate_update = validate_update,
                                   .validates_updates_apart = true,
                                   .warnings = warnings};

}  // namespace kubemu::api::kinds

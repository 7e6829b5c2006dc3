// Rules of Nodes (kubernetes pkg/registry/core/node, pkg/apis/core/validation). A Node comes with its status, as a
// kubelet registers it.
#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "api/kinds/go_syntax.h"
#include "api/kinds/rules.h"
#include "api/kinds/validation.h"
#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api::kinds {
namespace {

// podCIDR, which old clients know, is the first of podCIDRs; it wins when both are given.
void join_pod_cidrs(Json& object) {
    Json* spec = find(object, "spec");
    if (spec == nullptr) return;
    const std::string one(string_at(*spec, {"podCIDR"}));
    const Json& all = array_at(*spec, {"podCIDRs"});
    if (!one.empty() && (all.empty() || all[0] != one)) {
        (*spec)["podCIDRs"] = Json::array({one});
    } else if (one.empty() && !all.empty()) {
        const Json first = all[0];
        (*spec)["podCIDR"] = first;
    }
}

void set_defaults(Json& object, const HookContext&) {
    join_pod_cidrs(object);
    if (Json* status = find(object, "status")) {
        const Json* capacity = find(*status, "capacity");
        if (find(*status, "allocatable") == nullptr && capacity != nullptr) {
            Json same = *capacity;
            (*status)["allocatable"] = std::move(same);
        }
    }
}

// Kubelets are no longer configured through the API.
void prepare_for_create(Json& object, const HookContext&) {
    if (Json* spec = find(object, "spec")) erase(*spec, "configSource");
    if (Json* status = find(object, "status")) erase(*status, "config");
}

void prepare_for_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* status = find(old, "status"))
        object["status"] = *status;
    else
        erase(object, "status");
    if (find(old, {"spec", "configSource"}) == nullptr) {
        if (Json* spec = find(object, "spec")) erase(*spec, "configSource");
    }
}

void prepare_for_status_update(Json& object, const Json& old, const HookContext&) {
    if (const Json* spec = find(old, "spec"))
        object["spec"] = *spec;
    else
        erase(object, "spec");
    if (find(old, {"status", "config"}) == nullptr) {
        if (Json* status = find(object, "status")) erase(*status, "config");
    }
}

constexpr GoField taint_fields[] = {{"Key", "key", "string"},
                                    {"Value", "value", "string"},
                                    {"Effect", "effect", "string"},
                                    {"TimeAdded", "timeAdded", "*v1.Time"}};

void validate_taints(const Json& object, FieldErrors& errors) {
    std::set<std::pair<std::string, std::string>> seen;
    std::size_t i = 0;
    for (const Json& taint : array_at(object, {"spec", "taints"})) {
        const FieldPath path = FieldPath("metadata.taints").index(i++);
        const std::string key(string_at(taint, {"key"})), value(string_at(taint, {"value"}));
        const std::string effect(string_at(taint, {"effect"}));
        validate_qualified_name(key, path.child("key"), errors);
        if (const Messages wrong = check_label_value(value); !wrong.empty()) {
            errors.invalid(path.child("value"), value, join(wrong, ";"));
        }
        if (effect.empty()) {
            errors.required(path.child("effect"), "");
        } else if (effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute") {
            errors.not_supported(path.child("effect"), effect, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
        }
        if (!seen.emplace(effect, key).second) {
            errors.duplicate(path, GoText{go_struct("core.Taint", taint_fields, taint).text +
                                          ": taints must be unique by key and effect pair"});
        }
    }
}

void validate_resources(const Json& object, FieldErrors& errors) {
    for (const char* list : {"capacity", "allocatable"}) {
        for (const auto& [name, quantity] : object_at(object, {"status", list}).items()) {
            validate_resource_quantity(name, quantity_of(&quantity), FieldPath("status").child(list).child(name),
                                       errors);
        }
    }
}

bool is_feature_name(std::string_view name) {
    const auto steps = split(name, '/');
    const auto is_step = [](std::string_view step) {
        return !step.empty() && std::isalpha(static_cast<unsigned char>(step[0])) != 0 &&
               std::all_of(step.begin(), step.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    };
    return std::isupper(static_cast<unsigned char>(name.empty() ? ' ' : name[0])) != 0 &&
           std::all_of(steps.begin(), steps.end(), is_step);
}

// Features that the node says it has: in order, each once.
void validate_declared_features(const Json& object, FieldErrors& errors) {
    constexpr std::size_t name_bytes_max = 253;
    const Json& features = array_at(object, {"status", "declaredFeatures"});
    for (std::size_t i = 0; i < features.size(); ++i) {
        const FieldPath list("status.declaredFeatures");
        const std::string& name = features[i].get_ref<const std::string&>();
        const std::string invalid = "invalid feature name " + go_quote(name) + ": must ";
        if (name.size() > name_bytes_max) {
            errors.invalid(list.index(i), features[i], invalid + "be no more than 253 characters");
        } else if (!is_feature_name(name)) {
            errors.invalid(list.index(i), features[i],
                           invalid + "start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., "
                                     "MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and "
                                     "slashes");
        }
        if (i + 1 == features.size()) continue;
        const std::string& next = features[i + 1].get_ref<const std::string&>();
        if (name == next) errors.duplicate(list.index(i + 1), features[i + 1]);
        else if (name > next) errors.invalid(list.index(i + 1), features[i + 1], "list must be sorted alphabetically");
    }
}

void validate_pod_cidrs(const Json& object, FieldErrors& errors) {
    const Json& cidrs = array_at(object, {"spec", "podCIDRs"});
    const FieldPath path("spec.podCIDRs");
    std::size_t v6 = 0;
    bool parsed = true;
    for (std::size_t i = 0; i < cidrs.size(); ++i) {
        const std::string& text = cidrs[i].get_ref<const std::string&>();
        validate_cidr(text, path.index(i), errors);
        parsed = parsed && is_cidr(text);
        v6 += text.find(':') != std::string::npos ? 1 : 0;
    }
    if (cidrs.size() < 2) return;
    for (std::size_t i = 0; i < cidrs.size() && !parsed; ++i) {
        const std::string& text = cidrs[i].get_ref<const std::string&>();
        if (is_cidr(text)) continue;
        errors.internal(path, "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[" +
                                  std::to_string(i) + "]: <nil> (invalid CIDR address: " + text + ")");
        break;
    }
    const bool two_families = parsed && v6 > 0 && v6 < cidrs.size();
    if (!two_families || cidrs.size() > 2) {
        errors.invalid(path, go_strings("[]string", &cidrs), "may specify no more than one CIDR for each IP family");
    }
}

void validate_node(const Json& object, FieldErrors& errors) {
    validate_taints(object, errors);
    validate_resources(object, errors);
    // The real server gives a wrong name for where this stands.
    validate_positive(object_at(object, {"status", "nodeInfo", "swap"}), "capacity", FieldPath("metadata.nodeSwapStatus"), errors);
    validate_declared_features(object, errors);
    validate_pod_cidrs(object, errors);
}

constexpr GoField address_fields[] = {{"Type", "type", "string"}, {"Address", "address", "string"}};

void validate_change(const Json& object, const Json& old, FieldErrors& errors) {
    validate_resources(object, errors);
    validate_declared_features(object, errors);
    std::set<std::pair<std::string, std::string>> addresses;
    std::size_t i = 0;
    for (const Json& address : array_at(object, {"status", "addresses"})) {
        const FieldPath path = FieldPath("status.addresses").index(i++);
        if (!addresses.emplace(string_at(address, {"type"}), string_at(address, {"address"})).second) {
            errors.duplicate(path, go_struct("core.NodeAddress", address_fields, address));
        }
    }
    const Json& cidrs = array_at(object, {"spec", "podCIDRs"});
    const Json& old_cidrs = array_at(old, {"spec", "podCIDRs"});
    const FieldPath spec("spec");
    constexpr const char* no_other_cidr = "node updates may not change podCIDR except from \"\" to valid";
    if (!old_cidrs.empty()) {
        if (old_cidrs.size() != cidrs.size()) {
            errors.forbidden(spec.child("podCIDRs"), no_other_cidr);
        } else {
            for (std::size_t j = 0; j < cidrs.size(); ++j) {
                if (cidrs[j] != old_cidrs[j]) errors.forbidden(spec.child("podCIDRs"), no_other_cidr);
            }
        }
    }
    const std::string_view provider = string_at(old, {"spec", "providerID"});
    if (!provider.empty() && provider != string_at(object, {"spec", "providerID"})) {
        errors.forbidden(spec.child("providerID"), "node updates may not change providerID except from \"\" to valid");
    }
    validate_taints(object, errors);
    if (string_at(object, {"spec", "externalID"}) != string_at(old, {"spec", "externalID"})) {
        errors.forbidden(spec.child("externalID"), "may not be updated");
    }
}

void validate(const Json& object, const HookContext&, FieldErrors& errors) {
    validate_node(object, errors);
}

void validate_update(const Json& object, const Json& old, const HookContext&, FieldErrors& errors) {
    validate_change(object, old, errors);
}

void warnings(const Json& object, const Json*, const HookContext&, std::vector<std::string>& out) {
    if (find(object, {"spec", "configSource"}) != nullptr)
        out.emplace_back("spec.configSource: the feature is removed");
    if (!string_at(object, {"spec", "externalID"}).empty()) {
        out.emplace_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
    }
}

}  // namespace

extern const KindRules node_rules;
const KindRules node_rules{.set_defaults = set_defaults,
                           .prepare_for_create = prepare_for_create,
                           .prepare_for_update = prepare_for_update,
                           .prepare_for_status_update = prepare_for_status_update,
                           .validate = validate,
                           .validate_update = validate_update,
                           .validate_status_update = validate_update,
                           .warnings = warnings};

}  // namespace kubemu::api::kinds

// What creation settles about a pod for good: selectors that depend on its own labels, and AppArmor profiles that it
// names in annotations (kubernetes pkg/registry/core/pod/strategy.go).
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_checks.h"
#include "api/kinds/core/pod_spec.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view app_armor_of_container = "container.apparmor.security.beta.kubernetes.io/";

// The pod's own values of some labels join the selector (KEP 3633; of spread constraints KEP 3243).
void merge_label_keys(Json& term, const Json& labels) {
    Json* selector = find(term, "labelSelector");
    if (selector == nullptr) return;
    const auto merge = [&](const char* member, const char* op) {
        for (const Json& key : array_at(term, {member})) {
            const Json* value = key.is_string() ? find(labels, key.get_ref<const std::string&>()) : nullptr;
            if (value == nullptr) continue;
            Json& expressions = (*selector)["matchExpressions"];
            if (!expressions.is_array()) expressions = Json::array();
            expressions.push_back({{"key", key}, {"operator", op}, {"values", Json::array({*value})}});
        }
    };
    merge("matchLabelKeys", "In");
    merge("mismatchLabelKeys", "NotIn");
}

void settle_affinity(Json& spec, const Json& labels) {
    for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
        Json* affinity = find(spec, {"affinity", kind});
        if (affinity == nullptr) continue;
        if (Json* terms = find(*affinity, "requiredDuringSchedulingIgnoredDuringExecution")) {
            for (Json& term : *terms) merge_label_keys(term, labels);
        }
        if (Json* terms = find(*affinity, "preferredDuringSchedulingIgnoredDuringExecution")) {
            for (Json& term : *terms) {
                if (Json* inner = find(term, "podAffinityTerm")) merge_label_keys(*inner, labels);
            }
        }
    }
}

// Annotations become fields, unless the pod as a whole has the same profile. One that says nothing is warned of.
void settle_app_armor(Json& spec, const Json& annotations, std::vector<std::string>* warnings) {
    if (string_at(spec, {"os", "name"}) == "windows") return;
    const Json* found = find(spec, {"securityContext", "appArmorProfile"});
    const Json of_pod = found == nullptr ? Json() : *found;
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
        Json* containers = find(spec, list);
        if (containers == nullptr) continue;
        for (Json& container : *containers) {
            const std::string key = std::string(app_armor_of_container) + std::string(string_at(container, {"name"}));
            const std::string_view annotation = string_at(annotations, {key});
            if (!annotations.contains(key) || find(container, {"securityContext", "appArmorProfile"}) != nullptr)
                continue;
            auto profile = pods::app_armor_field(annotation);
            if (profile && *profile == of_pod) continue;
            if (profile) ensure(container, {"securityContext"})["appArmorProfile"] = std::move(*profile);
            if (warnings == nullptr) continue;
            warnings->push_back("metadata.annotations[" + key +
                                "]: deprecated since v1.30; use the \"appArmorProfile\" field instead");
        }
    }
}

}  // namespace

std::optional<Json> pods::app_armor_field(std::string_view annotation) {
    constexpr std::string_view local = "localhost/";
    constexpr std::size_t bytes_max = 4095;
    if (annotation == "unconfined") return Json{{"type", "Unconfined"}};
    if (annotation == "runtime/default") return Json{{"type", "RuntimeDefault"}};
    if (!annotation.starts_with(local)) return std::nullopt;
    const std::string_view name = annotation.substr(local.size());
    if (name.empty() || trim(name) != name || name.size() > bytes_max) return std::nullopt;
    return Json{{"type", "Localhost"}, {"localhostProfile", std::string(name)}};
}

void settle_new_pod(Json& pod, std::vector<std::string>* warnings) {
    Json* spec = find(pod, "spec");
    if (spec == nullptr) return;
    const Json labels = object_at(pod, {"metadata", "labels"});
    if (find(*spec, "affinity") != nullptr) settle_affinity(*spec, labels);
    if (Json* constraints = find(*spec, "topologySpreadConstraints")) {
        for (Json& constraint : *constraints) merge_label_keys(constraint, labels);
    }
    const Json& annotations = object_at(pod, {"metadata", "annotations"});
    if (!annotations.empty()) settle_app_armor(*spec, annotations, warnings);
}

}  // namespace kubemu::api

// Pods by what they ask for, services by their type, claims by their class, everything else by number.
#include "api/admission/quota_usage.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/kind_registry.h"
#include "api/values/time.h"

namespace kubemu::api {
namespace {

constexpr std::string_view class_infix = ".storageclass.storage.k8s.io/";
constexpr std::string_view devices_suffix = ".deviceclass.resource.k8s.io/devices";

QuotaUsage quantities(const Json& container, const char* which) {
    QuotaUsage sum;
    for (const auto& [resource, text] : object_at(container, {"resources", which}).items()) {
        if (const auto quantity = Quantity::parse(text.is_string() ? text.get<std::string>() : text.dump()))
            sum.emplace(resource, *quantity);
    }
    return sum;
}

void add_all(QuotaUsage& usage, const QuotaUsage& more) {
    for (const auto& [name, quantity] : more) add_usage(usage, name, quantity);
}

void raise_to(QuotaUsage& usage, const QuotaUsage& least) {
    for (const auto& [name, quantity] : least) {
        const auto [at, added] = usage.emplace(name, quantity);
        if (!added && at->second < quantity) at->second = quantity;
    }
}

// Requests or limits of a pod: its containers and sidecars together, or the largest moment of its initialisation;
// plus overhead, for limits only where there are any.
QuotaUsage resources_of(const Json& spec, const char* which) {
    QuotaUsage sum, sidecars, initial;
    for (const Json& container : array_at(spec, {"containers"})) add_all(sum, quantities(container, which));
    for (const Json& container : array_at(spec, {"initContainers"})) {
        QuotaUsage moment = quantities(container, which);
        if (string_at(container, {"restartPolicy"}) == "Always") {
            add_all(sum, moment);
            add_all(sidecars, moment);
            moment = sidecars;
        } else {
            add_all(moment, sidecars);
        }
        raise_to(initial, moment);
    }
    raise_to(sum, initial);
    for (const auto& [resource, text] : object_at(spec, {"overhead"}).items()) {
        const auto quantity = Quantity::parse(text.is_string() ? text.get<std::string>() : text.dump());
        if (quantity && (std::string_view(which) == "requests" || sum.contains(resource)))
            add_usage(sum, resource, *quantity);
    }
    return sum;
}

// Named with a domain that is not Kubernetes' own.
bool is_extended(std::string_view resource) {
    return resource.find('/') != std::string_view::npos && resource.find("kubernetes.io/") == std::string_view::npos &&
           !resource.starts_with("requests.");
}

void use_pod(QuotaUsage& usage, const Json& pod, Time now) {
    const std::string_view phase = string_at(pod, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed") return;
    if (const auto deletion = parse_time(string_at(pod, {"metadata", "deletionTimestamp"}))) {
        if (now > *deletion + std::chrono::seconds(int_at(pod, {"metadata", "deletionGracePeriodSeconds"}))) return;
    }
    usage.emplace("pods", Quantity::from_value(1));
    const Json& spec = object_at(pod, {"spec"});
    for (const auto& [resource, quantity] : resources_of(spec, "requests")) {
        const bool native = resource == "cpu" || resource == "memory" || resource == "ephemeral-storage";
        const bool pages = resource.starts_with("hugepages-");
        if (native || pages) usage.emplace(resource, quantity);
        if (native || pages || is_extended(resource)) usage.emplace("requests." + resource, quantity);
    }
    for (const auto& [resource, quantity] : resources_of(spec, "limits")) {
        if (resource == "cpu" || resource == "memory" || resource == "ephemeral-storage")
            usage.emplace("limits." + resource, quantity);
    }
}

void use_service(QuotaUsage& usage, const Json& spec) {
    usage.emplace("services", Quantity::from_value(1));
    const std::string_view type = string_at(spec, {"type"});
    if (type != "NodePort" && type != "LoadBalancer") return;
    const bool all = type == "NodePort" || bool_at(spec, {"allocateLoadBalancerNodePorts"}, true);
    std::int64_t ports = 0;
    for (const Json& port : array_at(spec, {"ports"})) ports += all || int_at(port, {"nodePort"}) != 0 ? 1 : 0;
    if (ports > 0) usage.emplace("services.nodeports", Quantity::from_value(ports));
    if (type == "LoadBalancer") usage.emplace("services.loadbalancers", Quantity::from_value(1));
}

void use_claim(QuotaUsage& usage, const Json& claim) {
    usage.emplace("persistentvolumeclaims", Quantity::from_value(1));
    auto storage = Quantity::parse(string_at(claim, {"spec", "resources", "requests", "storage"}));
    // An expansion that shrank again still holds what was allocated.
    const auto allocated = Quantity::parse(string_at(claim, {"status", "allocatedResources", "storage"}));
    if (storage && allocated && *storage < *allocated) storage = allocated;
    if (storage) usage.emplace("requests.storage", *storage);
    const Json& annotations = object_at(claim, {"metadata", "annotations"});
    constexpr const char* annotation = "volume.beta.kubernetes.io/storage-class";
    const std::string name(find(annotations, annotation) != nullptr ? string_at(annotations, {annotation})
                                                                    : string_at(claim, {"spec", "storageClassName"}));
    if (name.empty()) return;
    usage.emplace(name + std::string(class_infix) + "persistentvolumeclaims", Quantity::from_value(1));
    if (storage) usage.emplace(name + std::string(class_infix) + "requests.storage", *storage);
}

// Devices by class, as many as it may come to: of alternatives the most of each class, of "All" what a claim can hold.
void use_device_claim(QuotaUsage& usage, const Json& spec) {
    constexpr std::int64_t all = 32;
    const auto wanted = [](const Json& wish) {
        const std::int64_t count = string_at(wish, {"allocationMode"}) == "All" ? all : int_at(wish, {"count"});
        return std::make_pair(std::string(string_at(wish, {"deviceClassName"})).append(devices_suffix), Quantity::from_value(count));
    };
    for (const Json& request : array_at(spec, {"devices", "requests"})) {
        QuotaUsage most;
        if (const Json* exactly = find(request, "exactly")) most.insert(wanted(*exactly));
        for (const Json& alternative : array_at(request, {"firstAvailable"})) raise_to(most, {wanted(alternative)});
        add_all(usage, most);
    }
}

bool best_effort(const Json& pod) {
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(pod, {"spec", list})) {
            for (const char* which : {"requests", "limits"}) {
                const Json& resources = object_at(container, {"resources", which});
                if (resources.contains("cpu") || resources.contains("memory")) return false;
            }
        }
    }
    return true;
}

bool names_namespaces(const Json& term) {
    return !array_at(term, {"namespaces"}).empty() || find(term, "namespaceSelector") != nullptr;
}

bool crosses_namespaces(const Json& pod) {
    for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
        const Json& affinity = object_at(pod, {"spec", "affinity", kind});
        for (const Json& term : array_at(affinity, {"requiredDuringSchedulingIgnoredDuringExecution"})) {
            if (names_namespaces(term)) return true;
        }
        for (const Json& weighted : array_at(affinity, {"preferredDuringSchedulingIgnoredDuringExecution"})) {
            if (names_namespaces(object_at(weighted, {"podAffinityTerm"}))) return true;
        }
    }
    return false;
}

// Whether one of the names (none: the empty list) is what the expression asks for; null asks for any.
bool names_match(const std::vector<std::string_view>& names, const Json* selector) {
    const std::string_view op = selector == nullptr ? "Exists" : string_at(*selector, {"operator"});
    if (op == "Exists") return !names.empty();
    if (op == "DoesNotExist") return names.empty();
    const Json& values = array_at(*selector, {"values"});
    const auto listed = [&](std::string_view name) {
        return std::find(values.begin(), values.end(), name) != values.end();
    };
    if (names.empty()) return op == "NotIn";
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return listed(name) == (op == "In"); });
}

// `selector`: the expression that names the scope; null for an entry of spec.scopes, which asks for Exists.
bool scope_matches(const Json& pod, std::string_view scope, const Json* selector) {
    if (scope == "BestEffort") return best_effort(pod);
    if (scope == "NotBestEffort") return !best_effort(pod);
    if (scope == "Terminating") return find(pod, {"spec", "activeDeadlineSeconds"}) != nullptr;
    if (scope == "NotTerminating") return find(pod, {"spec", "activeDeadlineSeconds"}) == nullptr;
    if (scope == "CrossNamespacePodAffinity") return crosses_namespaces(pod);
    if (scope != "PriorityClass") return false;
    const std::string_view name = string_at(pod, {"spec", "priorityClassName"});
    std::vector<std::string_view> names;
    if (!name.empty()) names.push_back(name);
    return names_match(names, selector);
}

bool claim_scope_matches(const Json& claim, std::string_view scope, const Json* selector) {
    if (scope != "VolumeAttributesClass") return false;
    std::vector<std::string_view> names;
    for (const std::string_view name :
         {string_at(claim, {"spec", "volumeAttributesClassName"}),
          string_at(claim, {"status", "currentVolumeAttributesClassName"}),
          string_at(claim, {"status", "modifyVolumeStatus", "targetVolumeAttributesClassName"})}) {
        if (!name.empty()) names.push_back(name);
    }
    return names_match(names, selector);
}

std::string qualified(const KindSpec& kind) {
    const std::string plural(kind.plural);
    return kind.group.empty() ? plural : plural + "." + std::string(kind.group);
}

}  // namespace

void add_usage(QuotaUsage& usage, const std::string& name, const Quantity& quantity) {
    const auto [at, added] = usage.emplace(name, quantity);
    if (!added) at->second += quantity;
}

QuotaUsage quota_usage(const KindSpec& kind, const Json& object, Time now) {
    QuotaUsage usage;
    usage.emplace("count/" + qualified(kind), Quantity::from_value(1));
    if (kind.resource == "pods") {
        use_pod(usage, object, now);
    } else if (kind.resource == "services") {
        use_service(usage, object_at(object, {"spec"}));
    } else if (kind.resource == "persistentvolumeclaims") {
        use_claim(usage, object);
    } else if (kind.resource == "resourceclaims.resource.k8s.io") {
        use_device_claim(usage, object_at(object, {"spec"}));
    } else if (kind.group.empty()) {
        usage.emplace(std::string(kind.plural), Quantity::from_value(1));
    }
    return usage;
}

bool quota_in_scope(const KindSpec& kind, const Json& quota, const Json& object) {
    const Json& scopes = array_at(quota, {"spec", "scopes"});
    const Json& selectors = array_at(quota, {"spec", "scopeSelector", "matchExpressions"});
    if (scopes.empty() && selectors.empty()) return true;
    if (kind.resource != "pods" && kind.resource != "persistentvolumeclaims") return false;
    const auto matches = kind.resource == "pods" ? scope_matches : claim_scope_matches;
    for (const Json& scope : scopes) {
        if (scope.is_string() && !matches(object, scope.get_ref<const std::string&>(), nullptr)) return false;
    }
    for (const Json& selector : selectors) {
        if (!matches(object, string_at(selector, {"scopeName"}), &selector)) return false;
    }
    return true;
}

bool quota_concerns(std::string_view name, const KindSpec& kind) {
    if (name.starts_with("count/")) return name.substr(6) == qualified(kind);
    const std::string_view of = kind.resource;
    if (of == "pods") {
        if (name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")) return true;
        if (name.starts_with("requests.") && is_extended(name.substr(9))) return true;
        if (name == "pods") return true;
        for (const std::string_view prefix : {"requests.", "limits."}) {
            if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
        }
        return name == "cpu" || name == "memory" || name == "ephemeral-storage";
    }
    if (of == "services") return name == "services" || name == "services.nodeports" || name == "services.loadbalancers";
    if (of == "persistentvolumeclaims") {
        const std::size_t at = name.find(class_infix);
        if (at != std::string_view::npos) name.remove_prefix(at + class_infix.size());
        return name == "persistentvolumeclaims" || name == "requests.storage";
    }
    if (of == "resourceclaims.resource.k8s.io") return name.ends_with(devices_suffix);
    return name == of &&
           (of == "configmaps" || of == "resourcequotas" || of == "replicationcontrollers" || of == "secrets");
}

bool quota_counts(std::string_view name, const KindRegistry& kinds) {
    static constexpr std::string_view counted[] = {"pods",
                                                   "cpu",
                                                   "memory",
                                                   "ephemeral-storage",
                                                   "requests.cpu",
                                                   "requests.memory",
                                                   "requests.ephemeral-storage",
                                                   "limits.cpu",
                                                   "limits.memory",
                                                   "limits.ephemeral-storage",
                                                   "services",
                                                   "services.nodeports",
                                                   "services.loadbalancers",
                                                   "persistentvolumeclaims",
                                                   "requests.storage",
                                                   "configmaps",
                                                   "secrets",
                                                   "replicationcontrollers",
                                                   "resourcequotas"};
    if (std::find(std::begin(counted), std::end(counted), name) != std::end(counted)) return true;
    if (name.starts_with("count/")) {
        const std::string_view resource = name.substr(6);
        const std::vector<const KindSpec*>& stored = kinds.stored_kinds();
        return std::any_of(stored.begin(), stored.end(), [resource](const KindSpec* kind) {
            return kind->namespaced && qualified(*kind) == resource;
        });
    }
    if (name.find(class_infix) != std::string_view::npos || name.ends_with(devices_suffix)) return true;
    if (name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")) return true;
    return name.starts_with("requests.") && is_extended(name.substr(9));
}

}  // namespace kubemu::api

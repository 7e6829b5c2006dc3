// ResourceQuota: what a namespace may hold in all. Charged in the transaction of the write itself, so that two writes
// cannot use the same room (plugin/admission/resourcequota; evaluators of pkg/quota/v1/evaluator/core).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/admission/chain.h"
#include "api/draft.h"
#include "api/kind_registry.h"
#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Usage = std::map<std::string, Quantity>;

void add(Usage& usage, const std::string& name, const Quantity& quantity) {
    const auto [at, added] = usage.emplace(name, quantity);
    if (!added) at->second += quantity;
}

Usage resources_of(const Json& spec, const char* which) {
    Usage sum;
    for (const Json& container : array_at(spec, {"containers"})) {
        for (const auto& [resource, text] : object_at(container, {"resources", which}).items()) {
            if (const auto quantity = Quantity::parse(text.is_string() ? text.get<std::string>() : "")) add(sum, resource, *quantity);
        }
    }
    for (const Json& container : array_at(spec, {"initContainers"})) {
        for (const auto& [resource, text] : object_at(container, {"resources", which}).items()) {
            const auto quantity = Quantity::parse(text.is_string() ? text.get<std::string>() : "");
            if (!quantity) continue;
            const auto [at, added] = sum.emplace(resource, *quantity);
            if (!added && at->second < *quantity) at->second = *quantity;
        }
    }
    return sum;
}

Usage usage_of(const AdmissionRequest& request, const Json& object) {
    Usage usage;
    const Quantity one = Quantity::from_value(1);
    const std::string plural(request.kind.plural);
    const std::string qualified = request.kind.group.empty() ? plural : plural + "." + std::string(request.kind.group);
    usage.emplace("count/" + qualified, one);
    const Json& spec = object_at(object, {"spec"});
    if (request.is("pods")) {
        const std::string_view phase = string_at(object, {"status", "phase"});
        if (phase == "Succeeded" || phase == "Failed") return usage;
        usage.emplace("pods", one);
        for (const auto& [resource, quantity] : resources_of(spec, "requests")) {
            if (resource == "cpu" || resource == "memory" || resource == "ephemeral-storage") usage.emplace(resource, quantity);
            usage.emplace("requests." + resource, quantity);
        }
        for (const auto& [resource, quantity] : resources_of(spec, "limits")) usage.emplace("limits." + resource, quantity);
    } else if (request.is("services")) {
        usage.emplace("services", one);
        const std::string_view type = string_at(spec, {"type"});
        if (type == "NodePort" || type == "LoadBalancer") {
            const std::int64_t ports = static_cast<std::int64_t>(array_at(spec, {"ports"}).size());
            if (type == "NodePort" || bool_at(spec, {"allocateLoadBalancerNodePorts"}, true)) {
                usage.emplace("services.nodeports", Quantity::from_value(ports));
            }
            if (type == "LoadBalancer") usage.emplace("services.loadbalancers", one);
        }
    } else if (request.is("persistentvolumeclaims")) {
        usage.emplace("persistentvolumeclaims", one);
        const auto storage = Quantity::parse(string_at(spec, {"resources", "requests", "storage"}));
        if (storage) usage.emplace("requests.storage", *storage);
        if (const std::string name(string_at(spec, {"storageClassName"})); !name.empty()) {
            const std::string prefix = name + ".storageclass.storage.k8s.io/";
            usage.emplace(prefix + "persistentvolumeclaims", one);
            if (storage) usage.emplace(prefix + "requests.storage", *storage);
        }
    } else if (request.kind.group.empty()) {
        usage.emplace(plural, one);
    }
    return usage;
}

bool best_effort(const Json& pod) {
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(pod, {"spec", list})) {
            for (const char* which : {"requests", "limits"}) {
                if (!object_at(container, {"resources", which}).empty()) return false;
            }
        }
    }
    return true;
}

bool scope_matches(const Json& pod, std::string_view scope, const Json* selector) {
    if (scope == "BestEffort") return best_effort(pod);
    if (scope == "NotBestEffort") return !best_effort(pod);
    if (scope == "Terminating") return find(pod, {"spec", "activeDeadlineSeconds"}) != nullptr;
    if (scope == "NotTerminating") return find(pod, {"spec", "activeDeadlineSeconds"}) == nullptr;
    if (scope == "PriorityClass") {
        const std::string_view name = string_at(pod, {"spec", "priorityClassName"});
        const std::string_view op = selector == nullptr ? "Exists" : string_at(*selector, {"operator"});
        const Json& values = array_at(selector == nullptr ? Json() : *selector, {"values"});
        const bool listed = std::find(values.begin(), values.end(), name) != values.end();
        if (op == "In") return listed;
        if (op == "NotIn") return !listed;
        return op == "Exists" ? !name.empty() : name.empty();
    }
    return scope != "CrossNamespacePodAffinity";
}

bool in_scope(const AdmissionRequest& request, const Json& quota, const Json& object) {
    const Json& scopes = array_at(quota, {"spec", "scopes"});
    const Json& selectors = array_at(quota, {"spec", "scopeSelector", "matchExpressions"});
    if (scopes.empty() && selectors.empty()) return true;
    if (!request.is("pods")) return false;
    for (const Json& scope : scopes) {
        if (scope.is_string() && !scope_matches(object, scope.get_ref<const std::string&>(), nullptr)) return false;
    }
    for (const Json& selector : selectors) {
        if (!scope_matches(object, string_at(selector, {"scopeName"}), &selector)) return false;
    }
    return true;
}

// A pod must say how much it wants of what the quota limits.
std::string unspecified(const AdmissionRequest& request, const Json& hard, const Json& object) {
    if (!request.is("pods")) return {};
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"cpu", "requests"},  {"memory", "requests"},  {"requests.cpu", "requests"}, {"requests.memory", "requests"},
        {"limits.cpu", "limits"}, {"limits.memory", "limits"}};
    std::map<std::string, std::string> missing;
    for (const auto& [limited, which] : names) {
        if (!hard.contains(std::string(limited))) continue;
        const std::string resource(limited.substr(limited.find('.') == std::string_view::npos ? 0 : limited.find('.') + 1));
        std::vector<std::string> containers;
        for (const char* list : {"containers", "initContainers"}) {
            for (const Json& container : array_at(object, {"spec", list})) {
                if (!object_at(container, {"resources", which}).contains(resource)) {
                    containers.emplace_back(string_at(container, {"name"}));
                }
            }
        }
        if (!containers.empty()) missing[std::string(limited)] = join(containers, ",");
    }
    std::string text;
    for (const auto& [limited, containers] : missing) text += (text.empty() ? "" : "; ") + limited + " for: " + containers;
    return text;
}

std::string show(const Usage& usage) {
    std::string text;
    for (const auto& [name, quantity] : usage) text += (text.empty() ? "" : ",") + name + "=" + quantity.text();
    return text;
}

}  // namespace

ApiResult<bool> resource_quota_validate(AdmissionRequest& request) {
    using Operation = AdmissionRequest::Operation;
    if (request.operation == Operation::remove || !request.subresource.empty() || !request.kind.namespaced) return true;
    if (request.is("resourcequotas") || request.is("events")) return true;
    const Json& object = *request.object;
    Usage asked = usage_of(request, object);
    if (request.operation == Operation::update) {
        // Only services and claims can grow; a pod's spec cannot, and counts stay.
        if (!request.is("services") && !request.is("persistentvolumeclaims")) return true;
        for (const auto& [name, quantity] : usage_of(request, *request.old)) {
            const auto at = asked.find(name);
            if (at == asked.end()) continue;
            at->second -= quantity;
            if (at->second.is_zero() || at->second.is_negative()) asked.erase(at);
        }
        if (asked.empty()) return true;
    }
    for (const storage::RecordPtr& record : request.lookup.list("resourcequotas", request.namespace_name)) {
        // The newest accepted state: the write that we race with may not be published yet.
        const storage::RecordPtr tip = request.lookup.get("resourcequotas", request.namespace_name,
                                                          std::string_view(record->key).substr(record->key.find('/') + 1));
        if (tip == nullptr) continue;
        Json quota = request.lookup.document(*tip);
        const Json& hard = object_at(quota, {"status", "hard"});
        if (hard.empty() || !in_scope(request, quota, object)) continue;
        const std::string name(name_of(quota));
        if (request.operation == Operation::create) {
            if (const std::string missing = unspecified(request, hard, object); !missing.empty()) {
                return request.forbidden("failed quota: " + name + ": must specify " + missing);
            }
        }
        Usage exceeded, used_then, limited;
        bool charged = false;
        Json used = object_at(quota, {"status", "used"});
        for (const auto& [resource, quantity] : asked) {
            if (!hard.contains(resource) || !hard[resource].is_string()) continue;
            const Quantity limit = Quantity::parse(hard[resource].get<std::string>()).value_or(Quantity());
            const Quantity before = Quantity::parse(string_at(used, {resource})).value_or(Quantity());
            Quantity after = before;
            after += quantity;
            if (limit < after && !quantity.is_zero()) {
                exceeded.emplace(resource, quantity);
                used_then.emplace(resource, before);
                limited.emplace(resource, limit);
            }
            used[resource] = after.text();
            charged = charged || !quantity.is_zero();
        }
        if (!exceeded.empty()) {
            return request.forbidden("exceeded quota: " + name + ", requested: " + show(exceeded) + ", used: " + show(used_then) +
                                     ", limited: " + show(limited));
        }
        if (!charged || request.dry_run || request.charges == nullptr) continue;
        quota["status"]["used"] = std::move(used);
        request.charges->push_back(
            make_draft(request.kinds.stored("resourcequotas"), quota, storage::Precondition::at(tip->revision)));
    }
    return true;
}

}  // namespace kubemu::api

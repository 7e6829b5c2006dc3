// ResourceQuota: what a namespace may hold in all. Charged in the transaction of the write itself, so that two writes
// cannot use the same room (plugin/admission/resourcequota).
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/admission/chain.h"
#include "api/admission/quota_usage.h"
#include "api/draft.h"
#include "api/kind_registry.h"
#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Usage = QuotaUsage;

// A pod must say how much it wants of what the quota limits, container by container or as a whole.
std::string unspecified(const AdmissionRequest& request, const Json& hard, const Json& object) {
    if (!request.is("pods")) return {};
    for (const char* which : {"requests", "limits"}) {
        const Json& whole = object_at(object, {"spec", "resources", which});
        if (whole.contains("cpu") || whole.contains("memory")) return {};
    }
    static constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"cpu", "requests"},          {"memory", "requests"},
        {"requests.cpu", "requests"}, {"requests.memory", "requests"},
        {"limits.cpu", "limits"},     {"limits.memory", "limits"}};
    std::map<std::string, std::set<std::string>> missing;
    for (const auto& [limited, which] : names) {
        if (!hard.contains(std::string(limited))) continue;
        const std::string resource(
            limited.substr(limited.find('.') == std::string_view::npos ? 0 : limited.find('.') + 1));
        for (const char* list : {"containers", "initContainers"}) {
            for (const Json& container : array_at(object, {"spec", list})) {
                if (object_at(container, {"resources", which}).contains(resource)) continue;
                missing[std::string(limited)].emplace(string_at(container, {"name"}));
            }
        }
    }
    std::string text;
    for (const auto& [limited, containers] : missing) {
        const std::vector<std::string> sorted(containers.begin(), containers.end());
        text += (text.empty() ? "" : "; ") + limited + " for: " + join(sorted, ",");
    }
    return text;
}

// Whether the write can change what the object uses: a pod's does when it moves between scopes.
bool counts(const AdmissionRequest& request) {
    if (request.operation == AdmissionRequest::Operation::create) return request.subresource.empty();
    if (request.is("services") || request.is("persistentvolumeclaims")) return request.subresource.empty();
    if (!request.is("pods")) return false;
    if (request.subresource == "resize") return true;
    const auto ends = [](const Json& pod) { return find(pod, {"spec", "activeDeadlineSeconds"}) != nullptr; };
    return request.subresource.empty() && ends(*request.object) != ends(*request.old);
}

// What is more than before; what is less is given back by the controller.
Usage growth(Usage usage, const Usage& before) {
    for (const auto& [name, quantity] : before) {
        const auto at = usage.find(name);
        if (at == usage.end()) continue;
        at->second -= quantity;
        if (at->second.is_zero() || at->second.is_negative()) usage.erase(at);
    }
    return usage;
}

// The limits that concern the object but of which nobody has counted yet what is used.
std::string uncounted(const AdmissionRequest& request, const Json& quota) {
    std::vector<std::string> names;
    for (const auto& [name, quantity] : object_at(quota, {"status", "hard"}).items()) {
        if (quota_concerns(name, request.kind) && !object_at(quota, {"status", "used"}).contains(name))
            names.push_back(name);
    }
    return join(names, ",");
}

std::string show(const Usage& usage) {
    std::string text;
    for (const auto& [name, quantity] : usage) text += (text.empty() ? "" : ",") + name + "=" + quantity.text();
    return text;
}

}  // namespace

namespace {

// Charges one quota, of which `tip` is the newest accepted state: the write that we race with may not be published yet.
ApiResult<bool> charge(AdmissionRequest& request, const storage::Record& tip) {
    Json quota = request.lookup.document(tip);
    const Json& object = *request.object;
    const Json& hard = object_at(quota, {"status", "hard"});
    bool concerned = false;
    for (const auto& [resource, quantity] : hard.items())
        concerned = concerned || quota_concerns(resource, request.kind);
    if (!concerned || !quota_in_scope(request.kind, quota, object)) return true;
    const std::string name(name_of(quota));
    if (const std::string missing = unspecified(request, hard, object); !missing.empty()) {
        return request.forbidden("failed quota: " + name + ": must specify " + missing);
    }
    if (const std::string unknown = uncounted(request, quota); !unknown.empty()) {
        return request.forbidden("status unknown for quota: " + name + ", resources: " + unknown);
    }
    Usage asked = quota_usage(request.kind, object, request.now);
    if (request.old != nullptr && quota_in_scope(request.kind, quota, *request.old)) {
        asked = growth(std::move(asked), quota_usage(request.kind, *request.old, request.now));
    }
    Usage exceeded, used_then, limited;
    bool charged = false;
    Json used = object_at(quota, {"status", "used"});
    for (const auto& [resource, quantity] : asked) {
        if (!hard.contains(resource) || !hard[resource].is_string() || quantity.is_zero()) continue;
        const Quantity limit = Quantity::parse(hard[resource].get<std::string>()).value_or(Quantity());
        const Quantity before = Quantity::parse(string_at(used, {resource})).value_or(Quantity());
        Quantity after = before;
        after += quantity;
        if (limit < after) {
            exceeded.emplace(resource, quantity);
            used_then.emplace(resource, before);
            limited.emplace(resource, limit);
        }
        used[resource] = after.text();
        charged = true;
    }
    if (!exceeded.empty()) {
        return request.forbidden("exceeded quota: " + name + ", requested: " + show(exceeded) +
                                 ", used: " + show(used_then) + ", limited: " + show(limited));
    }
    if (!charged || request.dry_run || request.charges == nullptr) return true;
    quota["status"]["used"] = std::move(used);
    request.charges->push_back(
        make_draft(request.kinds.stored("resourcequotas"), quota, storage::Precondition::at(tip.revision)));
    return true;
}

}  // namespace

ApiResult<bool> resource_quota_validate(AdmissionRequest& request) {
    if (request.operation == AdmissionRequest::Operation::remove || !request.kind.namespaced) return true;
    if (request.is("events") || !counts(request)) return true;
    for (const storage::RecordPtr& record : request.lookup.list("resourcequotas", request.namespace_name)) {
        const std::string_view name = std::string_view(record->key).substr(record->key.find('/') + 1);
        const storage::RecordPtr tip = request.lookup.get("resourcequotas", request.namespace_name, name);
        if (tip != nullptr) TRY(charge(request, *tip));
    }
    return true;
}

}  // namespace kubemu::api

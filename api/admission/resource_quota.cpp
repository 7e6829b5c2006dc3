// ResourceQuota: what a namespace may hold in all. Charged in the transaction of the write itself, so that two writes
// cannot use the same room (plugin/admission/resourcequota).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/admission/chain.h"
#include "api/admission/quota_usage.h"
#include "api/draft.h"
#include "api/kind_registry.h"
#include "api/values/quantity.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Usage = QuotaUsage;

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
    Usage asked = quota_usage(request.kind, object, request.now);
    if (request.operation == Operation::update) {
        // Only services and claims can grow; a pod's spec cannot, and counts stay.
        if (!request.is("services") && !request.is("persistentvolumeclaims")) return true;
        for (const auto& [name, quantity] : quota_usage(request.kind, *request.old, request.now)) {
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
        if (hard.empty() || !quota_in_scope(request.kind, quota, object)) continue;
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

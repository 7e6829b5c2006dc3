// All objects of the namespace added up; nothing is kept between two looks.
#include "controllers/resource_quota/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

namespace {

// The same resources with the same amounts, however they are written.
bool same_amounts(const api::Json& a, const api::Json& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [name, amount] : a.items()) {
        const auto left = api::Quantity::parse(api::string_at(a, {name}));
        const auto right = api::Quantity::parse(api::string_at(b, {name}));
        if (!left || !right || !(*left == *right)) return false;
    }
    return true;
}

}  // namespace

ResourceQuotaController::ResourceQuotaController(Manager& manager)
    : Controller(manager, "resourcequota", "resourcequota-controller"), quotas_(manager.informer("resourcequotas")) {
    has_workers(5);
    enqueue_on_change(quotas_);
    for (const api::KindSpec* kind : manager.registry().kinds().stored_kinds()) {
        if (!kind->namespaced || kind->resource == "events" || !kind->can(api::Verb::list)) continue;
        watch(*kind);
    }
    manager.on_kind_change([this](const std::string& resource, const api::KindSpec* kind) { kind_changed(resource, kind); });
}

void ResourceQuotaController::watch(const api::KindSpec& kind) {
    counted_.push_back({&kind, &manager().informer(kind.resource)});
    counted_.back().informer->subscribe([this](const api::Informer::Change& change) { changed(change); });
}

void ResourceQuotaController::kind_changed(const std::string& resource, const api::KindSpec* kind) {
    const auto known = std::find_if(counted_.begin(), counted_.end(),
                                    [&resource](const Counted& counted) { return counted.informer->resource() == resource; });
    if (known != counted_.end() && kind != nullptr) {
        known->kind = kind;
        return;
    }
    if (known != counted_.end()) counted_.erase(known);
    else if (kind != nullptr && kind->namespaced) watch(*kind);
    for (const auto& quota : quotas_.list()) enqueue(quota->key);
}

void ResourceQuotaController::changed(const api::Informer::Change& change) {
    if (quotas_.size() == 0) return;
    for (const auto& quota : quotas_.list(api::view_of(change.after ? *change.after : *change.before).namespace_name)) {
        enqueue(quota->key);
    }
}

bool ResourceQuotaController::Counted::concerns(const api::Json& hard) const {
    if (kind->resource == "pods" || kind->resource == "services" || kind->resource == "persistentvolumeclaims" ||
        kind->resource == "resourceclaims.resource.k8s.io") {
        return true;
    }
    const std::string plural(kind->plural);
    const std::string qualified = kind->group.empty() ? plural : plural + "." + std::string(kind->group);
    return hard.contains("count/" + qualified) || (kind->group.empty() && hard.contains(plural));
}

// A quota that admission charged is newer than a cache that lacks the object: what is added up would be too little.
bool ResourceQuotaController::caches_lag(const storage::Record& quota) const {
    return std::any_of(counted_.begin(), counted_.end(), [&quota](const Counted& counted) {
        return counted.informer->position() < quota.revision;
    });
}

api::QuotaUsage ResourceQuotaController::usage_in(const std::string& namespace_name, const api::Json& quota) {
    api::QuotaUsage sum;
    for (const Counted& counted : counted_) {
        if (!counted.concerns(api::object_at(quota, {"spec", "hard"}))) continue;
        for (const auto& record : counted.informer->list(namespace_name)) {
            const api::Json object = client().document(*record);
            if (!api::quota_in_scope(*counted.kind, quota, object)) continue;
            for (const auto& [name, quantity] : api::quota_usage(*counted.kind, object, now())) {
                api::add_usage(sum, name, quantity);
            }
        }
    }
    return sum;
}

api::ApiResult<Requeue> ResourceQuotaController::reconcile(const std::string& key) {
    const auto record = quotas_.get(key);
    if (!record || api::view_of(*record).deleting) return Requeue{};
    if (caches_lag(*record)) return Requeue{Duration(0)};
    api::Json quota = client().document(*record);
    const api::Json& hard = api::object_at(quota, {"spec", "hard"});
    const api::QuotaUsage sum = usage_in(api::view_of(*record).namespace_name, quota);
    api::Json used = api::Json::object();
    for (const auto& [name, limit] : hard.items()) {
        if (!api::quota_counts(name, manager().registry().kinds())) continue;
        const auto found = sum.find(name);
        used[name] = found == sum.end() ? "0" : found->second.text();
    }
    const api::Json& before = api::object_at(quota, {"status"});
    if (api::find(before, "hard") != nullptr && api::find(before, "used") != nullptr &&
        api::object_at(before, {"hard"}) == hard && same_amounts(used, api::object_at(before, {"used"}))) {
        return Requeue{};
    }
    api::Json status = {{"hard", hard}, {"used", std::move(used)}};
    quota["status"] = std::move(status);
    // At the revision that was looked at: an admission that charged it since makes this look worthless.
    const auto written = client().update(kind("resourcequotas"), std::move(quota), "status");
    if (!written && written.error().code() == 409) return Requeue{Duration(0)};
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

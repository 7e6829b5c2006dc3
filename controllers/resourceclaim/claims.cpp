// What becomes of a claim: consumers that have ended are taken out, and with the last of them its devices.
#include <nlohmann/json.hpp>

#include "controllers/resourceclaim/controller.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {

using api::Json;

namespace {

constexpr std::string_view protection = "resource.kubernetes.io/delete-protection";

// isPodDone: none of its containers runs, or ever will.
bool is_done(const api::PodView& pod) {
    return pod.finished() || (pod.deleting && pod.node_name.empty());
}

bool is_pod(const Json& consumer) {
    return api::string_at(consumer, {"apiGroup"}).empty() && api::string_at(consumer, {"resource"}) == "pods";
}

}  // namespace

bool ResourceClaimController::may_use(const Json& consumer, std::string_view namespace_name) const {
    if (!is_pod(consumer)) return true;  // nobody here knows what it does
    const std::string_view name = api::string_at(consumer, {"name"}), uid = api::string_at(consumer, {"uid"});
    storage::RecordPtr pod = pods_.get(namespace_name, name);
    if (pod == nullptr) {
        // It may be so new that no informer has seen it.
        const auto newest = reader_.get(kind("pods"), namespace_name, name);
        if (!newest) return newest.error().code() != 404;
        pod = *newest;
    }
    return api::view_of(*pod).uid == uid && !is_done(api::pod_view_of(*pod));
}

api::ApiResult<Requeue> ResourceClaimController::sync_claim(const std::string& key) {
    const storage::RecordPtr record = claims_.get(key);
    if (record == nullptr) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    Json claim = client().document(*record);
    Json remaining = Json::array();
    const Json& consumers = api::array_at(claim, {"status", "reservedFor"});
    for (const Json& consumer : consumers)
        if (may_use(consumer, view.namespace_name)) remaining.push_back(consumer);
    const bool unused = remaining.empty();
    if (remaining.size() < consumers.size())
        TRY(release(std::move(claim), std::move(remaining)));
    else if (unused && view.deleting && has_finalizer(view, protection))
        TRY(free_deleted(std::move(claim)));
    if (unused) TRY(delete_unused(*record));
    return Requeue{};
}

// Devices go when the last consumer does, not when there is none: who allocates need not reserve at the same time.
api::ApiResult<bool> ResourceClaimController::release(Json claim, Json remaining) {
    const auto protects = [](Json& document) { return drop_finalizer(document, protection); };
    Json probe = claim;
    const bool is_protected = protects(probe);
    if (remaining.empty()) {
        claim["status"].erase("reservedFor");
        if (is_protected) claim["status"].erase("allocation");
    } else {
        claim["status"]["reservedFor"] = std::move(remaining);
    }
    TRY_ASSIGN(const storage::RecordPtr written,
               client().update(kind("resourceclaims.resource.k8s.io"), std::move(claim), "status"));
    Json freed = client().document(*written);
    if (api::find(freed, {"status", "allocation"}) != nullptr || !protects(freed)) return true;
    TRY(client().update(kind("resourceclaims.resource.k8s.io"), std::move(freed)));
    return true;
}

api::ApiResult<bool> ResourceClaimController::free_deleted(Json claim) {
    if (api::find(claim, {"status", "allocation"}) != nullptr) {
        claim["status"].erase("allocation");
        TRY_ASSIGN(const storage::RecordPtr written,
                   client().update(kind("resourceclaims.resource.k8s.io"), std::move(claim), "status"));
        claim = client().document(*written);
    }
    drop_finalizer(claim, protection);
    TRY(client().update(kind("resourceclaims.resource.k8s.io"), std::move(claim)));
    return true;
}

// A claim that was made for a pod goes when the pod is done, which may be long before the pod goes.
api::ApiResult<bool> ResourceClaimController::delete_unused(const storage::Record& claim) {
    const api::ObjectView& view = api::view_of(claim);
    const api::OwnerReference* owner = view.controller();
    if (owner == nullptr || owner->api_version != "v1" || owner->kind != "Pod") return true;
    const storage::RecordPtr pod = pods_.get(view.namespace_name, owner->name);
    if (pod == nullptr) return true;  // the garbage collector knows better whether it is gone
    if (api::view_of(*pod).uid == owner->uid && !is_done(api::pod_view_of(*pod))) return true;
    const auto removed = client().remove(kind("resourceclaims.resource.k8s.io"), view.namespace_name, view.name);
    if (removed || removed.error().code() == 404) return true;
    return removed.error();
}

}  // namespace kubemu::controllers

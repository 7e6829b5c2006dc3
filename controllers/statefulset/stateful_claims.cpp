// The claims of a StatefulSet's pods: made from its templates, mounted, and owned as its retention policy says.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/statefulset/stateful_pods.h"

namespace kubemu::controllers {

namespace {

bool remove_owner(api::Json& owners, std::string_view uid) {
    const auto keep = std::remove_if(owners.begin(), owners.end(), [uid](const api::Json& reference) {
        return api::string_at(reference, {"uid"}) == uid;
    });
    const bool found = keep != owners.end();
    owners.erase(keep, owners.end());
    return found;
}

bool add_owner(api::Json& owners, const api::KindSpec& kind, const api::ObjectView& owner) {
    for (const api::Json& reference : owners) {
        if (api::string_at(reference, {"uid"}) == owner.uid) return false;
    }
    owners.push_back({{"apiVersion", api_version_of(kind)},
                      {"kind", std::string(kind.kind)},
                      {"name", owner.name},
                      {"uid", owner.uid}});
    return true;
}

}  // namespace

// Those of the claims, then those of `volumes` that do not bear a claim's name.
api::Json StatefulPods::volumes_with_claims(std::int64_t ordinal, const api::Json& volumes) const {
    api::Json all = api::Json::array();
    for (const api::Json& claim : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name(api::name_of(claim));
        all.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", claim_name(name, ordinal)}}}});
    }
    const std::size_t claims = all.size();
    for (const api::Json& volume : volumes) {
        const bool replaced = std::any_of(
            all.begin(), all.begin() + static_cast<std::ptrdiff_t>(claims),
            [&](const api::Json& made) { return api::string_at(made, {"name"}) == api::string_at(volume, {"name"}); });
        if (!replaced) all.push_back(volume);
    }
    return all;
}

bool StatefulPods::has_volumes(const Slot& slot) const {
    const api::Json& claims = api::array_at(object(), {"spec", "volumeClaimTemplates"});
    if (claims.empty()) return true;
    const auto pod = environment_.client.read(*slot.record);
    const api::Json& volumes = api::array_at(*pod, {"spec", "volumes"});
    return std::all_of(claims.begin(), claims.end(), [&](const api::Json& claim) {
        return std::any_of(volumes.begin(), volumes.end(), [&](const api::Json& volume) {
            return api::string_at(volume, {"name"}) == api::name_of(claim) &&
                   api::string_at(volume, {"persistentVolumeClaim", "claimName"}) ==
                       claim_name(api::name_of(claim), slot.ordinal);
        });
    });
}

api::ApiResult<bool> StatefulPods::ensure_claims(std::int64_t ordinal) {
    const api::ObjectView& view = api::view_of(set_);
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name = claim_name(api::name_of(claim_template), ordinal);
        if (environment_.claim_informer.get(view.namespace_name, name) != nullptr) continue;
        api::Json claim = claim_template;
        claim["apiVersion"] = "v1";
        claim["kind"] = "PersistentVolumeClaim";
        claim.erase("status");
        claim["metadata"]["name"] = name;
        claim["metadata"]["namespace"] = view.namespace_name;
        claim["metadata"].erase("creationTimestamp");
        api::Json& labels = api::ensure(claim, {"metadata", "labels"});
        labels.update(api::object_at(object(), {"spec", "selector", "matchLabels"}));
        if (labels.empty()) claim["metadata"].erase("labels");
        if (api::string_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"}) == "Delete") {
            api::Json owners = api::Json::array();
            add_owner(owners, environment_.sets, view);
            claim["metadata"]["ownerReferences"] = std::move(owners);
        }
        const auto created = environment_.client.create(environment_.claims, view.namespace_name, std::move(claim));
        if (!created && created.error()->reason == "AlreadyExists") continue;
        const api::Json reference = object_reference(environment_.sets, set_);
        const std::string place = "Pod " + pod_name(ordinal) + " in StatefulSet " + view.name;
        if (created) {
            environment_.events.normal(reference, "SuccessfulCreate",
                                       "create Claim " + name + " " + place + " success");
            continue;
        }
        environment_.events.warning(
            reference, "FailedCreate",
            "create Claim " + name + " for " + place + " failed error: " + created.error()->message);
        api::StatusDetail failed = *created.error();
        failed.message = "failed to create PVC " + name + ": " + failed.message;
        return api::Status(std::move(failed));
    }
    return true;
}

// A claim that is owned by a pod which is gone is about to be collected.
bool StatefulPods::claims_are_stale(std::int64_t ordinal) const {
    const api::ObjectView& view = api::view_of(set_);
    if (api::string_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy", "whenScaled"}) != "Delete")
        return false;
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const auto record =
            environment_.claim_informer.get(view.namespace_name, claim_name(api::name_of(claim_template), ordinal));
        if (record == nullptr) continue;
        for (const api::OwnerReference& owner : api::view_of(*record).owners) {
            if (owner.kind == "Pod" && owner.name == pod_name(ordinal)) return true;
        }
    }
    return false;
}

// True when it changed something. Claims of a pod or a set that had the same name are left alone, and those that somebody
// else controls are left to them.
api::ApiResult<bool> StatefulPods::keep_claim_owners(const Slot& slot, Occasion occasion) {
    const api::ObjectView& view = api::view_of(set_);
    const api::Json& policy = api::object_at(object(), {"spec", "persistentVolumeClaimRetentionPolicy"});
    const bool scaled = api::string_at(policy, {"whenScaled"}) == "Delete", deleted = api::string_at(policy, {"whenDeleted"}) == "Delete";
    bool changed_any = false;
    for (const api::Json& claim_template : api::array_at(object(), {"spec", "volumeClaimTemplates"})) {
        const std::string name = claim_name(api::name_of(claim_template), slot.ordinal);
        const auto record = environment_.claim_informer.get(view.namespace_name, name);
        if (record == nullptr) continue;
        bool owned_by_pod = false, owned_by_set = false, stale = false, foreign = false;
        for (const api::OwnerReference& owner : api::view_of(*record).owners) {
            owned_by_pod |= owner.uid == slot.pod->uid;
            owned_by_set |= owner.uid == view.uid;
            const bool pod = owner.kind == "Pod" && owner.name == slot.pod->name;
            const bool set = owner.kind == "StatefulSet" && owner.name == view.name;
            stale |= (pod && owner.uid != slot.pod->uid) || (set && owner.uid != view.uid);
            foreign |= !pod && !set && owner.controller;
        }
        foreign &= scaled || deleted;
        const bool by_pod = !foreign && occasion == Occasion::condemned && scaled;
        const bool by_set = !foreign && !by_pod && deleted;
        const bool in_form = stale || (owned_by_pod == by_pod && owned_by_set == by_set);
        if ((foreign || (stale && (scaled || deleted))) && (occasion == Occasion::made || !in_form)) {
            environment_.events.warning(object_reference(environment_.sets, set_), "ConflictingController",
                                        "PersistentVolumeClaim " + name + " has a conflicting OwnerReference that acts as a manging "
                                        "controller, the retention policy is ignored for this claim");
        }
        if (in_form) continue;
        const auto written =
            environment_.client.modify(environment_.claims, view.namespace_name, name, {}, [&](api::Json& claim) {
                api::Json& owners = api::ensure(claim, {"metadata"})["ownerReferences"];
                if (!owners.is_array()) owners = api::Json::array();
                bool changed =
                    by_pod ? add_owner(owners, environment_.pods, *slot.pod) : remove_owner(owners, slot.pod->uid);
                changed |= by_set ? add_owner(owners, environment_.sets, view) : remove_owner(owners, view.uid);
                if (owners.empty()) claim["metadata"].erase("ownerReferences");
                return changed;
            });
        if (!written && written.error().code() != 404) return written.error();
        changed_any = true;
    }
    return changed_any;
}

}  // namespace kubemu::controllers

// Claiming works on Views; only what changes hands is decoded.
#include "controllers/runtime/owner_refs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace kubemu::controllers {

namespace {

// The cache may be older than the owner's deletion, so the last word before an adoption is the newest version's.
api::ApiResult<bool> can_adopt(const Claimant& claimant, const api::ObjectView& owner) {
    const auto fresh = claimant.client.get(claimant.kind, owner.namespace_name, owner.name);
    if (!fresh) return fresh.error();
    const api::ObjectView& view = api::view_of(**fresh);
    return view.uid == owner.uid && !view.deleting;
}

}  // namespace

bool add_finalizer(api::Json& object, std::string_view finalizer) {
    api::Json& list = api::ensure(object, {"metadata"})["finalizers"];
    if (!list.is_array()) list = api::Json::array();
    if (std::find(list.begin(), list.end(), finalizer) != list.end()) return false;
    list.push_back(std::string(finalizer));
    return true;
}

bool drop_finalizer(api::Json& object, std::string_view finalizer) {
    api::Json* list = api::find(object, {"metadata", "finalizers"});
    if (list == nullptr || !list->is_array()) return false;
    const auto keep = std::remove(list->begin(), list->end(), finalizer);
    if (keep == list->end()) return false;
    list->erase(keep, list->end());
    if (list->empty()) object["metadata"].erase("finalizers");
    return true;
}

bool has_finalizer(const api::ObjectView& view, std::string_view finalizer) {
    return std::find(view.finalizers.begin(), view.finalizers.end(), finalizer) != view.finalizers.end();
}

std::string api_version_of(const api::KindSpec& kind) {
    if (kind.group.empty()) return std::string(kind.version);
    return std::string(kind.group) + "/" + std::string(kind.version);
}

api::Json controller_reference(const api::KindSpec& kind, const api::ObjectView& owner) {
    return {{"apiVersion", api_version_of(kind)}, {"kind", std::string(kind.kind)}, {"name", owner.name},
            {"uid", owner.uid}, {"controller", true}, {"blockOwnerDeletion", true}};
}

api::Json object_reference(const api::KindSpec& kind, const storage::Record& record) {
    const api::ObjectView& view = api::view_of(record);
    api::Json metadata = {{"name", view.name}, {"uid", view.uid}, {"resourceVersion", std::to_string(record.revision)}};
    if (!view.namespace_name.empty()) metadata["namespace"] = view.namespace_name;
    return {{"apiVersion", api_version_of(kind)}, {"kind", std::string(kind.kind)}, {"metadata", std::move(metadata)}};
}

api::Json reference_to(const api::KindSpec& kind, const storage::Record& record) {
    const api::ObjectView& view = api::view_of(record);
    api::Json reference = {{"apiVersion", api_version_of(kind)}, {"kind", std::string(kind.kind)}, {"name", view.name},
                           {"uid", view.uid}, {"resourceVersion", std::to_string(record.revision)}};
    if (!view.namespace_name.empty()) reference["namespace"] = view.namespace_name;
    return reference;
}

api::ApiResult<std::vector<storage::RecordPtr>> claim(const Claimant& claimant, const api::KindSpec& object_kind,
                                                      const std::vector<storage::RecordPtr>& candidates) {
    const api::ObjectView& owner = api::view_of(claimant.owner);
    std::vector<storage::RecordPtr> claimed;
    std::optional<bool> adopts;
    for (const storage::RecordPtr& record : candidates) {
        const api::ObjectView& view = api::view_of(*record);
        const api::OwnerReference* controller = view.controller();
        if (controller != nullptr) {
            if (controller->uid != owner.uid) continue;
            if (claimant.selector.matches(view.labels)) {
                claimed.push_back(record);
                continue;
            }
            if (owner.deleting) continue;
            const auto released = claimant.client.modify(
                object_kind, view.namespace_name, view.name, {}, [&owner, &claimant](api::Json& object) {
                    api::Json* owners = api::find(api::ensure(object, {"metadata"}), "ownerReferences");
                    if (owners == nullptr) return false;
                    const auto keep = std::remove_if(owners->begin(), owners->end(), [&owner](const api::Json& reference) {
                        return api::string_at(reference, {"uid"}) == owner.uid;
                    });
                    if (keep == owners->end()) return false;
                    owners->erase(keep, owners->end());
                    if (owners->empty()) object["metadata"].erase("ownerReferences");
                    if (!claimant.finalizer.empty()) drop_finalizer(object, claimant.finalizer);
                    return true;
                });
            // Gone already, or invalid because it was replaced: nothing left to release.
            if (!released && released.error().code() != 404 && released.error().code() != 422) return released.error();
            continue;
        }
        if (owner.deleting || view.deleting || !claimant.selector.matches(view.labels)) continue;
        if (!adopts) {
            TRY_ASSIGN(adopts, can_adopt(claimant, owner));
        }
        if (!*adopts) continue;
        const auto adopted = claimant.client.modify(
            object_kind, view.namespace_name, view.name, {}, [&](api::Json& object) {
                if (api::uid_of(object) != view.uid) return false;
                api::Json& metadata = api::ensure(object, {"metadata"});
                api::Json& owners = metadata["ownerReferences"];
                if (!owners.is_array()) owners = api::Json::array();
                for (const api::Json& reference : owners) {
                    if (api::bool_at(reference, {"controller"})) return false;  // somebody else was faster
                }
                owners.push_back(controller_reference(claimant.kind, owner));
                if (!claimant.finalizer.empty()) add_finalizer(object, claimant.finalizer);
                return true;
            });
        if (!adopted) {
            if (adopted.error().code() == 404) continue;
            return adopted.error();
        }
        const api::OwnerReference* now = api::view_of(**adopted).controller();
        if (now != nullptr && now->uid == owner.uid) claimed.push_back(*adopted);
    }
    return claimed;
}

const api::LabelSelector& SelectorCache::of(const storage::Record& record) {
    const api::ObjectView& view = api::view_of(record);
    const auto found = by_uid_.find(view.uid);
    if (found != by_uid_.end() && found->second.generation == view.generation) return found->second.selector;
    const api::Json document = client_.document(record);
    const api::Json* selector = api::find(document, {"spec", "selector"});
    static const api::Json nothing;
    // An empty plain map selects nothing, as everywhere in the core API.
    api::LabelSelector made = !plain_map_          ? api::LabelSelector::from_object(selector ? *selector : nothing)
                              : selector == nullptr || selector->empty() ? api::LabelSelector::from_object(nothing)
                                                    : api::LabelSelector::from_map(*selector);
    Entry& entry = by_uid_[view.uid];
    entry = {view.generation, std::move(made)};
    return entry.selector;
}

void SelectorCache::forget(const storage::Record& record) { by_uid_.erase(api::view_of(record).uid); }

}  // namespace kubemu::controllers

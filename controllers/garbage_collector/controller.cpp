// Decisions of the garbage collector.
#include "controllers/garbage_collector/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/registry.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

// An owner that was never seen may be on its way. The real one asks the API for it first, through two queues.
constexpr Duration lookup_pause = std::chrono::milliseconds(200);

constexpr std::string_view foreground = "foregroundDeletion", orphan = "orphan";

// The owners that an object keeps from going.
std::set<std::string> blocked_owners(const api::ObjectView& view) {
    std::set<std::string> uids;
    for (const api::OwnerReference& reference : view.owners) {
        if (reference.block_owner_deletion) uids.insert(reference.uid);
    }
    return uids;
}

std::string key_of(const api::KindSpec& kind, const storage::Record& record) { return std::string(kind.resource) + ":" + record.key; }

// As the real one writes it into its events.
std::string identity(const api::OwnerReference& reference, std::string_view namespace_name) {
    return "[" + reference.api_version + "/" + reference.kind + ", namespace: " + std::string(namespace_name) + ", name: " + reference.name +
           ", uid: " + reference.uid + "]";
}

}  // namespace

GarbageCollectorController::GarbageCollectorController(Manager& manager)
    : Controller(manager, "garbagecollector", "generic-garbage-collector", "garbage-collector-controller") {
    has_workers(20);
    for (const api::KindSpec* kind : manager.registry().kinds().stored_kinds()) {
        // Events own nothing, are owned by nobody and come in floods.
        if (kind->resource == "events" || !kind->can(api::Verb::list)) continue;
        watch(*kind);
    }
    manager.on_kind_change([this](const std::string& resource, const api::KindSpec* kind) {
        const auto known = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& w) { return w.informer->resource() == resource; });
        if (known == watched_.end()) {
            if (kind == nullptr) return;
            watch(*kind);
            look_again(*kind);
        } else if (kind != nullptr) {
            known->kind = kind;
        } else {
            watched_.erase(known);
        }
    });
}

void GarbageCollectorController::watch(const api::KindSpec& kind) {
    watched_.push_back({&kind, &manager().informer(kind.resource)});
    const Watched& watched = watched_.back();
    watched.informer->subscribe([this, &watched](const api::Informer::Change& change) { changed(watched, change); });
}

// What refers to owners of a kind that has just come could not be judged before.
void GarbageCollectorController::look_again(const api::KindSpec& kind) {
    for (const Watched& watched : watched_) {
        for (const storage::RecordPtr& record : watched.informer->list()) {
            const auto& owners = api::view_of(*record).owners;
            const auto refers = [&](const api::OwnerReference& reference) { return reference.kind == kind.kind; };
            if (std::any_of(owners.begin(), owners.end(), refers)) enqueue_object(watched, *record);
        }
    }
}

void GarbageCollectorController::enqueue_object(const Watched& watched, const storage::Record& record) {
    enqueue(key_of(*watched.kind, record));
}

void GarbageCollectorController::owner_went(const Dependent& dependent) {
    bereft_.insert(key_of(*dependent.watched.kind, *dependent.record));
    enqueue_object(dependent.watched, *dependent.record);
}

void GarbageCollectorController::changed(const Watched& watched, const api::Informer::Change& change) {
    if (!change.after) {
        const api::ObjectView& gone = api::view_of(*change.before);
        for (const Dependent& dependent : dependents_of(gone.uid)) owner_went(dependent);
        bereft_.erase(key_of(*watched.kind, *change.before));
        enqueue_waiting_owners(gone);
        return;
    }
    if (change.before && blocked_owners(api::view_of(*change.before)) != blocked_owners(api::view_of(*change.after))) {
        enqueue_waiting_owners(api::view_of(*change.before));
    }
    const api::ObjectView& view = api::view_of(*change.after);
    const bool collecting = view.deleting && (has_finalizer(view, foreground) || has_finalizer(view, orphan));
    const bool new_owners = !view.owners.empty() && (!change.before || api::view_of(*change.before).owners.size() != view.owners.size());
    if (collecting || new_owners) enqueue_object(watched, *change.after);
}

// An owner in foreground deletion may have waited for this object.
void GarbageCollectorController::enqueue_waiting_owners(const api::ObjectView& view) {
    for (const api::OwnerReference& reference : view.owners) {
        for (const Watched& candidate : watched_) {
            if (candidate.kind->kind != reference.kind) continue;
            const auto owner = candidate.informer->get(candidate.kind->namespaced ? view.namespace_name : "", reference.name);
            if (owner && api::view_of(*owner).deleting) enqueue_object(candidate, *owner);
        }
    }
}

std::vector<GarbageCollectorController::Dependent> GarbageCollectorController::dependents_of(const std::string& uid) const {
    std::vector<Dependent> found;
    for (const Watched& watched : watched_) {
        for (storage::RecordPtr& record : watched.informer->owned_by(uid)) found.push_back({watched, std::move(record)});
    }
    return found;
}

storage::RecordPtr GarbageCollectorController::owner_of(const api::OwnerReference& reference, std::string_view namespace_name) const {
    const std::size_t slash = reference.api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : reference.api_version.substr(0, slash);
    for (const Watched& watched : watched_) {
        if (watched.kind->kind != reference.kind || watched.kind->group != group) continue;
        const auto owner = watched.informer->get(watched.kind->namespaced ? namespace_name : std::string_view(), reference.name);
        if (owner && api::view_of(*owner).uid == reference.uid) return owner;
    }
    return nullptr;
}

api::ApiResult<bool> GarbageCollectorController::drop_finalizer(const Watched& watched, const storage::Record& record,
                                                                std::string_view finalizer) {
    const api::ObjectView& view = api::view_of(record);
    auto changed = client().modify(*watched.kind, view.namespace_name, view.name, {}, [&](api::Json& object) {
        api::Json* list = api::find(object, {"metadata", "finalizers"});
        if (list == nullptr || !list->is_array() || api::uid_of(object) != view.uid) return false;
        list->erase(std::remove(list->begin(), list->end(), api::Json(finalizer)), list->end());
        return true;
    });
    if (!changed && changed.error().code() != 404) return changed.error();
    return true;
}

api::ApiResult<bool> GarbageCollectorController::drop_references(const Watched& watched, const storage::Record& record,
                                                                 const std::vector<std::string>& uids) {
    const api::ObjectView& view = api::view_of(record);
    auto changed = client().modify(*watched.kind, view.namespace_name, view.name, {}, [&](api::Json& object) {
        api::Json* owners = api::find(object, {"metadata", "ownerReferences"});
        if (owners == nullptr || !owners->is_array() || api::uid_of(object) != view.uid) return false;
        owners->erase(std::remove_if(owners->begin(), owners->end(),
                                     [&uids](const api::Json& owner) {
                                         return std::find(uids.begin(), uids.end(), api::string_at(owner, {"uid"})) != uids.end();
                                     }),
                      owners->end());
        return true;
    });
    if (!changed && changed.error().code() != 404) return changed.error();
    return true;
}

// In a circle everybody would wait for everybody: this one stops to hold up its owners.
api::ApiResult<bool> GarbageCollectorController::unblock_owners(const Watched& watched, const storage::Record& record) {
    const api::ObjectView& view = api::view_of(record);
    auto changed = client().modify(*watched.kind, view.namespace_name, view.name, {}, [&](api::Json& object) {
        api::Json* owners = api::find(object, {"metadata", "ownerReferences"});
        if (owners == nullptr || !owners->is_array() || api::uid_of(object) != view.uid) return false;
        for (api::Json& owner : *owners) {
            if (api::bool_at(owner, {"blockOwnerDeletion"})) owner["blockOwnerDeletion"] = false;
        }
        return true;
    });
    if (!changed && changed.error().code() != 404) return changed.error();
    return true;
}

// Of a kind that nobody knows (yet): it cannot be looked up, and what refers to it stays.
bool GarbageCollectorController::is_known(const api::OwnerReference& reference) const {
    const std::size_t slash = reference.api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : reference.api_version.substr(0, slash);
    return std::any_of(watched_.begin(), watched_.end(), [&](const Watched& watched) {
        return watched.kind->kind == reference.kind && watched.kind->group == group;
    });
}

// An owner must be in the dependent's namespace, or in none. True when it is one that could never be looked up: a
// namespaced owner of a cluster-wide object. One that lives in another namespace counts as absent, and is told of once.
bool GarbageCollectorController::in_wrong_namespace(const Watched& watched, const storage::Record& record,
                                                    const api::OwnerReference& reference, bool tell) {
    const std::string& own_namespace = api::view_of(record).namespace_name;
    for (const Watched& candidate : watched_) {
        if (candidate.kind->kind != reference.kind || !candidate.kind->namespaced) continue;
        for (const auto& owner : candidate.informer->list()) {
            if (api::view_of(*owner).uid != reference.uid || api::view_of(*owner).namespace_name == own_namespace) continue;
            if (!tell) return own_namespace.empty();
            const api::Json about = object_reference(*watched.kind, record);
            const std::string place = own_namespace.empty() ? "in the cluster scope" : "in namespace \"" + own_namespace + "\"";
            events().warning(about, "OwnerRefInvalidNamespace",
                             "ownerRef " + identity(reference, own_namespace) + " does not exist " + place);
            return own_namespace.empty();
        }
        if (own_namespace.empty()) return true;
    }
    return false;
}

// Dependents that block go first; the owner follows the last of them.
api::ApiResult<Requeue> GarbageCollectorController::finish_foreground(const Watched& watched, const storage::Record& owner) {
    const api::ObjectView& view = api::view_of(owner);
    bool blocked = false;
    for (const Dependent& dependent : dependents_of(view.uid)) {
        const api::ObjectView& dependent_view = api::view_of(*dependent.record);
        for (const api::OwnerReference& reference : dependent_view.owners) {
            if (reference.uid == view.uid && reference.block_owner_deletion) blocked = true;
        }
        enqueue_object(dependent.watched, *dependent.record);
    }
    if (blocked) return Requeue{};
    TRY(drop_finalizer(watched, owner, foreground));
    return Requeue{};
}

api::ApiResult<Requeue> GarbageCollectorController::finish_orphan(const Watched& watched, const storage::Record& owner) {
    const std::string uid = api::view_of(owner).uid;
    for (const Dependent& dependent : dependents_of(uid)) TRY(drop_references(dependent.watched, *dependent.record, {uid}));
    TRY(drop_finalizer(watched, owner, orphan));
    return Requeue{};
}

api::ApiResult<Requeue> GarbageCollectorController::reconcile(const std::string& key) {
    const std::size_t colon = key.find(':');
    const auto found = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& w) { return w.kind->resource == key.substr(0, colon); });
    if (found == watched_.end()) return Requeue{};
    const Watched watched = *found;  // its place in the list may go while a write waits
    const storage::RecordPtr record = watched.informer->get(std::string_view(key).substr(colon + 1));
    if (!record) return Requeue{};
    const api::ObjectView& view = api::view_of(*record);
    if (view.deleting && has_finalizer(view, orphan)) return finish_orphan(watched, *record);
    if (view.deleting && has_finalizer(view, foreground)) return finish_foreground(watched, *record);
    const bool lost_owner = bereft_.erase(key) > 0;
    if (view.owners.empty() || view.deleting) return Requeue{};

    std::vector<std::string> absent;
    bool solid = false, waited_for = false;
    for (const api::OwnerReference& reference : view.owners) {
        const storage::RecordPtr owner = owner_of(reference, view.namespace_name);
        if (!owner && (!is_known(reference) || in_wrong_namespace(watched, *record, reference, !lost_owner))) {
            solid = true;  // an owner that cannot be looked up keeps what refers to it
        } else if (!owner) {
            absent.push_back(reference.uid);
        } else if (api::view_of(*owner).deleting && has_finalizer(api::view_of(*owner), foreground)) {
            waited_for = true;
            absent.push_back(reference.uid);
        } else {
            solid = true;
        }
    }
    if (!absent.empty() && !waited_for && !lost_owner) {
        bereft_.insert(key);
        return Requeue{lookup_pause};
    }
    if (solid) {
        if (!absent.empty()) TRY(drop_references(watched, *record, absent));
        return Requeue{};
    }
    // Nobody keeps it. What is waited for in the foreground takes its own dependents along in the foreground.
    api::DeleteOptions options;
    options.precondition_uid = view.uid;
    // It was judged by what was seen of it: an owner that went may have let it go just before.
    options.precondition_revision = std::to_string(record->revision);
    options.propagation_policy = "Background";
    if (waited_for) {
        const std::vector<Dependent> dependents = dependents_of(view.uid);
        if (!dependents.empty()) options.propagation_policy = "Foreground";
        const bool circle = std::any_of(dependents.begin(), dependents.end(), [](const Dependent& dependent) {
            const api::ObjectView& below = api::view_of(*dependent.record);
            return below.deleting && has_finalizer(below, foreground);
        });
        if (circle) TRY(unblock_owners(watched, *record));
    }
    const auto removed = client().remove(*watched.kind, view.namespace_name, view.name, options);
    if (removed || removed.error().code() == 404) return Requeue{};
    if (lost_owner) bereft_.insert(key);
    return removed.error();
}

}  // namespace kubemu::controllers

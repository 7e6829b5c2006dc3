// Deleting what a namespace holds.
#include "controllers/namespace/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/time.h"

namespace kubemu::controllers {

NamespaceController::NamespaceController(Manager& manager)
    : Controller(manager, "namespace", "namespace-controller"), namespaces_(manager.informer("namespaces")) {
    has_workers(10);
    enqueue_on_change(namespaces_);
    for (const api::KindSpec* kind : manager.registry().kinds().stored_kinds()) {
        if (kind->namespaced && kind->can(api::Verb::list)) watch(*kind);
    }
    manager.on_kind_change([this](const std::string& resource, const api::KindSpec* kind) {
        const auto known = std::find_if(contents_.begin(), contents_.end(),
                                        [&](const auto& content) { return content.second->resource() == resource; });
        if (known == contents_.end()) {
            if (kind != nullptr && kind->namespaced) watch(*kind);
        } else if (kind != nullptr) {
            known->first = kind;
        } else {
            contents_.erase(known);
        }
    });
}

void NamespaceController::watch(const api::KindSpec& kind) {
    api::Informer& informer = manager().informer(kind.resource);
    contents_.emplace_back(&kind, &informer);
    informer.subscribe([this](const api::Informer::Change& change) {
        const storage::Record& record = change.after ? *change.after : *change.before;
        const auto space = namespaces_.get(api::view_of(record).namespace_name);
        if (space && api::view_of(*space).deleting) enqueue(space->key);
    });
}

api::ApiResult<Requeue> NamespaceController::reconcile(const std::string& key) {
    const storage::RecordPtr space = namespaces_.get(key);
    if (!space || !api::view_of(*space).deleting) return Requeue{};
    std::map<std::string, int> remaining, finalizers;
    const auto contents = contents_;  // kinds come and go while a write waits
    const auto empty = [&](const api::KindSpec& kind, const api::Informer& informer) -> api::ApiResult<bool> {
        for (const storage::RecordPtr& record : informer.list(key)) {
            const api::ObjectView& view = api::view_of(*record);
            if (!view.deleting) {
                api::DeleteOptions options;
                options.propagation_policy = "Background";
                const auto removed = client().remove(kind, key, view.name, options);
                if (!removed && removed.error().code() != 404) return removed.error();
                if (removed && *removed) continue;
            }
            const std::string resource = std::string(kind.plural) + "." + std::string(kind.group);
            ++remaining[resource];
            for (const std::string& finalizer : view.finalizers) ++finalizers[finalizer];
        }
        return true;
    };
    // What protects pods (NetworkPolicies) outlives them: the rest waits until there are none (OrderedNamespaceDeletion).
    for (const bool pods : {true, false}) {
        if (!pods && !remaining.empty()) break;
        for (const auto& [kind, informer] : contents) {
            if ((kind->resource == "pods") == pods) TRY(empty(*kind, *informer));
        }
    }
    if (remaining.empty()) {
        const auto done = client().modify(kind("namespaces"), {}, key, "finalize", [](api::Json& object) {
            api::Json* finalizers = api::find(object, {"spec", "finalizers"});
            if (finalizers == nullptr || !finalizers->is_array()) return false;
            const auto own = std::find(finalizers->begin(), finalizers->end(), api::Json("kubernetes"));
            if (own == finalizers->end()) return false;
            finalizers->erase(own);
            if (finalizers->empty()) api::erase(object["spec"], "finalizers");
            return true;
        });
        if (!done && done.error().code() != 404) return done.error();
        // Somebody else's finalizer in the spec keeps it.
        const auto kept = client().get(kind("namespaces"), {}, key);
        if (kept && *kept != nullptr) TRY(write_conditions(key, {}, {}));
        return Requeue{};
    }
    const auto listing = [](const std::map<std::string, int>& counts, const char* has, const char* what) {
        std::string text;
        for (const auto& [name, count] : counts) {
            text += (text.empty() ? "" : ", ") + name + " " + has + " " + std::to_string(count) + " resource instances";
        }
        return std::string(what) + text;
    };
    TRY(write_conditions(key, listing(remaining, "has", "Some resources are remaining: "),
                         finalizers.empty() ? "" : listing(finalizers, "in", "Some content in the namespace has finalizers remaining: ")));
    return Requeue{};
}

api::ApiResult<bool> NamespaceController::write_conditions(const std::string& name, const std::string& remaining, const std::string& finalizers) {
    const std::string time = api::format_time(now());
    struct Row {
        const char* type;
        bool holds;
        const char* reason;
        std::string message;
    };
    const Row rows[] = {
        {"NamespaceDeletionDiscoveryFailure", false, "ResourcesDiscovered", "All resources successfully discovered"},
        {"NamespaceDeletionGroupVersionParsingFailure", false, "ParsedGroupVersions", "All legacy kube types successfully parsed"},
        {"NamespaceDeletionContentFailure", false, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"},
        {"NamespaceContentRemaining", !remaining.empty(), remaining.empty() ? "ContentRemoved" : "SomeResourcesRemain",
         remaining.empty() ? "All content successfully removed" : remaining},
        {"NamespaceFinalizersRemaining", !finalizers.empty(), finalizers.empty() ? "ContentHasNoFinalizers" : "SomeFinalizersRemain",
         finalizers.empty() ? "All content-preserving finalizers finished" : finalizers},
    };
    const auto changed = client().modify(kind("namespaces"), {}, name, "status", [&](api::Json& object) {
        api::Json conditions = api::Json::array();
        for (const Row& row : rows) {
            const std::string_view status = row.holds ? "True" : "False";
            api::Json condition = {{"type", row.type}, {"status", status}, {"reason", row.reason}, {"message", row.message}};
            std::string since = time;
            for (const api::Json& had : api::array_at(object, {"status", "conditions"})) {
                if (api::string_at(had, {"type"}) == row.type && api::string_at(had, {"status"}) == status) {
                    since = api::string_at(had, {"lastTransitionTime"}, time);
                }
            }
            condition["lastTransitionTime"] = since;
            conditions.push_back(std::move(condition));
        }
        object["status"]["conditions"] = std::move(conditions);
        return true;
    });
    if (!changed && changed.error().code() != 404) return changed.error();
    return true;
}

}  // namespace kubemu::controllers

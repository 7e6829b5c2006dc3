// What wakes a StatefulSet, its revisions, and its status.
#include "controllers/statefulset/controller.h"

#include <nlohmann/json.hpp>

#include "controllers/statefulset/stateful_pods.h"

namespace kubemu::controllers {

StatefulSetController::StatefulSetController(Manager& manager)
    : Controller(manager, "statefulset", "statefulset-controller"),
      sets_(manager.informer("statefulsets.apps")),
      pods_(manager.informer("pods")),
      revisions_(manager.informer("controllerrevisions.apps")),
      claims_(manager.informer("persistentvolumeclaims")),
      selectors_(client()),
      history_({client(), kind("controllerrevisions.apps"), kind("statefulsets.apps"), revisions_,
                "controller.kubernetes.io/hash"}) {
    has_workers(5);
    enqueue_on_change(sets_);
    sets_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    enqueue_owner_on_change(pods_, "StatefulSet");
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
}

void StatefulSetController::pod_changed(const api::Informer::Change& change) {
    if (change.after == nullptr) return;
    const api::ObjectView& pod = api::view_of(*change.after);
    if (pod.controller() != nullptr || pod.deleting) return;
    for (const storage::RecordPtr& set : sets_.list(pod.namespace_name)) {
        if (ordinal_of(api::view_of(*set).name, pod.name) && selectors_.of(*set).matches(pod.labels)) enqueue(set->key);
    }
}

api::ApiResult<Requeue> StatefulSetController::reconcile(const std::string& key) {
    const storage::RecordPtr set = sets_.get(key);
    if (set == nullptr) return Requeue{};
    const api::Json object = client().document(*set);
    const api::ObjectView& view = api::view_of(*set);
    const api::LabelSelector selector = selectors_.of(*set);

    std::vector<storage::RecordPtr> pods;
    for (storage::RecordPtr& pod : pods_.list(view.namespace_name)) {
        if (ordinal_of(view.name, api::view_of(*pod).name)) pods.push_back(std::move(pod));
    }
    TRY_ASSIGN(pods, claim({client(), kind("statefulsets.apps"), *set, selector}, kind("pods"), pods));
    TRY_ASSIGN(std::vector<RevisionState> history, history_.list(*set, selector));
    std::int64_t collisions = api::int_at(object, {"status", "collisionCount"});
    TRY_ASSIGN(const RevisionState update, history_.current(*set, object, history, collisions));
    RevisionState current = update;
    for (const RevisionState& revision : history) {
        if (revision.name == api::string_at(object, {"status", "currentRevision"})) current = revision;
    }

    StatefulPods world({client(), events(), kind("statefulsets.apps"), kind("pods"), kind("persistentvolumeclaims"),
                        claims_, now()},
                       *set, object, current, update, collisions, pods);
    const auto stepped = world.step();
    const api::Json status = world.status();
    const auto written = client().modify(kind("statefulsets.apps"), view.namespace_name, view.name, "status",
                                         [&](api::Json& fresh) {
                                             if (api::uid_of(fresh) != view.uid) return false;
                                             api::Json merged = api::object_at(fresh, {"status"});
                                             for (const char* kept : {"currentReplicas", "updatedReplicas", "readyReplicas"}) {
                                                 merged.erase(kept);
                                             }
                                             merged.update(status);
                                             if (merged == api::object_at(fresh, {"status"})) return false;
                                             fresh["status"] = std::move(merged);
                                             return true;
                                         });
    if (!written && written.error().code() != 404) return written.error();
    if (!stepped) return stepped.error();

    std::unordered_set<std::string> in_use = {current.name, update.name};
    for (const storage::RecordPtr& pod : pods) {
        if (const std::string* revision = api::view_of(*pod).label("controller-revision-hash")) in_use.insert(*revision);
    }
    TRY(history_.truncate(*set, history, in_use, api::int_at(object, {"spec", "revisionHistoryLimit"}, 10)));
    return Requeue{world.next_available()};
}

}  // namespace kubemu::controllers

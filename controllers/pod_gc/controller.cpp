// Which pods nobody will ever end.
#include "controllers/pod_gc/controller.h"

#include <nlohmann/json.hpp>

namespace kubemu::controllers {

PodGarbageCollectorController::PodGarbageCollectorController(Manager& manager)
    : Controller(manager, "podgc", "pod-garbage-collector"), pods_(manager.informer("pods")), nodes_(manager.informer("nodes")) {
    nodes_.subscribe([this](const api::Informer::Change& change) {
        if (change.after) return;
        for (const auto& pod : pods_.on_node(api::view_of(*change.before).name)) enqueue(pod->key);
    });
    pods_.subscribe([this](const api::Informer::Change& change) {
        if (change.after && api::view_of(*change.after).deleting) enqueue(change.after->key);
    });
}

api::ApiResult<Requeue> PodGarbageCollectorController::reconcile(const std::string& key) {
    const auto record = pods_.get(key);
    if (!record) return Requeue{};
    const api::PodView& pod = api::pod_view_of(*record);
    const bool node_gone = !pod.node_name.empty() && !nodes_.get(pod.node_name);
    const bool never_ran = pod.node_name.empty() && pod.deleting;
    // A pod that was bound by hand to a node that never was is left alone until it is deleted.
    if (!(node_gone && pod.deleting) && !never_ran) {
        if (!node_gone || pod.phase == api::PodPhase::pending) return Requeue{};
    }
    api::DeleteOptions options;
    options.grace_period_seconds = 0;
    options.precondition_uid = pod.uid;
    const auto removed = client().remove(kind("pods"), pod.namespace_name, pod.name, options);
    if (!removed && removed.error().code() != 404 && removed.error().code() != 409) return removed.error();
    return Requeue{};
}

}  // namespace kubemu::controllers

// What wakes a Deployment, and which ReplicaSets are its own.
#include "controllers/deployment/controller.h"

#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "controllers/deployment/rollout.h"

namespace kubemu::controllers {

DeploymentController::DeploymentController(Manager& manager)
    : Controller(manager, "deployment", "deployment-controller"),
      deployments_(manager.informer("deployments.apps")),
      replica_sets_(manager.informer("replicasets.apps")),
      pods_(manager.informer("pods")),
      selectors_(client()) {
    has_workers(5);
    enqueue_on_change(deployments_);
    deployments_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    enqueue_owner_on_change(replica_sets_, "Deployment");
    replica_sets_.subscribe([this](const api::Informer::Change& change) { replica_set_changed(change); });
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
}

void DeploymentController::replica_set_changed(const api::Informer::Change& change) {
    if (change.after == nullptr) return;
    const api::ObjectView& view = api::view_of(*change.after);
    if (view.controller() != nullptr || view.deleting) return;
    for (const storage::RecordPtr& deployment : deployments_.list(view.namespace_name)) {
        if (selectors_.of(*deployment).matches(view.labels)) enqueue(deployment->key);
    }
}

// Recreate waits for the last old pod to be gone; the ReplicaSet's own status does not tell of terminating pods.
void DeploymentController::pod_changed(const api::Informer::Change& change) {
    if (change.after != nullptr) return;
    const api::ObjectView& pod = api::view_of(*change.before);
    const api::OwnerReference* owner = pod.controller();
    if (owner == nullptr || owner->kind != "ReplicaSet") return;
    const storage::RecordPtr replica_set = replica_sets_.get(pod.namespace_name, owner->name);
    if (replica_set == nullptr) return;
    const api::OwnerReference* deployment = api::view_of(*replica_set).controller();
    if (deployment != nullptr && deployment->kind == "Deployment") {
        enqueue(api::object_key(pod.namespace_name, deployment->name));
    }
}

api::ApiResult<Requeue> DeploymentController::reconcile(const std::string& key) {
    const storage::RecordPtr deployment = deployments_.get(key);
    if (deployment == nullptr) return Requeue{};
    const api::KindSpec& deployment_kind = kind("deployments.apps");
    const api::KindSpec& replica_set_kind = kind("replicasets.apps");
    const api::LabelSelector selector = selectors_.of(*deployment);
    const api::ObjectView& view = api::view_of(*deployment);
    if (selector.empty()) {
        events().warning(object_reference(deployment_kind, *deployment), "SelectingAll",
                         "This deployment is selecting all pods. A non-empty selector is required.");
        return Requeue{};
    }
    TRY_ASSIGN(const std::vector<storage::RecordPtr> owned,
               claim({client(), deployment_kind, *deployment, selector}, replica_set_kind,
                     replica_sets_.list(view.namespace_name)));
    Rollout rollout({client(), events(), deployment_kind, replica_set_kind, pods_, now()}, deployment, owned);
    TRY_ASSIGN(const std::optional<Duration> again, rollout.step());
    return Requeue{again};
}

}  // namespace kubemu::controllers

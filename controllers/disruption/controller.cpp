// Healthy pods against what the budget asks for. Evictions that the API has granted are in status.disruptedPods until
// the pod is seen to go.
#include "controllers/disruption/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/selector/go_text.h"
#include "api/values/int_or_string.h"
#include "api/values/time.h"

namespace kubemu::controllers {

namespace {

// An eviction that did not lead to a deletion in this time is taken as failed (DeletionTimeout).
constexpr Duration deletion_timeout = std::chrono::minutes(2);

}  // namespace

DisruptionController::DisruptionController(Manager& manager)
    : Controller(manager, "disruption", "disruption-controller", "controllermanager"),
      budgets_(manager.informer("poddisruptionbudgets.policy")),
      pods_(manager.informer("pods")),
      replica_sets_(manager.informer("replicasets.apps")),
      controllers_(manager.informer("replicationcontrollers")),
      deployments_(manager.informer("deployments.apps")),
      stateful_sets_(manager.informer("statefulsets.apps")),
      selectors_(client()) {
    enqueue_on_change(budgets_);
    budgets_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
    // A percentage is one of what the pods' controllers ask for.
    for (api::Informer* informer : {&replica_sets_, &controllers_, &deployments_, &stateful_sets_}) {
        informer->subscribe([this](const api::Informer::Change& change) {
            if (change.before == nullptr || change.after == nullptr) return;
            const api::ObjectView& now = api::view_of(*change.after);
            if (api::view_of(*change.before).generation == now.generation) return;
            for (const storage::RecordPtr& budget : budgets_.list(now.namespace_name)) enqueue(budget->key);
        });
    }
}

std::vector<std::string> DisruptionController::enqueue_matching(const api::ObjectView& pod) {
    std::vector<std::string> names;
    for (const storage::RecordPtr& budget : budgets_.list(pod.namespace_name)) {
        if (!selectors_.of(*budget).matches(pod.labels)) continue;
        enqueue(budget->key);
        names.push_back(api::view_of(*budget).name);
    }
    return names;
}

void DisruptionController::pod_changed(const api::Informer::Change& change) {
    if (change.before != nullptr) enqueue_matching(api::view_of(*change.before));
    if (change.after == nullptr) return;
    const api::ObjectView& pod = api::view_of(*change.after);
    const std::vector<std::string> names = enqueue_matching(pod);
    if (names.size() < 2) return;
    events().warning(object_reference(kind("pods"), *change.after), "MultiplePodDisruptionBudgets",
                     "Pod \"" + pod.namespace_name + "\"/\"" + pod.name + "\" matches multiple PodDisruptionBudgets.  Chose \"" +
                         names.front() + "\" arbitrarily.");
}

Result<std::int64_t, std::string> DisruptionController::expected_scale(const std::vector<storage::RecordPtr>& pods,
                                                                       bool& unmanaged) {
    std::map<std::string, std::int64_t> scale_by_uid;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        const api::OwnerReference* owner = pod.controller();
        unmanaged = unmanaged || owner == nullptr;
        if (owner == nullptr || scale_by_uid.contains(owner->uid)) continue;
        api::Informer* informer = owner->kind == "ReplicaSet"              ? &replica_sets_
                                  : owner->kind == "StatefulSet"           ? &stateful_sets_
                                  : owner->kind == "ReplicationController" ? &controllers_
                                  : owner->kind == "Deployment"            ? &deployments_
                                                                           : nullptr;
        storage::RecordPtr scaled = informer == nullptr ? nullptr : informer->get(pod.namespace_name, owner->name);
        if (scaled != nullptr && owner->kind == "ReplicaSet") {
            const api::OwnerReference* above = api::view_of(*scaled).controller();
            if (above != nullptr && above->kind == "Deployment") {
                if (auto deployment = deployments_.get(pod.namespace_name, above->name)) scaled = std::move(deployment);
            }
        }
        if (scaled == nullptr) {
            if (informer != nullptr) continue;  // going; its pods will follow
            // The kinds of Kubernetes that own pods without saying how many.
            for (const char* plural : {"daemonsets.apps", "jobs.batch"}) {
                const api::KindSpec& owning = kind(plural);
                if (owner->kind == owning.kind) return std::string(plural) + " does not implement the scale subresource";
            }
            return "found no controllers for pod \"" + pod.name + "\"";
        }
        const api::ObjectView& view = api::view_of(*scaled);
        scale_by_uid.emplace(owner->uid, 0);
        scale_by_uid[view.uid] = api::int_at(client().document(*scaled), {"spec", "replicas"}, 1);
    }
    std::int64_t total = 0;
    for (const auto& [uid, scale] : scale_by_uid) total += scale;
    return total;
}

Result<DisruptionController::Need, std::string> DisruptionController::need_of(const api::Json& budget,
                                                                              const std::vector<storage::RecordPtr>& pods) {
    Need need;
    if (const api::Json* most = api::find(budget, {"spec", "maxUnavailable"})) {
        TRY_ASSIGN(need.expected, expected_scale(pods, need.unmanaged));
        const std::int64_t spare = api::scaled_value(*most, static_cast<int>(need.expected), true).value_or(0);
        need.healthy = std::max<std::int64_t>(0, need.expected - spare);
    } else if (const api::Json* least = api::find(budget, {"spec", "minAvailable"})) {
        if (least->is_number()) {
            need.expected = static_cast<std::int64_t>(pods.size());
            need.healthy = least->get<std::int64_t>();
        } else {
            TRY_ASSIGN(need.expected, expected_scale(pods, need.unmanaged));
            need.healthy = api::scaled_value(*least, static_cast<int>(need.expected), true).value_or(0);
        }
    }
    return need;
}

api::ApiResult<Requeue> DisruptionController::reconcile(const std::string& key) {
    const storage::RecordPtr record = budgets_.get(key);
    if (record == nullptr) return Requeue{};
    const api::Json budget = client().document(*record);
    const api::ObjectView& view = api::view_of(*record);
    const api::LabelSelector selector = selectors_.of(*record);
    std::vector<storage::RecordPtr> pods;
    for (storage::RecordPtr& pod : pods_.list(view.namespace_name)) {
        const api::PodView& pod_view = api::pod_view_of(*pod);
        if (!pod_view.finished() && selector.matches(pod_view.labels)) pods.push_back(std::move(pod));
    }
    const api::KindSpec& budget_kind = kind("poddisruptionbudgets.policy");
    const api::Json reference = object_reference(budget_kind, *record);
    if (pods.empty()) events().normal(reference, "NoPods", "No matching pods found");

    const api::Json& old = api::object_at(budget, {"status"});
    api::Json disrupted = api::Json::object();
    std::optional<Time> recheck;
    std::int64_t healthy = 0;
    for (const storage::RecordPtr& pod_record : pods) {
        const api::PodView& pod = api::pod_view_of(*pod_record);
        if (pod.deleting) continue;
        const std::string_view since = api::string_at(old, {"disruptedPods", pod.name});
        if (!since.empty()) {
            const Time until = api::parse_time_or_zero(since) + deletion_timeout;
            if (until > now()) {
                disrupted[pod.name] = std::string(since);
                if (!recheck || until < *recheck) recheck = until;
                continue;
            }
            events().warning(object_reference(kind("pods"), *pod_record), "NotDeleted",
                             "Pod was expected by PDB " + view.namespace_name + "/" + view.name +
                                 " to be deleted but it wasn't");
        }
        if (pod.ready) ++healthy;
    }

    const auto need = need_of(budget, pods);
    if (need && need->unmanaged) {
        events().warning(reference, "UnmanagedPods",
                         "Pods selected by this PodDisruptionBudget (selector: " +
                             api::selector_as_string(api::find(budget, {"spec", "selector"})) +
                             ") were found to be unmanaged. As a result, the status of the PDB cannot be calculated "
                             "correctly, which may result in undefined behavior. To account for these pods please set "
                             "\".spec.minAvailable\" field of the PDB to an integer value.");
    }
    api::Json status = old;
    std::string condition_status, reason, message;
    if (need) {
        const std::int64_t allowed = need->expected <= 0 ? 0 : std::max<std::int64_t>(0, healthy - need->healthy);
        status["currentHealthy"] = healthy;
        status["desiredHealthy"] = need->healthy;
        status["expectedPods"] = need->expected;
        status["disruptionsAllowed"] = allowed;
        status["observedGeneration"] = view.generation;
        if (disrupted.empty()) {
            status.erase("disruptedPods");
        } else {
            status["disruptedPods"] = std::move(disrupted);
        }
        condition_status = allowed > 0 ? "True" : "False";
        reason = allowed > 0 ? "SufficientPods" : "InsufficientPods";
    } else {
        message = need.error();
        events().warning(reference, "CalculateExpectedPodCountFailed",
                         "Failed to calculate the number of expected pods: " + message);
        status["disruptionsAllowed"] = 0;  // nothing is known, so nothing may go
        condition_status = "False";
        reason = "SyncFailed";
    }
    api::Json conditions = api::Json::array();
    std::string since = api::format_time(now());
    for (const api::Json& condition : api::array_at(old, {"conditions"})) {
        if (api::string_at(condition, {"type"}) != "DisruptionAllowed") {
            conditions.push_back(condition);
        } else if (api::string_at(condition, {"status"}) == condition_status) {
            since = api::string_at(condition, {"lastTransitionTime"});
        }
    }
    conditions.push_back({{"type", "DisruptionAllowed"}, {"status", condition_status}, {"reason", reason},
                          {"message", message}, {"lastTransitionTime", since}, {"observedGeneration", view.generation}});
    status["conditions"] = std::move(conditions);
    if (status != old) {
        // Evictions count down the same status: one that happened since this look decides.
        api::Json target = budget;
        target["status"] = std::move(status);
        const auto written = client().update(budget_kind, std::move(target), "status");
        if (!written && written.error().code() != 404) return written.error();
    }
    if (recheck) return Requeue{*recheck - now()};
    return Requeue{};
}

}  // namespace kubemu::controllers

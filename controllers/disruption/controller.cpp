// Healthy pods against what the budget asks for. Evictions that the API has granted are in status.disruptedPods until
// the pod is seen to go.
#include "controllers/disruption/controller.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/kind_registry.h"
#include "api/registry.h"
#include "api/selector/go_text.h"
#include "api/subresources/subresources.h"
#include "api/values/int_or_string.h"
#include "api/values/time.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

namespace {

// An eviction that did not lead to a deletion in this time is taken as failed (DeletionTimeout).
constexpr Duration deletion_timeout = std::chrono::minutes(2);
// A pod whose end was announced and did not come in this time is to live on (stalePodDisruptionTimeout).
constexpr Duration stale_disruption_timeout = std::chrono::minutes(2);
constexpr std::string_view pod_prefix = "pod:";

// Since when the pod has been announced to end by somebody who would have ended it at once.
std::optional<Time> announced_since(const api::Json& pod) {
    for (const api::Json& condition : api::array_at(pod, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) != "DisruptionTarget") continue;
        if (api::string_at(condition, {"status"}) != "True" ||
            api::string_at(condition, {"reason"}) == "TerminationByKubelet")
            break;
        return api::parse_time_or_zero(api::string_at(condition, {"lastTransitionTime"}));
    }
    return std::nullopt;
}

}  // namespace

DisruptionController::DisruptionController(Manager& manager)
    : Controller(manager, "disruption", "disruption-controller", "controllermanager"),
      budgets_(manager.informer("poddisruptionbudgets.policy")),
      pods_(manager.informer("pods")),
      deployments_(manager.informer("deployments.apps")),
      selectors_(client()) {
    enqueue_on_change(budgets_);
    budgets_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
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
    if (!pod.deleting && contains_text(*change.after->bytes.get(), "\"DisruptionTarget\"")) {
        enqueue(std::string(pod_prefix) + change.after->key);
    }
    if (names.size() < 2) return;
    events().warning(object_reference(kind("pods"), *change.after), "MultiplePodDisruptionBudgets",
                     "Pod \"" + pod.namespace_name + "\"/\"" + pod.name + "\" matches multiple PodDisruptionBudgets.  Chose \"" +
                         names.front() + "\" arbitrarily.");
}

// What the owner of a pod asks for; nothing when it is not there any more. A ReplicaSet's Deployment speaks for it.
Result<std::optional<DisruptionController::OwnerScale>, std::string> DisruptionController::scale_of(
    const std::string& namespace_name, const api::OwnerReference& owner) {
    const std::size_t slash = owner.api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : owner.api_version.substr(0, slash);
    const std::string version = slash == std::string::npos ? owner.api_version : owner.api_version.substr(slash + 1);
    const api::KindSpec* owning = manager().registry().kinds().by_kind(group, version, owner.kind);
    if (owning == nullptr) return "no matches for kind \"" + owner.kind + "\" in version \"" + owner.api_version + "\"";
    if (owning->subresource("scale") == nullptr)
        return std::string(owning->resource) + " does not implement the scale subresource";
    const auto found = client().get(*owning, namespace_name, owner.name);
    if (!found || api::view_of(**found).uid != owner.uid) return std::optional<OwnerScale>();
    if (owning->resource == "replicasets.apps") {
        const api::OwnerReference* above = api::view_of(**found).controller();
        const auto deployment =
            above == nullptr || above->kind != "Deployment" ? nullptr : deployments_.get(namespace_name, above->name);
        if (deployment != nullptr && api::view_of(*deployment).uid == above->uid) {
            return std::optional<OwnerScale>(
                {above->uid, api::int_at(client().document(*deployment), {"spec", "replicas"}, 1)});
        }
    }
    const auto scale = api::read_scale(*owning, client().document(**found));
    if (!scale) return scale.error()->message;
    return std::optional<OwnerScale>({owner.uid, api::int_at(*scale, {"spec", "replicas"})});
}

Result<std::int64_t, std::string> DisruptionController::expected_scale(const std::vector<storage::RecordPtr>& pods,
                                                                       bool& unmanaged) {
    std::map<std::string, std::int64_t> scale_by_uid;
    std::set<std::string> looked_up;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        const api::OwnerReference* owner = pod.controller();
        unmanaged = unmanaged || owner == nullptr;
        if (owner == nullptr || !looked_up.insert(owner->uid).second) continue;
        TRY_ASSIGN(const std::optional<OwnerScale> scale, scale_of(pod.namespace_name, *owner));
        if (!scale) return "found no controllers for pod \"" + pod.name + "\"";
        scale_by_uid[scale->uid] = scale->replicas;
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

// The pod is told that it is not to end after all.
api::ApiResult<Requeue> DisruptionController::reconcile_pod(const std::string& pod_key) {
    const storage::RecordPtr record = pods_.get(pod_key);
    if (record == nullptr || api::view_of(*record).deleting || api::pod_view_of(*record).finished()) return Requeue{};
    const std::optional<Time> since = announced_since(client().document(*record));
    if (!since) return Requeue{};
    if (now() < *since + stale_disruption_timeout) return Requeue{*since + stale_disruption_timeout - now()};
    const api::ObjectView& view = api::view_of(*record);
    const auto written = client().modify(kind("pods"), view.namespace_name, view.name, "status", [&](api::Json& pod) {
        if (!announced_since(pod)) return false;
        for (api::Json& condition : pod["status"]["conditions"]) {
            if (api::string_at(condition, {"type"}) != "DisruptionTarget") continue;
            condition = {{"type", "DisruptionTarget"},
                         {"status", "False"},
                         {"lastProbeTime", nullptr},
                         {"lastTransitionTime", api::format_time(now())}};
        }
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return Requeue{};
}

// The pods that were announced to be evicted and are still there, and when to look again.
api::Json DisruptionController::disrupted_pods(const storage::Record& budget, const api::Json& announced,
                                               const std::vector<storage::RecordPtr>& pods,
                                               std::optional<Time>& recheck) {
    api::Json disrupted = api::Json::object();
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        const std::string_view since = api::string_at(announced, {pod.name});
        if (pod.deleting || since.empty()) continue;
        const Time until = api::parse_time_or_zero(since) + deletion_timeout;
        if (until > now()) {
            disrupted[pod.name] = std::string(since);
            if (!recheck || until < *recheck) recheck = until;
            continue;
        }
        // The namespace stands in the place of the name here, in kube-controller-manager too.
        const std::string& space = api::view_of(budget).namespace_name;
        events().warning(object_reference(kind("pods"), *record), "NotDeleted",
                         "Pod was expected by PDB " + space + "/" + space + " to be deleted but it wasn't");
    }
    return disrupted;
}

api::ApiResult<Requeue> DisruptionController::reconcile(const std::string& key) {
    if (key.starts_with(pod_prefix)) return reconcile_pod(key.substr(pod_prefix.size()));
    const storage::RecordPtr record = budgets_.get(key);
    if (record == nullptr) return Requeue{};
    const api::Json budget = client().document(*record);
    const api::ObjectView& view = api::view_of(*record);
    const api::LabelSelector selector = selectors_.of(*record);
    std::vector<storage::RecordPtr> pods;
    for (storage::RecordPtr& pod : pods_.list(view.namespace_name)) {
        if (selector.matches(api::view_of(*pod).labels)) pods.push_back(std::move(pod));
    }
    const api::KindSpec& budget_kind = kind("poddisruptionbudgets.policy");
    const api::Json reference = object_reference(budget_kind, *record);
    if (pods.empty()) events().normal(reference, "NoPods", "No matching pods found");

    const api::Json& old = api::object_at(budget, {"status"});
    api::Json status = old;
    std::optional<Time> recheck;
    Allowance allowance;
    const auto need = need_of(budget, pods);
    if (need) {
        if (need->unmanaged) {
            events().warning(
                reference, "UnmanagedPods",
                "Pods selected by this PodDisruptionBudget (selector: " +
                    api::selector_as_string(api::find(budget, {"spec", "selector"})) +
                    ") were found to be unmanaged. As a result, the status of the PDB cannot be calculated "
                    "correctly, which may result in undefined behavior. To account for these pods please set "
                    "\".spec.minAvailable\" field of the PDB to an integer value.");
        }
        api::Json disrupted = disrupted_pods(*record, api::object_at(old, {"disruptedPods"}), pods, recheck);
        const std::int64_t healthy = std::count_if(pods.begin(), pods.end(), [&](const storage::RecordPtr& one) {
            const api::PodView& pod = api::pod_view_of(*one);
            return pod.ready && !pod.deleting && !disrupted.contains(pod.name);
        });
        const std::int64_t allowed = need->expected <= 0 ? 0 : std::max<std::int64_t>(0, healthy - need->healthy);
        status["currentHealthy"] = healthy;
        status["desiredHealthy"] = need->healthy;
        status["expectedPods"] = need->expected;
        status["disruptionsAllowed"] = allowed;
        status["observedGeneration"] = view.generation;
        if (disrupted.empty())
            status.erase("disruptedPods");
        else
            status["disruptedPods"] = std::move(disrupted);
        allowance = {allowed > 0, allowed > 0 ? "SufficientPods" : "InsufficientPods", {}, view.generation};
    } else {
        events().warning(reference, "CalculateExpectedPodCountFailed",
                         "Failed to calculate the number of expected pods: " + need.error());
        status["disruptionsAllowed"] = 0;  // nothing is known, so nothing may go
        allowance = {false, "SyncFailed", need.error(), api::int_at(old, {"observedGeneration"})};
    }
    set_condition(status, allowance);
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

void DisruptionController::set_condition(api::Json& status, const Allowance& allowance) const {
    const char* state = allowance.allowed ? "True" : "False";
    api::Json made = {{"type", "DisruptionAllowed"},
                      {"status", state},
                      {"reason", allowance.reason},
                      {"message", allowance.message},
                      {"lastTransitionTime", api::format_time(now())}};
    if (allowance.observed_generation != 0) made["observedGeneration"] = allowance.observed_generation;
    api::Json& conditions = api::ensure(status, {"conditions"});
    if (!conditions.is_array()) conditions = api::Json::array();
    for (api::Json& condition : conditions) {
        if (api::string_at(condition, {"type"}) != "DisruptionAllowed") continue;
        if (api::string_at(condition, {"status"}) == state)
            made["lastTransitionTime"] = condition["lastTransitionTime"];
        condition = std::move(made);
        return;
    }
    conditions.push_back(std::move(made));
}

}  // namespace kubemu::controllers

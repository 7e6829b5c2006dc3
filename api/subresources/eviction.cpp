// Which budget, may it be charged, and the deletion together with the charge.
#include "api/subresources/eviction.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "api/deletion.h"
#include "api/draft.h"
#include "api/kinds/core/disruption_target.h"
#include "api/kinds/views.h"
#include "api/selector/label.h"
#include "api/values/time.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

constexpr std::size_t disrupted_pods_max = 2000;
constexpr std::string_view refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

Status refused(const std::string& cause, int retry_after_seconds) {
    StatusDetail detail = *Status::too_many_requests(std::string(refusal), retry_after_seconds);
    detail.causes.push_back({"DisruptionBudget", cause, {}});
    return Status(std::move(detail));
}

Status still_processed(std::string_view budget) {
    return refused("The disruption budget " + std::string(budget) + " is still being processed by the server.", 10);
}

DeleteOptions delete_options(const Json& body) {
    DeleteOptions options;
    const Json& given = object_at(body, {"deleteOptions"});
    if (const Json* seconds = find(given, "gracePeriodSeconds")) options.grace_period_seconds = seconds->get<std::int64_t>();
    options.propagation_policy = string_at(given, {"propagationPolicy"});
    options.precondition_uid = string_at(given, {"preconditions", "uid"});
    options.precondition_revision = string_at(given, {"preconditions", "resourceVersion"});
    for (const Json& stage : array_at(given, {"dryRun"})) options.dry_run |= stage == "All";
    return options;
}

// A budget as it would be after one more disruption.
ApiResult<Json> charged(Json budget, const std::string& pod, Time now) {
    const std::string name(name_of(budget));
    Json& status = ensure(budget, {"status"});
    if (int_at(status, {"observedGeneration"}) < int_at(budget, {"metadata", "generation"})) return still_processed(name);
    const std::int64_t allowed = int_at(status, {"disruptionsAllowed"});
    if (allowed < 0) return Status::forbidden("policy", "poddisruptionbudget", name, "pdb disruptions allowed is negative");
    if (object_at(status, {"disruptedPods"}).size() > disrupted_pods_max) {
        return Status::forbidden("policy", "poddisruptionbudget", name,
                                 "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if (allowed == 0) {
        return refused("The disruption budget " + name + " needs " + std::to_string(int_at(status, {"desiredHealthy"})) +
                           " healthy pods and has " + std::to_string(int_at(status, {"currentHealthy"})) + " currently",
                       0);
    }
    status["disruptionsAllowed"] = allowed - 1;
    status["disruptedPods"][pod] = format_time(now);
    if (allowed > 1) return budget;
    Json& conditions = status["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json exhausted = {{"type", "DisruptionAllowed"}, {"status", "False"}, {"reason", "InsufficientPods"}, {"message", ""},
                      {"observedGeneration", int_at(status, {"observedGeneration"})}, {"lastTransitionTime", format_time(now)}};
    for (Json& condition : conditions) {
        if (string_at(condition, {"type"}) != "DisruptionAllowed") continue;
        condition = std::move(exhausted);
        return budget;
    }
    conditions.push_back(std::move(exhausted));
    return budget;
}

// What the budgets of the namespace say of this pod: a charge to make, or none.
struct Permission {
    std::optional<storage::Draft> charge;
    std::string budget;
    bool unready = false;  // granted because the pod does not serve: it must still be so when it goes
};

ApiResult<Permission> ask_budgets(Registry& registry, const storage::Record& pod) {
    const KindSpec& kind = registry.kinds().stored("poddisruptionbudgets.policy");
    const PodView& view = pod_view_of(pod);
    Permission permission;
    storage::RecordPtr covering;
    if (view.labels.empty()) return permission;
    for (const auto& record : registry.list(kind.resource, view.namespace_name)) {
        const Json budget = registry.document(*record);
        const Json* selector = find(budget, {"spec", "selector"});
        if (selector == nullptr || !LabelSelector::from_object(*selector).matches(view.labels)) continue;
        if (covering != nullptr) {
            StatusDetail detail;
            detail.message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Status(std::move(detail));
        }
        covering = record;
    }
    if (covering == nullptr) return permission;
    // The newest accepted state; what is listed may be older.
    permission.budget = view_of(*covering).name;
    const auto tip = registry.get(kind.resource, view.namespace_name, permission.budget);
    if (tip == nullptr) return permission;
    const Json budget = registry.document(*tip);
    if (!view.ready) {
        const std::int64_t healthy = int_at(budget, {"status", "currentHealthy"}), desired = int_at(budget, {"status", "desiredHealthy"});
        permission.unready = string_at(budget, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow" ||
                             (healthy >= desired && desired > 0);
        if (permission.unready) return permission;
    }
    TRY_ASSIGN(Json after, charged(budget, view.name, registry.clock().now()));
    permission.charge = make_draft(kind, after, storage::Precondition::at(tip->revision));
    return permission;
}

// The pod says why it goes.
ApiResult<storage::RecordPtr> mark(Registry& registry, const KindSpec& pods, const PodView& pod, const WriteContext& context) {
    const std::string now = format_time(registry.clock().now());
    const auto change = [&](Json& object, bool) -> ApiResult<bool> {
        set_disruption_target(object, "EvictionByEvictionAPI", "Eviction API: evicting", now);
        return true;
    };
    TRY_ASSIGN(const Written written, registry.update(pods, pod.namespace_name, pod.name, "status", change, context));
    return written.record;
}

}  // namespace

ApiResult<Written> evict(Registry& registry, const KindSpec& pods, std::string_view namespace_name, std::string_view name,
                         const Json& body, const WriteContext& context, storage::Completion done) {
    if (name_of(body) != name) return Status::bad_request("name in URL does not match name in Eviction object");
    const DeleteOptions asked = delete_options(body);
    const bool dry_run = context.dry_run || asked.dry_run;
    std::optional<Status> conflict;
    for (int attempts = 0; attempts < limits::update_retries_max; ++attempts) {
        storage::RecordPtr pod = registry.get(pods.resource, namespace_name, name);
        if (!pod) return Status::not_found(pods.group, pods.plural, name);
        FieldErrors errors;
        check_delete_options(object_at(body, {"deleteOptions"}), errors);
        if (!errors.empty()) return Status::invalid("meta.k8s.io", "DeleteOptions", {}, errors);
        const PodView& view = pod_view_of(*pod);
        // What has ended, is going already or never ran disturbs nobody any more.
        if (view.finished() || view.deleting || view.phase == PodPhase::pending) {
            return registry.remove(pods, namespace_name, name, asked, context, std::move(done));
        }
        TRY_ASSIGN(Permission permission, ask_budgets(registry, *pod));
        DeleteOptions options = asked;
        // A precondition that does not hold is refused before anything is written; one that does moves with the mark.
        const bool another = (!asked.precondition_uid.empty() && asked.precondition_uid != view.uid) ||
                             (!asked.precondition_revision.empty() && asked.precondition_revision != std::to_string(pod->revision));
        if (another) return registry.remove(pods, namespace_name, name, asked, context, std::move(done));
        if (!dry_run) {
            TRY_ASSIGN(pod, mark(registry, pods, view, context));
            if (permission.unready && pod_view_of(*pod).ready) return still_processed(permission.budget);
        }
        if (permission.unready || !options.precondition_revision.empty()) {
            options.precondition_revision = std::to_string(pod->revision);
        }
        std::vector<storage::Draft> companions;
        if (permission.charge && !dry_run) companions.push_back(std::move(*permission.charge));
        auto removed = registry.remove_with(pods, namespace_name, name, options, std::move(companions), context, done);
        if (removed || removed.error().code() != 409) return removed;
        if (!asked.precondition_revision.empty() || !asked.precondition_uid.empty()) return removed;
        if (permission.unready) return still_processed(permission.budget);
        conflict = removed.error();
    }
    return *conflict;
}

}  // namespace kubemu::api

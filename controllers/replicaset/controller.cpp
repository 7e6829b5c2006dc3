// Pods are counted from their Views; the only document that is decoded is the owner's.
#include "controllers/replicaset/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/time.h"

namespace kubemu::controllers {

namespace {

// One reconcile makes or removes at most this many pods; the rest follows (BurstReplicas).
constexpr std::int64_t burst_replicas = 500;

}  // namespace

ReplicaKeeper::ReplicaKeeper(Manager& manager, const Parameters& parameters)
    : Controller(manager, parameters.name, parameters.account),
      kind_(manager.kind(parameters.resource)),
      pod_kind_(manager.kind("pods")),
      owners_(manager.informer(parameters.resource)),
      pods_(manager.informer("pods")),
      selectors_(client(), parameters.plain_map_selector),
      pod_control_(client(), events(), pod_kind_, kind_) {
    has_workers(5);
    enqueue_on_change(owners_);
    owners_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    enqueue_owner_on_change(pods_, kind_.kind);
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
}

// Whoever selects a pod that nobody controls may want to adopt it.
void ReplicaKeeper::pod_changed(const api::Informer::Change& change) {
    if (change.after == nullptr) return;
    const api::ObjectView& pod = api::view_of(*change.after);
    if (pod.controller() != nullptr || pod.deleting) return;
    for (const storage::RecordPtr& owner : owners_.list(pod.namespace_name)) {
        if (selectors_.of(*owner).matches(pod.labels)) enqueue(owner->key);
    }
}

api::ApiResult<Requeue> ReplicaKeeper::reconcile(const std::string& key) {
    const storage::RecordPtr owner = owners_.get(key);
    if (owner == nullptr) return Requeue{};
    const api::Json object = client().document(*owner);
    const api::ObjectView& view = api::view_of(*owner);

    std::vector<storage::RecordPtr> active;
    for (storage::RecordPtr& pod : pods_.list(view.namespace_name)) {
        if (api::pod_view_of(*pod).active()) active.push_back(std::move(pod));
    }
    const api::LabelSelector selector = selectors_.of(*owner);
    TRY_ASSIGN(active, claim({client(), kind_, *owner, selector}, pod_kind_, active));

    const std::int64_t replicas = api::int_at(object, {"spec", "replicas"}, 1);
    std::optional<Failure> failure;
    std::optional<api::Status> error;
    if (!view.deleting) {
        const auto scaled = scale(*owner, api::object_at(object, {"spec", "template"}), replicas, active, failure);
        if (!scaled) error = scaled.error();
    }
    TRY(write_status(*owner, object, active, !view.deleting, failure));
    if (error) return *error;

    const std::int64_t min_ready_seconds = api::int_at(object, {"spec", "minReadySeconds"});
    if (const auto next = next_available(active, min_ready_seconds, now())) return Requeue{*next - now()};
    return Requeue{};
}

api::ApiResult<bool> ReplicaKeeper::scale(const storage::Record& owner, const api::Json& pod_template,
                                          std::int64_t replicas, std::vector<storage::RecordPtr> pods,
                                          std::optional<Failure>& failure) {
    const std::int64_t surplus = static_cast<std::int64_t>(pods.size()) - replicas;
    if (surplus < 0) {
        const auto created = create_pods(owner, pod_template, std::min(-surplus, burst_replicas));
        if (!created) {
            failure = Failure{"FailedCreate", created.error()->message};
            return created.error();
        }
        // The rest of a burst comes with the events of these pods.
        return true;
    }
    if (surplus == 0) return true;
    const std::int64_t count = std::min(surplus, burst_replicas);
    if (count < static_cast<std::int64_t>(pods.size())) sort_for_deletion(pods, related_pods(owner), now(), client());
    std::optional<api::Status> error;
    for (std::int64_t i = 0; i < count; ++i) {
        const auto removed = pod_control_.remove(owner, api::view_of(*pods[static_cast<std::size_t>(i)]));
        if (!removed && !error) error = removed.error();
    }
    if (!error) return true;
    failure = Failure{"FailedDelete", (*error)->message};
    return *error;
}

// In batches of one, two, four...: when a quota or an admission rule refuses, few requests find out.
api::ApiResult<bool> ReplicaKeeper::create_pods(const storage::Record& owner, const api::Json& pod_template,
                                                std::int64_t count) {
    const api::Json pod = pod_control_.pod_from_template(owner, pod_template);
    for (std::int64_t batch = 1; count > 0; batch *= 2) {
        batch = std::min(batch, count);
        std::optional<api::Status> error;
        for (std::int64_t i = 0; i < batch; ++i) {
            const auto created = pod_control_.create(owner, pod);
            if (created) continue;
            if (namespace_terminating(created.error())) return true;
            if (!error) error = created.error();
        }
        if (error) return *error;
        count -= batch;
    }
    return true;
}

// Pods of all replica sets of the same owner crowd a node together (an old and a new one of a Deployment).
std::vector<storage::RecordPtr> ReplicaKeeper::related_pods(const storage::Record& owner) const {
    const api::ObjectView& view = api::view_of(owner);
    const api::OwnerReference* above = view.controller();
    if (above == nullptr) return pods_.owned_by(view.uid);
    std::vector<storage::RecordPtr> pods;
    for (const storage::RecordPtr& sibling : owners_.owned_by(above->uid)) {
        for (storage::RecordPtr& pod : pods_.owned_by(api::view_of(*sibling).uid)) pods.push_back(std::move(pod));
    }
    return pods;
}

api::ApiResult<bool> ReplicaKeeper::write_status(const storage::Record& owner, const api::Json& object,
                                                 const std::vector<storage::RecordPtr>& pods, bool failure_is_current,
                                                 const std::optional<Failure>& failure) {
    const std::int64_t min_ready_seconds = api::int_at(object, {"spec", "minReadySeconds"});
    const api::LabelSelector labelled =
        api::LabelSelector::from_map(api::object_at(object, {"spec", "template", "metadata", "labels"}));
    std::int64_t fully_labelled = 0, ready = 0, available = 0;
    for (const storage::RecordPtr& record : pods) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (labelled.matches(pod.labels)) ++fully_labelled;
        if (!pod.ready) continue;
        ++ready;
        if (is_available(pod, min_ready_seconds, now())) ++available;
    }
    const api::Json old = api::object_at(object, {"status"});
    api::Json status = old;
    const auto set = [&status](const char* member, std::int64_t value) {
        if (value == 0) {
            status.erase(member);
        } else {
            status[member] = value;
        }
    };
    status["replicas"] = static_cast<std::int64_t>(pods.size());
    set("fullyLabeledReplicas", fully_labelled);
    set("readyReplicas", ready);
    set("availableReplicas", available);
    set("observedGeneration", api::view_of(owner).generation);
    if (failure_is_current) {
        api::Json conditions = api::Json::array();
        bool known = false;
        for (const api::Json& condition : api::array_at(old, {"conditions"})) {
            if (api::string_at(condition, {"type"}) != "ReplicaFailure") {
                conditions.push_back(condition);
            } else if (failure) {
                conditions.push_back(condition);  // what failed first is what is shown
                known = true;
            }
        }
        if (failure && !known) {
            conditions.push_back({{"type", "ReplicaFailure"}, {"status", "True"},
                                  {"lastTransitionTime", api::format_time(now())},
                                  {"reason", failure->reason}, {"message", failure->message}});
        }
        if (conditions.empty()) {
            status.erase("conditions");
        } else {
            status["conditions"] = std::move(conditions);
        }
    }
    const api::Json before = old.contains("replicas") ? old : api::Json(api::Json::object());
    if (status == before) return false;
    const api::ObjectView& view = api::view_of(owner);
    const auto written = client().modify(kind_, view.namespace_name, view.name, "status", [&](api::Json& fresh) {
        if (api::uid_of(fresh) != view.uid) return false;
        fresh["status"] = status;
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

}  // namespace kubemu::controllers

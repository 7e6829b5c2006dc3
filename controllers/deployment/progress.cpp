// Status: the counts, and the conditions Available, Progressing and ReplicaFailure.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/deployment/rollout.h"

namespace kubemu::controllers {

namespace {

constexpr std::string_view complete_reason = "NewReplicaSetAvailable";
constexpr std::string_view timed_out_reason = "ProgressDeadlineExceeded";

void remove_condition(api::Json& status, std::string_view type) {
    api::Json kept = api::Json::array();
    for (const api::Json& condition : api::array_at(status, {"conditions"})) {
        if (api::string_at(condition, {"type"}) != type) kept.push_back(condition);
    }
    if (kept.empty()) {
        api::erase(status, "conditions");
    } else {
        status["conditions"] = std::move(kept);
    }
}

// Replaces the condition of its type, behind the others; one that says the same stays as it is.
void put_condition(api::Json& status, api::Json condition) {
    const std::string type(api::string_at(condition, {"type"}));
    if (const api::Json* current = find_condition(status, type)) {
        const bool same_status = api::string_at(*current, {"status"}) == api::string_at(condition, {"status"});
        if (same_status && api::string_at(*current, {"reason"}) == api::string_at(condition, {"reason"})) return;
        if (same_status) condition["lastTransitionTime"] = std::string(api::string_at(*current, {"lastTransitionTime"}));
    }
    remove_condition(status, type);
    api::ensure(status, {"conditions"});
    if (!status["conditions"].is_array()) status["conditions"] = api::Json::array();
    status["conditions"].push_back(std::move(condition));
}

std::string_view reason_of(const api::Json* condition) {
    return condition == nullptr ? std::string_view() : api::string_at(*condition, {"reason"});
}

}  // namespace

const api::Json* find_condition(const api::Json& status, std::string_view type) {
    for (const api::Json& condition : api::array_at(status, {"conditions"})) {
        if (api::string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

void Rollout::set_condition(api::Json& status, std::string_view type, std::string_view value, std::string_view reason,
                            std::string_view message) const {
    const std::string now = api::format_time(environment_.now);
    put_condition(status, {{"type", std::string(type)}, {"status", std::string(value)}, {"lastUpdateTime", now},
                           {"lastTransitionTime", now}, {"reason", std::string(reason)}, {"message", std::string(message)}});
}

std::optional<std::int64_t> Rollout::progress_deadline() const {
    const std::int64_t seconds = api::int_at(document(), {"spec", "progressDeadlineSeconds"},
                                             std::numeric_limits<std::int32_t>::max());
    if (seconds == std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    return seconds;
}

api::ApiResult<bool> Rollout::check_paused() {
    if (!progress_deadline()) return true;
    api::Json status = api::object_at(document(), {"status"});
    const std::string reason(reason_of(find_condition(status, "Progressing")));
    if (reason == timed_out_reason) return true;  // a failure is not hidden by pausing
    if (paused() && reason != "DeploymentPaused") {
        set_condition(status, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
    } else if (!paused() && reason == "DeploymentPaused") {
        set_condition(status, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
    } else {
        return true;
    }
    return write_status(status);
}

api::Json Rollout::calculate_status() const {
    const ReplicaSets sets = all();
    std::int64_t pods = 0, ready = 0;
    for (const ReplicaSetPtr& set : sets) {
        pods += set->status_replicas;
        ready += set->ready;
    }
    const std::int64_t available = total_available(sets);
    api::Json status = api::Json::object();
    const auto put = [&status](const char* member, std::int64_t value) {
        if (value != 0) status[member] = value;
    };
    put("observedGeneration", api::view_of(*record_).generation);
    put("replicas", pods);
    put("updatedReplicas", new_ != nullptr ? new_->status_replicas : 0);
    put("readyReplicas", ready);
    put("availableReplicas", available);
    put("unavailableReplicas", std::max<std::int64_t>(0, total_replicas(sets) - available));
    const api::Json& old = api::object_at(document(), {"status"});
    for (const char* kept : {"collisionCount", "conditions", "terminatingReplicas"}) {
        if (const api::Json* value = api::find(old, kept)) status[kept] = *value;
    }
    if (available >= replicas() - max_unavailable()) {
        set_condition(status, "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.");
    } else {
        set_condition(status, "Available", "False", "MinimumReplicasUnavailable",
                      "Deployment does not have minimum availability.");
    }
    return status;
}

bool Rollout::is_complete(const api::Json& status) const {
    return api::int_at(status, {"updatedReplicas"}) == replicas() && api::int_at(status, {"replicas"}) == replicas() &&
           api::int_at(status, {"availableReplicas"}) == replicas() &&
           api::int_at(status, {"observedGeneration"}) >= api::view_of(*record_).generation;
}

bool Rollout::is_progressing(const api::Json& status) const {
    const api::Json& before = api::object_at(document(), {"status"});
    const auto change = [&](std::string_view member) { return api::int_at(status, {member}) - api::int_at(before, {member}); };
    return change("updatedReplicas") > 0 || change("replicas") - change("updatedReplicas") < 0 ||
           change("readyReplicas") > 0 || change("availableReplicas") > 0;
}

bool Rollout::timed_out(const api::Json& status) const {
    const std::optional<std::int64_t> deadline = progress_deadline();
    const api::Json* condition = find_condition(status, "Progressing");
    if (!deadline || condition == nullptr || reason_of(condition) == complete_reason) return false;
    if (reason_of(condition) == timed_out_reason) return true;
    const Time from = api::parse_time_or_zero(api::string_at(*condition, {"lastUpdateTime"}));
    return from + std::chrono::seconds(*deadline) < environment_.now;
}

// The deadline passes without anybody writing anything.
void Rollout::look_again_at_deadline(const api::Json& status) {
    const std::optional<std::int64_t> deadline = progress_deadline();
    const api::Json* condition = find_condition(status, "Progressing");
    if (!deadline || condition == nullptr || is_complete(status) || reason_of(condition) == timed_out_reason) return;
    const Time from = api::parse_time_or_zero(api::string_at(*condition, {"lastUpdateTime"}));
    // One second more, because the condition's own time is cut to seconds.
    again_ = std::max<Duration>(std::chrono::seconds(1), from + std::chrono::seconds(*deadline + 1) - environment_.now);
}

api::ApiResult<bool> Rollout::sync_status() { return write_status(calculate_status()); }

api::ApiResult<bool> Rollout::sync_rollout_status() {
    api::Json status = calculate_status();
    const api::Json* found = find_condition(api::object_at(document(), {"status"}), "Progressing");
    const bool was_complete = reason_of(found) == complete_reason &&
                              api::int_at(status, {"replicas"}) == api::int_at(status, {"updatedReplicas"});
    if (!progress_deadline()) {
        remove_condition(status, "Progressing");
    } else if (!was_complete) {
        const std::string subject = new_ != nullptr ? "ReplicaSet \"" + new_->name + "\""
                                                    : "Deployment \"" + api::view_of(*record_).name + "\"";
        if (is_complete(status)) {
            set_condition(status, "Progressing", "True", complete_reason, subject + " has successfully progressed.");
        } else if (is_progressing(status)) {
            // Each step renews lastUpdateTime, from which the deadline counts.
            const std::string now = api::format_time(environment_.now);
            const bool still = found != nullptr && api::string_at(*found, {"status"}) == "True";
            const std::string since(still ? api::string_at(*found, {"lastTransitionTime"}) : std::string_view(now));
            remove_condition(status, "Progressing");
            put_condition(status, {{"type", "Progressing"}, {"status", "True"}, {"lastUpdateTime", now},
                                   {"lastTransitionTime", since}, {"reason", "ReplicaSetUpdated"},
                                   {"message", subject + " is progressing."}});
        } else if (timed_out(status)) {
            set_condition(status, "Progressing", "False", timed_out_reason, subject + " has timed out progressing.");
        }
    }
    // The newest ReplicaSet's failure, else that of any other.
    const api::Json* failure = new_ == nullptr ? nullptr
                                               : find_condition(api::object_at(*new_->document, {"status"}), "ReplicaFailure");
    for (const ReplicaSetPtr& set : old_) {
        if (failure != nullptr) break;
        failure = find_condition(api::object_at(*set->document, {"status"}), "ReplicaFailure");
    }
    if (failure == nullptr) {
        remove_condition(status, "ReplicaFailure");
    } else {
        api::Json condition = *failure;
        condition["lastUpdateTime"] = std::string(api::string_at(condition, {"lastTransitionTime"}));
        put_condition(status, std::move(condition));
    }
    look_again_at_deadline(status);
    return write_status(status);
}

// Writes status and the revision annotation, when they differ from what is stored.
api::ApiResult<bool> Rollout::write_status(const api::Json& status) {
    const api::ObjectView& view = api::view_of(*record_);
    const std::string annotation = "deployment.kubernetes.io/revision";
    const std::string revision(api::string_at(document(), {"metadata", "annotations", annotation}));
    const auto annotate = [&](api::Json& object) {
        if (revision.empty() || api::string_at(object, {"metadata", "annotations", annotation}) == revision) return false;
        api::ensure(object, {"metadata", "annotations"})[annotation] = revision;
        return true;
    };
    const auto written =
        environment_.client.modify(environment_.deployments, view.namespace_name, view.name, "status", [&](api::Json& fresh) {
            if (api::uid_of(fresh) != view.uid) return false;
            const bool annotated = annotate(fresh);
            if (!annotated && api::object_at(fresh, {"status"}) == status) return false;
            fresh["status"] = status;
            return true;
        });
    if (!written) {
        if (written.error().code() == 404) return false;
        return written.error();
    }
    (*document_)["status"] = status;
    return true;
}

}  // namespace kubemu::controllers

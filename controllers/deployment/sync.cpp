// Which ReplicaSet is the new one, what it carries, and how sizes are set.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "api/values/int_or_string.h"
#include "api/values/text.h"
#include "controllers/deployment/rollout.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/pod_control.h"

namespace kubemu::controllers {

namespace {

constexpr const char* revision_annotation = "deployment.kubernetes.io/revision";
constexpr const char* history_annotation = "deployment.kubernetes.io/revision-history";
constexpr const char* desired_annotation = "deployment.kubernetes.io/desired-replicas";
constexpr const char* max_annotation = "deployment.kubernetes.io/max-replicas";
constexpr const char* hash_label = "pod-template-hash";
constexpr std::size_t history_characters_max = 2000;

std::int64_t number(std::string_view text, std::int64_t fallback) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && !text.empty() && end == text.data() + text.size() ? value : fallback;
}

bool is_copied(std::string_view annotation) {
    return annotation != "kubectl.kubernetes.io/last-applied-configuration" && annotation != revision_annotation &&
           annotation != history_annotation && annotation != desired_annotation && annotation != max_annotation &&
           annotation != "deprecated.deployment.rollback.to";
}

api::Json without_hash(api::Json pod_template) {
    if (api::Json* metadata = api::find(pod_template, "metadata")) {
        if (api::Json* labels = api::find(*metadata, "labels")) {
            api::erase(*labels, hash_label);
            if (labels->empty()) metadata->erase("labels");
        }
        api::erase(*metadata, "creationTimestamp");
        if (metadata->empty()) pod_template.erase("metadata");
    }
    return pod_template;
}

bool older(const ReplicaSetPtr& a, const ReplicaSetPtr& b) {
    return a->created != b->created ? a->created < b->created : a->name < b->name;
}

// The revision that replaced an earlier one on a reused ReplicaSet goes into the history, oldest out first.
std::string grown_history(std::string_view history, std::string_view revision) {
    if (history.empty()) return std::string(revision);
    std::string text = std::string(history) + "," + std::string(revision);
    while (text.size() > history_characters_max) {
        const std::size_t comma = text.find(',');
        if (comma == std::string::npos) return {};
        text.erase(0, comma + 1);
    }
    return text;
}

bool set_annotation(api::Json& annotations, const char* name, const std::string& value) {
    if (api::string_at(annotations, {name}) == value && annotations.contains(name)) return false;
    annotations[name] = value;
    return true;
}

// True when it changed something.
bool annotate(api::Json& replica_set, const api::Json& deployment, std::int64_t revision) {
    api::Json& annotations = api::ensure(replica_set, {"metadata", "annotations"});
    bool changed = false;
    for (const auto& [name, value] : api::object_at(deployment, {"metadata", "annotations"}).items()) {
        if (is_copied(name) && value.is_string()) {
            changed |= set_annotation(annotations, name.c_str(), value.get_ref<const std::string&>());
        }
    }
    const bool had_revision = annotations.contains(revision_annotation);
    const std::string old_text(api::string_at(annotations, {revision_annotation}));
    if (number(old_text.empty() ? "0" : old_text, std::numeric_limits<std::int64_t>::max()) >= revision) return changed;
    annotations[revision_annotation] = std::to_string(revision);
    if (had_revision) {
        const std::string grown = grown_history(api::string_at(annotations, {history_annotation}), old_text);
        if (!grown.empty()) annotations[history_annotation] = grown;
    }
    return true;
}

void annotate_size(api::Json& replica_set, std::int64_t desired, std::int64_t most) {
    api::Json& annotations = api::ensure(replica_set, {"metadata", "annotations"});
    annotations[desired_annotation] = std::to_string(desired);
    annotations[max_annotation] = std::to_string(most);
}

}  // namespace

std::string_view ReplicaSetState::annotation(std::string_view annotation_name) const {
    return api::string_at(*document, {"metadata", "annotations", annotation_name});
}

std::int64_t ReplicaSetState::revision() const { return number(annotation(revision_annotation), 0); }

ReplicaSetPtr read_replica_set(const api::Client& client, storage::RecordPtr record) {
    auto state = std::make_shared<ReplicaSetState>();
    auto document = std::make_shared<const api::Json>(client.document(*record));
    const api::ObjectView& view = api::view_of(*record);
    state->name = view.name;
    state->uid = view.uid;
    state->created = view.created;
    state->deleting = view.deleting;
    state->replicas = api::int_at(*document, {"spec", "replicas"}, 1);
    state->status_replicas = api::int_at(*document, {"status", "replicas"});
    state->ready = api::int_at(*document, {"status", "readyReplicas"});
    state->available = api::int_at(*document, {"status", "availableReplicas"});
    state->observed = view.generation <= api::int_at(*document, {"status", "observedGeneration"});
    state->record = std::move(record);
    state->document = std::move(document);
    return state;
}

std::int64_t total_replicas(const ReplicaSets& sets) {
    std::int64_t total = 0;
    for (const ReplicaSetPtr& set : sets) total += set->replicas;
    return total;
}

std::int64_t total_available(const ReplicaSets& sets) {
    std::int64_t total = 0;
    for (const ReplicaSetPtr& set : sets) total += set->available;
    return total;
}

ReplicaSets with_replicas(const ReplicaSets& sets) {
    ReplicaSets found;
    for (const ReplicaSetPtr& set : sets) {
        if (set->replicas > 0) found.push_back(set);
    }
    return found;
}

Rollout::Rollout(Environment environment, storage::RecordPtr deployment, const std::vector<storage::RecordPtr>& records)
    : environment_(environment), record_(std::move(deployment)) {
    document_ = std::make_unique<api::Json>(environment_.client.document(*record_));
    for (const storage::RecordPtr& record : records) sets_.push_back(read_replica_set(environment_.client, record));
    std::sort(sets_.begin(), sets_.end(), older);
}

Rollout::~Rollout() = default;

api::ApiResult<std::optional<Duration>> Rollout::step() {
    if (api::view_of(*record_).deleting) {
        TRY(find_replica_sets(false));
        TRY(sync_status());
        return again_;
    }
    TRY(check_paused());
    if (paused()) {
        TRY(sync());
    } else if (is_scaling_event()) {
        TRY(sync());
    } else if (rolling_update()) {
        TRY(roll());
    } else {
        TRY(recreate());
    }
    return again_;
}

api::Json Rollout::reference_() const { return object_reference(environment_.deployments, *record_); }
std::int64_t Rollout::replicas() const { return api::int_at(document(), {"spec", "replicas"}, 1); }
bool Rollout::paused() const { return api::bool_at(document(), {"spec", "paused"}); }

bool Rollout::rolling_update() const {
    return api::string_at(document(), {"spec", "strategy", "type"}, "RollingUpdate") == "RollingUpdate";
}

std::int64_t Rollout::max_surge() const {
    if (!rolling_update()) return 0;
    const api::Json* value = api::find(document(), {"spec", "strategy", "rollingUpdate", "maxSurge"});
    return value == nullptr ? 0 : api::scaled_value(*value, static_cast<int>(replicas()), true).value_or(0);
}

std::int64_t Rollout::max_unavailable() const {
    if (!rolling_update() || replicas() == 0) return 0;
    const api::Json* value = api::find(document(), {"spec", "strategy", "rollingUpdate", "maxUnavailable"});
    std::int64_t most = value == nullptr ? 0 : api::scaled_value(*value, static_cast<int>(replicas()), false).value_or(0);
    // Both rounded to nothing would never move.
    if (most == 0 && max_surge() == 0) most = 1;
    return std::min(most, replicas());
}

ReplicaSets Rollout::all() const {
    ReplicaSets sets = old_;
    if (new_ != nullptr) sets.push_back(new_);
    return sets;
}

// The oldest ReplicaSet with the current template is the new one; its revision is kept above all the others'.
api::ApiResult<bool> Rollout::find_replica_sets(bool create) {
    new_ = nullptr;
    old_.clear();
    const api::Json wanted = without_hash(api::object_at(document(), {"spec", "template"}));
    for (const ReplicaSetPtr& set : sets_) {
        if (new_ == nullptr && without_hash(api::object_at(*set->document, {"spec", "template"})) == wanted) {
            new_ = set;
        } else {
            old_.push_back(set);
        }
    }
    std::int64_t revision = 0;
    for (const ReplicaSetPtr& set : old_) revision = std::max(revision, set->revision());
    ++revision;
    if (new_ != nullptr) return update_new_replica_set(revision);
    if (create) return create_new_replica_set(revision);
    return true;
}

api::ApiResult<bool> Rollout::update_new_replica_set(std::int64_t revision) {
    const std::int64_t min_ready_seconds = api::int_at(document(), {"spec", "minReadySeconds"});
    api::Json probe = *new_->document;
    const bool lags = api::int_at(probe, {"spec", "minReadySeconds"}) != min_ready_seconds;
    if (annotate(probe, document(), revision) || lags) {
        const auto written = environment_.client.modify(
            environment_.replica_sets, api::view_of(*record_).namespace_name, new_->name, {}, [&](api::Json& fresh) {
                annotate(fresh, document(), revision);
                fresh["spec"]["minReadySeconds"] = min_ready_seconds;
                return true;
            });
        if (!written) return written.error();
        *new_ = *read_replica_set(environment_.client, *written);
    }
    api::Json status = api::object_at(document(), {"status"});
    const std::string current(new_->annotation(revision_annotation));
    bool changed = set_annotation(api::ensure(*document_, {"metadata", "annotations"}), revision_annotation, current);
    if (progress_deadline() && find_condition(status, "Progressing") == nullptr) {
        set_condition(status, "Progressing", "True", "FoundNewReplicaSet", "Found new replica set \"" + new_->name + "\"");
        changed = true;
    }
    if (changed) return write_status(status);
    return true;
}

api::ApiResult<bool> Rollout::create_new_replica_set(std::int64_t revision) {
    const api::ObjectView& view = api::view_of(*record_);
    const api::Json* count = api::find(document(), {"status", "collisionCount"});
    const std::optional<std::int64_t> collisions = count == nullptr ? std::nullopt : std::optional(count->get<std::int64_t>());
    api::Json pod_template = api::object_at(document(), {"spec", "template"});
    const std::string hash = template_hash(pod_template, collisions);
    api::ensure(pod_template, {"metadata", "labels"})[hash_label] = hash;
    api::Json selector = api::object_at(document(), {"spec", "selector"});
    api::ensure(selector, {"matchLabels"})[hash_label] = hash;
    const std::int64_t size = new_replica_set_size(0);
    const std::string name = view.name + "-" + hash;
    api::Json made = {
        {"apiVersion", "apps/v1"},
        {"kind", "ReplicaSet"},
        {"metadata",
         {{"name", name},
          {"namespace", view.namespace_name},
          {"labels", pod_template["metadata"]["labels"]},
          {"ownerReferences", api::Json::array({controller_reference(environment_.deployments, view)})}}},
        {"spec", {{"replicas", size}, {"selector", std::move(selector)}, {"template", std::move(pod_template)}}},
    };
    if (const std::int64_t seconds = api::int_at(document(), {"spec", "minReadySeconds"}); seconds != 0) {
        made["spec"]["minReadySeconds"] = seconds;
    }
    annotate(made, document(), revision);
    annotate_size(made, replicas(), replicas() + max_surge());

    api::Json status = api::object_at(document(), {"status"});
    const auto created = environment_.client.create(environment_.replica_sets, view.namespace_name, made);
    bool existed = false;
    storage::RecordPtr record;
    if (created) {
        record = *created;
    } else if (created.error()->reason == "AlreadyExists") {
        TRY_ASSIGN(record, environment_.client.get(environment_.replica_sets, view.namespace_name, name));
        const api::OwnerReference* owner = api::view_of(*record).controller();
        const api::Json theirs = environment_.client.document(*record);
        if (owner == nullptr || owner->uid != view.uid ||
            without_hash(api::object_at(theirs, {"spec", "template"})) !=
                without_hash(api::object_at(document(), {"spec", "template"}))) {
            // Another template has this hash: the next look tries the next one.
            status["collisionCount"] = collisions.value_or(0) + 1;
            TRY(write_status(status));
            return created.error();
        }
        existed = true;
    } else {
        if (namespace_terminating(created.error())) return created.error();
        const std::string message = "Failed to create new replica set \"" + name + "\": " + created.error()->message;
        if (progress_deadline()) {
            set_condition(status, "Progressing", "False", "ReplicaSetCreateError", message);
            // The error above is the one to report.
            static_cast<void>(write_status(status).has_value());
        }
        environment_.events.warning(reference_(), "ReplicaSetCreateError", message);
        return created.error();
    }
    new_ = read_replica_set(environment_.client, record);
    sets_.push_back(new_);
    if (!existed && size > 0) {
        environment_.events.normal(reference_(), "ScalingReplicaSet",
                                   "Scaled up replica set " + name + " to " + std::to_string(size));
    }
    bool changed = set_annotation(api::ensure(*document_, {"metadata", "annotations"}), revision_annotation,
                                  std::to_string(revision));
    if (!existed && progress_deadline()) {
        set_condition(status, "Progressing", "True", "NewReplicaSetCreated", "Created new replica set \"" + name + "\"");
        changed = true;
    }
    if (changed) return write_status(status);
    return true;
}

// While paused, and when the size was changed: sizes and counts, but no progress of a rollout.
api::ApiResult<bool> Rollout::sync() {
    TRY(find_replica_sets(false));
    TRY(scale_all());
    if (paused()) TRY(clean_up());
    return sync_status();
}

bool Rollout::is_scaling_event() const {
    for (const ReplicaSetPtr& set : sets_) {
        if (set->replicas == 0) continue;
        const std::string_view desired = set->annotation(desired_annotation);
        if (!desired.empty() && number(desired, replicas()) != replicas()) return true;
    }
    return false;
}

std::int64_t Rollout::new_replica_set_size(std::int64_t current) const {
    if (!rolling_update()) return replicas();
    const std::int64_t pods = total_replicas(all());
    const std::int64_t most = replicas() + max_surge();
    if (pods >= most) return current;
    return current + std::min(most - pods, replicas() - current);
}

bool Rollout::is_saturated() const {
    return new_ != nullptr && number(new_->annotation(desired_annotation), -1) == replicas() &&
           new_->replicas == replicas() && new_->available == replicas();
}

// A share of the change for each ReplicaSet by its size, as long as there is something left of it.
std::int64_t Rollout::proportion_of(const ReplicaSetState& set, std::int64_t to_add, std::int64_t added) const {
    if (set.replicas == 0 || to_add == 0 || to_add == added) return 0;
    std::int64_t fraction = -set.replicas;
    if (replicas() != 0) {
        const std::int64_t most_before =
            number(set.annotation(max_annotation), api::int_at(document(), {"status", "replicas"}));
        if (most_before == 0) return 0;
        const double size = static_cast<double>(set.replicas) * static_cast<double>(replicas() + max_surge()) /
                            static_cast<double>(most_before);
        fraction = std::llround(size) - set.replicas;
    }
    const std::int64_t left = to_add - added;
    return to_add > 0 ? std::min(fraction, left) : std::max(fraction, left);
}

api::ApiResult<bool> Rollout::scale_all() {
    ReplicaSets active = with_replicas(all());
    ReplicaSetPtr only;
    if (active.size() == 1) {
        only = active.front();
    } else if (active.empty()) {
        only = new_ != nullptr ? new_ : old_.empty() ? nullptr : old_.back();  // sorted by age
    }
    if (only != nullptr) return scale_if_needed(*only, replicas());
    if (is_saturated()) {
        for (const ReplicaSetPtr& set : with_replicas(old_)) TRY(scale_if_needed(*set, 0));
        return true;
    }
    if (!rolling_update()) return true;
    const std::int64_t allowed = replicas() > 0 ? replicas() + max_surge() : 0;
    const std::int64_t to_add = allowed - total_replicas(active);
    // Bigger ones take more; of equals the newer one grows and the older one shrinks first.
    std::stable_sort(active.begin(), active.end(), [to_add](const ReplicaSetPtr& a, const ReplicaSetPtr& b) {
        if (a->replicas != b->replicas) return a->replicas > b->replicas;
        return to_add > 0 ? older(b, a) : older(a, b);
    });
    std::vector<std::int64_t> sizes;
    std::int64_t added = 0;
    for (const ReplicaSetPtr& set : active) {
        const std::int64_t share = proportion_of(*set, to_add, added);
        sizes.push_back(set->replicas + share);
        added += share;
    }
    if (!sizes.empty() && to_add != 0) sizes[0] = std::max<std::int64_t>(0, sizes[0] + to_add - added);
    for (std::size_t i = 0; i < active.size(); ++i) TRY(scale(*active[i], sizes[i]));
    return true;
}

api::ApiResult<bool> Rollout::scale_if_needed(ReplicaSetState& set, std::int64_t size) {
    if (set.replicas == size) return false;
    return scale(set, size);
}

// True when the size changed. The annotations that say for which size of the Deployment this is are kept current.
api::ApiResult<bool> Rollout::scale(ReplicaSetState& set, std::int64_t size) {
    const std::int64_t most = replicas() + max_surge();
    const bool resized = set.replicas != size;
    if (!resized && set.annotation(desired_annotation) == std::to_string(replicas()) &&
        set.annotation(max_annotation) == std::to_string(most)) {
        return false;
    }
    const std::int64_t before = set.replicas;
    const auto written = environment_.client.modify(
        environment_.replica_sets, api::view_of(*record_).namespace_name, set.name, {}, [&](api::Json& fresh) {
            fresh["spec"]["replicas"] = size;
            annotate_size(fresh, replicas(), most);
            return true;
        });
    if (!written) return written.error();
    set = *read_replica_set(environment_.client, *written);
    if (!resized) return false;
    environment_.events.normal(reference_(), "ScalingReplicaSet",
                               std::string("Scaled ") + (before < size ? "up" : "down") + " replica set " + set.name +
                                   " to " + std::to_string(size) + " from " + std::to_string(before));
    return true;
}

// Old ReplicaSets beyond the history limit go, lowest revision first, when nothing of them is left.
api::ApiResult<bool> Rollout::clean_up() {
    const api::Json* limit = api::find(document(), {"spec", "revisionHistoryLimit"});
    if (limit == nullptr || limit->get<std::int64_t>() == std::numeric_limits<std::int32_t>::max()) return true;
    ReplicaSets alive;
    for (const ReplicaSetPtr& set : old_) {
        if (!set->deleting) alive.push_back(set);
    }
    const std::int64_t surplus = static_cast<std::int64_t>(alive.size()) - limit->get<std::int64_t>();
    if (surplus <= 0) return true;
    std::stable_sort(alive.begin(), alive.end(),
                     [](const ReplicaSetPtr& a, const ReplicaSetPtr& b) { return a->revision() < b->revision(); });
    for (std::int64_t i = 0; i < surplus; ++i) {
        const ReplicaSetState& set = *alive[static_cast<std::size_t>(i)];
        if (set.status_replicas != 0 || set.replicas != 0 || !set.observed) continue;
        const auto removed =
            environment_.client.remove(environment_.replica_sets, api::view_of(*record_).namespace_name, set.name);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return true;
}

}  // namespace kubemu::controllers

// Pods by node: made where one is missing, removed where none may be, replaced at the strategy's pace.
#include "controllers/daemonset/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/int_or_string.h"

namespace kubemu::controllers {

namespace {

constexpr const char* hash_label = "controller-revision-hash";
constexpr const char* generation_label = "pod-template-generation";
constexpr const char* generation_annotation = "deprecated.daemonset.template.generation";
constexpr std::size_t burst = 250;

bool older(const storage::RecordPtr& a, const storage::RecordPtr& b) {
    const api::ObjectView& left = api::view_of(*a);
    const api::ObjectView& right = api::view_of(*b);
    return left.created != right.created ? left.created < right.created : left.name < right.name;
}

}  // namespace

struct DaemonSetController::Look {
    storage::RecordPtr set;
    api::Json object;
    api::Json pod_spec;  // with the daemon's tolerations
    std::string hash;
    std::int64_t min_ready_seconds = 0;
    std::int64_t collisions = 0;  // of names of revisions
    std::map<std::string, NodeState> nodes;
    std::vector<storage::RecordPtr> pods;
    Time now{};

    bool updated(const api::PodView& pod) const {
        const std::string* label = pod.label(hash_label);
        if (label != nullptr && *label == hash) return true;
        const std::string* generation = pod.label(generation_label);
        const std::string_view wanted = api::string_at(object, {"metadata", "annotations", generation_annotation});
        return label == nullptr && generation != nullptr && !wanted.empty() && *generation == wanted;
    }
    bool available(const api::PodView& pod) const { return is_available(pod, min_ready_seconds, now); }
    std::int64_t desired() const {
        return std::count_if(nodes.begin(), nodes.end(), [](const auto& node) { return node.second.fit.should_run; });
    }
    std::int64_t limit(const char* member, std::int64_t fallback) const {
        const api::Json* value = api::find(object, {"spec", "updateStrategy", "rollingUpdate", member});
        if (value == nullptr) return fallback;
        return api::scaled_value(*value, static_cast<int>(desired()), true).value_or(static_cast<int>(fallback));
    }
    bool rolling() const {
        return api::string_at(object, {"spec", "updateStrategy", "type"}, "RollingUpdate") == "RollingUpdate";
    }
    std::int64_t max_surge() const { return rolling() ? limit("maxSurge", 0) : 0; }
    std::int64_t max_unavailable() const {
        const std::int64_t most = limit("maxUnavailable", 1);
        return most == 0 && max_surge() == 0 ? 1 : most;
    }
};

DaemonSetController::DaemonSetController(Manager& manager)
    : Controller(manager, "daemonset", "daemon-set-controller", "daemonset-controller"),
      sets_(manager.informer("daemonsets.apps")),
      pods_(manager.informer("pods")),
      nodes_(manager.informer("nodes")),
      revisions_(manager.informer("controllerrevisions.apps")),
      selectors_(client()),
      history_({client(), kind("controllerrevisions.apps"), kind("daemonsets.apps"), revisions_, hash_label, true}),
      pod_control_(client(), events(), kind("pods"), kind("daemonsets.apps")) {
    has_workers(2);
    enqueue_on_change(sets_);
    sets_.subscribe([this](const api::Informer::Change& change) {
        if (change.after == nullptr) selectors_.forget(*change.before);
    });
    enqueue_owner_on_change(pods_, "DaemonSet");
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
    nodes_.subscribe([this](const api::Informer::Change& change) { node_changed(change); });
}

// Heartbeats change nothing that a daemon pod's place depends on.
void DaemonSetController::node_changed(const api::Informer::Change& change) {
    if (sets_.size() == 0) return;
    if (change.before != nullptr && change.after != nullptr) {
        const bool same_labels = api::view_of(*change.before).labels == api::view_of(*change.after).labels;
        if (same_labels && api::object_at(client().document(*change.before), {"spec"}) ==
                               api::object_at(client().document(*change.after), {"spec"})) {
            return;
        }
    }
    for (const storage::RecordPtr& set : sets_.list()) enqueue(set->key);
}

void DaemonSetController::pod_changed(const api::Informer::Change& change) {
    if (change.after == nullptr) {
        targets_.erase(api::view_of(*change.before).uid);
        return;
    }
    const api::ObjectView& pod = api::view_of(*change.after);
    if (pod.controller() != nullptr || pod.deleting) return;
    for (const storage::RecordPtr& set : sets_.list(pod.namespace_name)) {
        if (selectors_.of(*set).matches(pod.labels)) enqueue(set->key);
    }
}

std::string DaemonSetController::target_of(const storage::Record& record) {
    const api::PodView& pod = api::pod_view_of(record);
    if (!pod.node_name.empty()) {
        targets_.erase(pod.uid);
        return pod.node_name;
    }
    const auto known = targets_.find(pod.uid);
    if (known != targets_.end()) return known->second;
    return targets_[pod.uid] = affinity_target(api::object_at(client().document(record), {"spec"}));
}

api::ApiResult<Requeue> DaemonSetController::reconcile(const std::string& key) {
    Look look;
    look.set = sets_.get(key);
    if (look.set == nullptr) return Requeue{};
    look.object = client().document(*look.set);
    look.now = now();
    const api::ObjectView& view = api::view_of(*look.set);
    const api::LabelSelector selector = selectors_.of(*look.set);
    if (selector.empty()) {
        events().warning(object_reference(kind("daemonsets.apps"), *look.set), "SelectingAll",
                         "This daemon set is selecting all pods. A non-empty selector is required.");
        return Requeue{};
    }
    if (view.deleting) return Requeue{};
    look.min_ready_seconds = api::int_at(look.object, {"spec", "minReadySeconds"});
    look.pod_spec = api::object_at(look.object, {"spec", "template", "spec"});
    add_daemon_tolerations(look.pod_spec);

    TRY_ASSIGN(std::vector<RevisionState> history, history_.list(*look.set, selector));
    look.collisions = api::int_at(look.object, {"status", "collisionCount"});
    TRY_ASSIGN(const RevisionState current, history_.current(*look.set, look.object, history, look.collisions));
    look.hash = current.hash;
    TRY_ASSIGN(look.pods, claim({client(), kind("daemonsets.apps"), *look.set, selector}, kind("pods"),
                                pods_.list(view.namespace_name)));
    TRY_ASSIGN(const bool relabelled, drop_duplicates(look, history_.duplicates(current, history)));
    if (relabelled) return Requeue{};  // the pods come again with their labels
    for (const storage::RecordPtr& node : nodes_.list()) {
        look.nodes[api::view_of(*node).name].fit = node_fit(look.pod_spec, client().document(*node));
    }
    for (const storage::RecordPtr& pod : look.pods) {
        const std::string target = target_of(*pod);
        if (!target.empty()) look.nodes[target].pods.push_back(pod);
    }
    for (auto& [name, node] : look.nodes) std::sort(node.pods.begin(), node.pods.end(), older);

    const auto managed = manage(look);
    // What was just made or removed is looked at again before anything is replaced.
    if (managed && !*managed && look.rolling()) TRY(roll(look));
    TRY(write_status(look));
    if (!managed) return managed.error();

    std::unordered_set<std::string> in_use = {current.name};
    for (const storage::RecordPtr& pod : look.pods) {
        if (const std::string* hash = api::view_of(*pod).label(hash_label)) in_use.insert(*hash);
    }
    TRY(history_.truncate(*look.set, history, in_use, api::int_at(look.object, {"spec", "revisionHistoryLimit"}, 10)));
    if (const auto next = next_available(look.pods, look.min_ready_seconds, now())) return Requeue{*next - now()};
    return Requeue{};
}

// The pods of all revisions with the same data become those of the one that stays. True when there was one.
api::ApiResult<bool> DaemonSetController::drop_duplicates(const Look& look, const std::vector<RevisionState>& duplicates) {
    if (duplicates.empty()) return false;
    bool relabels = false;
    const std::string& namespace_name = api::view_of(*look.set).namespace_name;
    for (const storage::RecordPtr& pod : look.pods) {
        const std::string* hash = api::view_of(*pod).label(hash_label);
        if (hash != nullptr && *hash == look.hash) continue;
        const auto relabelled = client().modify(kind("pods"), namespace_name, api::view_of(*pod).name, {}, [&look](api::Json& fresh) {
            fresh["metadata"]["labels"][std::string(hash_label)] = look.hash;
            return true;
        });
        if (!relabelled && relabelled.error().code() != 404) return relabelled.error();
        relabels = true;
    }
    for (const RevisionState& revision : duplicates) {
        const auto removed = client().remove(kind("controllerrevisions.apps"), namespace_name, revision.name);
        if (!removed && removed.error().code() != 404) return removed.error();
    }
    return relabels;
}

// True when something was made or removed.
api::ApiResult<bool> DaemonSetController::manage(Look& look) {
    Changes changes;
    const api::Json reference = object_reference(kind("daemonsets.apps"), *look.set);
    for (const auto& [name, node] : look.nodes) {
        // Pods on a node that is gone are the garbage collector's.
        if (nodes_.get(name) == nullptr) continue;
        if (node.fit.should_run && node.pods.empty()) {
            changes.create_on.push_back(name);
            continue;
        }
        Pods running;
        for (const storage::RecordPtr& record : node.pods) {
            const api::PodView& pod = api::pod_view_of(*record);
            if (pod.deleting) continue;
            const std::string where = pod.namespace_name + "/" + pod.name + " on node " + name;
            if (!node.fit.may_stay) {
                changes.remove.push_back(record);
            } else if (pod.phase == api::PodPhase::failed) {
                events().warning(reference, "FailedDaemonPod", "Found failed daemon pod " + where + ", will try to kill it");
                changes.remove.push_back(record);
            } else if (pod.phase == api::PodPhase::succeeded) {
                events().normal(reference, "SucceededDaemonPod",
                                "Found succeeded daemon pod " + where + ", will try to delete it");
                changes.remove.push_back(record);
            } else {
                running.push_back(record);
            }
        }
        if (running.size() > 1) keep_one(look, running, changes);
    }
    return apply(look, changes);
}

// The oldest stays; with a surge one old and one new pod stay until the new one serves.
void DaemonSetController::keep_one(const Look& look, const Pods& running, Changes& changes) const {
    if (look.max_surge() == 0) {
        changes.remove.insert(changes.remove.end(), running.begin() + 1, running.end());
        return;
    }
    storage::RecordPtr oldest_new, oldest_old;
    for (const storage::RecordPtr& record : running) {
        storage::RecordPtr& oldest = look.updated(api::pod_view_of(*record)) ? oldest_new : oldest_old;
        if (oldest == nullptr) {
            oldest = record;
        } else {
            changes.remove.push_back(record);
        }
    }
    if (oldest_new == nullptr || oldest_old == nullptr) return;
    if (!api::pod_view_of(*oldest_old).ready || look.available(api::pod_view_of(*oldest_new))) {
        changes.remove.push_back(oldest_old);
    }
}

api::ApiResult<bool> DaemonSetController::roll(Look& look) {
    const std::int64_t surge = look.max_surge();
    const std::int64_t budget = surge > 0 ? surge : look.max_unavailable();
    std::int64_t used = 0;
    Changes changes;
    Pods candidates;                        // serve still, so they count against the budget
    std::vector<std::string> candidate_nodes;
    for (const auto& [name, node] : look.nodes) {
        storage::RecordPtr old_pod, new_pod;
        bool doubled = false;
        for (const storage::RecordPtr& record : node.pods) {
            const api::PodView& pod = api::pod_view_of(*record);
            if (pod.deleting) continue;
            storage::RecordPtr& place = look.updated(pod) ? new_pod : old_pod;
            doubled |= place != nullptr;
            place = record;
        }
        if (!node.fit.should_run && old_pod == nullptr) continue;
        if (doubled) {
            ++used;
            continue;
        }
        if (surge > 0) {
            if (old_pod == nullptr) continue;
            if (new_pod != nullptr) {
                if (look.available(api::pod_view_of(*new_pod))) {
                    changes.remove.push_back(old_pod);
                } else {
                    ++used;
                }
            } else if (!look.available(api::pod_view_of(*old_pod))) {
                changes.create_on.push_back(name);
            } else {
                candidate_nodes.push_back(name);
            }
            continue;
        }
        if ((old_pod == nullptr) == (new_pod == nullptr)) {
            ++used;  // going or coming: manage sees to it
        } else if (new_pod != nullptr) {
            if (!look.available(api::pod_view_of(*new_pod))) ++used;
        } else if (!look.available(api::pod_view_of(*old_pod))) {
            changes.remove.push_back(old_pod);
            ++used;
        } else {
            candidates.push_back(old_pod);
        }
    }
    const std::size_t left = static_cast<std::size_t>(std::max<std::int64_t>(0, budget - used));
    for (std::size_t i = 0; i < std::min(left, candidates.size()); ++i) changes.remove.push_back(candidates[i]);
    for (std::size_t i = 0; i < std::min(left, candidate_nodes.size()); ++i) changes.create_on.push_back(candidate_nodes[i]);
    return apply(look, changes);
}

api::ApiResult<bool> DaemonSetController::apply(const Look& look, const Changes& changes) {
    std::optional<api::Status> error;
    for (std::size_t i = 0; i < std::min(burst, changes.create_on.size()); ++i) {
        api::Json pod = pod_control_.pod_from_template(*look.set, api::object_at(look.object, {"spec", "template"}));
        pod["spec"] = look.pod_spec;
        bind_by_affinity(pod["spec"], changes.create_on[i]);
        api::Json& labels = api::ensure(pod, {"metadata", "labels"});
        labels[hash_label] = look.hash;
        const std::string_view generation = api::string_at(look.object, {"metadata", "annotations", generation_annotation});
        if (!generation.empty()) labels[generation_label] = std::string(generation);
        const auto created = pod_control_.create(*look.set, std::move(pod));
        if (created) continue;
        if (namespace_terminating(created.error())) return true;
        error = created.error();
        break;  // a quota refuses the others too
    }
    for (std::size_t i = 0; i < std::min(burst, changes.remove.size()); ++i) {
        const auto removed = pod_control_.remove(*look.set, api::view_of(*changes.remove[i]));
        if (!removed && !error) error = removed.error();
    }
    if (error) return *error;
    return !changes.create_on.empty() || !changes.remove.empty();
}

api::ApiResult<bool> DaemonSetController::write_status(const Look& look) {
    std::int64_t desired = 0, current = 0, misscheduled = 0, ready = 0, available = 0, updated = 0;
    for (const auto& [name, node] : look.nodes) {
        if (nodes_.get(name) == nullptr) continue;
        if (!node.fit.should_run) {
            if (!node.pods.empty()) ++misscheduled;
            continue;
        }
        ++desired;
        if (node.pods.empty()) continue;
        ++current;
        const api::PodView& pod = api::pod_view_of(*node.pods.front());
        if (pod.ready) {
            ++ready;
            if (look.available(pod)) ++available;
        }
        if (look.updated(pod)) ++updated;
    }
    api::Json status = {{"currentNumberScheduled", current}, {"desiredNumberScheduled", desired},
                        {"numberMisscheduled", misscheduled}, {"numberReady", ready},
                        {"observedGeneration", api::view_of(*look.set).generation}};
    if (updated != 0) status["updatedNumberScheduled"] = updated;
    if (available != 0) status["numberAvailable"] = available;
    if (desired != available) status["numberUnavailable"] = desired - available;
    const api::Json& old = api::object_at(look.object, {"status"});
    if (look.collisions != 0) status["collisionCount"] = look.collisions;
    if (const api::Json* conditions = api::find(old, "conditions")) status["conditions"] = *conditions;
    if (status == old) return false;
    const api::ObjectView& view = api::view_of(*look.set);
    const auto written =
        client().modify(kind("daemonsets.apps"), view.namespace_name, view.name, "status", [&](api::Json& fresh) {
            if (api::uid_of(fresh) != view.uid) return false;
            fresh["status"] = status;
            return true;
        });
    if (!written && written.error().code() != 404) return written.error();
    return true;
}

}  // namespace kubemu::controllers

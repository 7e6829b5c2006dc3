// The scheduling queue and one attempt: filter, score, bind, or say why not.
#include "controllers/scheduler/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/kubelet/nodes.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Filter;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::PodInfoPtr;
using scheduler::Verdict;

namespace {

constexpr std::string_view queue_key = "queue";
// Before the key of a pod that has been placed and is to be bound.
constexpr std::string_view bind_prefix = "bind:";
// Bindings that wait for a webhook beside each other; the real one has no limit.
constexpr std::size_t bindings_in_work = 16;
// A turn gives way to the informers and the other controllers after this many pods.
constexpr int pods_per_turn = 256;
constexpr Duration first_backoff = std::chrono::seconds(1);
constexpr Duration backoff_max = std::chrono::seconds(10);
// kube-scheduler retries what nothing woke after five minutes (podMaxInUnschedulablePodsDuration).
constexpr Duration parked_max = std::chrono::minutes(5);

Json reference(const PodInfo& pod, const api::Informer& pods) {
    Json metadata = {{"name", pod.name}, {"namespace", pod.namespace_name}, {"uid", pod.uid}};
    if (const auto record = pods.get(pod.namespace_name, pod.name)) metadata["resourceVersion"] = std::to_string(record->revision);
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}};
}

// Sets a pod condition in a status document; the transition time moves only with the status.
void set_condition(Json& pod, std::string_view type, std::string_view status, std::string_view reason,
                   const std::string& message, const std::string& time) {
    Json& conditions = api::ensure(pod, {"status"})["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    Json* found = nullptr;
    for (Json& condition : conditions)
        if (api::string_at(condition, {"type"}) == type) found = &condition;
    if (found == nullptr) {
        conditions.push_back({{"type", type}});
        found = &conditions.back();
    }
    if (api::string_at(*found, {"status"}) != status) (*found)["lastTransitionTime"] = time;
    (*found)["status"] = status;
    (*found)["reason"] = reason;
    (*found)["message"] = message;
}

}  // namespace

std::string SchedulerController::histogram(const std::map<std::string, int>& reasons) {
    std::vector<std::string> parts;
    for (const auto& [reason, count] : reasons) parts.push_back(std::to_string(count) + " " + reason);
    std::sort(parts.begin(), parts.end());
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string SchedulerController::availability(std::size_t nodes, const std::string& reasons) {
    return "0/" + std::to_string(nodes) + " nodes are available: " + reasons + ".";
}

SchedulerController::SchedulerController(Manager& manager, scheduler::Release release)
    : Controller(manager, "scheduler", "kube-scheduler"),
      pods_(manager.informer("pods")),
      nodes_informer_(manager.informer("nodes")),
      claims_(manager.informer("persistentvolumeclaims")),
      volumes_(manager.informer("persistentvolumes")),
      classes_(manager.informer("storageclasses.storage.k8s.io")),
      budgets_(manager.informer("poddisruptionbudgets.policy")),
      release_(release),
      reader_(client()),
      recorder_(manager, client(), "default-scheduler", kubelet::control_plane_node),
      default_selectors_(manager, reader_),
      volume_use_(manager, reader_) {
    has_workers(bindings_in_work, Interleaved::chosen);
    manager.informer("namespaces").subscribe([this](const api::Informer::Change& change) {
        const api::ObjectView& view = api::view_of(change.after ? *change.after : *change.before);
        if (!change.after) {
            namespaces_.erase(view.name);
            return;
        }
        api::Labels& labels = namespaces_[view.name];
        if (labels == view.labels) return;
        labels = view.labels;
        wake_parked();
    });
    nodes_informer_.subscribe([this](const api::Informer::Change& change) { on_node(change); });
    pods_.subscribe([this](const api::Informer::Change& change) { on_pod(change); });
    for (api::Informer* informer : {&claims_, &volumes_, &classes_})
        informer->subscribe([this](const api::Informer::Change&) { wake_parked(); });
    for (const char* resource : {"csinodes", "csidrivers", "csistoragecapacities", "volumeattachments"})
        manager.informer(std::string(resource) + ".storage.k8s.io").subscribe([this](const api::Informer::Change&) { wake_parked(); });
}

SchedulerController::~SchedulerController() = default;

void SchedulerController::start() { enqueue(std::string(queue_key)); }

void SchedulerController::on_node(const api::Informer::Change& change) {
    const auto count_images = [this](const NodeInfo& node, int by) {
        for (const auto& [name, bytes] : node.images)
            if ((image_nodes_[name] += by) == 0) image_nodes_.erase(name);
    };
    if (change.after == nullptr) {
        const auto gone = nodes_.find(change.before->key);
        if (gone == nodes_.end()) return;
        count_images(gone->second, -1);
        matches_.forget(gone->first);
        nodes_.erase(gone);
        return;
    }
    NodeInfo next;
    scheduler::read_node(*client().read(*change.after), next);
    const bool is_new = nodes_.count(next.name) == 0;
    NodeInfo& node = nodes_[next.name];
    const auto same_taints = [&] {
        return std::equal(node.taints.begin(), node.taints.end(), next.taints.begin(), next.taints.end(),
                          [](const auto& a, const auto& b) { return a.key == b.key && a.value == b.value && a.effect == b.effect; });
    };
    const bool changed = is_new || node.labels != next.labels || !same_taints() || node.unschedulable != next.unschedulable ||
                         node.allocatable.cpu_milli != next.allocatable.cpu_milli ||
                         node.allocatable.memory_bytes != next.allocatable.memory_bytes ||
                         node.allocatable.ephemeral_bytes != next.allocatable.ephemeral_bytes ||
                         node.allocatable.extended != next.allocatable.extended ||
                         node.pods_allocatable != next.pods_allocatable;
    node.name = next.name;
    node.labels = std::move(next.labels);
    node.taints = std::move(next.taints);
    node.unschedulable = next.unschedulable;
    node.allocatable = std::move(next.allocatable);
    node.pods_allocatable = next.pods_allocatable;
    count_images(node, -1);
    node.images = std::move(next.images);
    count_images(node, 1);
    if (is_new) {
        for (const auto& [key, entry] : entries_)
            if (entry.node == node.name) put(node.name, entry.info);
    }
    if (changed) wake_parked();  // heartbeats change none of these
}

void SchedulerController::on_pod(const api::Informer::Change& change) {
    if (change.after == nullptr) {
        const bool had_room = !api::pod_view_of(*change.before).node_name.empty();
        forget(change.before->key);
        if (had_room) wake_parked();
        return;
    }
    const storage::Record& record = *change.after;
    const api::PodView& view = api::pod_view_of(record);
    if (view.finished() && !view.node_name.empty()) {
        if (entries_.count(record.key) > 0) {
            forget(record.key);
            wake_parked();
        }
        return;
    }
    auto found = entries_.find(record.key);
    if (found != entries_.end() && found->second.info->uid != view.uid) {
        forget(record.key);
        found = entries_.end();
    }
    const bool known = found != entries_.end();
    Entry& entry = known ? found->second : entries_[record.key];
    const bool is_waiting = view.node_name.empty();
    // A pod that begins to end no longer counts for spreading; one that was preempted is waited for.
    const bool labels_differ = known && (entry.info->labels != view.labels || entry.info->deleting != view.deleting);
    // A waiting pod may lose its gates or change its requests, a placed one only its labels. What waits for another
    // scheduler matters when that has placed it.
    const bool ours = view.scheduler_name == "default-scheduler";
    const bool matters = ours || !is_waiting;
    if (!known || (matters && (labels_differ || entry.node.empty()))) {
        if (known) take(entry.node, record.key);
        const bool decode = scheduler::text_shows_constraints(*record.bytes.get());
        if (!known || labels_differ || decode || entry.info->constraints) {
            entry.info = decode ? [&] {
                const Json document = client().document(record);
                return scheduler::make_pod_info(record, view, &document);
            }() : scheduler::make_pod_info(record, view, nullptr);
        }
        if (known) put(entry.node, entry.info);
        if (labels_differ) wake_parked();
    }
    if (!is_waiting) {
        const bool new_here = entry.node != view.node_name;
        if (new_here) place(record.key, entry, view.node_name);
        if (view.deleting && !known) wake_parked();
        return;
    }
    if (!ours || view.deleting || entry.info->rules().gated || !entry.node.empty()) return;
    if (!entry.nominated_node.empty() || !entry.info->rules().nominated_node.empty()) {
        entry.nominated_node = entry.info->rules().nominated_node.empty() ? entry.nominated_node : entry.info->rules().nominated_node;
        nominated_.insert(record.key);
    }
    if (!known || (!entry.queued && !entry.parked)) push(record.key, entry);
}

void SchedulerController::forget(const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    take(entry.node, key);
    if (entry.queued) active_.erase({entry.info->priority, entry.sequence, key});
    parked_.erase(key);
    nominated_.erase(key);
    entries_.erase(found);
}

void SchedulerController::place(const std::string& key, Entry& entry, const std::string& node_name) {
    take(entry.node, key);
    entry.node = node_name;
    put(node_name, entry.info);
    if (entry.queued) active_.erase({entry.info->priority, entry.sequence, key});
    entry.queued = entry.parked = false;
    parked_.erase(key);
    nominated_.erase(key);
    // A pod that has its place may be what others keep to, or spread from: they are looked at once in a turn.
    if (!parked_.empty()) manager().set_timer(this, "assigned", now(), [this] { wake_parked(true); });
}

void SchedulerController::put(const std::string& name, const PodInfoPtr& pod) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end() || node->second.pods.count(pod->key) > 0) return;
    node->second.add(pod);
    matches_.add(*pod, name);
}

void SchedulerController::take(const std::string& name, const std::string& key) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end()) return;
    const auto pod = node->second.pods.find(key);
    if (pod == node->second.pods.end()) return;
    matches_.remove(*pod->second, name);
    node->second.remove(key);
}

void SchedulerController::push(const std::string& key, Entry& entry) {
    entry.sequence = next_sequence_++;
    entry.queued = true;
    entry.parked = false;
    parked_.erase(key);
    active_.insert({entry.info->priority, entry.sequence, key});
    enqueue(std::string(queue_key));
}

void SchedulerController::wake_parked(bool followers_only) {
    if (parked_.empty()) return;
    const Time time = now();
    Duration soonest = backoff_max;
    bool later = false;
    const std::set<std::string> parked = parked_;
    for (const std::string& key : parked) {
        Entry& entry = entries_.at(key);
        const scheduler::Constraints& rules = entry.info->rules();
        if (followers_only && rules.affinity.empty() && rules.spread.empty()) continue;
        if (entry.retry_at <= time) {
            push(key, entry);
        } else {
            later = true;
            soonest = std::min(soonest, entry.retry_at - time);
        }
    }
    // Pods that were moved keep their back-off; the timer looks at all of them again.
    if (!later) return;
    manager().set_timer(this, followers_only ? "backoff of followers" : "backoff", time + soonest,
                        [this, followers_only] { wake_parked(followers_only); });
}

api::ApiResult<Requeue> SchedulerController::reconcile(const std::string& queued) {
    if (queued.starts_with(bind_prefix)) {
        bind(queued.substr(bind_prefix.size()));
        return Requeue{};
    }
    for (int i = 0; i < pods_per_turn && !active_.empty(); ++i) {
        const Waiting next = *active_.begin();
        active_.erase(active_.begin());
        entries_.at(next.key).queued = false;
        schedule(next.key);
    }
    return active_.empty() ? Requeue{} : Requeue{Duration::zero()};
}

void SchedulerController::schedule(const std::string& key) {
    Entry& entry = entries_.at(key);
    const PodInfoPtr pod = entry.info;
    if (nodes_.empty()) return fail(key, entry, "no nodes available to schedule pods");
    Volumes volumes = volumes_of(*pod);
    if (volumes.waiting) {
        entry.parked = true;
        parked_.insert(key);
        return;
    }
    if (!volumes.refusal.empty()) {
        const std::string none = availability(
            nodes_.size(), std::to_string(nodes_.size()) + " Preemption is not helpful for scheduling");
        return fail(key, entry, availability(nodes_.size(), volumes.refusal) + " preemption: " + none);
    }
    const Filter filter(*pod, {nodes_, namespaces_, release_, &volume_use_}, volumes.rules);
    std::map<std::string, Verdict> verdicts;
    const NodeInfo* best = best_of(key, *pod, feasible(entry, filter, verdicts));
    if (best != nullptr) {
        if (!select_node_for_claims(*pod, volumes, *best)) {
            entry.chosen_node = best->name;
            entry.parked = true;
            parked_.insert(key);
        } else {
            // From here on the others see it there; whoever waits for its binding does not hold them up.
            place(key, entry, best->name);
            enqueue(std::string(bind_prefix) + key);
        }
        return;
    }
    entry.chosen_node.clear();
    std::map<std::string, int> reasons;
    for (const auto& [name, verdict] : verdicts)
        for (const std::string& reason : verdict.reasons) ++reasons[reason];
    std::string message = availability(nodes_.size(), histogram(reasons));
    // Where pods make room there is nothing to add.
    if (const std::string why = preempt(key, entry, filter, verdicts); !why.empty()) message += " preemption: " + why;
    fail(key, entry, message);
}

void SchedulerController::bind(const std::string& key) {
    const auto placed = entries_.find(key);
    if (placed == entries_.end() || placed->second.node.empty()) return;
    const PodInfoPtr pod = placed->second.info;
    const std::string node = placed->second.node;
    interleave();
    Json body = {{"apiVersion", "v1"},
                 {"kind", "Binding"},
                 {"metadata", {{"name", pod->name}, {"namespace", pod->namespace_name}, {"uid", pod->uid}}},
                 {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
    const auto bound = client().create_subresource(kind("pods"), pod->namespace_name, pod->name, "binding", std::move(body));
    if (bound) return recorder_.normal(reference(*pod, pods_), "Scheduled", "Binding", "Successfully assigned " + key + " to " + node);
    if (bound.error().code() == 404) return;  // deleted meanwhile; the informer will say so
    log_line(LogLevel::info, "binding was refused", {{"pod", key}, {"why", bound.error()->message}});
    const auto still = entries_.find(key);
    if (still == entries_.end() || still->second.info->uid != pod->uid || still->second.node != node) return;
    const auto record = pods_.get(key);
    if (record == nullptr || !api::pod_view_of(*record).node_name.empty()) return;  // somebody else has placed it
    take(node, key);
    still->second.node.clear();
    fail(key, still->second, {});
}

// An empty message only delays the next attempt.
void SchedulerController::fail(const std::string& key, Entry& entry, const std::string& message) {
    Duration backoff = first_backoff;
    for (int i = 0; i < entry.attempts && backoff < backoff_max; ++i) backoff *= 2;
    ++entry.attempts;
    entry.retry_at = now() + std::min(backoff, backoff_max);
    entry.parked = true;
    parked_.insert(key);
    manager().set_timer(this, "flush", now() + parked_max, [this] { wake_parked(); });
    if (message.empty()) {
        manager().set_timer(this, "backoff", entry.retry_at, [this] { wake_parked(); });
        return;
    }
    const PodInfo& pod = *entry.info;
    recorder_.warning(reference(pod, pods_), "FailedScheduling", "Scheduling", message);
    const std::string time = api::format_time(now());
    const auto written = client().modify(kind("pods"), pod.namespace_name, pod.name, "status", [&](Json& document) {
        if (api::uid_of(document) != pod.uid) return false;
        set_condition(document, "PodScheduled", "False", "Unschedulable", message, time);
        Json& status = api::ensure(document, {"status"});
        if (!entry.nominated_node.empty()) status["nominatedNodeName"] = entry.nominated_node;
        else status.erase("nominatedNodeName");
        return true;
    });
    if (!written && written.error().code() != 404)
        log_line(LogLevel::info, "condition was refused", {{"pod", key}, {"why", written.error()->message}});
}

std::vector<PodInfoPtr> SchedulerController::promised_on(const std::string& node, const PodInfo& pod) const {
    std::vector<PodInfoPtr> result;
    for (const std::string& key : nominated_) {
        const Entry& entry = entries_.at(key);
        if (entry.nominated_node == node && key != pod.key && entry.info->priority >= pod.priority) result.push_back(entry.info);
    }
    return result;
}

}  // namespace kubemu::controllers

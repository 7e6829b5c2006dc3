// What the scheduler knows of nodes and pods, and one attempt: filter, score, bind, or say why not.
#include "controllers/scheduler/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/nodes.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Filter;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::PodInfoPtr;
using scheduler::Verdict;

namespace {

constexpr std::string_view queue_key = "queue";
// Bindings that wait for a webhook beside each other; the real one has no limit.
constexpr std::size_t bindings_in_work = 16;
// A turn gives way to the informers and the other controllers after this many pods.
constexpr int pods_per_turn = 256;

}  // namespace

Json SchedulerController::reference(const PodInfo& pod) const {
    Json metadata = {{"name", pod.name}, {"namespace", pod.namespace_name}, {"uid", pod.uid}};
    if (const auto record = pods_.get(pod.namespace_name, pod.name)) metadata["resourceVersion"] = std::to_string(record->revision);
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}};
}

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
    if (!release.allocates_devices()) return;
    devices_.emplace(manager, client());
    manager.informer("resourceclaims.resource.k8s.io").subscribe([this](const api::Informer::Change& change) { on_device_claim(change); });
    for (const char* resource : {"deviceclasses", "resourceslices"}) {
        manager.informer(std::string(resource) + ".resource.k8s.io").subscribe([this](const api::Informer::Change& change) {
            if (change.after) wake_for_devices();
        });
    }
}

SchedulerController::~SchedulerController() = default;

void SchedulerController::start() {
    enqueue_attempts();
}

void SchedulerController::enqueue_attempts() {
    enqueue(std::string(queue_key));
}

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
    if (changed) wake_for_node(node.name);  // heartbeats change none of these
}

void SchedulerController::on_pod(const api::Informer::Change& change) {
    if (change.after == nullptr) {
        const bool had_room = !api::pod_view_of(*change.before).node_name.empty();
        forget(change.before->key);
        if (had_room) wake_for_pods();
        return;
    }
    const storage::Record& record = *change.after;
    const api::PodView& view = api::pod_view_of(record);
    if (view.finished() && !view.node_name.empty()) {
        if (entries_.count(record.key) > 0) {
            forget(record.key);
            wake_for_pods();
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
    const bool begins_to_end = labels_differ && view.deleting && !entry.info->deleting;
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
        if (labels_differ) wake_for_pods();
    }
    if (!is_waiting) {
        const bool new_here = entry.node != view.node_name;
        if (new_here) place(record.key, entry, view.node_name);
        if (view.deleting && !known) wake_for_pods();
        return;
    }
    // What a plugin has refused is out of the queue; what failed otherwise comes up again.
    if (ours && begins_to_end && entry.retries)
        recorder_.warning(reference(*entry.info), "FailedScheduling", "Scheduling", "skip schedule deleting pod: " + record.key);
    if (!ours || view.deleting || entry.info->rules().gated || !entry.node.empty()) return;
    if (!entry.nominated_node.empty() || !entry.info->rules().nominated_node.empty()) {
        entry.nominated_node = entry.info->rules().nominated_node.empty() ? entry.nominated_node : entry.info->rules().nominated_node;
        nominated_.insert(record.key);
    }
    const bool parked = entry.parked && !(entry.lacks_claims && devices_->not_ready(*entry.info).empty());
    if (!known || (!entry.queued && !parked)) push(record.key, entry);
}

void SchedulerController::forget(const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    take(entry.node, key);
    if (entry.queued) active_.erase({entry.info->priority, entry.sequence, key});
    if (entry.devices != nullptr) devices_->forget(*entry.devices);
    waiting_for_devices_.erase(key);
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
    if (!parked_.empty()) manager().set_timer(this, "assigned", now(), [this] { wake_followers(); });
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

api::ApiResult<Requeue> SchedulerController::reconcile(const std::string& queued) {
    if (queued != queue_key) {
        bind(queued.substr(bind_key({}).size()));
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
    entry.nodes_lack.clear();
    entry.retries = false;
    if (pod->deleting) {  // since it has been in the queue
        return recorder_.warning(reference(*pod), "FailedScheduling", "Scheduling",
                                 "skip schedule deleting pod: " + key);
    }
    // It is not in the queue as long as there are claims to come; nobody is told.
    entry.lacks_claims = devices_ && !devices_->not_ready(*pod).empty();
    if (entry.lacks_claims) return park(key, entry);
    if (nodes_.empty()) {
        fail(key, entry, "no nodes available to schedule pods");
        entry.retries = true;
        return;
    }
    Volumes volumes = volumes_of(*pod);
    if (volumes.waiting) return park(key, entry);
    const std::string helpless = availability(
        nodes_.size(), std::to_string(nodes_.size()) + " Preemption is not helpful for scheduling");
    if (!volumes.refusal.empty()) {
        // DynamicResources has no state of a pod that was refused before its turn: it says so, and nobody else is asked.
        const std::string after = devices_ ? " not found" : after_filters({}, helpless);
        return fail(key, entry, availability(nodes_.size(), volumes.refusal) + after);
    }
    const std::shared_ptr<scheduler::DeviceAttempt> devices = devices_ ? devices_->begin(*pod) : nullptr;
    if (devices != nullptr && !devices->refusal.empty())
        return fail(key, entry, availability(nodes_.size(), devices->refusal) + after_filters(devices->make_room(), helpless));
    const Filter filter(*pod, {nodes_, namespaces_, release_, &volume_use_, devices.get()}, volumes.rules);
    std::map<std::string, Verdict> verdicts;
    const std::vector<const NodeInfo*> fitting = feasible(entry, filter, verdicts);
    if (devices != nullptr && !devices->error.empty())
        return fail(key, entry, "running \"DynamicResources\" filter plugin: " + devices->error, true);
    if (const NodeInfo* best = best_of(key, *pod, fitting, devices.get()); best != nullptr) {
        if (!select_node_for_claims(*pod, volumes, *best)) {
            entry.chosen_node = best->name;
            park(key, entry);
        } else {
            if (devices != nullptr) entry.devices = devices->reserve(*best);
            // From here on the others see it there; whoever waits for its binding does not hold them up.
            place(key, entry, best->name);
            enqueue(bind_key(key));
        }
        return;
    }
    entry.chosen_node.clear();
    std::map<std::string, int> reasons;
    for (const auto& [name, verdict] : verdicts)
        for (const std::string& reason : verdict.reasons) ++reasons[reason];
    std::string message = availability(nodes_.size(), histogram(reasons));
    const std::string made = devices != nullptr ? devices->make_room() : "no new claims to deallocate";
    // Where pods make room there is nothing to add.
    if (const std::string why = preempt(key, entry, filter, verdicts); !why.empty()) message += after_filters(made, why);
    if (std::none_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) { return verdict.second.resolvable; })) {
        for (const auto& [reason, count] : reasons) entry.nodes_lack.insert(reason);
    }
    fail(key, entry, message);
}

std::string SchedulerController::after_filters(const std::string& devices, const std::string& preemption) const {
    return " " + (devices_ ? devices + ", " : "") + "preemption: " + preemption;
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

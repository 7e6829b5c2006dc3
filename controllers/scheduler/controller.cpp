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
        if (change.after)
            namespaces_[view.name] = view.labels;
        else
            namespaces_.erase(view.name);
    });
    nodes_informer_.subscribe([this](const api::Informer::Change& change) { on_node(change); });
    pods_.subscribe([this](const api::Informer::Change& change) { on_pod(change); });
    watch_volumes();
    if (!release_.allocates_devices()) return;
    devices_.emplace(manager, client());
    watch_devices();
}

SchedulerController::~SchedulerController() = default;

void SchedulerController::start() {
    queue_.starts(now());
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
        wake_for_node(&gone->second, nullptr);
        count_images(gone->second, -1);
        matches_.forget(gone->first);
        nodes_.erase(gone);
        return;
    }
    NodeInfo next;
    scheduler::read_node(*client().read(*change.after), next);
    const bool is_new = nodes_.count(next.name) == 0;
    NodeInfo& node = nodes_[next.name];
    wake_for_node(is_new ? nullptr : &node, &next);
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
}

void SchedulerController::on_pod(const api::Informer::Change& change) {
    const storage::Record& record = change.after ? *change.after : *change.before;
    const api::PodView& view = api::pod_view_of(record);
    auto found = entries_.find(record.key);
    // A pod that has finished, or has been replaced, is gone.
    const bool replaced = found != entries_.end() && found->second.info->uid != view.uid;
    if (found != entries_.end() && (change.after == nullptr || view.finished() || replaced)) {
        forget(record.key);
        found = entries_.end();
    }
    if (change.after == nullptr || view.finished()) return;
    const bool known = found != entries_.end();
    Entry& entry = known ? found->second : entries_[record.key];
    const PodInfoPtr before = entry.info;
    const api::PodView* old = change.before ? &api::pod_view_of(*change.before) : nullptr;
    const bool is_waiting = view.node_name.empty();
    const bool was_placed = old != nullptr && !replaced && !old->node_name.empty();
    const bool ours = view.scheduler_name == "default-scheduler";
    // Of a placed pod only its labels and what it asks for change; a waiting one may lose its gates. What waits for
    // another scheduler matters when that has placed it. A pod that begins to end no longer counts for spreading.
    const bool differs = !known || before->labels != view.labels || before->deleting != view.deleting || old == nullptr ||
                         old->cpu_milli != view.cpu_milli || old->memory_bytes != view.memory_bytes;
    if (differs || (ours && is_waiting)) {
        if (known) take(entry.node, record.key);
        const bool decode = scheduler::text_shows_constraints(*record.bytes.get());
        if (differs || decode || before->constraints) {
            entry.info = decode ? [&] {
                const Json document = client().document(record);
                return scheduler::make_pod_info(record, view, &document);
            }() : scheduler::make_pod_info(record, view, nullptr);
        }
        if (known) put(entry.node, entry.info);
    }
    if (is_waiting) {
        if (ours) on_waiting_pod(record.key, entry, before);
        return;
    }
    if (entry.node != view.node_name) place(record.key, entry, view.node_name);
    entry.expected_told = false;
    queue_.forget(record.key);
    if (!was_placed) return wake_for_pod_that_came(*entry.info);
    if (entry.info == before) return;
    wake(scheduler::wait_for_pods_to_change, [&](const Entry& other, scheduler::Plugins by) {
        return scheduler::hopes_for_change_of(*other.info, by, *before, *entry.info);
    });
}

void SchedulerController::on_waiting_pod(const std::string& key, Entry& entry, const PodInfoPtr& before) {
    const PodInfo& pod = *entry.info;
    const std::string had = before != nullptr ? before->rules().nominated_node : std::string();
    const std::string& has = pod.rules().nominated_node;
    // What the scheduler has promised but nobody has seen written stays.
    if (entry.node.empty() && (!had.empty() || !has.empty())) set_nominated(key, entry, has);
    if (!entry.node.empty()) return;  // it is being bound
    const scheduler::SchedulingQueue::Pod* queued = queue_.find(key);
    if (queued == nullptr || queued->place == scheduler::SchedulingQueue::Place::nowhere) {
        queue_new(key, entry);
    } else if (queued->place == scheduler::SchedulingQueue::Place::refused && before != nullptr &&
               scheduler::hopes_for_own_change(*before, queued->refused_by, pod)) {
        requeue(key, entry);
    }
    // Others may have what it was promised.
    if (!had.empty() && had != has) wake_for_pod_that_went(*before, before->priority);
}

void SchedulerController::forget(const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    const Entry entry = std::move(found->second);
    take(entry.node, key);
    entries_.erase(found);
    queue_.forget(key);
    if (entry.devices != nullptr) devices_->forget(*entry.devices);
    if (entry.volumes != nullptr) forget_volumes(*entry.info, *entry.volumes);
    waiting_for_devices_.erase(key);
    waiting_for_volumes_.erase(key);
    nominated_.erase(key);
    if (!entry.node.empty())
        wake_for_pod_that_went(*entry.info);
    else if (!entry.info->rules().nominated_node.empty())
        wake_for_pod_that_went(*entry.info, entry.info->priority);
}

void SchedulerController::place(const std::string& key, Entry& entry, const std::string& node_name) {
    take(entry.node, key);
    entry.node = node_name;
    put(node_name, entry.info);
    nominated_.erase(key);
    entry.nominated_node.clear();
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
    for (int i = 0; i < pods_per_turn; ++i) {
        const auto next = queue_.pop();
        if (!next) break;
        schedule(*next);
    }
    return queue_.idle() ? Requeue{} : Requeue{Duration::zero()};
}

void SchedulerController::schedule(const std::string& key) {
    Entry& entry = entries_.at(key);
    const PodInfoPtr pod = entry.info;
    if (pod->deleting)  // since it has been in the queue
        return recorder_.warning(reference(*pod), "FailedScheduling", "Scheduling", "skip schedule deleting pod: " + key);
    if (nodes_.empty()) return fail(key, entry, {"no nodes available to schedule pods", {}, "Unschedulable", ""});
    const Volumes volumes = volumes_of(*pod);
    if (!volumes.refusal.empty()) {
        const std::string message = availability(nodes_.size(), volumes.refusal);
        // DynamicResources has no state of a pod that was refused before its turn: it says so, and nobody else is asked.
        if (devices_) return fail(key, entry, {message + " not found", {volumes.refused_by}, "Unschedulable", {}});
        const Preemption tried = preempt_nobody(entry);
        return fail(key, entry, {message + after_filters({}, tried.why), {volumes.refused_by}, "Unschedulable", tried.nominate});
    }
    const std::shared_ptr<scheduler::DeviceAttempt> devices = devices_ ? devices_->begin(*pod) : nullptr;
    if (devices != nullptr && !devices->refusal.empty()) {
        const Preemption tried = preempt_nobody(entry);
        const std::string message = availability(nodes_.size(), devices->refusal) + after_filters(devices->make_room(), tried.why);
        return fail(key, entry, {message, {scheduler::Plugin::dynamic_resources}, "Unschedulable", tried.nominate});
    }
    const Filter filter(*pod, {nodes_, namespaces_, release_, &volume_use_, devices.get()}, volumes.rules);
    std::map<std::string, Verdict> verdicts;
    const std::vector<const NodeInfo*> fitting = feasible(entry, filter, verdicts);
    if (devices != nullptr && !devices->error.empty())
        return fail(key, entry, {"running \"DynamicResources\" filter plugin: " + devices->error, {}, "SchedulerError", ""});
    if (const NodeInfo* best = best_of(key, *pod, fitting, devices.get()); best != nullptr) {
        entry.volumes = assume_volumes(*pod, volumes, *best);
        if (devices != nullptr) entry.devices = devices->reserve(*best);
        // From here on the others see it there; whoever waits for its binding does not hold them up.
        place(key, entry, best->name);
        enqueue(bind_key(key));
        return;
    }
    Failure failure;
    std::map<std::string, int> reasons;
    for (const auto& [name, verdict] : verdicts) {
        for (const std::string& reason : verdict.reasons) ++reasons[reason];
        failure.by.insert(verdict.by);
    }
    failure.message = availability(nodes_.size(), histogram(reasons));
    const std::string made = devices != nullptr ? devices->make_room() : "no new claims to deallocate";
    const Preemption tried = preempt(key, entry, filter, verdicts);
    // Where pods make room there is nothing to add.
    if (!tried.why.empty()) failure.message += after_filters(made, tried.why);
    failure.nominate = tried.nominate;
    fail(key, entry, failure);
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

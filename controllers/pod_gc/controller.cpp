// Why a pod goes decides whether it is marked Failed first.
#include "controllers/pod_gc/controller.h"

#include <nlohmann/json.hpp>

#include "api/kinds/core/disruption_target.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"
#include "controllers/runtime/ticks.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {
namespace {

// A node that is missed gets this long to come (back) before its pods are given up.
constexpr Duration quarantine = std::chrono::seconds(40);
// How often the real one looks (gcCheckPeriod).
constexpr Duration check_period = std::chrono::seconds(20);
constexpr const char* terminated_key = "terminated";
constexpr std::string_view out_of_service_taint = "node.kubernetes.io/out-of-service";

}  // namespace

PodGarbageCollectorController::PodGarbageCollectorController(Manager& manager, Options options)
    : Controller(manager, "podgc", "pod-garbage-collector"),
      options_(options),
      pods_(manager.informer("pods")),
      nodes_(manager.informer("nodes")) {
    nodes_.subscribe([this](const api::Informer::Change& change) { node_changed(change); });
    pods_.subscribe([this](const api::Informer::Change& change) { pod_changed(change); });
}

void PodGarbageCollectorController::node_changed(const api::Informer::Change& change) {
    const std::string& name = api::view_of(change.after ? *change.after : *change.before).name;
    if (change.after) missed_nodes_.erase(name);
    if (change.after && !out_of_service(name)) return;
    for (const auto& pod : pods_.on_node(name)) enqueue(pod->key);
}

PodGarbageCollectorController::Place PodGarbageCollectorController::place_of(const storage::Record& pod) {
    const api::PodView& view = api::pod_view_of(pod);
    const bool evicted = view.phase == api::PodPhase::failed && contains_text(*pod.bytes.get(), "\"Evicted\"") &&
                         api::string_at(*client().read(pod), {"status", "reason"}) == "Evicted";
    return {!evicted, view.created, view.name, pod.key};
}

void PodGarbageCollectorController::pod_changed(const api::Informer::Change& change) {
    if (change.before && api::pod_view_of(*change.before).finished()) terminated_.erase(place_of(*change.before));
    if (!change.after) {
        const auto missed = missed_nodes_.find(api::pod_view_of(*change.before).node_name);
        if (missed == missed_nodes_.end()) return;
        missed->second.pods.erase(change.before->key);
        if (missed->second.pods.empty()) missed_nodes_.erase(missed);
        return;
    }
    const api::PodView& pod = api::pod_view_of(*change.after);
    if (pod.finished()) {
        terminated_.insert(place_of(*change.after));
        if (options_.terminated_threshold != 0 && terminated_.size() > options_.terminated_threshold) {
            enqueue_after(terminated_key, next_tick(now(), check_period) - now());
        }
    }
    if (pod.deleting || (!pod.node_name.empty() && !nodes_.get(pod.node_name))) enqueue(change.after->key);
}

Time PodGarbageCollectorController::missed_since(const std::string& node_name, const std::string& pod_key) {
    MissedNode& missed = missed_nodes_.try_emplace(node_name, MissedNode{now(), {}}).first->second;
    missed.pods.insert(pod_key);
    return missed.since;
}

bool PodGarbageCollectorController::out_of_service(const std::string& node_name) {
    const auto record = nodes_.get(node_name);
    if (!record) return false;
    if (!contains_text(*record->bytes.get(), out_of_service_taint)) return false;
    const auto document = client().read(*record);
    const api::Json& node = *document;
    bool tainted = false, ready = false;
    for (const api::Json& taint : api::array_at(node, {"spec", "taints"})) {
        tainted |= api::string_at(taint, {"key"}) == out_of_service_taint;
    }
    for (const api::Json& condition : api::array_at(node, {"status", "conditions"})) {
        ready |= api::string_at(condition, {"type"}) == "Ready" && api::string_at(condition, {"status"}) == "True";
    }
    return tainted && !ready;
}

// A pod that has not ended is declared failed, so that whoever counts its failures sees it.
api::ApiResult<bool> PodGarbageCollectorController::mark_disrupted(const storage::Record& pod, const char* message) {
    const api::PodView& view = api::pod_view_of(pod);
    if (view.finished()) return true;
    const auto marked = client().modify(kind("pods"), view.namespace_name, view.name, "status", [&](api::Json& fresh) {
        if (api::uid_of(fresh) != view.uid) return false;
        api::Json& status = api::ensure(fresh, {"status"});
        status["phase"] = "Failed";
        if (message == nullptr) return true;
        api::set_disruption_target(fresh, "DeletionByPodGC", message, api::format_time(now()));
        return true;
    });
    if (!marked && marked.error().code() != 404) return marked.error();
    return true;
}

api::ApiResult<bool> PodGarbageCollectorController::remove(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    api::DeleteOptions options;
    options.grace_period_seconds = 0;
    options.precondition_uid = view.uid;
    const auto removed = client().remove(kind("pods"), view.namespace_name, view.name, options);
    if (!removed && removed.error().code() != 404 && removed.error().code() != 409) return removed.error();
    return true;
}

api::ApiResult<Requeue> PodGarbageCollectorController::collect_terminated() {
    if (options_.terminated_threshold == 0) return Requeue{};
    std::size_t surplus = terminated_.size() - std::min(terminated_.size(), options_.terminated_threshold);
    for (auto pod = terminated_.begin(); surplus > 0 && pod != terminated_.end(); ++pod, --surplus) {
        if (const auto record = pods_.get(pod->key)) TRY(remove(*record));
    }
    return Requeue{};
}

api::ApiResult<Requeue> PodGarbageCollectorController::reconcile(const std::string& key) {
    if (key == terminated_key) return collect_terminated();
    const auto record = pods_.get(key);
    if (!record) return Requeue{};
    const api::PodView& pod = api::pod_view_of(*record);
    if (pod.node_name.empty()) {
        if (pod.deleting) {
            const Time due = pod.deletion_time + check_period;
            if (now() < due) return Requeue{due - now()};
            TRY(mark_disrupted(*record, nullptr));
            TRY(remove(*record));
        }
        return Requeue{};
    }
    if (!nodes_.get(pod.node_name)) {
        const Time since = missed_since(pod.node_name, key);
        if (now() < since + quarantine) return Requeue{since + quarantine - now()};
        TRY(mark_disrupted(*record, "PodGC: node no longer exists"));
        TRY(remove(*record));
    } else if (pod.deleting && out_of_service(pod.node_name)) {
        TRY(mark_disrupted(*record, nullptr));
        TRY(remove(*record));
    }
    return Requeue{};
}

}  // namespace kubemu::controllers

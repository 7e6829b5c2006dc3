// Silence becomes conditions, conditions become taints.
#include "controllers/node_lifecycle/controller.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/values/time.h"
#include "controllers/runtime/ticks.h"
#include "controllers/node_lifecycle/taints.h"
#include "controllers/runtime/owner_refs.h"

namespace kubemu::controllers {
namespace {

constexpr Duration monitor_grace = std::chrono::seconds(50);  // --node-monitor-grace-period (40 s before 1.32)
constexpr Duration startup_grace = std::chrono::seconds(60);  // --node-startup-grace-period
constexpr Duration monitor_period = std::chrono::seconds(5);  // --node-monitor-period
constexpr const char* lease_namespace = "kube-node-lease";

const api::Json* condition_of(const api::Json& node, std::string_view type) {
    for (const api::Json& condition : api::array_at(node, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

bool is_ready(const api::Json& node) {
    const api::Json* ready = condition_of(node, "Ready");
    return ready != nullptr && api::string_at(*ready, {"status"}) == "True";
}

}  // namespace

NodeLifecycleController::NodeLifecycleController(Manager& manager)
    : Controller(manager, "nodelifecycle", "node-controller"),
      nodes_(manager.informer("nodes")),
      pods_(manager.informer("pods")),
      leases_(manager.informer("leases.coordination.k8s.io")) {
    nodes_.subscribe([this](const api::Informer::Change& change) { node_changed(change); });
    leases_.subscribe([this](const api::Informer::Change& change) {
        if (change.after && api::view_of(*change.after).namespace_name == lease_namespace) {
            heard_of(api::view_of(*change.after).name);
        }
    });
}

void NodeLifecycleController::node_changed(const api::Informer::Change& change) {
    const api::ObjectView& view = api::view_of(change.after ? *change.after : *change.before);
    const api::Json event_object = object_reference(kind("nodes"), change.after ? *change.after : *change.before);
    if (!change.after) {
        events().normal(event_object, "RemovingNode",
                        "Node " + view.name + " event: Removing Node " + view.name + " from Controller");
        health_.erase(view.name);
        judge_zones();
        return;
    }
    Health& health = health_[view.name];
    const auto document = client().read(*change.after);
    const api::Json& node = *document;
    std::string conditions = api::array_at(node, {"status", "conditions"}).dump();
    if (health.uid != view.uid) {
        health = {};
        health.uid = view.uid;
        health.heard = now();
        health.ready = is_ready(node);
        events().normal(event_object, "RegisteredNode",
                        "Node " + view.name + " event: Registered Node " + view.name + " in Controller");
    } else if (health.conditions != conditions) {
        health.heard = now();
    }
    health.conditions = std::move(conditions);
    enqueue(view.name);
}

// Only a node that was given up needs another look; the others are looked at when their time is over.
void NodeLifecycleController::heard_of(const std::string& node_name) {
    const auto found = health_.find(node_name);
    if (found != health_.end()) found->second.heard = now();
}

api::ApiResult<bool> NodeLifecycleController::mark_unknown(const storage::Record& node, api::Json& document) {
    const std::string time = api::format_time(now());
    const std::string created(api::string_at(document, {"metadata", "creationTimestamp"}));
    bool changed = false;
    const auto change = [&](api::Json& fresh) {
        // It may have spoken since.
        if (api::array_at(fresh, {"status", "conditions"}) != api::array_at(document, {"status", "conditions"}))
            return false;
        api::Json& conditions = api::ensure(fresh, {"status"})["conditions"];
        if (!conditions.is_array()) conditions = api::Json::array();
        for (const char* type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
            api::Json* known = nullptr;
            for (api::Json& condition : conditions) {
                if (api::string_at(condition, {"type"}) == type) known = &condition;
            }
            if (known == nullptr) {
                conditions.push_back({{"type", type}, {"status", "Unknown"}, {"reason", "NodeStatusNeverUpdated"},
                                      {"message", "Kubelet never posted node status."},
                                      {"lastHeartbeatTime", created}, {"lastTransitionTime", time}});
                changed = true;
            } else if (api::string_at(*known, {"status"}) != "Unknown") {
                known->update({{"status", "Unknown"}, {"reason", "NodeStatusUnknown"},
                               {"message", "Kubelet stopped posting node status."}, {"lastTransitionTime", time}});
                changed = true;
            }
        }
        return changed;
    };
    const auto written = client().modify(kind("nodes"), {}, api::view_of(node).name, "status", change);
    if (!written && written.error().code() == 404) return true;
    if (!written) return written.error();
    document = client().document(**written);
    // Its own writing is no sign of life.
    if (changed) health_[api::view_of(node).name].conditions = api::array_at(document, {"status", "conditions"}).dump();
    return true;
}

// Whoever asks whether a pod serves must learn that its node does not answer.
api::ApiResult<bool> NodeLifecycleController::mark_pods_unready(const std::string& node_name) {
    for (const auto& record : pods_.on_node(node_name)) {
        const api::PodView& pod = api::pod_view_of(*record);
        if (!pod.ready) continue;
        const auto written = client().modify(kind("pods"), pod.namespace_name, pod.name, "status", [this](api::Json& fresh) {
            for (api::Json& condition : api::ensure(fresh, {"status"})["conditions"]) {
                if (api::string_at(condition, {"type"}) != "Ready" || api::string_at(condition, {"status"}) != "True") continue;
                condition["status"] = "False";
                condition["lastTransitionTime"] = api::format_time(now());
                return true;
            }
            return false;
        });
        if (!written && written.error().code() != 404) return written.error();
        events().warning(object_reference(kind("pods"), *record), "NodeNotReady", "Node is not ready");
    }
    return true;
}

// The state of every zone, after a node changed; all whom a new state concerns are looked at again.
void NodeLifecycleController::judge_zones() {
    std::vector<EvictionZones::Node> nodes;
    for (const auto& [name, health] : health_) {
        if (health.judged && health.counts) nodes.push_back({health.zone, health.ready});
    }
    const EvictionZones::Change change = zones_.judge(nodes, now());
    for (auto& [name, health] : health_) {
        if (!std::exchange(health.weighed, true) && !health.ready) enqueue(name);
    }
    if (!change.stopped && !change.resumed && !change.rates) return;
    for (auto& [name, health] : health_) {
        if (change.resumed) health.heard = now();
        if (!health.ready) enqueue(name);
    }
}

api::ApiResult<std::optional<Time>> NodeLifecycleController::keep_taints(const storage::Record& node, const api::Json& document) {
    std::optional<Time> again;
    Eviction eviction = Eviction::as_before;
    const Health& health = health_.at(api::view_of(node).name);
    if (zones_.all_down()) {
        eviction = Eviction::unwanted;
    } else if (!health.ready && health.weighed && condition_of(document, "Ready") != nullptr && !is_evicting(document)) {
        const EvictionZones::Permit permit = zones_.ask(health.zone, now());
        if (permit.granted) eviction = Eviction::wanted;
        again = permit.retry;
    }
    if (wanted_taints(document, now(), eviction) == api::array_at(document, {"spec", "taints"})) return again;
    const auto written = client().modify(kind("nodes"), {}, api::view_of(node).name, {}, [&](api::Json& fresh) {
        api::Json taints = wanted_taints(fresh, now(), eviction);
        if (taints == api::array_at(fresh, {"spec", "taints"})) return false;
        if (taints.empty()) fresh["spec"].erase("taints");
        else fresh["spec"]["taints"] = std::move(taints);
        return true;
    });
    if (!written && written.error().code() != 404) return written.error();
    return again;
}

api::ApiResult<Requeue> NodeLifecycleController::reconcile(const std::string& key) {
    const storage::RecordPtr node = nodes_.get(key);
    const auto known = health_.find(key);
    if (!node || known == health_.end()) return Requeue{};
    Health& health = known->second;
    // Its Lease alone was renewed, which is what happens to nearly all nodes nearly always.
    if (health.ready && health.in_order == node->revision && now() <= health.heard + monitor_grace)
        return Requeue{next_tick(health.heard + monitor_grace, monitor_period) - now()};
    api::Json document = *client().read(*node);
    const api::Json* ready = condition_of(document, "Ready");
    const Time due = (ready == nullptr ? std::max(health.heard, api::view_of(*node).created) + startup_grace
                                       : health.heard + monitor_grace);
    const bool silent = now() > due;
    if (silent) TRY(mark_unknown(*node, document));
    const bool ready_now = is_ready(document);
    if (health.ready && !ready_now) {
        events().normal(object_reference(kind("nodes"), *node), "NodeNotReady",
                        "Node " + key + " status is now: NodeNotReady");
        TRY(mark_pods_unready(key));
    }
    std::string zone = zone_key(document);
    const bool counts = api::find(api::object_at(document, {"metadata", "labels"}), "node.kubernetes.io/exclude-disruption") == nullptr;
    if (!health.judged || health.ready != ready_now || health.zone != zone || health.counts != counts) {
        health.judged = true;
        health.ready = ready_now;
        health.zone = std::move(zone);
        health.counts = counts;
        health.weighed = false;
        // Once for all that are looked at now.
        manager().set_timer(this, "zones", now(), [this] { judge_zones(); });
    }
    TRY_ASSIGN(const std::optional<Time> again, keep_taints(*node, document));
    std::optional<Duration> next;
    // A silent one is heard of through its status, which wakes this key.
    if (!silent) next = next_tick(due, monitor_period) - now();
    if (again) next = std::min(next.value_or(*again - now()), *again - now());
    health.in_order = !silent && !again && ready_now ? node->revision : 0;
    return Requeue{next};
}

}  // namespace kubemu::controllers

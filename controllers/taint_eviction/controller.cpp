// Each pod of a tainted node has a time at which it goes, or none; when the taints change, so does the time.
#include "controllers/taint_eviction/controller.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/kinds/core/disruption_target.h"
#include "api/values/time.h"
#include "controllers/runtime/owner_refs.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {
namespace {

using api::Json;

Json no_execute_taints(const Json& node) {
    Json taints = Json::array();
    for (const Json& taint : api::array_at(node, {"spec", "taints"})) {
        if (api::string_at(taint, {"effect"}) == "NoExecute") taints.push_back(taint);
    }
    return taints;
}

bool tolerates(const Json& toleration, const Json& taint) {
    const std::string_view effect = api::string_at(toleration, {"effect"}), key = api::string_at(toleration, {"key"});
    if (!effect.empty() && effect != "NoExecute") return false;
    if (!key.empty() && key != api::string_at(taint, {"key"})) return false;
    if (api::string_at(toleration, {"operator"}, "Equal") == "Exists") return true;
    return !key.empty() && api::string_at(toleration, {"value"}) == api::string_at(taint, {"value"});
}

// How long the pod may stay with these taints.
struct Patience {
    bool tolerates_all = true;
    std::optional<Duration> time;  // nothing: for ever
};

Patience patience_of(const Json& pod, const Json& taints) {
    Patience patience;
    for (const Json& taint : taints) {
        bool tolerated = false;
        for (const Json& toleration : api::array_at(pod, {"spec", "tolerations"})) {
            if (!tolerates(toleration, taint)) continue;
            tolerated = true;
            if (const Json* seconds = api::find(toleration, "tolerationSeconds")) {
                const Duration time = std::chrono::seconds(std::max<std::int64_t>(0, seconds->get<std::int64_t>()));
                patience.time = std::min(time, patience.time.value_or(time));
            }
            break;
        }
        if (!tolerated) return {false, Duration(0)};
    }
    return patience;
}

}  // namespace

TaintEvictionController::TaintEvictionController(Manager& manager)
    : Controller(manager, "taint-eviction-controller", "node-controller", "taint-eviction-controller"),
      nodes_(manager.informer("nodes")),
      pods_(manager.informer("pods")) {
    nodes_.subscribe([this](const api::Informer::Change& change) { node_changed(change); });
    pods_.subscribe([this](const api::Informer::Change& change) {
        if (!change.after) return cancel(*change.before);
        if (tainted_.contains(api::pod_view_of(*change.after).node_name) && concerns(change)) enqueue(change.after->key);
    });
}

// Of a pod that is known only its node and its tolerations matter.
bool TaintEvictionController::concerns(const api::Informer::Change& change) {
    if (!change.before) return true;
    const api::PodView &before = api::pod_view_of(*change.before), &after = api::pod_view_of(*change.after);
    if (before.node_name != after.node_name) return true;
    if (before.generation == after.generation) return false;
    const auto old_pod = client().read(*change.before), pod = client().read(*change.after);
    return api::array_at(*old_pod, {"spec", "tolerations"}) != api::array_at(*pod, {"spec", "tolerations"});
}

void TaintEvictionController::node_changed(const api::Informer::Change& change) {
    const std::string name = api::view_of(change.after ? *change.after : *change.before).name;
    std::string taints;
    if (change.after && contains_text(*change.after->bytes.get(), "\"taints\":")) {
        const Json list = no_execute_taints(*client().read(*change.after));
        if (!list.empty()) taints = list.dump();
    }
    const auto known = tainted_.find(name);
    if (taints == (known == tainted_.end() ? std::string() : known->second)) return;
    if (taints.empty()) tainted_.erase(name);
    else tainted_[name] = std::move(taints);
    if (!change.after) return;  // who waits for its eviction there goes on waiting
    for (const auto& pod : pods_.on_node(name)) enqueue(pod->key);
}

namespace {

// Events name the pod without its uid, so that those of one name are counted together.
Json named(const api::ObjectView& pod) {
    return {
        {"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", pod.name}, {"namespace", pod.namespace_name}}}};
}

}  // namespace

void TaintEvictionController::cancel(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    if (waiting_.erase(view.uid) == 0) return;
    events().normal(named(view), "TaintManagerEviction",
                    "Cancelling deletion of Pod " + view.namespace_name + "/" + view.name);
}

api::ApiResult<Requeue> TaintEvictionController::evict(const storage::Record& pod) {
    const api::ObjectView& view = api::view_of(pod);
    waiting_.erase(view.uid);
    events().normal(named(view), "TaintManagerEviction",
                    "Marking for deletion Pod " + view.namespace_name + "/" + view.name);
    const auto marked = client().modify(kind("pods"), view.namespace_name, view.name, "status", [&](Json& fresh) {
        if (api::uid_of(fresh) != view.uid) return false;
        api::set_disruption_target(fresh, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", api::format_time(now()));
        return true;
    });
    if (!marked && marked.error().code() != 404) return marked.error();
    api::DeleteOptions options;
    options.precondition_uid = view.uid;
    const auto removed = client().remove(kind("pods"), view.namespace_name, view.name, options);
    if (!removed && removed.error().code() != 404 && removed.error().code() != 409) return removed.error();
    return Requeue{};
}

api::ApiResult<Requeue> TaintEvictionController::reconcile(const std::string& key) {
    const storage::RecordPtr pod = pods_.get(key);
    if (!pod) return Requeue{};
    const api::PodView& view = api::pod_view_of(*pod);
    const auto tainted = tainted_.find(view.node_name);
    if (tainted == tainted_.end() && !nodes_.get(view.node_name)) {
        const auto waiting = waiting_.find(view.uid);
        if (waiting == waiting_.end()) return Requeue{};
        if (waiting->second.due <= now()) return evict(*pod);
        return Requeue{waiting->second.due - now()};
    }
    const Patience patience = tainted == tainted_.end() ? Patience()
                                                        : patience_of(client().document(*pod), Json::parse(tainted->second));
    if (!patience.time) {
        cancel(*pod);
        return Requeue{};
    }
    if (!patience.tolerates_all) {
        cancel(*pod);
        return evict(*pod);
    }
    // A wait that has begun stays as it is, also when other taints would give it another end.
    const auto [waiting, fresh] = waiting_.emplace(view.uid, Waiting{now(), now() + *patience.time});
    if (!fresh && waiting->second.since == now()) waiting->second.due = now() + *patience.time;
    if (waiting->second.due <= now()) return evict(*pod);
    return Requeue{waiting->second.due - now()};
}

}  // namespace kubemu::controllers

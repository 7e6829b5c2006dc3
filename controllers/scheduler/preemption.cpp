// What the scheduler does besides placing: making room by priority, and waiting for volumes.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/time.h"
#include "controllers/scheduler/controller.h"
#include "storage/base/log.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::Filter;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::PodInfoPtr;
using scheduler::Verdict;

std::string SchedulerController::preempt(const std::string& key, Entry& entry, const Filter& filter,
                                         const std::map<std::string, Verdict>& verdicts) {
    const PodInfo& pod = *entry.info;
    if (pod.rules().never_preempts) return "not eligible due to preemptionPolicy=Never.";
    if (!entry.nominated_node.empty()) {
        // Victims of an earlier round may still be ending.
        const auto node = nodes_.find(entry.nominated_node);
        if (node != nodes_.end()) {
            for (const auto& [other_key, other] : node->second.pods) {
                const auto record = pods_.get(other_key);
                if (other->priority < pod.priority && record != nullptr && api::pod_view_of(*record).deleting)
                    return "not eligible due to a terminating pod on the nominated node.";
            }
        }
    }
    struct Choice {
        const NodeInfo* node = nullptr;
        std::vector<PodInfoPtr> victims;
        int highest = 0;
        std::int64_t sum = 0;
    };
    Choice best;
    int unhelpful = 0, no_victims = 0;
    for (const auto& [name, verdict] : verdicts) {
        const NodeInfo& node = nodes_.at(name);
        if (!verdict.resolvable) {
            ++unhelpful;
            continue;
        }
        std::vector<PodInfoPtr> lower;
        for (const auto& [other_key, other] : node.pods)
            if (other->priority < pod.priority) lower.push_back(other);
        const auto promised = promised_on(name, pod);
        if (lower.empty() || !filter.check(node, lower, promised).fits()) {
            ++no_victims;
            continue;
        }
        // Spare the most important and oldest first, as long as the pod still fits.
        std::sort(lower.begin(), lower.end(), [](const PodInfoPtr& a, const PodInfoPtr& b) {
            if (a->priority != b->priority) return a->priority > b->priority;
            return a->created != b->created ? a->created < b->created : a->key < b->key;
        });
        std::vector<PodInfoPtr> victims = lower;
        for (const PodInfoPtr& candidate : lower) {
            std::vector<PodInfoPtr> without;
            std::copy_if(victims.begin(), victims.end(), std::back_inserter(without),
                         [&](const PodInfoPtr& victim) { return victim != candidate; });
            if (filter.check(node, without, promised).fits()) victims = std::move(without);
        }
        Choice choice{&node, victims, victims.empty() ? 0 : victims.front()->priority, 0};
        for (const PodInfoPtr& victim : victims) choice.sum += victim->priority;
        const auto rank = [](const Choice& c) { return std::tuple(c.highest, c.sum, c.victims.size()); };
        if (best.node == nullptr || rank(choice) < rank(best)) best = std::move(choice);
    }
    if (best.node == nullptr) {
        std::string reasons;
        if (unhelpful > 0) reasons = std::to_string(unhelpful) + " Preemption is not helpful for scheduling";
        if (no_victims > 0) {
            reasons += (reasons.empty() ? "" : ", ") + std::to_string(no_victims) +
                       " No preemption victims found for incoming pod";
        }
        return "0/" + std::to_string(nodes_.size()) + " nodes are available: " + reasons + ".";
    }
    entry.nominated_node = best.node->name;
    nominated_.insert(key);
    const std::string by = "Preempted by pod " + pod.uid + " on node " + best.node->name;
    const std::string time = api::format_time(now());
    for (const PodInfoPtr& victim : best.victims) {
        const auto marked = client().modify(kind("pods"), victim->namespace_name, victim->name, "status", [&](Json& document) {
            if (api::uid_of(document) != victim->uid) return false;
            Json& conditions = api::ensure(document, {"status"})["conditions"];
            if (!conditions.is_array()) conditions = Json::array();
            conditions.push_back({{"type", "DisruptionTarget"}, {"status", "True"}, {"lastTransitionTime", time},
                                  {"reason", "PreemptionByScheduler"},
                                  {"message", "default-scheduler: preempting to accommodate a higher priority pod"}});
            return true;
        });
        api::DeleteOptions options;
        options.precondition_uid = victim->uid;
        const auto removed = client().remove(kind("pods"), victim->namespace_name, victim->name, options);
        if (!marked || !removed)
            log_line(LogLevel::info, "victim could not be evicted", {{"pod", victim->key}});
        recorder_.normal({{"apiVersion", "v1"},
                          {"kind", "Pod"},
                          {"metadata", {{"name", victim->name}, {"namespace", victim->namespace_name}, {"uid", victim->uid}}}},
                         "Preempted", by);
    }
    std::string reasons;
    if (unhelpful > 0) reasons = std::to_string(unhelpful) + " Preemption is not helpful for scheduling";
    if (no_victims > 0) {
        reasons += (reasons.empty() ? "" : ", ") + std::to_string(no_victims) + " No preemption victims found for incoming pod";
    }
    if (reasons.empty()) return "0/" + std::to_string(nodes_.size()) + " nodes are available.";
    return "0/" + std::to_string(nodes_.size()) + " nodes are available: " + reasons + ".";
}

SchedulerController::Volumes SchedulerController::volumes_of(const PodInfo& pod) {
    Volumes result;
    for (const std::string& name : pod.rules().claims) {
        const auto record = claims_.get(pod.namespace_name, name);
        if (record == nullptr) {
            result.refusal = "persistentvolumeclaim \"" + name + "\" not found";
            return result;
        }
        const Json claim = client().document(*record);
        if (api::find(claim, {"metadata", "deletionTimestamp"}) != nullptr) {
            result.refusal = "persistentvolumeclaim \"" + name + "\" is being deleted";
            return result;
        }
        const std::string volume_name(api::string_at(claim, {"spec", "volumeName"}));
        const bool bound = !volume_name.empty() && api::string_at(claim, {"status", "phase"}) == "Bound";
        if (bound) {
            const auto volume = volumes_.get(volume_name);
            if (volume == nullptr) continue;
            const Json document = client().document(*volume);
            if (const Json* terms = api::find(document, {"spec", "nodeAffinity", "required", "nodeSelectorTerms"}))
                result.rules.push_back({true, scheduler::read_node_terms(*terms)});
            continue;
        }
        const auto storage_class = classes_.get(api::string_at(claim, {"spec", "storageClassName"}));
        const bool waits = storage_class != nullptr &&
                           api::string_at(client().document(*storage_class), {"volumeBindingMode"}) == "WaitForFirstConsumer";
        if (!waits) {
            result.refusal = "pod has unbound immediate PersistentVolumeClaims";
            return result;
        }
        const Json& annotations = api::object_at(claim, {"metadata", "annotations"});
        if (api::find(annotations, "volume.kubernetes.io/selected-node") != nullptr) result.waiting = true;
        else result.to_select.push_back(name);
    }
    if (!result.to_select.empty()) result.waiting = false;
    return result;
}

// True when there is nothing to wait for.
bool SchedulerController::select_node_for_claims(const PodInfo& pod, const std::vector<std::string>& claims,
                                                 const std::string& node) {
    for (const std::string& name : claims) {
        const auto written = client().modify(kind("persistentvolumeclaims"), pod.namespace_name, name, {}, [&](Json& claim) {
            api::ensure(claim, {"metadata", "annotations"})["volume.kubernetes.io/selected-node"] = node;
            return true;
        });
        if (!written) log_line(LogLevel::info, "claim could not be given a node", {{"claim", name}});
    }
    return claims.empty();
}

}  // namespace kubemu::controllers

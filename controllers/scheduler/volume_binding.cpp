// From a pod's place to the volumes of its claims that waited for their first consumer: a free volume is given to its
// claim, another is made on the node's behalf; both are the volume controller's to do, and waited for
// (pkg/scheduler/framework/plugins/volumebinding/binder.go, BindPodVolumes).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/scheduler/controller.h"

namespace kubemu::controllers {

using api::Json;
using scheduler::NodeInfo;
using scheduler::PodInfo;

namespace {

constexpr const char* selected_node = "volume.kubernetes.io/selected-node";
// VolumeBindingArgs.bindTimeoutSeconds
constexpr Duration bind_timeout = std::chrono::minutes(10);

}  // namespace

std::shared_ptr<SchedulerController::ClaimsToBind> SchedulerController::assume_volumes(const PodInfo& pod,
                                                                                     const Volumes& volumes,
                                                                                     const NodeInfo& node) {
    if (volumes.to_bind.empty()) return nullptr;
    auto result = std::make_shared<ClaimsToBind>();
    const std::vector<std::string> chosen = scheduler::volumes_for(volumes.rules, node);
    const std::size_t first = chosen.size() - volumes.to_bind.size();
    for (std::size_t i = 0; i < volumes.to_bind.size(); ++i) {
        const std::string& claim = volumes.to_bind[i];
        const std::string& volume = chosen[first + i];
        result->claims.push_back({claim, volume});
        if (volume.empty())
            assumed_claims_[pod.namespace_name + "/" + claim] = node.name;
        else
            assumed_volumes_[volume] = pod.namespace_name + "/" + claim;
    }
    return result;
}

void SchedulerController::forget_volumes(const PodInfo& pod, const ClaimsToBind& claims) {
    for (const auto& [claim, volume] : claims.claims) {
        if (volume.empty())
            assumed_claims_.erase(pod.namespace_name + "/" + claim);
        else
            assumed_volumes_.erase(volume);
    }
}

// bindAPIUpdate
std::string SchedulerController::write_volumes(const PodInfo& pod, const std::string& node, const ClaimsToBind& claims) {
    for (const auto& [name, volume] : claims.claims) {
        const auto record = claims_.get(pod.namespace_name, name);
        if (record == nullptr || volume.empty()) continue;
        const api::ObjectView& claim = api::view_of(*record);
        const auto written = client().modify(kind("persistentvolumes"), {}, volume, {}, [&](Json& document) {
            if (api::find(document, {"spec", "claimRef"}) == nullptr)
                api::ensure(document, {"metadata", "annotations"})["pv.kubernetes.io/bound-by-controller"] = "yes";
            document["spec"]["claimRef"] = {{"apiVersion", "v1"},
                                            {"kind", "PersistentVolumeClaim"},
                                            {"namespace", claim.namespace_name},
                                            {"name", claim.name},
                                            {"uid", claim.uid},
                                            {"resourceVersion", std::to_string(record->revision)}};
            return true;
        });
        if (!written) return written.error()->message;
    }
    for (const auto& [name, volume] : claims.claims) {
        if (!volume.empty()) continue;
        const auto written =
            client().modify(kind("persistentvolumeclaims"), pod.namespace_name, name, {}, [&](Json& claim) {
                api::ensure(claim, {"metadata", "annotations"})[selected_node] = node;
                return true;
            });
        if (!written) return written.error()->message;
    }
    return {};
}

// checkBindings: why it cannot be any more; empty and `bound` as soon as every claim has its volume.
std::string SchedulerController::check_volumes(const PodInfo& pod, const std::string& node_name,
                                               const ClaimsToBind& claims, bool& bound) {
    bound = false;
    const auto node = nodes_.find(node_name);
    if (node == nodes_.end()) return "failed to get node \"" + node_name + "\": node \"" + node_name + "\" not found";
    const auto reaches = [&](const std::string& volume) {
        const scheduler::VolumeRule rule = rule_of_bound(volume);
        return rule.terms.empty() || scheduler::matches_terms(rule.terms, node->second);
    };
    const auto out_of_reach = [&](const std::string& volume) {
        return "pv \"" + volume + "\" node affinity doesn't match node \"" + node_name + "\": no matching NodeSelectorTerms";
    };
    for (const auto& [name, volume] : claims.claims) {
        const auto record = claims_.get(pod.namespace_name, name);
        if (record == nullptr)
            return std::string(volume.empty() ? "failed to check provisioning pvc" : "failed to check binding") +
                   ": could not find v1.PersistentVolumeClaim \"" + pod.namespace_name + "/" + name + "\"";
        const Json claim = client().document(*record);
        if (!volume.empty()) {
            const auto free = volumes_.get(volume);
            if (free == nullptr) return "failed to check binding: could not find v1.PersistentVolume \"" + volume + "\"";
            if (!reaches(volume)) return out_of_reach(volume);
            if (api::string_at(client().document(*free), {"spec", "claimRef", "uid"}).empty())
                return "ClaimRef got reset for pv \"" + volume + "\"";
        } else {
            if (api::find(claim, {"metadata", "annotations"}) == nullptr)
                return "selectedNode annotation reset for PVC \"" + name + "\"";
            if (api::string_at(claim, {"metadata", "annotations", selected_node}) != node_name)
                return "provisioning failed for PVC \"" + name + "\"";
            const std::string made(api::string_at(claim, {"spec", "volumeName"}));
            if (!made.empty() && volumes_.get(made) == nullptr) return {};
            if (!made.empty() && !reaches(made)) return out_of_reach(made);
        }
        if (!is_fully_bound(claim)) return {};
    }
    bound = true;
    return {};
}

bool SchedulerController::bind_volumes(const std::string& key) {
    const Entry& entry = entries_.at(key);
    const scheduler::PodInfoPtr pod = entry.info;
    const std::string node = entry.node;
    const std::shared_ptr<ClaimsToBind> claims = entry.volumes;
    std::string why;
    bool bound = false;
    if (!claims->written) {
        claims->written = true;
        claims->until = now() + bind_timeout;
        why = write_volumes(*pod, node, *claims);
        // What has been written is looked at when the informers have seen it.
        if (why.empty()) waiting_for_volumes_.insert(key), enqueue(bind_key(key));
    } else {
        why = check_volumes(*pod, node, *claims, bound);
        if (why.empty() && !bound && claims->until <= now()) why = "context deadline exceeded";
        if (!why.empty()) why = "binding volumes: " + why;
        if (why.empty() && !bound)
            manager().set_timer(this, "volumes of " + key, claims->until, [this, key] { enqueue(bind_key(key)); });
    }
    if (why.empty() && !bound) return false;
    waiting_for_volumes_.erase(key);
    manager().set_timer(this, "volumes of " + key, std::nullopt, {});
    forget_volumes(*pod, *claims);
    const auto still = entries_.find(key);
    if (still != entries_.end() && still->second.volumes == claims) still->second.volumes.reset();
    if (bound) return true;
    give_up_place(key, *pod, node, "running PreBind plugin \"VolumeBinding\": " + why);
    return false;
}

}  // namespace kubemu::controllers

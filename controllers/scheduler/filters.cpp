// The filters of kube-scheduler's default profile (pkg/scheduler/framework/plugins).
#include "controllers/scheduler/filters.h"

#include <algorithm>

#include "controllers/scheduler/dynamic_resources.h"
#include "controllers/scheduler/scores.h"

namespace kubemu::controllers::scheduler {
namespace {

const Taint* untolerated(const Constraints& rules, const NodeInfo& node) {
    for (const Taint& taint : node.taints) {
        if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") continue;
        const bool tolerated = std::any_of(rules.tolerations.begin(), rules.tolerations.end(),
                                           [&](const Toleration& entry) { return entry.tolerates(taint); });
        if (!tolerated) return &taint;
    }
    return nullptr;
}

bool is_removed(const std::vector<PodInfoPtr>& removed, const std::string& key) {
    return std::any_of(removed.begin(), removed.end(), [&](const PodInfoPtr& pod) { return pod->key == key; });
}

void check_resources(const PodInfo& pod, const NodeInfo& node, const std::vector<PodInfoPtr>& removed,
                     const std::vector<PodInfoPtr>& extra, const Release& release, const DeviceAttempt* devices, Verdict& verdict) {
    Resources used = node.used;
    auto pods = static_cast<std::int64_t>(node.pods.size());
    for (const PodInfoPtr& gone : removed) used.add(gone->requests, -1), --pods;
    for (const PodInfoPtr& promised : extra) used.add(promised->requests, 1), ++pods;
    if (pods + 1 > node.pods_allocatable) verdict.reasons.push_back("Too many pods");
    const auto lacks = [&](std::int64_t asked, std::int64_t taken, std::int64_t there, std::string_view name) {
        if (asked <= 0 || asked <= there - taken) return;
        verdict.reasons.push_back("Insufficient " + std::string(name));
        if (asked > there && release.knows_too_small()) verdict.resolvable = false;  // no eviction makes the node bigger
    };
    lacks(pod.requests.cpu_milli, used.cpu_milli, node.allocatable.cpu_milli, "cpu");
    lacks(pod.requests.memory_bytes, used.memory_bytes, node.allocatable.memory_bytes, "memory");
    lacks(pod.requests.ephemeral_bytes, used.ephemeral_bytes, node.allocatable.ephemeral_bytes, "ephemeral-storage");
    for (const auto& [name, asked] : pod.requests.extended) {
        const auto taken = used.extended.find(name);
        const auto there = node.allocatable.extended.find(name);
        const bool has_none = there == node.allocatable.extended.end() || there->second == 0;
        if (has_none && devices != nullptr && devices->stands_for(name)) continue;
        lacks(asked, taken == used.extended.end() ? 0 : taken->second,
              there == node.allocatable.extended.end() ? 0 : there->second, name);
    }
}

}  // namespace

std::string not_named(std::optional<Plugin> also) {
    std::set<std::string_view> names{name_of(Plugin::node_affinity)};
    if (also) names.insert(name_of(*also));
    std::string text;
    for (const std::string_view name : names) text.append(text.empty() ? "" : " ").append(name);
    return "node(s) didn't satisfy plugin(s) [" + text + "]";
}

bool tolerates_taints(const Constraints& rules, const NodeInfo& node) {
    return untolerated(rules, node) == nullptr;
}

bool tolerates_unschedulable(const Constraints& rules) {
    const Taint taint{"node.kubernetes.io/unschedulable", "", "NoSchedule"};
    return std::any_of(rules.tolerations.begin(), rules.tolerations.end(),
                       [&](const Toleration& entry) { return entry.tolerates(taint); });
}

bool matches_node_rules(const Constraints& rules, const NodeInfo& node) {
    for (const auto& [key, value] : rules.node_selector) {
        const std::string* found = node.label(key);
        if (found == nullptr || *found != value) return false;
    }
    return !rules.has_required_node_terms || matches_terms(rules.required_node_terms, node);
}

bool ports_clash(const std::vector<api::HostPort>& a, const std::vector<api::HostPort>& b) {
    const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; };
    for (const api::HostPort& left : a) {
        for (const api::HostPort& right : b) {
            if (left.port == right.port && left.protocol == right.protocol &&
                (left.ip == right.ip || any(left.ip) || any(right.ip))) {
                return true;
            }
        }
    }
    return false;
}

namespace {

// NodeAffinity's PreFilter: the names that all terms ask for; nothing when some term takes any name.
std::optional<std::set<std::string>> named_nodes(const Constraints& rules) {
    if (!rules.has_required_node_terms || rules.required_node_terms.empty()) return std::nullopt;
    std::set<std::string> names;
    for (const NodeTerm& term : rules.required_node_terms) {
        std::optional<std::set<std::string>> own;
        for (const NodeRequirement& requirement : term) {
            if (!requirement.on_field || requirement.op != "In") continue;
            std::set<std::string> wanted(requirement.values.begin(), requirement.values.end());
            if (own) std::erase_if(wanted, [&](const std::string& name) { return own->count(name) == 0; });
            own = std::move(wanted);
        }
        if (!own) return std::nullopt;
        names.insert(own->begin(), own->end());
    }
    return names;
}

}  // namespace

std::vector<std::string> volumes_for(const std::vector<VolumeRule>& rules, const NodeInfo& node) {
    std::vector<std::string> chosen(rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (rules[i].kind != VolumeRule::Kind::selectable) continue;
        for (const auto& [name, terms] : rules[i].free_volumes) {
            if (std::find(chosen.begin(), chosen.end(), name) != chosen.end()) continue;
            if (!terms.empty() && !matches_terms(terms, node)) continue;
            chosen[i] = name;
            break;
        }
    }
    return chosen;
}

Filter::Filter(const PodInfo& pod, Cluster cluster, std::vector<VolumeRule> volumes)
    : pod_(pod),
      rules_(pod.rules()),
      nodes_(cluster.nodes),
      namespaces_(cluster.namespaces),
      release_(cluster.release),
      volumes_(std::move(volumes)),
      named_nodes_(named_nodes(rules_)),
      volume_use_(cluster.volume_use),
      devices_(cluster.devices) {
    if (volume_use_ != nullptr && !rules_.claims.empty()) asked_volumes_ = volume_use_->of(pod_);
    count_spread();
    count_affinity();
    find_forbidden();
}

Verdict Filter::check(const NodeInfo& node, const std::vector<PodInfoPtr>& removed,
                      const std::vector<PodInfoPtr>& extra) const {
    Verdict verdict = check_once(node, removed, extra);
    return extra.empty() || !verdict.fits() ? verdict : check_once(node, removed, {});
}

bool Filter::ports_are_free(const NodeInfo& node, const Pods& removed, const Pods& extra) const {
    if (pod_.ports.empty()) return true;
    const auto clashes = [&](const PodInfo& other) { return !other.ports.empty() && ports_clash(pod_.ports, other.ports); };
    return std::none_of(node.pods.begin(), node.pods.end(),
                        [&](const auto& entry) { return clashes(*entry.second) && !is_removed(removed, entry.first); }) &&
           std::none_of(extra.begin(), extra.end(), [&](const PodInfoPtr& other) { return clashes(*other); });
}

Verdict Filter::check_once(const NodeInfo& node, const Pods& removed, const Pods& extra) const {
    Verdict verdict;
    const auto never = [&](Plugin by, std::string reason) {
        verdict.reasons.push_back(std::move(reason));
        verdict.resolvable = false;
        verdict.by = by;
        return verdict;
    };
    static const std::string others = not_named();
    if (named_nodes_ && named_nodes_->count(node.name) == 0) return never(Plugin::node_affinity, others);
    if (node.unschedulable && !tolerates_unschedulable(rules_))
        return never(Plugin::node_unschedulable, "node(s) were unschedulable");
    if (const Taint* taint = untolerated(rules_, node))
        return never(Plugin::taint_toleration,
                     release_.names_taints() ? "node(s) had untolerated taint {" + taint->key + ": " + taint->value + "}"
                                             : "node(s) had untolerated taint(s)");
    if (!matches_node_rules(rules_, node))
        return never(Plugin::node_affinity, "node(s) didn't match Pod's node affinity/selector");
    if (!ports_are_free(node, removed, extra)) {
        verdict.reasons.push_back("node(s) didn't have free ports for the requested pod ports");
        verdict.by = Plugin::node_ports;
        return verdict;
    }
    verdict.by = Plugin::node_resources_fit;
    check_resources(pod_, node, removed, extra, release_, devices_, verdict);
    if (verdict.fits()) check_volumes(node, removed, verdict);
    if (!verdict.fits()) return verdict;
    verdict.by = Plugin::pod_topology_spread;
    check_spread(node, removed, extra, verdict);
    if (!verdict.fits()) return verdict;
    verdict.by = Plugin::inter_pod_affinity;
    check_pod_affinity(node, removed, extra, verdict);
    if (!verdict.fits() || devices_ == nullptr) return verdict;
    verdict.by = Plugin::dynamic_resources;
    devices_->check(node, verdict);
    return verdict;
}

// VolumeRestrictions, NodeVolumeLimits, VolumeBinding and VolumeZone.
void Filter::check_volumes(const NodeInfo& node, const std::vector<PodInfoPtr>& removed, Verdict& verdict) const {
    const auto refuse = [&](const char* reason, bool resolvable) {
        const std::string text = reason;
        if (std::find(verdict.reasons.begin(), verdict.reasons.end(), text) == verdict.reasons.end()) verdict.reasons.push_back(text);
        verdict.resolvable = verdict.resolvable && resolvable;
    };
    verdict.by = Plugin::volume_restrictions;
    for (const VolumeRule& volume : volumes_) {
        if (volume.kind == VolumeRule::Kind::taken && !is_removed(removed, volume.user))
            refuse(release_.minor < 35 ? "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
                                       : "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already "
                                         "in-use by another pod",
                   true);
    }
    if (!verdict.fits()) return;
    verdict.by = Plugin::node_volume_limits;
    if (!asked_volumes_.empty()) {
        if (const std::string why = volume_use_->refusal(node, asked_volumes_, removed); !why.empty()) return refuse(why.c_str(), true);
    }
    verdict.by = Plugin::volume_binding;
    const std::vector<std::string> chosen = volumes_for(volumes_, node);
    for (std::size_t i = 0; i < volumes_.size(); ++i) {
        const VolumeRule& volume = volumes_[i];
        if (volume.kind == VolumeRule::Kind::missing)
            refuse("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", false);
        if (volume.kind == VolumeRule::Kind::affinity && !volume.terms.empty() && !matches_terms(volume.terms, node))
            refuse(release_.minor < 35 ? "node(s) had volume node affinity conflict" : "node(s) didn't match PersistentVolume's node affinity", false);
        if (volume.kind != VolumeRule::Kind::selectable) continue;
        if (!volume.selected_node.empty() && volume.selected_node != node.name) {
            refuse("node(s) didn't find available persistent volumes to bind", false);
            continue;
        }
        if (!chosen[i].empty()) continue;
        if (!volume.can_be_made || (!volume.topologies.empty() && !matches_terms(volume.topologies, node)))
            refuse("node(s) didn't find available persistent volumes to bind", false);
        else if (volume.needs_capacity && std::none_of(volume.with_capacity.begin(), volume.with_capacity.end(), [&](const auto& reach) {
                     return reach.matches(node.labels);
                 }))
            refuse("node(s) did not have enough free storage", false);
    }
    if (!verdict.fits()) return;
    verdict.by = Plugin::volume_zone;
    if (!in_right_zone(node)) refuse("node(s) had no available volume zone", false);
}

// VolumeZone: a node that says nothing of where it is may be anywhere; a volume's older label is compared with a node's newer.
bool Filter::in_right_zone(const NodeInfo& node) const {
    if (std::none_of(std::begin(zone_labels), std::end(zone_labels), [&](const ZoneLabel& label) { return node.label(label.name) != nullptr; }))
        return true;
    return std::all_of(volumes_.begin(), volumes_.end(), [&](const VolumeRule& volume) {
        return std::all_of(volume.zones.begin(), volume.zones.end(), [&](const auto& zone) {
            const std::string* own = node.label(zone.first);
            for (const ZoneLabel& label : zone_labels)
                if (own == nullptr && label.name == zone.first) own = node.label(label.newer);
            return own != nullptr && zone.second.count(*own) > 0;
        });
    });
}

}  // namespace kubemu::controllers::scheduler

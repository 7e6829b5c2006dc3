// The hints about nodes and pods.
#include "controllers/scheduler/hints.h"

#include <algorithm>

namespace kubemu::controllers::scheduler {
namespace {

// With what its namespaces select written out, a term looks at no namespace's labels.
bool matches_all(const std::vector<PodTerm>& terms, const PodInfo& other) {
    const Namespaces unlabelled{{other.namespace_name, {}}};
    return !terms.empty() && std::all_of(terms.begin(), terms.end(), [&](const PodTerm& term) {
        return term.matches(unlabelled, other.namespace_name, other.labels);
    });
}

template <class Test>
bool any_hard(const PodInfo& pod, Test test) {
    const auto& all = pod.rules().spread;
    return std::any_of(all.begin(), all.end(), [&](const SpreadConstraint& each) { return each.hard && test(each); });
}

bool spreads_with(const PodInfo& pod, const PodInfo& other) {
    return pod.namespace_name == other.namespace_name &&
           any_hard(pod, [&](const SpreadConstraint& each) { return each.selector.matches(other.labels); });
}

bool has_all_topologies(const PodInfo& pod, const NodeInfo& node) {
    return !any_hard(pod, [&](const SpreadConstraint& each) { return node.label(each.topology_key) == nullptr; });
}

bool same_label(const NodeInfo& a, const NodeInfo& b, const std::string& key) {
    const std::string *left = a.label(key), *right = b.label(key);
    return left == nullptr || right == nullptr ? left == right : *left == *right;
}

bool same_taints(const NodeInfo& a, const NodeInfo& b) {
    return std::equal(a.taints.begin(), a.taints.end(), b.taints.begin(), b.taints.end(),
                      [](const Taint& left, const Taint& right) {
                          return left.key == right.key && left.value == right.value && left.effect == right.effect;
                      });
}

bool same_resources(const Resources& a, const Resources& b) {
    return a.cpu_milli == b.cpu_milli && a.memory_bytes == b.memory_bytes && a.ephemeral_bytes == b.ephemeral_bytes &&
           a.extended == b.extended;
}

std::int64_t amount_of(const Resources& resources, const std::string& name) {
    const auto found = resources.extended.find(name);
    return found == resources.extended.end() ? 0 : found->second;
}

// Less of something that the pod asks for.
bool frees_what(const Resources& asked, const Resources& before, const Resources& after) {
    if (asked.cpu_milli > 0 && before.cpu_milli > after.cpu_milli) return true;
    if (asked.memory_bytes > 0 && before.memory_bytes > after.memory_bytes) return true;
    if (asked.ephemeral_bytes > 0 && before.ephemeral_bytes > after.ephemeral_bytes) return true;
    return std::any_of(asked.extended.begin(), asked.extended.end(), [&](const auto& entry) {
        return entry.second > 0 && amount_of(before, entry.first) > amount_of(after, entry.first);
    });
}

bool scaled_down(const Resources& before, const Resources& after) {
    Resources anything = before;
    anything.cpu_milli = anything.memory_bytes = anything.ephemeral_bytes = 1;
    return frees_what(anything, before, after);
}

// What a node has that nobody is on.
bool fits_empty(const PodInfo& pod, const NodeInfo& node, const DevicesStandFor& devices_stand_for) {
    const Resources &asked = pod.requests, &there = node.allocatable;
    if (node.pods_allocatable < 1 || asked.cpu_milli > there.cpu_milli || asked.memory_bytes > there.memory_bytes ||
        asked.ephemeral_bytes > there.ephemeral_bytes)
        return false;
    return std::all_of(asked.extended.begin(), asked.extended.end(), [&](const auto& entry) {
        const std::int64_t has = amount_of(there, entry.first);
        return entry.second <= has || (has == 0 && devices_stand_for(entry.first));
    });
}

bool has_more_for(const PodInfo& pod, const NodeInfo& before, const NodeInfo& after,
                  const DevicesStandFor& devices_stand_for) {
    if (after.pods_allocatable > before.pods_allocatable) return true;
    if (frees_what(pod.requests, after.allocatable, before.allocatable)) return true;
    return std::any_of(pod.requests.extended.begin(), pod.requests.extended.end(), [&](const auto& entry) {
        return entry.second > 0 && amount_of(after.allocatable, entry.first) == 0 && devices_stand_for(entry.first);
    });
}

bool affinity_hopes_for(const PodInfo& pod, const NodeInfo* before, const NodeInfo& after) {
    for (const PodTerm& term : pod.rules().affinity) {
        const bool has = after.label(term.topology_key) != nullptr;
        if (has && (before == nullptr || !same_label(*before, after, term.topology_key))) return true;
    }
    return std::any_of(pod.rules().anti_affinity.begin(), pod.rules().anti_affinity.end(), [&](const PodTerm& term) {
        if (before == nullptr) return true;  // where there is no such topology it may be
        return before->label(term.topology_key) != nullptr && !same_label(*before, after, term.topology_key);
    });
}

bool spread_hopes_for(const PodInfo& pod, const NodeInfo* before, const NodeInfo* after) {
    const bool mattered = before != nullptr && has_all_topologies(pod, *before);
    const bool matters = after != nullptr && has_all_topologies(pod, *after);
    if (before == nullptr || after == nullptr) return mattered || matters;
    if (mattered != matters) return true;
    return matters && (!same_taints(*before, *after) || any_hard(pod, [&](const SpreadConstraint& each) {
                           return !same_label(*before, *after, each.topology_key);
                       }));
}

}  // namespace

bool hopes_for_node(const PodInfo& pod, Plugins by, const NodeInfo* before, const NodeInfo* after,
                    const DevicesStandFor& devices_stand_for) {
    const Constraints& rules = pod.rules();
    if (after == nullptr) return by.has(Plugin::pod_topology_spread) && spread_hopes_for(pod, before, nullptr);
    const bool came = before == nullptr;
    const bool relabelled = came || before->labels != after->labels;
    const bool retainted = came || !same_taints(*before, *after) || (before->unschedulable && !after->unschedulable);
    const bool resized = came || !same_resources(before->allocatable, after->allocatable) ||
                         before->pods_allocatable != after->pods_allocatable;
    // A change of taints is news for all that wait for nodes to come, unless they say themselves what taints are to them:
    // with the scheduler's old checks a node with taints could come unheard (buildQueueingHintMap).
    constexpr Plugins silent_about_taints{
        Plugin::node_name,   Plugin::node_affinity,      Plugin::node_ports,       Plugin::node_resources_fit, Plugin::volume_restrictions,
        Plugin::volume_zone, Plugin::inter_pod_affinity, Plugin::volume_binding, Plugin::dynamic_resources};
    if (!came && retainted && by.meets(silent_about_taints)) return true;
    // These ask no more than whether it came, or changed in what they look at.
    if (came && by.meets({Plugin::node_name, Plugin::node_ports, Plugin::volume_restrictions})) return true;
    if (relabelled && by.meets({Plugin::volume_binding, Plugin::volume_zone, Plugin::dynamic_resources})) return true;
    if (resized && by.has(Plugin::dynamic_resources)) return true;

    if (by.has(Plugin::node_unschedulable) && !after->unschedulable && (came || before->unschedulable)) return true;
    if (by.has(Plugin::taint_toleration) && retainted && tolerates_taints(rules, *after) &&
        (came || !tolerates_taints(rules, *before)))
        return true;
    if (by.has(Plugin::node_affinity) && relabelled && matches_node_rules(rules, *after) &&
        (came || !matches_node_rules(rules, *before)))
        return true;
    if (by.has(Plugin::node_resources_fit) && resized && fits_empty(pod, *after, devices_stand_for) &&
        (came || has_more_for(pod, *before, *after, devices_stand_for)))
        return true;
    if (by.has(Plugin::inter_pod_affinity) && relabelled && affinity_hopes_for(pod, before, *after)) return true;
    return by.has(Plugin::pod_topology_spread) && (relabelled || retainted) && spread_hopes_for(pod, before, after);
}

bool hopes_for_pod_that_came(const PodInfo& pod, Plugins by, const PodInfo& other) {
    if (by.has(Plugin::inter_pod_affinity) && matches_all(pod.rules().affinity, other)) return true;
    return by.has(Plugin::pod_topology_spread) && spreads_with(pod, other);
}

bool hopes_for_pod_that_went(const PodInfo& pod, Plugins by, const PodInfo& other) {
    if (by.has(Plugin::node_resources_fit)) return true;
    if (by.has(Plugin::node_ports) && ports_clash(pod.ports, other.ports)) return true;
    const auto& claims = other.rules().claims;
    if (by.has(Plugin::node_volume_limits) && !claims.empty()) return true;
    if (by.has(Plugin::volume_restrictions) && pod.namespace_name == other.namespace_name &&
        std::any_of(claims.begin(), claims.end(), [&](const std::string& claim) {
            const auto& own = pod.rules().claims;
            return std::find(own.begin(), own.end(), claim) != own.end();
        }))
        return true;
    if (by.has(Plugin::inter_pod_affinity) && (matches_all(pod.rules().anti_affinity, other) ||
                                               matches_all(other.rules().anti_affinity, pod)))
        return true;
    return by.has(Plugin::pod_topology_spread) && spreads_with(pod, other);
}

bool hopes_for_change_of(const PodInfo& pod, Plugins by, const PodInfo& before, const PodInfo& after) {
    if (by.has(Plugin::node_resources_fit) && frees_what(pod.requests, before.requests, after.requests)) return true;
    if (before.labels == after.labels) return false;
    if (by.has(Plugin::inter_pod_affinity)) {
        const Constraints& rules = pod.rules();
        if (!matches_all(rules.affinity, before) && matches_all(rules.affinity, after)) return true;
        if (matches_all(rules.anti_affinity, before) && !matches_all(rules.anti_affinity, after)) return true;
    }
    return by.has(Plugin::pod_topology_spread) && pod.namespace_name == after.namespace_name &&
           any_hard(pod, [&](const SpreadConstraint& each) {
               return each.selector.matches(before.labels) != each.selector.matches(after.labels);
           });
}

bool hopes_for_own_change(const PodInfo& before, Plugins by, const PodInfo& pod) {
    const Constraints &had = before.rules(), &has = pod.rules();
    if (by.has(Plugin::scheduling_gates) && had.gated && !has.gated) return true;
    if (by.has(Plugin::node_resources_fit) && scaled_down(before.requests, pod.requests)) return true;
    if (before.labels != pod.labels) {
        if (by.has(Plugin::inter_pod_affinity)) return true;
        if (by.has(Plugin::pod_topology_spread) && any_hard(pod, [&](const SpreadConstraint& each) {
                return each.selector.matches(before.labels) != each.selector.matches(pod.labels);
            }))
            return true;
    }
    if (had.tolerations.size() != has.tolerations.size()) {
        if (by.has(Plugin::taint_toleration)) return true;
        if (by.has(Plugin::node_unschedulable) && tolerates_unschedulable(has)) return true;
        if (by.has(Plugin::pod_topology_spread) &&
            any_hard(pod, [](const SpreadConstraint& each) { return each.honor_taints; }))
            return true;
    }
    return by.has(Plugin::dynamic_resources) && had.device_claims != has.device_claims;
}

}  // namespace kubemu::controllers::scheduler

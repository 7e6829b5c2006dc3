// The filters that look beyond the node: PodTopologySpread and InterPodAffinity
// (pkg/scheduler/framework/plugins/{podtopologyspread,interpodaffinity}/filtering.go).
#include <algorithm>
#include <limits>

#include "controllers/scheduler/filters.h"
#include "controllers/scheduler/scores.h"

namespace kubemu::controllers::scheduler {
namespace {

// A node that lacks the key of any constraint does not count for any of them.
bool has_all_keys(const std::vector<SpreadConstraint>& constraints, bool hard, const NodeInfo& node) {
    return std::all_of(constraints.begin(), constraints.end(), [&](const SpreadConstraint& constraint) {
        return constraint.hard != hard || node.label(constraint.topology_key) != nullptr;
    });
}

}  // namespace

bool counts_for_spread(const SpreadConstraint& constraint, const Constraints& rules, const NodeInfo& node) {
    if (constraint.honor_affinity && !matches_node_rules(rules, node)) return false;
    return !constraint.honor_taints || tolerates_taints(rules, node);
}

void Filter::count_spread() {
    for (const SpreadConstraint& constraint : rules_.spread) {
        Counts counts;
        if (!constraint.hard) {
            spread_counts_.push_back({});
            continue;
        }
        for (const auto& [name, node] : nodes_) {
            const std::string* value = node.label(constraint.topology_key);
            if (value == nullptr || !has_all_keys(rules_.spread, constraint.hard, node)) continue;
            if (!counts_for_spread(constraint, rules_, node)) continue;
            int& count = counts[*value];
            for (const auto& [key, other] : node.pods) {
                const bool counted = !other->deleting && other->namespace_name == pod_.namespace_name;
                if (counted && constraint.selector.matches(other->labels)) ++count;
            }
        }
        spread_counts_.push_back(std::move(counts));
    }
}

void Filter::count_affinity() {
    // A pod counts for the required terms only when it matches all of them.
    affinity_counts_.resize(rules_.affinity.size());
    for (const auto& [name, node] : nodes_) {
        if (rules_.affinity.empty()) break;
        for (const auto& [key, other] : node.pods) {
            const bool all = std::all_of(rules_.affinity.begin(), rules_.affinity.end(), [&, &other = other](const PodTerm& term) {
                return term.matches(namespaces_, other->namespace_name, other->labels);
            });
            for (std::size_t i = 0; all && i < rules_.affinity.size(); ++i)
                if (const std::string* value = node.label(rules_.affinity[i].topology_key)) ++affinity_counts_[i][*value];
        }
    }
    for (const PodTerm& term : rules_.anti_affinity) anti_counts_.push_back(count_pods(term));
    wants_its_like_ = std::all_of(rules_.affinity.begin(), rules_.affinity.end(), [&](const PodTerm& term) {
        return term.matches(namespaces_, pod_.namespace_name, pod_.labels);
    });
}

void Filter::find_forbidden() {
    for (const auto& [name, node] : nodes_) {
        if (node.pods_with_anti_affinity == 0) continue;
        for (const auto& [key, other] : node.pods) {
            for (const PodTerm& term : other->rules().anti_affinity) {
                if (!term.matches(namespaces_, pod_.namespace_name, pod_.labels)) continue;
                if (const std::string* value = node.label(term.topology_key)) ++forbidden_[{term.topology_key, *value}];
            }
        }
    }
}

Filter::Counts Filter::count_pods(const PodTerm& term) const {
    Counts counts;
    for (const auto& [name, node] : nodes_) {
        const std::string* value = node.label(term.topology_key);
        if (value == nullptr) continue;
        for (const auto& [key, other] : node.pods)
            if (term.matches(namespaces_, other->namespace_name, other->labels)) ++counts[*value];
    }
    return counts;
}

void Filter::check_spread(const NodeInfo& node, const Pods& removed, const Pods& extra, Verdict& verdict) const {
    for (std::size_t i = 0; i < rules_.spread.size(); ++i) {
        const SpreadConstraint& constraint = rules_.spread[i];
        if (!constraint.hard) continue;
        const std::string* value = node.label(constraint.topology_key);
        if (value == nullptr) {
            verdict.reasons.push_back("node(s) didn't match pod topology spread constraints (missing required label)");
            verdict.resolvable = false;
            return;
        }
        const Counts& counts = spread_counts_[i];
        int least = std::numeric_limits<int>::max();
        for (const auto& [domain, count] : counts) least = std::min(least, count);
        if (counts.empty() || static_cast<int>(counts.size()) < constraint.min_domains) least = 0;
        const auto own = counts.find(*value);
        int here = own == counts.end() ? 0 : own->second;
        const auto counts_here = [&](const PodInfoPtr& other) {
            return !other->deleting && other->namespace_name == pod_.namespace_name && constraint.selector.matches(other->labels);
        };
        here -= static_cast<int>(std::count_if(removed.begin(), removed.end(), counts_here));
        here += static_cast<int>(std::count_if(extra.begin(), extra.end(), counts_here));
        const int self = constraint.selector.matches(pod_.labels) ? 1 : 0;
        if (here + self - std::min(least, here) > constraint.max_skew) {
            verdict.reasons.push_back("node(s) didn't match pod topology spread constraints");
            return;
        }
    }
}

void Filter::check_pod_affinity(const NodeInfo& node, const Pods& removed, const Pods& extra, Verdict& verdict) const {
    const auto is_liked = [&](const PodInfoPtr& pod) {
        return std::all_of(rules_.affinity.begin(), rules_.affinity.end(),
                           [&](const PodTerm& term) { return term.matches(namespaces_, pod->namespace_name, pod->labels); });
    };
    const int gone = static_cast<int>(std::count_if(removed.begin(), removed.end(), is_liked) -
                                      std::count_if(extra.begin(), extra.end(), is_liked));
    std::vector<int> there(rules_.affinity.size());
    bool alone = true;  // nobody that it wants to be with is anywhere
    for (std::size_t i = 0; i < rules_.affinity.size(); ++i) {
        const std::string* value = node.label(rules_.affinity[i].topology_key);
        int all = 0;
        for (const auto& [domain, count] : affinity_counts_[i]) {
            all += count;
            if (value != nullptr && domain == *value) there[i] = count;
        }
        there[i] -= gone;
        alone = alone && all - (value == nullptr ? 0 : gone) <= 0;
    }
    // The first pod of a group that wants to be together may go anywhere, or it would wait for itself.
    for (std::size_t i = 0; i < rules_.affinity.size(); ++i) {
        if (node.label(rules_.affinity[i].topology_key) != nullptr && (there[i] > 0 || (alone && wants_its_like_))) continue;
        verdict.reasons.push_back("node(s) didn't match pod affinity rules");
        verdict.resolvable = false;
        return;
    }
    for (std::size_t i = 0; i < rules_.anti_affinity.size(); ++i) {
        const PodTerm& term = rules_.anti_affinity[i];
        const std::string* value = node.label(term.topology_key);
        if (value == nullptr) continue;
        const auto found = anti_counts_[i].find(*value);
        int left = found == anti_counts_[i].end() ? 0 : found->second;
        const auto is_hated = [&](const PodInfoPtr& pod) { return term.matches(namespaces_, pod->namespace_name, pod->labels); };
        left -= static_cast<int>(std::count_if(removed.begin(), removed.end(), is_hated));
        left += static_cast<int>(std::count_if(extra.begin(), extra.end(), is_hated));
        if (left <= 0) continue;
        verdict.reasons.push_back("node(s) didn't match pod anti-affinity rules");
        return;
    }
    const auto haters = [&](const Pods& pods, const std::string& key) {
        int count = 0;
        for (const PodInfoPtr& pod : pods)
            for (const PodTerm& term : pod->rules().anti_affinity)
                count += term.topology_key == key && term.matches(namespaces_, pod_.namespace_name, pod_.labels) ? 1 : 0;
        return count;
    };
    bool refused = false;
    for (const auto& [place, count] : forbidden_) {
        const std::string* value = node.label(place.first);
        if (value == nullptr || *value != place.second) continue;
        refused = refused || count - haters(removed, place.first) > 0;
    }
    for (const PodInfoPtr& pod : extra)
        for (const PodTerm& term : pod->rules().anti_affinity)
            refused = refused || (node.label(term.topology_key) != nullptr && haters(extra, term.topology_key) > 0);
    if (refused) verdict.reasons.push_back("node(s) didn't satisfy existing pods anti-affinity rules");
}

}  // namespace kubemu::controllers::scheduler

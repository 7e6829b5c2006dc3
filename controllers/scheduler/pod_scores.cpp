// Scores that depend on where other pods are: spreading and inter-pod affinity.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "controllers/scheduler/filters.h"
#include "controllers/scheduler/scores.h"

namespace kubemu::controllers::scheduler {
namespace {

constexpr std::int64_t score_max = 100;
constexpr std::string_view hostname = "kubernetes.io/hostname";
// InterPodAffinityArgs.hardPodAffinityWeight: what a required term of a pod that is there counts.
constexpr int hard_affinity_weight = 1;

// What pods without constraints of their own follow (plugins/podtopologyspread/plugin.go systemDefaultConstraints).
std::vector<SpreadConstraint> default_constraints(const api::LabelSelector& selector) {
    std::vector<SpreadConstraint> result(2);
    result[0].topology_key = hostname;
    result[0].max_skew = 3;
    result[1].topology_key = "topology.kubernetes.io/zone";
    result[1].max_skew = 5;
    for (SpreadConstraint& constraint : result) {
        constraint.selector = selector;
        constraint.hard = false;
    }
    return result;
}

bool has_all_keys(const std::vector<SpreadConstraint>& constraints, const NodeInfo& node) {
    return std::all_of(constraints.begin(), constraints.end(), [&](const SpreadConstraint& constraint) {
        return node.label(constraint.topology_key) != nullptr;
    });
}

const std::string& value_of(const NodeInfo& node, const std::string& key) {
    static const std::string none;  // nodes without the label are a topology of their own
    const std::string* value = node.label(key);
    return value != nullptr ? *value : none;
}

// One constraint's counts by topology value, and the weight that keeps small topologies from being drowned by large ones.
struct Spreading {
    const SpreadConstraint& constraint;
    const MatchCounts::ByNode& by_node;
    std::unordered_map<std::string, std::int64_t> by_value;
    double weight = 0;

    std::int64_t on(const std::string& node) const {
        const auto found = by_node.find(node);
        return found == by_node.end() ? 0 : found->second;
    }
};

}  // namespace

Scores topology_spread(const Scoring& scoring) {
    const Constraints& rules = scoring.pod.rules();
    const bool own = !rules.spread.empty();
    if (!own && scoring.default_selector.empty()) return Scores(scoring.feasible.size(), 0);
    std::vector<SpreadConstraint> soft = own ? rules.spread : default_constraints(scoring.default_selector);
    std::erase_if(soft, [](const SpreadConstraint& constraint) { return constraint.hard; });
    if (soft.empty()) return Scores(scoring.feasible.size(), 0);
    // Nodes that lack a key score nothing; by default spreading they just do not count for that key.
    const auto ignored = [&](const NodeInfo& node) { return own && !has_all_keys(soft, node); };
    const auto candidates = std::count_if(scoring.feasible.begin(), scoring.feasible.end(),
                                          [&](const NodeInfo* node) { return !ignored(*node); });
    std::vector<Spreading> parts;
    for (const SpreadConstraint& constraint : soft) {
        Spreading part{constraint, scoring.matches.of(scoring.pod.namespace_name, constraint.selector, scoring.nodes), {}};
        auto size = static_cast<std::size_t>(candidates);
        if (constraint.topology_key != hostname) {
            for (const NodeInfo* node : scoring.feasible)
                if (!ignored(*node)) part.by_value.emplace(value_of(*node, constraint.topology_key), 0);
            size = part.by_value.size();
            for (const auto& [name, count] : part.by_node) {
                const auto node = scoring.nodes.find(name);
                if (node == scoring.nodes.end() || ignored(node->second)) continue;
                if (!counts_for_spread(constraint, rules, node->second)) continue;
                const auto value = part.by_value.find(value_of(node->second, constraint.topology_key));
                if (value != part.by_value.end()) value->second += count;
            }
        }
        part.weight = std::log(static_cast<double>(size + 2));
        parts.push_back(std::move(part));
    }
    Scores scores;
    std::int64_t lowest = std::numeric_limits<std::int64_t>::max(), highest = 0;
    for (const NodeInfo* node : scoring.feasible) {
        double sum = 0;
        for (const Spreading& part : parts) {
            const std::string* value = node->label(part.constraint.topology_key);
            if (value == nullptr || ignored(*node)) continue;
            const std::int64_t count =
                part.constraint.topology_key == hostname ? part.on(node->name) : part.by_value.at(*value);
            sum += static_cast<double>(count) * part.weight + (part.constraint.max_skew - 1);
        }
        scores.push_back(std::llround(sum));
        if (ignored(*node)) continue;
        lowest = std::min(lowest, scores.back());
        highest = std::max(highest, scores.back());
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (ignored(*scoring.feasible[i])) scores[i] = 0;
        else scores[i] = highest == 0 ? score_max : score_max * (highest + lowest - scores[i]) / highest;
    }
    return scores;
}

Scores inter_pod_affinity(const Scoring& scoring) {
    const Constraints& rules = scoring.pod.rules();
    const bool asks = !rules.preferred_affinity.empty() || !rules.preferred_anti_affinity.empty();
    std::map<std::string, std::unordered_map<std::string, std::int64_t>> topologies;
    const auto count = [&](const PodTerm& term, const PodInfo& other, const NodeInfo& node, int weight) {
        if (!term.matches(scoring.namespaces, other.namespace_name, other.labels)) return;
        if (const std::string* value = node.label(term.topology_key)) topologies[term.topology_key][*value] += weight;
    };
    for (const auto& [name, node] : scoring.nodes) {
        if (!asks && node.pods_with_affinity == 0) continue;
        for (const auto& [key, other] : node.pods) {
            for (const PodTerm& term : rules.preferred_affinity) count(term, *other, node, term.weight);
            for (const PodTerm& term : rules.preferred_anti_affinity) count(term, *other, node, -term.weight);
            const Constraints& theirs = other->rules();
            for (const PodTerm& term : theirs.affinity) count(term, scoring.pod, node, hard_affinity_weight);
            for (const PodTerm& term : theirs.preferred_affinity) count(term, scoring.pod, node, term.weight);
            for (const PodTerm& term : theirs.preferred_anti_affinity) count(term, scoring.pod, node, -term.weight);
        }
    }
    Scores scores;
    for (const NodeInfo* node : scoring.feasible) {
        std::int64_t sum = 0;
        for (const auto& [key, values] : topologies) {
            const std::string* value = node->label(key);
            const auto found = value == nullptr ? values.end() : values.find(*value);
            if (found != values.end()) sum += found->second;
        }
        scores.push_back(sum);
    }
    if (scores.empty() || topologies.empty()) return scores;
    const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
    const std::int64_t lowest = *low, range = *high - *low;
    for (std::int64_t& score : scores) {
        const double part = range > 0 ? static_cast<double>(score - lowest) / static_cast<double>(range) : 0;
        score = static_cast<std::int64_t>(static_cast<double>(score_max) * part);
    }
    return scores;
}

}  // namespace kubemu::controllers::scheduler

// Resources, images, taints and the node's own labels; the sum of all.
#include "controllers/scheduler/scores.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace kubemu::controllers::scheduler {
namespace {

constexpr std::int64_t score_max = 100;

// plugins/helper/normalize_score.go: the highest becomes 100; reversed the lowest count is best.
void normalize(Scores& scores, bool reverse) {
    const std::int64_t highest = scores.empty() ? 0 : *std::max_element(scores.begin(), scores.end());
    for (std::int64_t& score : scores) {
        if (highest == 0) {
            score = reverse ? score_max : score;
            continue;
        }
        score = score_max * score / highest;
        if (reverse) score = score_max - score;
    }
}

template <class Function>
Scores for_each_node(const Scoring& scoring, Function score) {
    Scores scores;
    scores.reserve(scoring.feasible.size());
    for (const NodeInfo* node : scoring.feasible) scores.push_back(score(*node));
    return scores;
}

// How evenly cpu and memory are taken: 100 when equally, 50 when one is full and the other free.
std::int64_t balance(std::int64_t cpu, std::int64_t memory, const Resources& allocatable) {
    const auto fraction = [](std::int64_t asked, std::int64_t there) {
        return std::min(1.0, static_cast<double>(asked) / static_cast<double>(there));
    };
    if (allocatable.cpu_milli == 0 || allocatable.memory_bytes == 0) return score_max;
    const double deviation =
        std::abs((fraction(cpu, allocatable.cpu_milli) - fraction(memory, allocatable.memory_bytes)) / 2);
    return static_cast<std::int64_t>((1 - deviation) * static_cast<double>(score_max));
}

}  // namespace

Scores least_allocated(const Scoring& scoring) {
    return for_each_node(scoring, [&](const NodeInfo& node) {
        std::int64_t sum = 0, weights = 0;
        const auto count = [&](std::int64_t asked, std::int64_t there) {
            if (there == 0) return;
            ++weights;
            if (asked <= there) sum += (there - asked) * score_max / there;
        };
        count(node.nonzero_cpu_milli + scoring.pod.scored_cpu_milli, node.allocatable.cpu_milli);
        count(node.nonzero_memory_bytes + scoring.pod.scored_memory_bytes, node.allocatable.memory_bytes);
        return weights == 0 ? 0 : sum / weights;
    });
}

Scores balanced_allocation(const Scoring& scoring) {
    const Resources& asked = scoring.pod.requests;
    return for_each_node(scoring, [&](const NodeInfo& node) -> std::int64_t {
        // A pod that asks for nothing leaves every balance as it is.
        if (asked.cpu_milli == 0 && asked.memory_bytes == 0) return 0;
        const Resources& used = node.used;
        const std::int64_t with = balance(used.cpu_milli + asked.cpu_milli, used.memory_bytes + asked.memory_bytes,
                                          node.allocatable);
        const std::int64_t without = balance(used.cpu_milli, used.memory_bytes, node.allocatable);
        return score_max / 2 + (score_max / 2 + with - without) / 2;
    });
}

std::string normalized_image_name(std::string name) {
    const auto place = [&](char wanted) {
        const auto at = name.rfind(wanted);
        return at == std::string::npos ? -1 : static_cast<std::int64_t>(at);
    };
    if (place(':') <= place('/')) name += ":latest";
    return name;
}

Scores image_locality(const Scoring& scoring) {
    constexpr std::int64_t threshold_min = 23LL << 20, threshold_max_each = 1000LL << 20;
    std::vector<std::string> names;
    for (const auto* list : {&scoring.images, &scoring.mounted_images})
        for (const std::string& image : *list) names.push_back(normalized_image_name(image));
    const std::int64_t threshold_max = threshold_max_each * static_cast<std::int64_t>(scoring.images.size());
    return for_each_node(scoring, [&](const NodeInfo& node) -> std::int64_t {
        std::int64_t sum = 0;
        for (const std::string& name : names) {
            const auto size = node.images.find(name);
            const auto nodes = scoring.image_nodes.find(name);
            if (size == node.images.end() || nodes == scoring.image_nodes.end()) continue;
            // What few nodes have counts little, or all its users would go there.
            const double spread = static_cast<double>(nodes->second) / static_cast<double>(scoring.nodes.size());
            sum += static_cast<std::int64_t>(static_cast<double>(size->second) * spread);
        }
        if (threshold_max <= threshold_min) return 0;
        sum = std::clamp(sum, threshold_min, threshold_max);
        return score_max * (sum - threshold_min) / (threshold_max - threshold_min);
    });
}

Scores taint_toleration(const Scoring& scoring) {
    std::vector<const Toleration*> relevant;
    for (const Toleration& entry : scoring.pod.rules().tolerations)
        if (entry.effect.empty() || entry.effect == "PreferNoSchedule") relevant.push_back(&entry);
    Scores scores = for_each_node(scoring, [&](const NodeInfo& node) -> std::int64_t {
        return std::count_if(node.taints.begin(), node.taints.end(), [&](const Taint& taint) {
            return taint.effect == "PreferNoSchedule" &&
                   std::none_of(relevant.begin(), relevant.end(),
                                [&](const Toleration* entry) { return entry->tolerates(taint); });
        });
    });
    normalize(scores, true);
    return scores;
}

Scores node_affinity(const Scoring& scoring) {
    Scores scores = for_each_node(scoring, [&](const NodeInfo& node) {
        std::int64_t sum = 0;
        for (const auto& [weight, term] : scoring.pod.rules().preferred_node_terms)
            if (matches_terms({term}, node)) sum += weight;
        return sum;
    });
    normalize(scores, false);
    return scores;
}

Scores dynamic_resources(const Scoring& scoring) {
    Scores scores = scoring.devices;
    scores.resize(scoring.feasible.size(), 0);
    normalize(scores, false);
    return scores;
}

Scores total_scores(const Scoring& scoring) {
    using Plugin = Scores (*)(const Scoring&);
    constexpr std::pair<Plugin, int> plugins[] = {{taint_toleration, 3},    {node_affinity, 2},      {least_allocated, 1},
                                                  {topology_spread, 2},     {inter_pod_affinity, 2}, {dynamic_resources, 2},
                                                  {balanced_allocation, 1}, {image_locality, 1}};
    Scores total(scoring.feasible.size(), 0);
    for (const auto& [plugin, weight] : plugins) {
        const Scores own = plugin(scoring);
        for (std::size_t i = 0; i < total.size(); ++i) total[i] += weight * own[i];
    }
    return total;
}

}  // namespace kubemu::controllers::scheduler

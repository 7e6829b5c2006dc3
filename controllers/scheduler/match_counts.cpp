// Counts of matching pods that follow the pods.
#include "controllers/scheduler/match_counts.h"

#include <algorithm>

namespace kubemu::controllers::scheduler {
namespace {

// Each costs one comparison for every pod that comes or goes.
constexpr std::size_t kept_max = 32;

bool counts_for(const PodInfo& pod, std::string_view namespace_name, const api::LabelSelector& selector) {
    return !pod.deleting && pod.namespace_name == namespace_name && selector.matches(pod.labels);
}

}  // namespace

const MatchCounts::ByNode& MatchCounts::of(std::string_view namespace_name, const api::LabelSelector& selector,
                                           const Nodes& nodes) {
    static const ByNode none;
    if (selector.empty()) return none;
    std::string text = selector.text();
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& each) {
        return each.text == text && each.namespace_name == namespace_name;
    });
    if (found != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, found);
        return found->counts;
    }
    Kept fresh{std::string(namespace_name), std::move(text), selector, {}};
    for (const auto& [name, node] : nodes) {
        for (const auto& [key, pod] : node.pods)
            if (counts_for(*pod, namespace_name, selector)) ++fresh.counts[name];
    }
    kept_.push_front(std::move(fresh));
    if (kept_.size() > kept_max) kept_.pop_back();
    return kept_.front().counts;
}

void MatchCounts::change(const PodInfo& pod, const std::string& node, int by) {
    for (Kept& each : kept_) {
        if (!counts_for(pod, each.namespace_name, each.selector)) continue;
        int& count = each.counts[node];
        count += by;
        if (count == 0) each.counts.erase(node);
    }
}

void MatchCounts::forget(const std::string& node) {
    for (Kept& each : kept_) each.counts.erase(node);
}

}  // namespace kubemu::controllers::scheduler

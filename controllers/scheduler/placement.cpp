// From the nodes that would do to the one that it is (pkg/scheduler/schedule_one.go schedulePod).
#include <algorithm>
#include <iterator>

#include "api/kinds/views.h"
#include "controllers/scheduler/controller.h"
#include "storage/base/text_search.h"

namespace kubemu::controllers {

using scheduler::Filter;
using scheduler::NodeInfo;
using scheduler::PodInfo;
using scheduler::Verdict;

namespace {

// A large cluster is not searched to its end: some of the nodes that would do are enough to choose from
// (numFeasibleNodesToFind).
std::size_t enough_of(std::size_t nodes) {
    constexpr std::size_t nodes_min = 100, percentage_min = 5;
    if (nodes < nodes_min) return nodes;
    const std::size_t percentage = nodes / 125 + percentage_min >= 50 ? percentage_min : 50 - nodes / 125;
    return std::max(nodes_min, nodes * percentage / 100);
}

// The images of a pod that nobody has decoded: its text is scanned from its spec on, where nothing but containers and
// image volumes has such a member.
void find_images(std::string_view text, scheduler::Scoring& scoring) {
    constexpr std::string_view member = "\"image\":";
    const auto value_at = [&](std::size_t quote) {
        return std::string(text.substr(quote + 1, text.find('"', quote + 1) - quote - 1));
    };
    const std::size_t end = find_text(text, "\"status\":{");
    for (std::size_t at = find_text(text, "\"spec\":{"); (at = find_text(text, member, at)) < end; at += member.size()) {
        const std::size_t value = at + member.size();
        if (text[value] == '"') {
            scoring.images.push_back(value_at(value));
            continue;
        }
        const std::string_view volume = text.substr(value, text.find('}', value) - value);
        constexpr std::string_view reference = "\"reference\":";
        if (const auto found = volume.find(reference); found != volume.npos)
            scoring.mounted_images.push_back(value_at(value + found + reference.size()));
    }
}

}  // namespace

std::vector<const NodeInfo*> SchedulerController::feasible(const Entry& entry, const Filter& filter,
                                                           std::map<std::string, Verdict>& verdicts) {
    std::vector<const NodeInfo*> result;
    const PodInfo& pod = *entry.info;
    // Where room was made for the pod it goes when it can.
    const auto promised = nodes_.find(entry.nominated_node);
    std::optional<std::string> others_not_named;
    if (promised != nodes_.end()) {
        const Verdict verdict = filter.check(promised->second, {}, promised_on(promised->first, pod));
        if (verdict.fits()) return {&promised->second};
        others_not_named = scheduler::not_named(verdict.by);
    }
    const std::size_t enough = enough_of(nodes_.size());
    auto at = nodes_.lower_bound(next_start_);
    for (std::size_t i = 0; i < nodes_.size() && result.size() < enough; ++i, ++at) {
        if (at == nodes_.end()) at = nodes_.begin();
        const auto& [name, node] = *at;
        Verdict verdict = filter.check(node, {}, promised_on(name, pod));
        if (verdict.fits()) {
            result.push_back(&node);
            continue;
        }
        if (others_not_named)
            std::replace(verdict.reasons.begin(), verdict.reasons.end(), scheduler::not_named(), *others_not_named);
        verdicts.emplace(name, std::move(verdict));
    }
    if (enough < nodes_.size()) next_start_ = at == nodes_.end() ? std::string() : at->first;
    return result;
}

const NodeInfo* SchedulerController::best_of(const std::string& key, const PodInfo& pod,
                                             std::vector<const NodeInfo*> nodes, const scheduler::DeviceAttempt* devices) {
    if (nodes.size() < 2) return nodes.empty() ? nullptr : nodes.front();
    scheduler::Scoring scoring{pod, nodes_, namespaces_, image_nodes_, matches_, std::move(nodes), {}, {}, {}, {}};
    const storage::RecordPtr record = pods_.get(key);
    if (record == nullptr) return scoring.feasible.front();  // deleted: binding will be refused
    if (pod.constraints) {
        scoring.images = pod.rules().images;
        scoring.mounted_images = pod.rules().mounted_images;
    } else {
        find_images(*record->bytes.get(), scoring);
    }
    if (pod.rules().spread.empty()) scoring.default_selector = default_selectors_.of(api::pod_view_of(*record));
    for (const NodeInfo* node : scoring.feasible)
        if (devices != nullptr) scoring.devices.push_back(devices->score_of(*node));
    const scheduler::Scores scores = scheduler::total_scores(scoring);
    std::size_t best = 0;
    std::uint64_t ties = 1;
    for (std::size_t i = 1; i < scores.size(); ++i) {
        ties = scores[i] == scores[best] ? ties + 1 : scores[i] > scores[best] ? 1 : ties;
        const bool tie = scores[i] == scores[best];
        if (scores[i] > scores[best] || (tie && manager().random().below("scheduler", ties) == 0)) best = i;
    }
    return scoring.feasible[best];
}

}  // namespace kubemu::controllers

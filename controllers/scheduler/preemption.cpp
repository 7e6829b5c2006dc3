// Making room by priority (pkg/scheduler/framework/preemption, plugins/defaultpreemption).
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

#include "api/kinds/core/disruption_target.h"
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

namespace {

constexpr const char* unhelpful = "Preemption is not helpful for scheduling";
constexpr const char* never = "not eligible due to preemptionPolicy=Never.";
constexpr const char* no_victims = "No preemption victims found for incoming pod";

// When its node has taken it (status.startTime), found in the text: documents of all who might go are not read for it.
// `now` for one that has not started.
Time started(const api::Informer& pods, const PodInfo& pod, Time now) {
    constexpr std::string_view member = "\"startTime\":\"";
    const auto record = pods.get(pod.key);
    if (record == nullptr) return now;
    const std::string_view text = *record->bytes.get();
    const std::size_t at = text.find(member);
    if (at == text.npos) return now;
    const std::size_t begin = at + member.size();
    return api::parse_time_or_zero(text.substr(begin, text.find('"', begin) - begin));
}

}  // namespace

// It ends because the scheduler evicted it.
bool SchedulerController::preempted(const std::string& key) const {
    const auto record = pods_.get(key);
    if (record == nullptr || !api::pod_view_of(*record).deleting) return false;
    const Json document = reader_.document(*record);
    for (const Json& condition : api::array_at(document, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) == "DisruptionTarget")
            return api::string_at(condition, {"status"}) == "True" &&
                   api::string_at(condition, {"reason"}) == "PreemptionByScheduler";
    }
    return false;
}

std::string SchedulerController::ineligible(const PodInfo& pod, const Entry& entry,
                                            const std::map<std::string, Verdict>& verdicts) const {
    if (pod.rules().never_preempts) return never;
    if (entry.nominated_node.empty()) return {};
    const auto verdict = verdicts.find(entry.nominated_node);
    if (verdict != verdicts.end() && !verdict->second.resolvable) return {};
    const auto node = nodes_.find(entry.nominated_node);
    if (node == nodes_.end()) return {};
    // Victims of an earlier round are still ending.
    for (const auto& [key, other] : node->second.pods) {
        if (other->priority < pod.priority && preempted(key))
            return "not eligible due to a terminating pod on the nominated node.";
    }
    return {};
}

std::set<std::string> SchedulerController::budget_violations(const std::vector<PodInfoPtr>& victims) const {
    struct Budget {
        std::string namespace_name;
        api::LabelSelector selector;
        std::int64_t allowed = 0;
        Json disrupted;
    };
    std::vector<Budget> budgets;
    for (const auto& record : budgets_.list()) {
        const Json document = reader_.document(*record);
        const Json* selector = api::find(document, {"spec", "selector"});
        if (selector == nullptr || selector->empty()) continue;
        budgets.push_back({std::string(api::namespace_of(document)),
                           api::LabelSelector::from_object(*selector),
                           api::int_at(document, {"status", "disruptionsAllowed"}),
                           api::object_at(document, {"status", "disruptedPods"})});
    }
    std::set<std::string> violating;
    for (const PodInfoPtr& victim : victims) {
        if (victim->labels.empty()) continue;
        for (Budget& budget : budgets) {
            if (budget.namespace_name != victim->namespace_name || !budget.selector.matches(victim->labels))
                continue;
            if (budget.disrupted.contains(victim->name)) continue;  // counted already
            if (--budget.allowed < 0) violating.insert(victim->key);
        }
    }
    return violating;
}

SchedulerController::Choice SchedulerController::victims_on(const NodeInfo& node, const PodInfo& pod,
                                                            const Filter& filter,
                                                            std::vector<std::string>& reasons) const {
    std::vector<PodInfoPtr> lower;
    for (const auto& [key, other] : node.pods)
        if (other->priority < pod.priority) lower.push_back(other);
    if (lower.empty()) {
        reasons = {no_victims};
        return {};
    }
    const auto promised = promised_on(node.name, pod);
    if (const Verdict without = filter.check(node, lower, promised); !without.fits()) {
        reasons = without.reasons;
        return {};
    }
    // Spared are, as long as the pod still fits, first those that a budget protects, then the others, each
    // time the most important first.
    std::map<const PodInfo*, Time> since;
    for (const PodInfoPtr& other : lower) since[other.get()] = started(pods_, *other, now());
    // util.MoreImportantPod: by priority, then the one that has run longer.
    std::sort(lower.begin(), lower.end(), [&since](const PodInfoPtr& a, const PodInfoPtr& b) {
        if (a->priority != b->priority) return a->priority > b->priority;
        const Time first = since.at(a.get()), second = since.at(b.get());
        return first != second ? first < second : a->key < b->key;
    });
    const std::set<std::string> protected_pods = budget_violations(lower);
    std::vector<PodInfoPtr> victims = lower;
    Choice choice{&node, {}, 0};
    for (const bool violating : {true, false}) {
        for (const PodInfoPtr& candidate : lower) {
            if ((protected_pods.count(candidate->key) > 0) != violating) continue;
            std::vector<PodInfoPtr> spared;
            std::copy_if(victims.begin(), victims.end(), std::back_inserter(spared),
                         [&](const PodInfoPtr& victim) { return victim != candidate; });
            if (filter.check(node, spared, promised).fits())
                victims = std::move(spared);
            else if (violating)
                ++choice.violations;
        }
    }
    choice.victims = std::move(victims);
    return choice;
}

void SchedulerController::set_nominated(const std::string& key, Entry& entry, std::string node) {
    entry.nominated_node = std::move(node);
    if (entry.nominated_node.empty())
        nominated_.erase(key);
    else
        nominated_.insert(key);
}

void SchedulerController::evict(const PodInfo& victim, const PodInfo& pod, const std::string& node) {
    const std::string time = api::format_time(now());
    const auto marked =
        client().modify(kind("pods"), victim.namespace_name, victim.name, "status", [&](Json& document) {
            if (api::uid_of(document) != victim.uid ||
                api::find(document, {"metadata", "deletionTimestamp"}) != nullptr)
                return false;
            api::set_disruption_target(document, "PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod", time);
            return true;
        });
    api::DeleteOptions options;
    options.precondition_uid = victim.uid;
    const auto removed = client().remove(kind("pods"), victim.namespace_name, victim.name, options);
    if (!marked || !removed) log_line(LogLevel::info, "victim could not be evicted", {{"pod", victim.key}});
    recorder_.normal(
        {{"apiVersion", "v1"},
         {"kind", "Pod"},
         {"metadata", {{"name", victim.name}, {"namespace", victim.namespace_name}, {"uid", victim.uid}}}},
        "Preempted", "Preempting", "Preempted by pod " + pod.uid + " on node " + node);
}

SchedulerController::Preemption SchedulerController::preempt_nobody(const Entry& entry) const {
    if (entry.info->rules().never_preempts) return {std::nullopt, never};
    return {"", availability(nodes_.size(), histogram({{unhelpful, static_cast<int>(nodes_.size())}}))};
}

SchedulerController::Preemption SchedulerController::preempt(const std::string& key, Entry& entry, const Filter& filter,
                                                             const std::map<std::string, Verdict>& verdicts) {
    const PodInfoPtr pod = entry.info;
    if (std::string why = ineligible(*pod, entry, verdicts); !why.empty()) return {std::nullopt, std::move(why)};
    // pickOneNodeForPreemption: fewest violated budgets, least important victims, fewest of them, and the
    // youngest.
    const auto rank = [this](const Choice& choice) {
        std::int64_t sum = 0;
        Time oldest = Time::max();
        const int highest = choice.victims.front()->priority;
        for (const PodInfoPtr& victim : choice.victims) {
            sum += victim->priority + std::int64_t{std::numeric_limits<int>::max()} + 1;
            if (victim->priority == highest) oldest = std::min(oldest, started(pods_, *victim, now()));
        }
        return std::tuple(choice.violations, highest, sum, choice.victims.size(),
                          -oldest.time_since_epoch().count());
    };
    Choice best;
    std::map<std::string, int> reasons;
    for (const auto& [name, verdict] : verdicts) {
        if (!verdict.resolvable) {
            ++reasons[unhelpful];
            continue;
        }
        std::vector<std::string> why;
        Choice choice = victims_on(nodes_.at(name), *pod, filter, why);
        for (const std::string& reason : why) ++reasons[reason];
        if (choice.victims.empty()) continue;
        if (best.node == nullptr || rank(choice) < rank(best)) best = std::move(choice);
    }
    if (best.node == nullptr) return {"", availability(nodes_.size(), histogram(reasons))};
    set_nominated(key, entry, best.node->name);
    // Those that end already are waited for, without a word.
    std::erase_if(best.victims, [](const PodInfoPtr& victim) { return victim->deleting; });
    if (best.victims.empty()) return {best.node->name, {}};
    // Less important pods that were promised room there look for another place.
    for (const std::string& other_key : std::set<std::string>(nominated_)) {
        Entry& other = entries_.at(other_key);
        if (other_key == key || other.nominated_node != best.node->name ||
            other.info->priority >= pod->priority)
            continue;
        set_nominated(other_key, other, {});
        const auto cleared = client().modify(
            kind("pods"), other.info->namespace_name, other.info->name, "status",
            [](Json& document) { return api::ensure(document, {"status"}).erase("nominatedNodeName") > 0; });
        if (!cleared && cleared.error().code() != 404)
            log_line(LogLevel::info, "nomination could not be taken back", {{"pod", other_key}});
    }
    for (const PodInfoPtr& victim : best.victims) evict(*victim, *pod, best.node->name);
    return {best.node->name, {}};
}

}  // namespace kubemu::controllers

// Looks at what nodes measure when that changes, and again as long as something is short.
#include "controllers/kubelet/eviction_manager.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/kinds/core/pod_requests.h"

namespace kubemu::controllers::kubelet {

using api::Json;

namespace {

constexpr Duration monitoring_interval = std::chrono::seconds(10);
// --eviction-pressure-transition-period: a condition goes only when nothing was short for so long.
constexpr Duration transition_period = std::chrono::minutes(5);
constexpr std::int64_t system_critical_priority = 2'000'000'000;

bool is_critical(const Json& pod) {
    const Json& annotations = api::object_at(pod, {"metadata", "annotations"});
    return api::int_at(pod, {"spec", "priority"}) >= system_critical_priority ||
           annotations.contains("kubernetes.io/config.mirror");
}

}  // namespace

void EvictionManager::observe(const Json& document, const NodeWishes& wishes) {
    const std::string name(api::name_of(document));
    std::map<std::string, Observation> wanted;
    std::set<std::string> forced;
    for (const auto& [signal, text] : wishes.signals) {
        const auto quantity = api::Quantity::parse(text);
        if (find_signal(signal) != nullptr && quantity) wanted[signal] = {text, quantity->value(), 0};
    }
    for (const auto& [condition, status] : wishes.conditions) {
        const Signal* signal = signal_of_condition(condition);
        if (signal == nullptr || status != "True") continue;
        forced.insert(condition);
        wanted.try_emplace(signal->name, Observation{status, std::nullopt, 0});
    }
    if (wanted.empty() && nodes_.count(name) == 0) return;
    Node& node = nodes_[name];
    node.uid = api::uid_of(document);
    for (const Signal& signal : signals()) node.thresholds[signal.name] = threshold_of(signal, document);
    const auto same = [&] {
        return node.forced == forced && std::equal(wanted.begin(), wanted.end(), node.observed.begin(), node.observed.end(),
                                                   [](const auto& a, const auto& b) {
                                                       return a.first == b.first && a.second.stated == b.second.stated;
                                                   });
    };
    if (same()) return;
    // What an annotation forced ends with it; what was measured lasts the transition period.
    for (const std::string& condition : node.forced)
        if (forced.count(condition) == 0) node.last_seen.erase(condition);
    node.forced = std::move(forced);
    node.observed = std::move(wanted);
    look(name);
}

void EvictionManager::forget(const std::string& node) {
    nodes_.erase(node);
    options_.manager.set_timer(this, "eviction on " + node, std::nullopt, {});
}

void EvictionManager::pod_came(const std::string& name) {
    const auto found = nodes_.find(name);
    if (found == nodes_.end() || !found->second.waits_for_pods) return;
    found->second.waits_for_pods = false;
    const Time now = options_.manager.clock().now();
    options_.manager.set_timer(this, "eviction on " + name, std::max(now, found->second.next_look), [this, name] { look(name); });
}

std::int64_t EvictionManager::available(const Signal& signal, const Node& node) const {
    const Observation& observation = node.observed.at(signal.name);
    return observation.said.value_or(node.thresholds.at(signal.name) / 2) + observation.relieved;
}

const Signal* EvictionManager::most_urgent(const Node& node) const {
    for (const Signal& signal : signals()) {
        if (node.observed.count(signal.name) > 0 && available(signal, node) < node.thresholds.at(signal.name)) return &signal;
    }
    return nullptr;
}

// When the next of them may go; nothing when none is about to.
std::optional<Time> EvictionManager::update_conditions(const std::string& name, Node& node) {
    const Time now = options_.manager.clock().now();
    for (const Signal& signal : signals()) {
        if (node.observed.count(signal.name) > 0 && available(signal, node) < node.thresholds.at(signal.name))
            node.last_seen[signal.condition] = now;
    }
    std::set<std::string> conditions;
    std::optional<Time> next;
    for (auto seen = node.last_seen.begin(); seen != node.last_seen.end();) {
        const Time end = seen->second + transition_period;
        if (end <= now) {
            seen = node.last_seen.erase(seen);
            continue;
        }
        conditions.insert(seen->first);
        next = std::min(next.value_or(end), end);
        ++seen;
    }
    if (conditions != node.reported) {
        node.reported = conditions;
        options_.report(name, conditions);
    }
    return next;
}

bool EvictionManager::evict_one(const std::string& name, Node& node, const Signal& signal) {
    std::vector<Candidate> pods;
    for (const auto& [key, document] : options_.pods(name)) {
        if (!is_critical(document)) pods.push_back(read_candidate(key, document, signal, options_.manager.clock().now()));
    }
    if (pods.empty()) return false;
    const Json reference = {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name}, {"uid", node.uid}}}};
    if (const auto recorder = options_.events(name)) {
        recorder->warning(reference, "EvictionThresholdMet", std::string("Attempting to reclaim ") + signal.resource);
    }
    rank(pods, signal);
    const Candidate& victim = pods.front();
    const std::int64_t threshold = node.thresholds.at(signal.name), left = available(signal, node);
    options_.evict(victim.key, eviction_text(victim, signal, threshold, left), signal.resource);
    for (auto& [measured, observation] : node.observed)
        if (std::string_view(find_signal(measured)->resource) == signal.resource) observation.relieved += victim.used;
    return true;
}

void EvictionManager::look(const std::string& name) {
    const auto found = nodes_.find(name);
    if (found == nodes_.end()) return;
    Node& node = found->second;
    std::optional<Time> next = update_conditions(name, node);
    node.waits_for_pods = false;
    if (const Signal* signal = most_urgent(node)) {
        node.next_look = options_.manager.clock().now() + monitoring_interval;
        node.waits_for_pods = !evict_one(name, node, *signal);
        if (!node.waits_for_pods) next = node.next_look;
        else next.reset();  // as short as it is, the condition stays
    }
    if (!next && node.observed.empty() && node.last_seen.empty()) return forget(name);
    options_.manager.set_timer(this, "eviction on " + name, next, [this, name] { look(name); });
}

std::string EvictionManager::refusal(const std::string& name, const Json& pod) const {
    const auto found = nodes_.find(name);
    if (found == nodes_.end() || found->second.reported.empty() || is_critical(pod)) return {};
    const std::set<std::string>& conditions = found->second.reported;
    if (conditions == std::set<std::string>{"MemoryPressure"}) {
        if (api::quality_of_service(api::object_at(pod, {"spec"})) != "BestEffort") return {};
        for (const Json& toleration : api::array_at(pod, {"spec", "tolerations"})) {
            const std::string_view key = api::string_at(toleration, {"key"}), effect = api::string_at(toleration, {"effect"});
            const bool exists = api::string_at(toleration, {"operator"}) == "Exists";
            if ((key == "node.kubernetes.io/memory-pressure" || (key.empty() && exists)) &&
                (effect.empty() || effect == "NoSchedule") && (exists || api::string_at(toleration, {"value"}).empty()))
                return {};
        }
    }
    std::string list;
    for (const std::string& condition : conditions) list += (list.empty() ? "" : " ") + condition;
    return "The node had condition: [" + list + "]. ";
}

}  // namespace kubemu::controllers::kubelet

// States of zones and what they mean for the rate.
#include "controllers/node_lifecycle/zones.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers {

std::string zone_key(const api::Json& node) {
    const auto label = [&](const char* key, const char* old_key) {
        const auto value = api::string_at(node, {"metadata", "labels", key});
        return std::string(value.empty() ? api::string_at(node, {"metadata", "labels", old_key}) : value);
    };
    const std::string zone = label("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"),
                      region =
                          label("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    return zone.empty() && region.empty() ? std::string() : region + "/" + zone;
}

// Controller.ComputeZoneState
EvictionZones::State EvictionZones::judge_zone(std::size_t ready, std::size_t not_ready) {
    if (ready == 0 && not_ready > 0) return State::full;
    const bool many =
        not_ready > 2 && static_cast<double>(not_ready) >= 0.55 * static_cast<double>(ready + not_ready);
    return many ? State::partial : State::normal;
}

// A zone that waits for its next turn goes on waiting, at the new rate.
bool EvictionZones::set_interval(Zone& zone, Duration interval, Time now) {
    if (zone.interval == interval) return false;
    const bool waits = zone.interval == Duration::zero() || now < zone.next;
    zone.interval = interval;
    if (waits) zone.next = now + interval;
    return true;
}

bool EvictionZones::adjust(Zone& zone, State state, std::size_t size, Time now) {
    zone.state = state;
    if (state != State::partial) return set_interval(zone, normal_interval, now);
    return set_interval(zone, size > large_zone ? secondary_interval : Duration::zero(), now);
}

EvictionZones::Change EvictionZones::judge(const std::vector<Node>& nodes, Time now) {
    struct Count {
        std::size_t ready = 0, not_ready = 0;
    };
    std::map<std::string, Count> counts;
    for (const Node& node : nodes) ++(node.ready ? counts[node.zone].ready : counts[node.zone].not_ready);
    for (auto zone = zones_.begin(); zone != zones_.end();)
        zone = counts.count(zone->first) > 0 ? std::next(zone) : zones_.erase(zone);
    for (const auto& [name, count] : counts) zones_.try_emplace(name);
    const bool were_all_down = all_down_;
    all_down_ = !counts.empty() && std::all_of(counts.begin(), counts.end(), [](const auto& entry) {
        return judge_zone(entry.second.ready, entry.second.not_ready) == State::full;
    });
    Change change;
    change.stopped = all_down_ && !were_all_down;
    change.resumed = !all_down_ && were_all_down;
    for (auto& [name, zone] : zones_) {
        const Count& count = counts.at(name);
        const State state = judge_zone(count.ready, count.not_ready);
        if (all_down_) {
            zone.state = state;
            change.rates |= set_interval(zone, Duration::zero(), now);
        } else if (change.resumed || zone.state != state) {
            change.rates |= adjust(zone, state, count.ready + count.not_ready, now);
        }
    }
    return change;
}

EvictionZones::Permit EvictionZones::ask(const std::string& name, Time now) {
    const auto found = zones_.find(name);
    // A node that does not count for disruptions has a zone of its own making.
    Zone& zone = found != zones_.end() ? found->second : zones_.try_emplace(name).first->second;
    if (all_down_ || zone.interval == Duration::zero()) return {};
    if (now < zone.next) return {false, zone.next};
    zone.next = now + zone.interval;
    return {true, std::nullopt};
}

}  // namespace kubemu::controllers

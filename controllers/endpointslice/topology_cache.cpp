// Each endpoint starts with its own zone; then zones that have too many give to those that have too few.
#include "controllers/endpointslice/topology_cache.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/values/quantity.h"

namespace kubemu::controllers {

namespace {

using api::Json;
using Shares = std::map<std::string, double, std::less<>>;

constexpr double overload_threshold = 0.2;
constexpr const char* disabled = "TopologyAwareHintsDisabled";

bool is_ready(const Json& endpoint) {
    return api::bool_at(endpoint, {"conditions", "ready"});
}

int ready_count(const std::vector<TopologyCache::Slice>& slices) {
    int count = 0;
    for (const TopologyCache::Slice& slice : slices) {
        count += static_cast<int>(std::count_if(slice.endpoints->begin(), slice.endpoints->end(), is_ready));
    }
    return count;
}

void set_hint(Json& endpoint, const std::string& zone) {
    endpoint["hints"] = {{"forZones", Json::array({{{"name", zone}}})}};
}

// So many of them a zone must have, which would have `desired` if they could be parted.
int least_of(double desired) {
    return static_cast<int>(std::ceil(desired * (1 / (1 + overload_threshold))));
}

std::pair<std::string, double> most_of(const Shares& zones) {
    std::pair<std::string, double> most("", 0);
    for (const auto& [zone, share] : zones) {
        if (share > most.second) most = {zone, share};
    }
    return most;
}

void take_one(std::map<std::string, int, std::less<>>& zones, std::map<std::string, int, std::less<>>::iterator zone) {
    if (--zone->second == 0) zones.erase(zone);
}

}  // namespace

void strip_hints(Json& endpoints) {
    for (Json& endpoint : endpoints) endpoint.erase("hints");
}

bool wants_topology_hints(const Json& service) {
    const Json& annotations = api::object_at(service, {"metadata", "annotations"});
    for (const char* name : {"service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"}) {
        if (const Json* mode = api::find(annotations, name)) return *mode == "Auto" || *mode == "auto";
    }
    return false;
}

bool TopologyCache::observe_node(const std::string& name, const Json* node) {
    if (node == nullptr) return nodes_.erase(name) > 0;
    const Json& labels = api::object_at(*node, {"metadata", "labels"});
    Node now;
    for (const Json& condition : api::array_at(*node, {"status", "conditions"})) {
        if (api::string_at(condition, {"type"}) == "Ready")
            now.counts = api::string_at(condition, {"status"}) == "True";
    }
    for (const char* excluded : {"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"}) {
        if (labels.contains(excluded)) now.counts = false;
    }
    now.zone = api::string_at(labels, {"topology.kubernetes.io/zone"});
    const auto cpu = api::Quantity::parse(api::string_at(*node, {"status", "allocatable", "cpu"}));
    if (cpu) now.cpu_milli = cpu->milli_value();
    const auto [known, fresh] = nodes_.try_emplace(name, now);
    return fresh || std::exchange(known->second, now) != now;
}

std::vector<std::string> TopologyCache::take_nodes() {
    std::map<std::string, std::int64_t> by_zone;
    std::int64_t total = 0;
    bool sufficient = true;
    for (const auto& [name, node] : nodes_) {
        if (!node.counts) continue;
        sufficient = sufficient && !node.zone.empty() && node.cpu_milli > 0;
        by_zone[node.zone] += node.cpu_milli;
        total += node.cpu_milli;
    }
    ratios_.clear();
    if (sufficient && by_zone.size() >= 2) {
        for (const auto& [zone, cpu] : by_zone) ratios_[zone] = static_cast<double>(cpu) / static_cast<double>(total);
    }
    std::vector<std::string> services;
    for (const auto& [slices, hints] : hints_) {
        if (overloaded(hints)) services.push_back(slices.first);
    }
    return services;
}

bool TopologyCache::overloaded(const Counts& hints) const {
    if (hints.empty()) return false;
    if (ratios_.empty()) return true;
    double total = 0;
    for (const auto& [zone, count] : hints) total += count;
    return std::any_of(ratios_.begin(), ratios_.end(), [&](const auto& zone_ratio) {
        const auto found = hints.find(zone_ratio.first);
        return found == hints.end() || found->second < least_of(total * zone_ratio.second);
    });
}

// Fills `allocations`, or says why it cannot be done.
std::optional<std::string> TopologyCache::allocate(int endpoints, Allocations& allocations) const {
    if (ratios_.empty())
        return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
    const std::string numbers =
        " (" + std::to_string(endpoints) + " endpoints, " + std::to_string(ratios_.size()) + " zones)";
    if (static_cast<int>(ratios_.size()) > endpoints) return "Insufficient number of endpoints" + numbers;
    int least = 0;
    for (const auto& [zone, ratio] : ratios_) {
        const double desired = ratio * endpoints;
        const int minimum = least_of(desired);
        allocations[zone] = {minimum, 0, std::max(desired, static_cast<double>(minimum))};
        least += minimum;
    }
    if (least > endpoints) {
        return "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold" +
               numbers;
    }
    for (auto& [zone, allocation] : allocations) allocation.maximum = allocation.minimum + endpoints - least;
    return std::nullopt;
}

// The hints of a slice, when they can stay: each ready endpoint has some, for zones that need it.
std::optional<TopologyCache::Counts> TopologyCache::fitting_hints(const Json& endpoints, const Counts& allocated,
                                                                  const Allocations& allocations) {
    Counts counts;
    for (const Json& endpoint : endpoints) {
        if (!is_ready(endpoint)) continue;
        const Json& zones = api::array_at(endpoint, {"hints", "forZones"});
        if (zones.empty()) return std::nullopt;
        for (const Json& zone : zones) {
            const std::string name(api::string_at(zone, {"name"}));
            if (!allocations.contains(name)) return std::nullopt;
            ++counts[name];
        }
    }
    for (const auto& [zone, count] : counts) {
        const auto known = allocated.find(zone);
        const int before = known == allocated.end() ? 0 : known->second;
        if (before + count > allocations.find(zone)->second.maximum) return std::nullopt;
    }
    return counts;
}

// Zones that have too many endpoints give some of theirs to those that have too few.
void TopologyCache::redistribute(const std::vector<Json*>& open, const Allocations& allocations, Counts& allocated) {
    Shares giving, receiving;
    for (const auto& [zone, allocation] : allocations) {
        const auto found = allocated.find(zone);
        const double surplus = (found == allocated.end() ? 0 : found->second) - allocation.desired;
        if (surplus > 0) giving[zone] = surplus;
        if (surplus < 0) receiving[zone] = -surplus;
    }
    Counts to_give, to_receive;
    while (true) {
        const auto [giver, surplus] = most_of(giving);
        const auto [receiver, need] = most_of(receiving);
        if (giver.empty() || receiver.empty() || (surplus < 1 && need < 1) || surplus < 0.5 || need < 0.5) break;
        ++to_give[giver];
        giving[giver] -= 1;
        ++to_receive[receiver];
        receiving[receiver] -= 1;
    }
    for (Json* endpoints : open) {
        for (Json& endpoint : *endpoints) {
            if (!is_ready(endpoint) || to_receive.empty()) continue;
            const auto giver = to_give.find(api::string_at(endpoint, {"zone"}));
            if (giver == to_give.end()) continue;
            const auto receiver = to_receive.begin();
            set_hint(endpoint, receiver->first);
            ++allocated[receiver->first];
            --allocated[giver->first];
            take_one(to_receive, receiver);
            take_one(to_give, giver);
        }
    }
}

std::vector<TopologyCache::Event> TopologyCache::add_hints(const std::string& service, std::string_view address_type,
                                                           std::vector<Slice> slices) {
    const auto told = [&](bool warning, const char* reason, const std::string& text) {
        return std::vector<Event>{{warning, reason, text + ", addressType: " + std::string(address_type)}};
    };
    const auto give_up = [&](const std::string& why) {
        remove(service, address_type);
        for (const Slice& slice : slices) strip_hints(*slice.endpoints);
        return told(true, disabled, why);
    };
    Allocations allocations;
    if (const auto why = allocate(ready_count(slices), allocations)) return give_up(*why);

    Counts allocated;
    std::vector<Json*> open;  // slices whose hints are given anew
    for (const Slice& slice : slices) {
        if (slice.changed) open.push_back(slice.endpoints);
    }
    for (const Slice& slice : slices) {
        if (slice.changed) continue;
        if (const auto kept = fitting_hints(*slice.endpoints, allocated, allocations)) {
            for (const auto& [zone, count] : *kept) allocated[zone] += count;
        } else {
            open.push_back(slice.endpoints);
        }
    }
    for (Json* endpoints : open) {
        for (Json& endpoint : *endpoints) {
            endpoint.erase("hints");
            if (!is_ready(endpoint)) continue;
            const std::string zone(api::string_at(endpoint, {"zone"}));
            if (zone.empty()) return give_up("One or more endpoints do not have a zone specified");
            ++allocated[zone];
            set_hint(endpoint, zone);
        }
    }

    redistribute(open, allocations, allocated);
    const bool known = !hints_.insert_or_assign(Slices(service, address_type), std::move(allocated)).second;
    if (known) return {};
    return told(false, "TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled");
}

bool TopologyCache::remove(const std::string& service, std::string_view address_type) {
    return hints_.erase(Slices(service, address_type)) > 0;
}

}  // namespace kubemu::controllers

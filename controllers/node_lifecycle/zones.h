// Zones: how fast nodes that do not answer may get the taint that evicts their pods
// (pkg/controller/nodelifecycle, "zone states").
//
// A zone is a pair of region and zone labels. In a normal zone one node in ten seconds is tainted. Where more
// than two nodes and at least 55% of them are down, the fault may be the zone's network: there it is one in
// 100 seconds, or in a zone of up to 50 nodes none. When every zone is down altogether the fault may be the
// control plane's, and nobody is evicted at all.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "storage/base/clock.h"

namespace kubemu::controllers {

// The zone of a node with these labels ("" without any).
std::string zone_key(const api::Json& node);

class EvictionZones {
  public:
    struct Node {
        std::string zone;
        bool ready = false;
    };
    struct Change {
        bool stopped = false;  // evictions ended: what was tainted is not to be any more
        bool resumed = false;  // evictions go on: all nodes start afresh
        bool rates = false;    // some zone's rate is another now
    };
    // All nodes that count, each time that one of them changed.
    Change judge(const std::vector<Node>& nodes, Time now);
    // Everything is down; nobody is to be evicted.
    bool all_down() const { return all_down_; }

    struct Permit {
        bool granted = false;
        std::optional<Time> retry;  // nothing: when the rate changes
    };
    // May one more node of this zone be tainted now?
    Permit ask(const std::string& zone, Time now);

  private:
    enum class State { initial, normal, partial, full };
    struct Zone {
        State state = State::initial;
        Duration interval = normal_interval;  // zero: never
        Time next{};
    };
    static constexpr Duration normal_interval = std::chrono::seconds(10);  // --node-eviction-rate 0.1
    static constexpr Duration secondary_interval =
        std::chrono::seconds(100);                 // --secondary-node-eviction-rate 0.01
    static constexpr std::size_t large_zone = 50;  // --large-cluster-size-threshold

    static State judge_zone(std::size_t ready, std::size_t not_ready);
    bool set_interval(Zone& zone, Duration interval, Time now);
    bool adjust(Zone& zone, State state, std::size_t size, Time now);

    std::map<std::string, Zone> zones_;
    bool all_down_ = false;
};

}  // namespace kubemu::controllers

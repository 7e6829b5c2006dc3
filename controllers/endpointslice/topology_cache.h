// TopologyCache: which zone's clients should go to which endpoint, for services that ask for it with the annotation
// service.kubernetes.io/topology-mode (k8s.io/endpointslice/topologycache).
//
// Zones get endpoints in proportion to the CPU of their nodes. Where that cannot be done without asking more than a
// fifth too much of an endpoint, nobody gets hints, and an event says why.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/values/object.h"

namespace kubemu::controllers {

class TopologyCache {
  public:
    struct Event {
        bool warning = true;
        std::string reason, message;
    };
    // The endpoints of one slice, as they are to be written.
    struct Slice {
        api::Json* endpoints = nullptr;
        bool changed = true;  // apart from its hints
    };

    // True when the node could count for its zone otherwise than before.
    bool observe_node(const std::string& name, const api::Json* node);
    // The services whose zones have too few endpoints for the nodes as they are now.
    std::vector<std::string> take_nodes();

    // Sets the hints of all slices of an address type, those to be made before those to be changed. The hints of
    // unchanged slices stay when they still fit. Returns what is to be told.
    std::vector<Event> add_hints(const std::string& service, std::string_view address_type, std::vector<Slice> slices);
    // The service asks for hints no longer, or has no addresses of the type. True when it had some.
    bool remove(const std::string& service, std::string_view address_type);

  private:
    using Counts = std::map<std::string, int, std::less<>>;
    struct Node {
        bool counts = false;  // ready, and no control plane
        std::string zone;
        std::int64_t cpu_milli = 0;
        bool operator==(const Node&) const = default;
    };
    struct Allocation {
        int minimum = 0, maximum = 0;
        double desired = 0;
    };
    using Allocations = std::map<std::string, Allocation, std::less<>>;

    std::optional<std::string> allocate(int endpoints, Allocations& allocations) const;
    bool overloaded(const Counts& hints) const;
    static std::optional<Counts> fitting_hints(const api::Json& endpoints, const Counts& allocated,
                                               const Allocations& allocations);
    static void redistribute(const std::vector<api::Json*>& open, const Allocations& allocations, Counts& allocated);

    std::map<std::string, Node> nodes_;
    std::map<std::string, double, std::less<>> ratios_;  // by zone; empty: nobody knows
    using Slices = std::pair<std::string, std::string>;  // a service, an address type
    std::map<Slices, Counts> hints_;                     // endpoints a zone
};

// Takes the hints off.
void strip_hints(api::Json& endpoints);
// service.kubernetes.io/topology-mode, or its older name, is Auto.
bool wants_topology_hints(const api::Json& service);

}  // namespace kubemu::controllers

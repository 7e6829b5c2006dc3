// Search: one run of the allocator, with what it has taken so far.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controllers/scheduler/devices/allocator.h"
#include "controllers/scheduler/devices/constraint.h"
#include "controllers/scheduler/devices/counters.h"
#include "controllers/scheduler/devices/pools.h"

namespace kubemu::controllers::scheduler::devices {

struct Candidate {
    const Pool* pool = nullptr;
    const Slice* slice = nullptr;
    const Device* device = nullptr;

    DeviceId id() const { return slice->id_of(*device); }
};

// A request and what it takes to fulfil it.
struct Wish {
    Request request;
    ClassPtr device_class;
    std::size_t wanted = 0;             // devices
    std::vector<Candidate> everything;  // what "All" is
};

// A device that the search has taken for a request.
struct Taken {
    const Wish* wish = nullptr;
    Candidate candidate;
    Amounts consumed;
    std::string share_id;
    bool counted = false;  // it takes from its pool's counters
};

class Search {
  public:
    Search(const World& world, const NodeInfo& node, const std::vector<ClaimSpec>& claims);
    Outcome run();

  private:
    enum class Step {
        found,
        none,
        too_many,  // more devices than a claim's status can hold: fewer may do
        error,
    };
    struct Place {
        std::size_t claim = 0, request = 0, alternative = 0, device = 0;
    };
    struct Start {
        std::size_t pool = 0, slice = 0, device = 0;
    };

    bool prepare();
    bool prepare_wish(std::size_t claim, Wish& wish);
    bool find_everything(std::size_t claim, Wish& wish);
    bool prepare_constraints(std::size_t claim);

    Step allocate(Place at, bool chosen, Start from);
    Step choose_alternative(Place at);
    Step allocate_listed(Place at, const Wish& wish);
    Step allocate_any(Place at, const Wish& wish, Start from);
    // Whether it could be taken; an error when it has to be and cannot.
    Step take(const Place& at, const Wish& wish, const Candidate& candidate, bool must);
    void give_back(std::size_t claim);
    bool in_use(const DeviceId& id) const;
    bool fits_constraints(std::size_t claim, const Wish& wish, const Candidate& candidate);
    bool has_room(const Wish& wish, const Candidate& candidate) const;
    Amounts taken_of(const DeviceId& id) const;
    // Nothing after an error.
    bool selectable(std::size_t claim, const Wish& wish, const Candidate& candidate);
    bool selectors_match(const std::vector<std::string>& selectors, const std::string& whose,
                         const Candidate& candidate);
    Step fail(std::string error);

    api::Json result_of(std::size_t claim) const;
    void add_configuration(std::size_t claim, api::Json& devices) const;
    api::Json node_selector_of(std::size_t claim) const;

    const World& world_;
    const NodeInfo& node_;
    const std::vector<ClaimSpec>& claims_;
    std::vector<Pool> pools_;
    Counters counters_;
    std::vector<std::vector<std::vector<Wish>>> wishes_;  // of each claim, of each request: its alternatives
    std::vector<std::vector<std::size_t>> chosen_;        // which alternative
    std::vector<std::vector<Constraint>> constraints_;    // of each claim
    std::vector<std::vector<Taken>> taken_;               // of each claim
    std::map<DeviceId, std::set<std::size_t>> taking_;    // by which claims
    std::map<std::pair<const Wish*, const Device*>, bool> selected_;
    std::string error_;
    std::int64_t steps_ = 0;
};

}  // namespace kubemu::controllers::scheduler::devices

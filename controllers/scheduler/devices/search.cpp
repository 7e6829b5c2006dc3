// The search itself: one device after the other, and back.
#include "controllers/scheduler/devices/search.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/scheduler/devices/capacity.h"

namespace kubemu::controllers::scheduler::devices {
namespace {

// AllocationResultsMaxSize: what a claim's status can hold.
constexpr std::size_t devices_max = 32;
// A search that takes this many steps may as well take for ever; the real one is given 10 s (filterTimeout).
constexpr std::int64_t steps_max = 1'000'000;

}  // namespace

Search::Search(const World& world, const NodeInfo& node, const std::vector<ClaimSpec>& claims)
    : world_(world), node_(node), claims_(claims), counters_(world.allocated), taken_(claims.size()) {}

Search::Step Search::fail(std::string error) {
    error_ = std::move(error);
    return Step::error;
}

Outcome Search::run() {
    Outcome outcome;
    pools_ = gather_pools(world_.slices, node_);
    const Step step = prepare() ? allocate({}, false, {}) : Step::error;
    outcome.error = error_;
    outcome.found = step == Step::found;
    if (outcome.found) {
        for (std::size_t claim = 0; claim < claims_.size(); ++claim)
            outcome.allocations.push_back(std::make_shared<const api::Json>(result_of(claim)));
    } else if (step != Step::error &&
               std::any_of(pools_.begin(), pools_.end(), [](const Pool& pool) { return pool.invalid; })) {
        outcome.refusal = "invalid resource pools were encountered";
    }
    return outcome;
}

Search::Step Search::allocate(Place at, bool chosen, Start from) {
    if (++steps_ > steps_max) return fail("node " + node_.name + ": timed out trying to allocate devices");
    if (at.claim >= claims_.size()) return Step::found;
    if (at.request >= wishes_[at.claim].size()) {
        // The next claim has room of its own: another choice here may still help it.
        const Step next = allocate({at.claim + 1, 0, 0, 0}, false, {});
        return next == Step::too_many ? Step::none : next;
    }
    const std::vector<Wish>& alternatives = wishes_[at.claim][at.request];
    if (!chosen && !alternatives.front().request.parent.empty()) return choose_alternative(at);
    const Wish& wish = alternatives[at.alternative];
    if (wish.request.all && wish.everything.empty()) return Step::none;
    if (at.device >= wish.wanted) return allocate({at.claim, at.request + 1, 0, 0}, false, {});
    if (taken_[at.claim].size() + wish.wanted - at.device > devices_max) return Step::too_many;
    return wish.request.all ? allocate_listed(at, wish) : allocate_any(at, wish, from);
}

Search::Step Search::choose_alternative(Place at) {
    bool all_too_many = true;
    for (at.alternative = 0; at.alternative < wishes_[at.claim][at.request].size(); ++at.alternative) {
        chosen_[at.claim][at.request] = at.alternative;
        const Step step = allocate(at, true, {});
        if (step == Step::too_many) continue;
        all_too_many = false;
        if (step != Step::none) return step;
    }
    return all_too_many ? Step::too_many : Step::none;
}

Search::Step Search::allocate_listed(Place at, const Wish& wish) {
    const Step taken = take(at, wish, wish.everything[at.device], true);
    if (taken != Step::found) return taken;
    ++at.device;
    const Step step = allocate(at, true, {});
    if (step != Step::found) give_back(at.claim);
    return step;
}

// The devices of one request are tried in one order only: which of them is first makes no difference.
Search::Step Search::allocate_any(Place at, const Wish& wish, Start from) {
    for (std::size_t p = from.pool; p < pools_.size(); ++p) {
        const Pool& pool = pools_[p];
        if (!pool.usable()) continue;
        for (std::size_t s = p == from.pool ? from.slice : 0; s < pool.slices.size(); ++s) {
            const Slice& slice = *pool.slices[s];
            const std::size_t first = p == from.pool && s == from.slice ? from.device : 0;
            for (std::size_t d = first; d < slice.devices.size(); ++d) {
                const Candidate candidate{&pool, &slice, &slice.devices[d]};
                const Step taken = take(at, wish, candidate, false);
                if (taken == Step::error) return taken;
                if (taken != Step::found) continue;
                const Place next{at.claim, at.request, at.alternative, at.device + 1};
                const Step step = allocate(next, true, {p, s, d + 1});
                if (step == Step::found) return step;
                give_back(at.claim);
                if (step != Step::none) return step;
            }
        }
    }
    return Step::none;
}

bool Search::in_use(const DeviceId& id) const {
    if (world_.allocated.whole.count(id) > 0) return true;
    const auto found = taking_.find(id);
    return found != taking_.end() && !found->second.empty();
}

bool Search::fits_constraints(std::size_t claim, const Wish& wish, const Candidate& candidate) {
    std::vector<Constraint>& constraints = constraints_[claim];
    const DeviceId id = candidate.id();
    for (std::size_t i = 0; i < constraints.size(); ++i) {
        if (constraints[i].add(wish.request, id, *candidate.device)) continue;
        while (i > 0) constraints[--i].remove(wish.request);
        return false;
    }
    return true;
}

Amounts Search::taken_of(const DeviceId& id) const {
    Amounts amounts;
    if (const auto others = world_.allocated.consumed.find(id); others != world_.allocated.consumed.end())
        amounts = others->second;
    for (const auto& devices : taken_)
        for (const Taken& taken : devices)
            if (!taken.consumed.empty() && taken.candidate.id() == id)
                for (const auto& [name, amount] : taken.consumed) amounts[name] += amount;
    return amounts;
}

bool Search::has_room(const Wish& wish, const Candidate& candidate) const {
    return devices::has_room(wish.request.capacity, *candidate.device, taken_of(candidate.id()));
}

namespace {

bool tainted_for(const Request& request, const Device& device) {
    return std::any_of(device.taints.begin(), device.taints.end(), [&](const Taint& taint) {
        if (taint.effect != "NoSchedule" && taint.effect != "NoExecute") return false;
        return std::none_of(request.tolerations.begin(), request.tolerations.end(),
                            [&](const Toleration& toleration) { return toleration.tolerates(taint); });
    });
}

}  // namespace

Search::Step Search::take(const Place& at, const Wish& wish, const Candidate& candidate, bool must) {
    const Device& device = *candidate.device;
    const DeviceId id = candidate.id();
    const auto taking = taking_.find(id);
    const bool by_claim = taking != taking_.end() && taking->second.count(at.claim) > 0;
    if (wish.request.admin ? by_claim : in_use(id)) return Step::none;
    if (!selectable(at.claim, wish, candidate)) return error_.empty() ? Step::none : Step::error;
    if (!has_room(wish, candidate) || tainted_for(wish.request, device)) return Step::none;
    // A device that is in use in part has taken its counters already.
    const bool counts = !device.consumes.empty() && !(device.shared && !taken_of(id).empty());
    if (counts && !counters_.take(*candidate.pool, device)) return Step::none;
    if (!fits_constraints(at.claim, wish, candidate)) {
        if (counts) counters_.give_back(*candidate.pool, device);
        if (!must) return Step::none;
        return fail("claim " + claims_[at.claim].key + ", request " + wish.request.name + ": cannot add device " +
                    id.text() + " because a claim constraint would not be satisfied");
    }
    Taken taken{&wish, candidate, {}, {}, counts};
    if (device.shared) {
        taken.consumed = consumed_by(wish.request.capacity, device);
        taken.share_id = world_.share_id();
    } else {
        taking_[id].insert(at.claim);
    }
    taken_[at.claim].push_back(std::move(taken));
    return Step::found;
}

void Search::give_back(std::size_t claim) {
    const Taken& last = taken_[claim].back();
    const Device& device = *last.candidate.device;
    for (Constraint& constraint : constraints_[claim]) constraint.remove(last.wish->request);
    if (!device.shared) taking_[last.candidate.id()].erase(claim);
    if (last.counted) counters_.give_back(*last.candidate.pool, device);
    taken_[claim].pop_back();
}

bool Search::selectable(std::size_t claim, const Wish& wish, const Candidate& candidate) {
    const auto key = std::make_pair(&wish, candidate.device);
    if (const auto known = selected_.find(key); known != selected_.end()) return known->second;
    bool matches = selectors_match(wish.device_class->selectors, "class " + wish.device_class->name, candidate) &&
                   selectors_match(wish.request.selectors, "claim " + claims_[claim].key, candidate);
    if (!error_.empty()) return false;
    if (candidate.slice->by_device) matches = matches && candidate.device->reach.includes(node_);
    return selected_[key] = matches;
}

bool Search::selectors_match(const std::vector<std::string>& selectors, const std::string& whose,
                             const Candidate& candidate) {
    for (std::size_t i = 0; i < selectors.size(); ++i) {
        const auto selector = world_.selectors.get(selectors[i]);
        const std::string which = whose + ": selector #" + std::to_string(i) + ": CEL ";
        if (!selector->error.empty()) {
            fail(which + "compile error: " + selector->error);
            return false;
        }
        const auto match = api::cel::match_device(*selector, candidate.slice->driver, *candidate.device->document);
        if (!match.error.empty()) {
            fail(which + "runtime error: " + match.error);
            return false;
        }
        if (!match.matches) return false;
    }
    return true;
}

bool Search::prepare() {
    for (std::size_t claim = 0; claim < claims_.size(); ++claim) {
        wishes_.emplace_back();
        chosen_.emplace_back();
        for (const api::Json& document : api::array_at(*claims_[claim].devices, {"requests"})) {
            chosen_.back().push_back(0);
            std::vector<Wish>& alternatives = wishes_.back().emplace_back();
            for (Request& request : read_request(document))
                alternatives.push_back({std::move(request), nullptr, 0, {}});
            if (!alternatives.empty()) continue;
            fail("claim " + claims_[claim].key + ", request " + std::string(api::string_at(document, {"name"})) +
                 ": unknown request type");
            return false;
        }
    }
    for (std::size_t claim = 0; claim < claims_.size(); ++claim) {
        std::size_t least = 0;
        for (std::vector<Wish>& alternatives : wishes_[claim]) {
            std::size_t fewest = SIZE_MAX;
            for (Wish& wish : alternatives) {
                if (!prepare_wish(claim, wish)) return false;
                fewest = std::min(fewest, wish.wanted);
            }
            least += fewest;
        }
        if (least > devices_max) {
            fail("claim " + claims_[claim].key + ": number of requested devices " + std::to_string(least) +
                 " exceeds the claim limit of " + std::to_string(devices_max));
            return false;
        }
        if (!prepare_constraints(claim)) return false;
    }
    return true;
}

bool Search::prepare_wish(std::size_t claim, Wish& wish) {
    const std::string which = "claim " + claims_[claim].key + ", request " + wish.request.name + ": ";
    wish.device_class = world_.classes(wish.request.class_name);
    if (wish.device_class == nullptr) {
        fail(which + "could not retrieve device class " + wish.request.class_name + ": deviceclass.resource.k8s.io \"" +
             wish.request.class_name + "\" not found");
        return false;
    }
    if (wish.request.all) return find_everything(claim, wish);
    if (wish.request.mode != "ExactCount") {
        fail(which + "unsupported count mode " + wish.request.mode);
        return false;
    }
    wish.wanted = static_cast<std::size_t>(std::max<std::int64_t>(wish.request.count, 0));
    return true;
}

bool Search::find_everything(std::size_t claim, Wish& wish) {
    for (const Pool& pool : pools_) {
        if (!pool.usable()) {
            fail("claim " + claims_[claim].key + ", request " + wish.request.name +
                 ": asks for all devices, but resource pool " + pool.text() + " is currently " +
                 (pool.incomplete ? "being updated" : "invalid"));
            return false;
        }
        for (const Slice* slice : pool.slices) {
            for (const Device& device : slice->devices) {
                const Candidate candidate{&pool, slice, &device};
                const bool wanted = selectable(claim, wish, candidate);
                if (!error_.empty()) return false;
                if (wanted && has_room(wish, candidate)) wish.everything.push_back(candidate);
            }
        }
    }
    wish.wanted = wish.everything.size();
    return true;
}

bool Search::prepare_constraints(std::size_t claim) {
    constraints_.emplace_back();
    for (const api::Json& document : api::array_at(*claims_[claim].devices, {"constraints"})) {
        Constraint constraint(document);
        if (!constraint.known()) {
            fail("claim " + claims_[claim].key + ", constraint #" + std::to_string(constraints_.back().size()) +
                 ": empty constraint (unsupported constraint type?)");
            return false;
        }
        constraints_.back().push_back(std::move(constraint));
    }
    return true;
}

}  // namespace kubemu::controllers::scheduler::devices

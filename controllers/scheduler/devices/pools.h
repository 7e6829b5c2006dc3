// Pools: the ResourceSlices that count, seen from one node (structured/internal/incubating/pools_incubating.go).
//
// A pool is what one driver calls by one name. Of its slices those of the newest generation count, and only when all of
// them are there: resourceSliceCount says how many that are. A pool that lacks some is incomplete, one whose slices
// contradict each other is invalid; devices come from neither.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controllers/scheduler/devices/slice.h"

namespace kubemu::controllers::scheduler::devices {

struct Pool {
    std::string driver, name;
    bool incomplete = false;
    bool invalid = false;
    std::vector<const Slice*> slices;     // whose devices the node may reach, by name
    std::vector<const Slice*> elsewhere;  // the others, where devices share counters
    std::map<std::string, Amounts, std::less<>> counter_sets;

    std::string text() const { return driver + "/" + name; }
    bool usable() const { return !incomplete && !invalid; }
};

// By driver and name; those with devices that are not ready at once come last. They point into `slices`.
std::vector<Pool> gather_pools(const std::vector<SlicePtr>& slices, const NodeInfo& node);

}  // namespace kubemu::controllers::scheduler::devices

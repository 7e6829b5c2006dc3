// Which slices a node sees, which of them are outdated, and what they contradict each other in.
#include "controllers/scheduler/devices/pools.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace kubemu::controllers::scheduler::devices {
namespace {

using PoolId = std::pair<std::string, std::string>;
using Slices = std::vector<const Slice*>;

bool concerns(const Slice& slice, const NodeInfo& node) {
    if (!slice.counter_sets.empty()) return true;  // needed wherever the pool is
    if (slice.reach.said()) return slice.reach.includes(node);
    return slice.by_device && std::any_of(slice.devices.begin(), slice.devices.end(),
                                          [&](const Device& device) { return device.reach.includes(node); });
}

bool names_repeat(const Slices& slices) {
    std::set<std::string_view> seen;
    for (const Slice* slice : slices)
        for (const Device& device : slice->devices)
            if (!seen.insert(device.name).second) return true;
    return false;
}

bool consumes_only_known(const Slices& slices, const Pool& pool) {
    for (const Slice* slice : slices) {
        for (const Device& device : slice->devices) {
            for (const auto& [set, counters] : device.consumes) {
                const auto known = pool.counter_sets.find(set);
                if (known == pool.counter_sets.end()) return false;
                for (const auto& [counter, amount] : counters)
                    if (known->second.count(counter) == 0) return false;
            }
        }
    }
    return true;
}

// The slices of this generation wherever they are; none when there is a newer one.
Slices of_pool(const std::vector<SlicePtr>& slices, const PoolId& id, std::int64_t generation) {
    Slices found;
    for (const SlicePtr& slice : slices) {
        if (slice->driver != id.first || slice->pool != id.second || slice->generation < generation) continue;
        if (slice->generation > generation) return {};
        found.push_back(slice.get());
    }
    return found;
}

// `seen`: what the node sees of the pool; `all`: all of its generation.
void build(Pool& pool, Slices seen, const Slices& all) {
    std::sort(seen.begin(), seen.end(), [](const Slice* a, const Slice* b) { return a->name < b->name; });
    for (const Slice* slice : seen) {
        if (slice->counter_sets.empty()) pool.slices.push_back(slice);
        for (const auto& [set, counters] : slice->counter_sets)
            pool.invalid = !pool.counter_sets.emplace(set, counters).second || pool.invalid;
    }
    for (const Slice* slice : all)
        if (std::find(seen.begin(), seen.end(), slice) == seen.end()) pool.elsewhere.push_back(slice);
    pool.invalid = pool.invalid || names_repeat(pool.slices) || !consumes_only_known(seen, pool) ||
                   !consumes_only_known(pool.elsewhere, pool);
    if (pool.invalid) pool.slices.clear();
}

bool has_conditions(const Pool& pool) {
    return std::any_of(pool.slices.begin(), pool.slices.end(), [](const Slice* slice) {
        return std::any_of(slice->devices.begin(), slice->devices.end(),
                           [](const Device& device) { return device.has_conditions; });
    });
}

}  // namespace

std::vector<Pool> gather_pools(const std::vector<SlicePtr>& slices, const NodeInfo& node) {
    std::map<PoolId, Slices> seen;
    for (const SlicePtr& slice : slices) {
        if (!concerns(*slice, node)) continue;
        Slices& known = seen[{slice->driver, slice->pool}];
        if (!known.empty() && slice->generation < known.front()->generation) continue;
        if (!known.empty() && slice->generation > known.front()->generation) known.clear();
        known.push_back(slice.get());
    }
    std::vector<Pool> pools, later;
    for (const auto& [id, visible] : seen) {
        const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(visible.front()->slices_in_pool, 0));
        Slices all = visible;
        // Only who misses some looks at what other nodes see: it may be newer, then the pool is being replaced.
        if (visible.size() != wanted) all = of_pool(slices, id, visible.front()->generation);
        if (all.empty()) continue;
        Pool pool;
        std::tie(pool.driver, pool.name) = id;
        pool.incomplete = all.size() != wanted;
        if (!pool.incomplete) build(pool, visible, all);
        const bool waits = has_conditions(pool);
        (waits ? later : pools).push_back(std::move(pool));
    }
    pools.insert(pools.end(), std::make_move_iterator(later.begin()), std::make_move_iterator(later.end()));
    return pools;
}

}  // namespace kubemu::controllers::scheduler::devices

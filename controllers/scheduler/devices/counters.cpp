// What is left is computed when the first device of a pool asks.
#include "controllers/scheduler/devices/counters.h"

#include <algorithm>

namespace kubemu::controllers::scheduler::devices {
namespace {

void subtract(std::map<std::string, Amounts, std::less<>>& left, const Device& device, bool back) {
    for (const auto& [set, counters] : device.consumes) {
        const auto known = left.find(set);
        if (known == left.end()) continue;
        for (const auto& [name, amount] : counters) {
            const auto counter = known->second.find(name);
            if (counter == known->second.end()) continue;
            if (back)
                counter->second += amount;
            else
                counter->second -= amount;
        }
    }
}

}  // namespace

Counters::Sets& Counters::left_in(const Pool& pool) {
    const auto known = left_.find(&pool);
    if (known != left_.end()) return known->second;
    Sets& left = left_[&pool];
    left = pool.counter_sets;
    for (const auto* slices : {&pool.slices, &pool.elsewhere})
        for (const Slice* slice : *slices)
            for (const Device& device : slice->devices)
                if (!device.consumes.empty() && allocated_.has(slice->id_of(device))) subtract(left, device, false);
    return left;
}

// Any counter below zero is too much, as the real one has it: also one that the device does not take from.
bool Counters::take(const Pool& pool, const Device& device) {
    Sets& left = left_in(pool);
    subtract(left, device, false);
    const bool enough = std::all_of(left.begin(), left.end(), [](const auto& set) {
        return std::none_of(set.second.begin(), set.second.end(),
                            [](const auto& counter) { return counter.second.is_negative(); });
    });
    if (!enough) subtract(left, device, true);
    return enough;
}

void Counters::give_back(const Pool& pool, const Device& device) {
    subtract(left_in(pool), device, true);
}

}  // namespace kubemu::controllers::scheduler::devices

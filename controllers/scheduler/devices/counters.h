// Counters: what the devices of a pool take out of its shared counters, for devices that are parts of one another
// (KEP-4815, structured/internal/incubating/allocator_incubating.go checkAvailableCounters).
#pragma once

#include <map>
#include <string>
#include <utility>

#include "controllers/scheduler/devices/allocator.h"
#include "controllers/scheduler/devices/pools.h"

namespace kubemu::controllers::scheduler::devices {

class Counters {
  public:
    explicit Counters(const Allocated& allocated) : allocated_(allocated) {}
    // False, and nothing is taken, when there is not enough left.
    bool take(const Pool& pool, const Device& device);
    void give_back(const Pool& pool, const Device& device);

  private:
    using Sets = std::map<std::string, Amounts, std::less<>>;
    Sets& left_in(const Pool& pool);

    const Allocated& allocated_;
    std::map<const Pool*, Sets> left_;
};

}  // namespace kubemu::controllers::scheduler::devices

// Slice: what a ResourceSlice says of its devices, read once (k8s.io/dynamic-resource-allocation/api/types.go).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/values/object.h"
#include "api/values/quantity.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler::devices {

// A document, or part of one, that is shared and does not change.
using Document = std::shared_ptr<const api::Json>;
using Amounts = std::map<std::string, api::Quantity, std::less<>>;

struct DeviceId {
    std::string driver, pool, device;

    std::string text() const { return driver + "/" + pool + "/" + device; }
    bool operator<(const DeviceId& other) const;
    bool operator==(const DeviceId& other) const = default;
};

// An amount that a device has, and what of it may be asked for (CapacityRequestPolicy).
struct Capacity {
    struct Range {
        std::optional<api::Quantity> min, max, step;
    };
    api::Quantity value;
    bool has_policy = false;
    std::optional<api::Quantity> unasked;  // what a request that does not name it takes
    std::optional<Range> range;
    std::vector<api::Quantity> values;
};

// Which nodes reach something: one, all, or those that a selector takes; none of these when nothing is said.
struct Reach {
    std::optional<std::string> node_name;
    bool all = false;
    std::optional<std::vector<NodeTerm>> terms;
    Document selector;  // as it is written; null without

    bool said() const { return node_name || all || terms; }
    bool includes(const NodeInfo& node) const;
};

struct Device {
    std::string name;
    Document document;    // its entry in the slice
    bool shared = false;  // allowMultipleAllocations
    std::map<std::string, Capacity, std::less<>> capacity;
    std::vector<std::pair<std::string, Amounts>> consumes;  // by counter set
    std::vector<Taint> taints;
    Reach reach;  // where the slice leaves it to its devices
    bool binds_to_node = false;
    bool has_conditions = false;  // bindingConditions
};

struct Slice {
    std::string name, driver, pool;
    std::int64_t generation = 0, slices_in_pool = 0;
    Reach reach;
    bool by_device = false;  // perDeviceNodeSelection
    std::vector<Device> devices;
    std::vector<std::pair<std::string, Amounts>> counter_sets;  // sharedCounters

    DeviceId id_of(const Device& device) const { return {driver, pool, device.name}; }
};
using SlicePtr = std::shared_ptr<const Slice>;

SlicePtr read_slice(const api::Json& document);
Amounts read_amounts(const api::Json& object);  // name to quantity, or to an object with a `value`

}  // namespace kubemu::controllers::scheduler::devices

// Selectors of devices: expressions over `device`, which tell the devices that a claim takes
// (k8s.io/dynamic-resource-allocation/cel/compile.go).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/cel/expression.h"
#include "api/values/object.h"

namespace kubemu::api::cel {

struct DeviceSelector {
    std::string error;         // why it cannot be used; empty when it can
    std::uint64_t cost = 0;    // at worst
    std::shared_ptr<const Expression> program;  // null after an error
};

DeviceSelector compile_device_selector(const std::string& source);

struct DeviceMatch {
    bool matches = false;
    std::string error;  // the selector cannot be answered for this device: an attribute that it lacks, too many steps
};

// `device`: an entry of spec.devices of a ResourceSlice; `driver` is the domain of attributes that name none.
DeviceMatch match_device(const DeviceSelector& selector, const std::string& driver, const Json& device);

}  // namespace kubemu::api::cel

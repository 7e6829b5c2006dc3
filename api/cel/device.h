// Selectors of devices: expressions over `device`, which tell the devices that a claim takes
// (k8s.io/dynamic-resource-allocation/cel/compile.go).
#pragma once

#include <cstdint>
#include <string>

namespace kubemu::api::cel {

struct DeviceSelector {
    std::string error;         // why it cannot be used; empty when it can
    std::uint64_t cost = 0;    // at worst
};

// Compiled for the check alone: no device is compared with it.
DeviceSelector compile_device_selector(const std::string& source);

}  // namespace kubemu::api::cel

// Capacity: how much of a device that several may share a request takes, and whether there is enough
// (structured/internal/incubating/consumable_capacity.go).
//
// Example (tests/unit/controllers/scheduler/devices/capacity_test.cpp): 40Gi with a validRange from 1Gi in steps of
// 2Gi. Who asks for 500Mi gets 1Gi, who asks for 4Gi gets 5Gi, who does not ask gets the policy's default, or all 40Gi.
#pragma once

#include <string>

#include "controllers/scheduler/devices/slice.h"

namespace kubemu::controllers::scheduler::devices {

// What each amount of the device is reduced by.
Amounts consumed_by(const Amounts& asked, const Device& device);
// `taken`: what others have of the device. False too for amounts that the device does not have, or not in such
// portions.
bool has_room(const Amounts& asked, const Device& device, const Amounts& taken);

}  // namespace kubemu::controllers::scheduler::devices

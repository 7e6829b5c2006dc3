// Constraint: what the devices of a claim must have in common, or must differ in (matchAttribute, distinctAttribute).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "controllers/scheduler/devices/request.h"
#include "controllers/scheduler/devices/slice.h"

namespace kubemu::controllers::scheduler::devices {

class Constraint {
  public:
    // An entry of spec.devices.constraints.
    explicit Constraint(const api::Json& document);

    bool known() const { return !attribute_.empty(); }
    // Takes the device in, when it is what the others are. What was taken in last goes out first.
    bool add(const Request& request, const DeviceId& id, const Device& device);
    void remove(const Request& request);

  private:
    bool concerns(const Request& request) const;

    std::set<std::string> requests_;  // none: all
    std::string attribute_;
    bool distinct_ = false;
    std::vector<api::Json> values_;  // of the devices that are in
};

// The attribute of this fully qualified name; null when the device has none.
const api::Json* attribute_of(const Device& device, const std::string& driver, const std::string& name);

}  // namespace kubemu::controllers::scheduler::devices

// Attributes are compared with their types: {"int": 1} is not {"string": "1"}.
#include "controllers/scheduler/devices/constraint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace kubemu::controllers::scheduler::devices {

using api::Json;

Constraint::Constraint(const Json& document) {
    for (const Json& name : api::array_at(document, {"requests"})) requests_.insert(name.get<std::string>());
    attribute_ = api::string_at(document, {"matchAttribute"});
    if (!attribute_.empty()) return;
    attribute_ = api::string_at(document, {"distinctAttribute"});
    distinct_ = true;
}

bool Constraint::concerns(const Request& request) const {
    if (requests_.empty() || requests_.count(request.full_name()) > 0) return true;
    return !request.parent.empty() && requests_.count(request.parent) > 0;
}

bool Constraint::add(const Request& request, const DeviceId& id, const Device& device) {
    if (!concerns(request)) return true;
    const Json* value = attribute_of(device, id.driver, attribute_);
    if (value == nullptr) return false;
    const bool fits = distinct_ ? std::find(values_.begin(), values_.end(), *value) == values_.end()
                                : values_.empty() || values_.front() == *value;
    if (fits) values_.push_back(*value);
    return fits;
}

void Constraint::remove(const Request& request) {
    if (concerns(request)) values_.pop_back();
}

const Json* attribute_of(const Device& device, const std::string& driver, const std::string& name) {
    const Json& attributes = api::object_at(*device.document, {"attributes"});
    if (const Json* found = api::find(attributes, name)) return found;
    const std::size_t slash = name.find('/');
    if (slash == name.npos || name.compare(0, slash, driver) != 0) return nullptr;
    return api::find(attributes, std::string_view(name).substr(slash + 1));
}

}  // namespace kubemu::controllers::scheduler::devices

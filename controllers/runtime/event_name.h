// Names of Events: the object's name and nanoseconds in hexadecimal (GenerateEventName of k8s.io/client-go/tools).
#pragma once

#include <cstdint>
#include <string>

namespace kubemu::controllers {

class Manager;

// `last_stamp` is the recorder's memory: the clock of a simulation may stand still between two events.
std::string event_name(Manager& manager, const std::string& object_name, std::int64_t& last_stamp);

}  // namespace kubemu::controllers

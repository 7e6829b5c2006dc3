// Request: one wish of a ResourceClaim, or one of the alternatives of a wish; and the class that it names.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/values/object.h"
#include "controllers/scheduler/devices/slice.h"
#include "controllers/scheduler/pod_info.h"

namespace kubemu::controllers::scheduler::devices {

// A DeviceClass.
struct Class {
    std::string name;
    std::vector<std::string> selectors;  // CEL
    Document config;                     // spec.config
    std::string extended_resource;       // spec.extendedResourceName
    Time created{};
};
using ClassPtr = std::shared_ptr<const Class>;
ClassPtr read_class(const api::Json& document);
// Null when there is none of the name.
using ClassLookup = std::function<ClassPtr(const std::string& name)>;

struct Request {
    std::string parent;  // the wish that it is an alternative of; empty for a wish
    std::string name;
    std::string class_name;
    bool all = false;  // allocationMode All
    std::string mode;
    std::int64_t count = 1;
    bool admin = false;
    std::vector<std::string> selectors;
    std::vector<Toleration> tolerations;
    Document tolerations_document;  // null without any
    Amounts capacity;

    std::string full_name() const { return parent.empty() ? name : parent + "/" + name; }
};

// The alternatives of an entry of spec.devices.requests; one for a request without.
std::vector<Request> read_request(const api::Json& document);

// A claim that is to be given devices.
struct ClaimSpec {
    std::string key;  // namespace/name
    std::string name;
    Document devices;  // spec.devices
};

}  // namespace kubemu::controllers::scheduler::devices

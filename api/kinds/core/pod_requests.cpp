// Sums of requests.
#include "api/kinds/core/pod_requests.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/values/quantity.h"

namespace kubemu::api {
namespace {

PodRequests of_list(const Json& list) {
    PodRequests out;
    for (const auto& [name, value] : list.items()) {
        const auto quantity = Quantity::parse(value.is_string() ? value.get_ref<const std::string&>() : "0");
        if (!quantity) continue;
        if (name == "cpu") out.cpu_milli = quantity->milli_value();
        else if (name == "memory") out.memory_bytes = quantity->value();
        else out.other[name] = quantity->value();
    }
    return out;
}

void add(PodRequests& to, const PodRequests& more) {
    to.cpu_milli += more.cpu_milli;
    to.memory_bytes += more.memory_bytes;
    for (const auto& [name, value] : more.other) to.other[name] += value;
}

void raise(PodRequests& to, const PodRequests& other) {
    to.cpu_milli = std::max(to.cpu_milli, other.cpu_milli);
    to.memory_bytes = std::max(to.memory_bytes, other.memory_bytes);
    for (const auto& [name, value] : other.other) to.other[name] = std::max(to.other[name], value);
}

}  // namespace

PodRequests effective_requests(const Json& spec) {
    PodRequests running, starting, sidecars;
    for (const Json& container : array_at(spec, {"containers"})) add(running, of_list(object_at(container, {"resources", "requests"})));
    for (const Json& container : array_at(spec, {"initContainers"})) {
        PodRequests own = of_list(object_at(container, {"resources", "requests"}));
        if (string_at(container, {"restartPolicy"}) == "Always") {
            add(running, own);
            add(sidecars, own);
            raise(starting, sidecars);
        } else {
            add(own, sidecars);
            raise(starting, own);
        }
    }
    raise(running, starting);
    add(running, of_list(object_at(spec, {"overhead"})));
    return running;
}

std::string quality_of_service(const Json& spec) {
    bool any = false, guaranteed = true;
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(spec, {list})) {
            const Json& requests = object_at(container, {"resources", "requests"});
            const Json& limits = object_at(container, {"resources", "limits"});
            for (const char* name : {"cpu", "memory"}) {
                const std::string_view request = string_at(requests, {name}), limit = string_at(limits, {name});
                if ((!request.empty() && request != "0") || (!limit.empty() && limit != "0")) any = true;
                if (limit.empty() || (!request.empty() && !(*Quantity::parse(request) == *Quantity::parse(limit)))) guaranteed = false;
            }
        }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace kubemu::api

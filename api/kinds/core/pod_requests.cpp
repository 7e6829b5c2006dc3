// Sums of requests.
#include "api/kinds/core/pod_requests.h"

#include <algorithm>
#include <map>
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

// Which class the cpu and memory of a pod make (pkg/apis/core/helper/qos.ComputePodQOS).
class QualityOfService {
  public:
    // wants_limits: without limits of both the pod cannot be guaranteed what it asks for.
    void add(const Json& resources, bool wants_limits) {
        sum(object_at(resources, {"requests"}), requests_);
        if (sum(object_at(resources, {"limits"}), limits_) < 2 && wants_limits) guaranteed_ = false;
    }
    std::string text() const {
        if (requests_.empty() && limits_.empty()) return "BestEffort";
        return guaranteed_ && requests_ == limits_ ? "Guaranteed" : "Burstable";
    }

  private:
    // How many of the two the list has.
    static int sum(const Json& list, std::map<std::string, Quantity>& into) {
        int found = 0;
        for (const char* name : {"cpu", "memory"}) {
            const auto quantity = Quantity::parse(string_at(list, {name}, "0"));
            if (!quantity || quantity->is_zero() || quantity->is_negative()) continue;
            into[name] += *quantity;
            ++found;
        }
        return found;
    }

    std::map<std::string, Quantity> requests_, limits_;
    bool guaranteed_ = true;
};

}  // namespace

PodRequests effective_requests(const Json& spec, const MissingRequests& missing) {
    const auto of_container = [&](const Json& container) {
        const Json& requests = object_at(container, {"resources", "requests"});
        PodRequests own = of_list(requests);
        if (!requests.contains("cpu")) own.cpu_milli = missing.cpu_milli;
        if (!requests.contains("memory")) own.memory_bytes = missing.memory_bytes;
        return own;
    };
    PodRequests running, starting, sidecars;
    for (const Json& container : array_at(spec, {"containers"})) add(running, of_container(container));
    for (const Json& container : array_at(spec, {"initContainers"})) {
        PodRequests own = of_container(container);
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
    const Json& whole = object_at(spec, {"resources", "requests"});
    const PodRequests asked = of_list(whole);
    if (whole.contains("cpu")) running.cpu_milli = asked.cpu_milli;
    if (whole.contains("memory")) running.memory_bytes = asked.memory_bytes;
    for (const auto& [name, value] : asked.other) running.other[name] = value;
    add(running, of_list(object_at(spec, {"overhead"})));
    return running;
}

std::string quality_of_service(const Json& spec) {
    QualityOfService quality;
    if (const Json* own = find(spec, "resources"); own != nullptr && own->is_object()) {
        quality.add(*own, !object_at(*own, {"limits"}).empty());
    } else {
        for (const char* list : {"containers", "initContainers"}) {
            for (const Json& container : array_at(spec, {list})) quality.add(object_at(container, {"resources"}), true);
        }
    }
    return quality.text();
}

}  // namespace kubemu::api

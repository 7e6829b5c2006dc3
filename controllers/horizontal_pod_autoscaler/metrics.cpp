// The model's numbers by resource.
#include "controllers/horizontal_pod_autoscaler/metrics.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "api/kinds/core/pod_requests.h"
#include "api/kinds/metrics/usage.h"
#include "api/values/quantity.h"

namespace kubemu::controllers {
namespace {

std::int64_t requested(const api::Json& container, std::string_view resource) {
    const auto quantity = api::Quantity::parse(api::string_at(container, {"resources", "requests", resource}));
    return quantity ? quantity->milli_value() : 0;
}

// Those that are there as long as the pod is: its containers and its sidecars.
std::vector<const api::Json*> lasting_containers(const api::Json& pod) {
    std::vector<const api::Json*> found;
    for (const api::Json& one : api::array_at(pod, {"spec", "containers"})) found.push_back(&one);
    for (const api::Json& one : api::array_at(pod, {"spec", "initContainers"})) {
        if (api::string_at(one, {"restartPolicy"}) == "Always") found.push_back(&one);
    }
    return found;
}

}  // namespace

std::optional<std::int64_t> usage_milli(const api::Json& pod, std::string_view resource, std::string_view container, Time now,
                                        const api::DeclaredUsage* declared) {
    const auto usage = api::usage_of_pod(pod, now, declared);
    if (!usage || (resource != "cpu" && resource != "memory")) return std::nullopt;
    std::int64_t sum = 0;
    bool found = container.empty();
    for (const api::ContainerUsage& one : usage->containers) {
        if (!container.empty() && one.name != container) continue;
        found = true;
        sum += resource == "cpu" ? one.usage.cpu_nano / 1'000'000 : one.usage.memory_bytes * 1000;
    }
    return found ? std::optional(sum) : std::nullopt;
}

Result<std::int64_t, std::string> request_milli(const api::Json& pod, std::string_view resource, std::string_view container) {
    const std::string name(resource), of_pod(api::name_of(pod));
    if (container.empty() && !api::object_at(pod, {"spec", "resources", "requests"}).empty()) {
        const api::PodRequests whole = api::effective_requests(api::object_at(pod, {"spec"}));
        const std::int64_t milli = resource == "cpu" ? whole.cpu_milli : resource == "memory" ? whole.memory_bytes * 1000 : 0;
        if (milli == 0) return "missing pod-level request for " + name + " in Pod " + of_pod;
        return milli;
    }
    std::int64_t sum = 0;
    bool found = container.empty();
    for (const api::Json* one : lasting_containers(pod)) {
        const std::string one_name(api::string_at(*one, {"name"}));
        if (!container.empty() && one_name != container) continue;
        found = true;
        if (api::string_at(*one, {"resources", "requests", resource}).empty()) {
            return "missing request for " + name + " in container " + one_name + " of Pod " + of_pod;
        }
        sum += requested(*one, resource);
    }
    if (!found) return "container " + std::string(container) + " not found in Pod " + of_pod;
    return sum;
}

}  // namespace kubemu::controllers

// Usage from annotations, else from requests.
#include "controllers/horizontal_pod_autoscaler/metrics.h"

#include <nlohmann/json.hpp>

#include "api/values/quantity.h"

namespace kubemu::controllers {
namespace {

constexpr std::int64_t default_percent = 10;  // of the request

std::int64_t requested(const api::Json& container, std::string_view resource) {
    const auto quantity = api::Quantity::parse(api::string_at(container, {"resources", "requests", resource}));
    return quantity ? quantity->milli_value() : 0;
}

}  // namespace

std::optional<std::int64_t> usage_milli(const api::Json& pod, std::string_view resource, std::string_view container) {
    if (api::string_at(pod, {"status", "phase"}) != "Running") return std::nullopt;
    const std::string annotation = "kubemu.io/" + std::string(resource) + "-usage";
    const auto said = api::Quantity::parse(api::string_at(pod, {"metadata", "annotations", annotation}));
    std::int64_t all = 0, wanted = 0, containers = 0;
    for (const api::Json& one : api::array_at(pod, {"spec", "containers"})) {
        const std::int64_t request = requested(one, resource);
        all += request;
        ++containers;
        if (container.empty() || api::string_at(one, {"name"}) == container) wanted += request;
    }
    if (!said) return wanted * default_percent / 100;
    if (container.empty()) return said->milli_value();
    return all == 0 ? said->milli_value() / containers
                    : static_cast<std::int64_t>(static_cast<double>(said->milli_value()) * static_cast<double>(wanted) /
                                                static_cast<double>(all));
}

std::optional<std::int64_t> request_milli(const api::Json& pod, std::string_view resource, std::string_view container,
                                          std::string& missing) {
    std::int64_t sum = 0;
    for (const api::Json& one : api::array_at(pod, {"spec", "containers"})) {
        const std::string_view name = api::string_at(one, {"name"});
        if (!container.empty() && name != container) continue;
        if (api::string_at(one, {"resources", "requests", resource}).empty()) {
            missing = name;
            return std::nullopt;
        }
        sum += requested(one, resource);
    }
    return sum;
}

}  // namespace kubemu::controllers

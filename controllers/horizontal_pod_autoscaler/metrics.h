// Pods' use and requests in the autoscaler's unit, from the model that metrics.k8s.io shows (api/kinds/metrics/usage.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/values/object.h"
#include "storage/base/clock.h"
#include "storage/base/result.h"

namespace kubemu::api {
class DeclaredUsage;
}

namespace kubemu::controllers {

// Of one container, or of all when `container` is empty; cpu in millicores, other resources in thousandths too.
// Nothing when the pod does not run: it has no sample.
// `declared` as in usage_of_pod.
std::optional<std::int64_t> usage_milli(const api::Json& pod, std::string_view resource, std::string_view container, Time now,
                                        const api::DeclaredUsage* declared = nullptr);
// What it asks for in the same unit: as a whole where it says so, else all its containers. The error is the sentence that
// tells who asks for none.
Result<std::int64_t, std::string> request_milli(const api::Json& pod, std::string_view resource, std::string_view container);

}  // namespace kubemu::controllers

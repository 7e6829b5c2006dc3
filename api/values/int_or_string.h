// IntOrString: a number or a percentage (k8s.io/apimachinery/pkg/util/intstr).
#pragma once

#include <optional>

#include "api/values/object.h"

namespace kubemu::api {

// The number itself, or the percentage of `total`; nothing when the value is neither.
std::optional<int> scaled_value(const Json& value, int total, bool round_up);

}  // namespace kubemu::api

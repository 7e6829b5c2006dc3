// spec.successPolicy of an indexed Job: when it has succeeded although indexes are open
// (https://kubernetes.io/docs/concepts/workloads/controllers/job/#success-policy).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "api/values/object.h"

namespace kubemu::controllers {

// The message of the condition when a rule is met.
std::optional<std::string> success_policy_met(const api::Json& job, const std::set<int>& succeeded);

}  // namespace kubemu::controllers

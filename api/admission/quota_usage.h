// What an object uses of a namespace's quotas, and which quotas it concerns (pkg/quota/v1/evaluator/core): asked by
// admission, which charges them, and by the controller, which adds up.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/schema/kind.h"
#include "api/values/object.h"
#include "api/values/quantity.h"
#include "storage/base/clock.h"

namespace kubemu::api {

class KindRegistry;

// By the names that spec.hard uses: "pods", "requests.cpu", "count/deployments.apps".
using QuotaUsage = std::map<std::string, Quantity>;

void add_usage(QuotaUsage& usage, const std::string& name, const Quantity& quantity);

// `kind` is the object's, in any version. Pods that have ended, or whose grace period is over at `now`, are only
// counted as objects.
QuotaUsage quota_usage(const KindSpec& kind, const Json& object, Time now);
// Whether the quota's scopes and scope selector take the object in; of objects that are no pods, claims alone have a
// scope (VolumeAttributesClass).
bool quota_in_scope(const KindSpec& kind, const Json& quota, const Json& object);
// Whether a limit of this name is about objects of the kind.
bool quota_concerns(std::string_view name, const KindSpec& kind);
// Whether anything counts a resource of this name; status.used has no others.
bool quota_counts(std::string_view name, const KindRegistry& kinds);

}  // namespace kubemu::api

// Conversion of custom resources by a webhook (spec.conversion.strategy Webhook): ConversionReview
// (k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go).
#pragma once

#include <string>
#include <vector>

#include "api/kinds/rules.h"
#include "api/remote_calls.h"
#include "api/schema/kind.h"
#include "api/values/object.h"
#include "api/values/status.h"

namespace kubemu::api {

class Registry;

// Whether going from one version of the kind to another takes a webhook.
bool converts_by_webhook(const KindSpec& kind);

// The objects, which are of one resource, in the version of `to`; those that are in it already stay as they are. Errors:
// waits_for_answer() while the answer is not there, and 500 with the sentence of what the webhook did wrong.
ApiResult<std::vector<Json>> convert_by_webhook(const Lookup& lookup, Random& random, RemoteCalls& calls, const KindSpec& to,
                                                std::vector<Json> objects);

// Sees to it that Registry::document_as can read the records in the version of `kind`. Errors: as above.
ApiResult<bool> make_readable(Registry& registry, const KindSpec& kind, const std::vector<storage::RecordPtr>& records,
                              RemoteCalls& calls);

}  // namespace kubemu::api

// One webhook asked about one request: the AdmissionReview that is sent, and what the answer means
// (k8s.io/apiserver/pkg/admission/plugin/webhook/request, errors).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/admission/chain.h"
#include "api/admission/policy_expressions.h"
#include "api/values/object.h"

namespace kubemu::api {

// A webhook of a configuration, ready to be asked.
struct Webhook {
    std::string id;  // of the configuration, the name and the place in it
    std::string configuration;  // its name
    std::shared_ptr<const Json> hook;
    std::vector<MatchCondition> conditions;
    bool ignores_failures = false;
};
// All webhooks of the configurations, ordered by the names of these.
std::vector<std::shared_ptr<const Webhook>> webhooks_of(const AdmissionRequest& request, std::string_view resource);

// The version in which the webhook is to be shown the request; null when it is not to be asked. Errors refuse the request.
ApiResult<const KindSpec*> should_call(const Webhook& webhook, const AdmissionRequest& request);

struct WebhookVerdict {
    bool waits = false;            // the answer is not there yet
    std::string failure;           // the call failed: `failed calling webhook "x": ...`
    std::optional<Status> denial;  // it refused, or may not be asked
    std::vector<std::string> warnings;
    std::string patch;             // JSON, as it was sent; empty for none
    std::string patch_type;
};
WebhookVerdict call_webhook(const Webhook& webhook, const AdmissionRequest& request, const KindSpec& matched, bool mutating);

}  // namespace kubemu::api

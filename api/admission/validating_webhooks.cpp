// ValidatingWebhookConfigurations: webhooks that may refuse a request, asked all at once
// (k8s.io/apiserver/pkg/admission/plugin/webhook/validating).
#include <nlohmann/json.hpp>

#include "api/admission/request_match.h"
#include "api/admission/webhook_call.h"
#include "api/audit.h"
#include "api/remote_calls.h"

namespace kubemu::api {
namespace {

constexpr std::string_view configurations = "validatingwebhookconfigurations.admissionregistration.k8s.io";

}  // namespace

ApiResult<bool> validating_webhooks(AdmissionRequest& request) {
    if (request.admitted || request.calls == nullptr) return true;
    const auto hooks = webhooks_of(request, configurations);
    if (hooks.empty() || is_exempt(request.kind)) return true;
    // Whether one is to be asked is settled for all of them before any is.
    std::vector<std::pair<const Webhook*, const KindSpec*>> relevant;
    for (const auto& webhook : hooks) {
        TRY_ASSIGN(const KindSpec* matched, should_call(*webhook, request));
        if (matched != nullptr) relevant.emplace_back(webhook.get(), matched);
    }
    std::vector<WebhookVerdict> verdicts;
    bool waits = false;
    for (const auto& [webhook, matched] : relevant) {
        verdicts.push_back(call_webhook(*webhook, request, *matched, false));
        waits = waits || verdicts.back().waits;
    }
    if (waits) return waits_for_answer();
    for (const WebhookVerdict& verdict : verdicts) {
        if (request.warnings == nullptr) break;
        request.warnings->insert(request.warnings->end(), verdict.warnings.begin(), verdict.warnings.end());
    }
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (verdicts[i].denial) return *verdicts[i].denial;
        if (verdicts[i].failure.empty()) continue;
        if (!relevant[i].first->ignores_failures) return Status::internal(verdicts[i].failure);
        audit_note("failed-open.validating.webhook.admission.k8s.io/round_0_index_" + std::to_string(i),
                   string_at(*relevant[i].first->hook, {"name"}));
    }
    return true;
}

}  // namespace kubemu::api

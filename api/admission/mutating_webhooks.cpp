// MutatingWebhookConfigurations: webhooks that may change an object, one after the other; each sees what those before it
// have made of it (k8s.io/apiserver/pkg/admission/plugin/webhook/mutating).
#include <nlohmann/json.hpp>

#include "api/admission/mutation.h"
#include "api/admission/reinvocation.h"
#include "api/admission/request_match.h"
#include "api/admission/webhook_call.h"
#include "api/audit.h"
#include "api/codec/json.h"
#include "api/patch/patch.h"
#include "api/remote_calls.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view configurations = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

// Applies the webhook's patch. `failure`: the call counts as failed. Errors refuse the request whatever the failure policy.
ApiResult<bool> apply_patch(AdmissionRequest& request, const KindSpec& matched, const std::string& name,
                            const WebhookVerdict& verdict, std::string& failure) {
    if (verdict.patch.empty()) return false;
    const auto patch = parse_json(verdict.patch);
    std::string undecodable = patch ? "" : patch.error().message;
    if (patch && !patch->is_array() && !patch->is_null()) {
        undecodable = "json: cannot unmarshal " + std::string(patch->is_object() ? "object" : patch->is_string() ? "string" : "value") +
                      " into Go value of type jsonpatch.Patch";
    }
    if (!undecodable.empty()) {
        failure = "failed calling webhook " + go_quote(name) + ": received undecodable patch in webhook response: " + undecodable;
        return false;
    }
    if (patch->empty()) return false;
    if (request.object == nullptr) {
        return Status::internal("admission webhook " + go_quote(name) +
                                " attempted to modify the object, which is not supported for this operation");
    }
    if (verdict.patch_type != "JSONPatch") {
        failure = "failed calling webhook " + go_quote(name) + ": unsupported patch type " + go_quote(verdict.patch_type);
        return false;
    }
    Json object = object_in_version(request, matched);
    if (const std::string wrong = carry_out(*patch, object); !wrong.empty()) return Status::internal(wrong);
    return take_mutated(request, matched, std::move(object));
}

}  // namespace

ApiResult<bool> mutating_webhooks(AdmissionRequest& request) {
    if (request.admitted || request.calls == nullptr) return true;
    const auto hooks = webhooks_of(request, configurations);
    if (hooks.empty() || is_exempt(request.kind)) return true;
    Reinvocation& again = *request.reinvocation;
    if (again.running && output_changed(again.webhooks, request)) again.webhooks.changed();
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        const auto& webhook = hooks[i];
        TRY_ASSIGN(const KindSpec* matched, should_call(*webhook, request));
        if (matched == nullptr || (again.running && !again.webhooks.wanted(webhook->id))) continue;
        WebhookVerdict verdict = call_webhook(*webhook, request, *matched, true);
        if (verdict.waits) return waits_for_answer();
        if (request.warnings != nullptr) {
            request.warnings->insert(request.warnings->end(), verdict.warnings.begin(), verdict.warnings.end());
        }
        if (verdict.denial) return *verdict.denial;
        const std::string name(string_at(*webhook->hook, {"name"}));
        const std::string place = std::string("mutation.webhook.admission.k8s.io/round_") + (again.running ? "1" : "0") + "_index_" + std::to_string(i);
        if (verdict.failure.empty()) {
            TRY_ASSIGN(const bool changed, apply_patch(request, *matched, name, verdict, verdict.failure));
            if (verdict.failure.empty()) {
                audit_note(place, R"({"configuration":)" + go_quote(webhook->configuration) + R"(,"webhook":)" + go_quote(name) +
                                      R"(,"mutated":)" + (changed ? "true}" : "false}"));
            }
            if (changed) {
                again.webhooks.changed();
                again.needed = true;
            }
        }
        if (string_at(*webhook->hook, {"reinvocationPolicy"}) == "IfNeeded") again.webhooks.remember(webhook->id);
        if (verdict.failure.empty()) continue;
        if (!webhook->ignores_failures) return Status::internal(verdict.failure);
        audit_note("failed-open." + place, name);
    }
    remember_output(again.webhooks, request);
    return true;
}

}  // namespace kubemu::api

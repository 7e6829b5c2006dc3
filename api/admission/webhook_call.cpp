// Reviews out, verdicts in.
#include "api/admission/webhook_call.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/admission/compiled_cache.h"
#include "api/admission/request_match.h"
#include "api/admission/request_words.h"
#include "api/audit.h"
#include "api/codec/json.h"
#include "api/remote_client.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

using Webhooks = std::vector<std::shared_ptr<const Webhook>>;

std::shared_ptr<const Webhooks> prepare(const Json& configuration) {
    auto made = std::make_shared<Webhooks>();
    cel::AdmissionEnvironment environment;
    environment.variables = false;
    const Json& hooks = array_at(configuration, {"webhooks"});
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        auto webhook = std::make_shared<Webhook>();
        webhook->hook = std::make_shared<const Json>(hooks[i]);
        webhook->configuration = std::string(name_of(configuration));
        webhook->id = webhook->configuration + "/" + std::string(string_at(hooks[i], {"name"})) + "/" + std::to_string(i);
        webhook->conditions = compile_conditions(array_at(hooks[i], {"matchConditions"}), environment);
        webhook->ignores_failures = string_at(hooks[i], {"failurePolicy"}) == "Ignore";
        made->push_back(std::move(webhook));
    }
    return made;
}

// The version of AdmissionReview that both know; empty when there is none.
std::string review_version(const Json& hook) {
    for (const Json& version : array_at(hook, {"admissionReviewVersions"})) {
        if (version == "v1" || version == "v1beta1") return "admission.k8s.io/" + version.get<std::string>();
    }
    return {};
}

Json review_of(const std::string& version, const AdmissionRequest& request, const KindSpec& matched) {
    const PolicyDocuments documents(request, matched);
    Json asked = *documents.review;
    if (!asked.contains("options")) asked["options"] = nullptr;
    asked["object"] = documents.object ? *documents.object : Json();
    asked["oldObject"] = documents.old ? *documents.old : Json();
    return {{"kind", "AdmissionReview"}, {"apiVersion", version}, {"request", std::move(asked)}};
}

// errors.ToStatusErr
Status denial_of(const std::string& name, const Json& result) {
    StatusDetail detail;
    const std::string by = "admission webhook " + go_quote(name) + " denied the request";
    detail.code = static_cast<int>(int_at(result, {"code"}));
    if (detail.code < 400) detail.code = 400;
    detail.reason = string_at(result, {"reason"});
    const std::string message(string_at(result, {"message"}));
    detail.message = !message.empty() ? by + ": " + message : !detail.reason.empty() ? by + ": " + detail.reason : by + " without explanation";
    const Json& details = object_at(result, {"details"});
    detail.name = string_at(details, {"name"});
    detail.group = string_at(details, {"group"});
    detail.kind = string_at(details, {"kind"});
    detail.uid = string_at(details, {"uid"});
    detail.retry_after_seconds = static_cast<int>(int_at(details, {"retryAfterSeconds"}));
    for (const Json& cause : array_at(details, {"causes"})) {
        detail.causes.push_back({std::string(string_at(cause, {"reason"})), std::string(string_at(cause, {"message"})),
                                 std::string(string_at(cause, {"field"}))});
    }
    return Status(std::move(detail));
}

// request.VerifyAdmissionResponse: what is wrong with the answer; empty when nothing is.
std::string check_answer(const Json& review, const std::string& version, const std::string& uid, bool mutating) {
    const Json* response = find(review, "response");
    if (response == nullptr) return "webhook response was absent";
    if (version != "admission.k8s.io/v1") return {};
    const std::string_view given = string_at(*response, {"uid"});
    if (given != uid) return "expected response.uid=" + go_quote(uid) + ", got " + go_quote(given);
    const std::string got_version(string_at(review, {"apiVersion"})), got_kind(string_at(review, {"kind"}));
    if (got_version != version || got_kind != "AdmissionReview") {
        const std::string shown = got_version.find('/') == std::string::npos ? "/" + got_version : got_version;
        return "expected webhook response of " + version + ", Kind=AdmissionReview, got " + shown + ", Kind=" + got_kind;
    }
    const bool patched = !string_at(*response, {"patch"}).empty();
    const Json* type = find(*response, "patchType");
    if (!mutating) {
        if (patched) return "validating webhook may not return response.patch";
        return type != nullptr ? "validating webhook may not return response.patchType" : "";
    }
    if (patched && type == nullptr) return "webhook returned response.patch but not response.patchType";
    if (!patched && type != nullptr) return "webhook returned response.patchType but not response.patch";
    if (type != nullptr && *type == "") return "webhook returned invalid response.patchType of \"\"";
    return {};
}

}  // namespace

Webhooks webhooks_of(const AdmissionRequest& request, std::string_view resource) {
    Webhooks all;
    for (const storage::RecordPtr& record : request.lookup.list(resource, {})) {
        const auto make = [&] { return prepare(request.lookup.document(*record)); };
        const auto hooks = request.compiled != nullptr ? request.compiled->of<Webhooks>(*record, make) : make();
        all.insert(all.end(), hooks->begin(), hooks->end());
    }
    return all;
}

ApiResult<const KindSpec*> should_call(const Webhook& webhook, const AdmissionRequest& request) {
    const Json& hook = *webhook.hook;
    const KindSpec* const no = nullptr;
    const auto in_namespace = namespace_matches(find(hook, "namespaceSelector"), request);
    if (in_namespace && !*in_namespace) return no;
    if (!object_matches(find(hook, "objectSelector"), request)) return no;
    const KindSpec* kind = matching_kind(array_at(hook, {"rules"}), string_at(hook, {"matchPolicy"}, "Exact"), request);
    if (kind == nullptr) return no;
    if (!in_namespace) return in_namespace.error();
    if (webhook.conditions.empty()) return kind;
    const PolicyDocuments documents(request, *kind);
    const ConditionsResult result = evaluate_conditions(webhook.conditions, documents.input, {}, !webhook.ignores_failures);
    if (!result.error.empty()) return Status::forbidden(request.kind.group, request.kind.plural, request.name, result.error);
    return result.matches ? kind : no;
}

WebhookVerdict call_webhook(const Webhook& webhook, const AdmissionRequest& request, const KindSpec& matched, bool mutating) {
    WebhookVerdict verdict;
    const Json& hook = *webhook.hook;
    const std::string name(string_at(hook, {"name"}));
    const auto failed = [&](const std::string& why) {
        verdict.failure = "failed calling webhook " + go_quote(name) + ": " + why;
        return verdict;
    };
    if (request.dry_run) {
        const std::string_view effects = string_at(hook, {"sideEffects"});
        if (effects != "None" && effects != "NoneOnDryRun") {
            verdict.denial = Status::bad_request("admission webhook " + go_quote(name) + " does not support dry run");
            return verdict;
        }
    }
    const std::string version = review_version(hook);
    if (version.empty()) {
        return failed("could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)");
    }
    Json review = review_of(version, request, matched);
    const std::string key = webhook.id + (mutating ? " mutating " : " validating ") + encode_raw(review);
    const auto make = [&](const std::string& fresh) {
        review["request"]["uid"] = fresh;
        return call_by_config(request.lookup, object_at(hook, {"clientConfig"}), int_at(hook, {"timeoutSeconds"}, 10), encode_raw(review));
    };
    std::string uid;
    const RemoteAnswer* answer = request.calls->ask(key, request.random, make, uid);
    if (answer == nullptr) {
        verdict.waits = true;
        return verdict;
    }
    const auto document = read_answer(call_by_config(request.lookup, object_at(hook, {"clientConfig"}), int_at(hook, {"timeoutSeconds"}, 10), {}), *answer);
    if (!document) return failed("failed to call webhook: " + document.error());
    if (const std::string wrong = check_answer(*document, version, uid, mutating); !wrong.empty()) {
        return failed("received invalid webhook response: " + wrong);
    }
    const Json& response = object_at(*document, {"response"});
    for (const Json& warning : array_at(response, {"warnings"})) {
        if (warning.is_string()) verdict.warnings.push_back(warning.get<std::string>());
    }
    for (const auto& [note, value] : object_at(response, {"auditAnnotations"}).items()) {
        if (value.is_string()) audit_note(name + "/" + note, value.get<std::string>());
    }
    if (!bool_at(response, {"allowed"})) {
        verdict.denial = denial_of(name, object_at(response, {"status"}));
        return verdict;
    }
    if (!mutating) return verdict;
    if (!base64_decode(string_at(response, {"patch"}), verdict.patch)) return failed("failed to call webhook: illegal base64 data at input byte 0");
    verdict.patch_type = version == "admission.k8s.io/v1" ? string_at(response, {"patchType"}) : "JSONPatch";
    return verdict;
}

}  // namespace kubemu::api

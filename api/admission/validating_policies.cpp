// ValidatingAdmissionPolicy: expressions that must be true of a request (k8s.io/apiserver/pkg/admission/plugin/policy/
// validating).
//
// A policy is in force where a binding says so, once for each of the binding's parameters. All of them are asked; the
// first that refuses gives the answer.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/admission/compiled_cache.h"
#include "api/admission/policy_expressions.h"
#include "api/admission/policy_params.h"
#include "api/admission/request_match.h"
#include "api/audit.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view policies_resource = "validatingadmissionpolicies.admissionregistration.k8s.io";
constexpr std::string_view bindings_resource = "validatingadmissionpolicybindings.admissionregistration.k8s.io";
// pkg/apis/cel/config.go, MaxEvaluatedMessageExpressionSizeBytes
constexpr std::size_t message_bytes_max = 5 * 1024;
// plugin/policy/validating/dispatcher.go, maxAuditAnnotationValueLength
constexpr std::size_t annotation_bytes_max = 10 * 1024;

struct Validation {
    cel::AdmissionExpression expression;
    std::optional<cel::AdmissionExpression> message_expression;
    std::string message, reason;
};

struct AuditAnnotation {
    std::string key;
    cel::AdmissionExpression value;
};

struct Policy : PolicyHead {
    Json document;
    std::vector<Validation> validations;
    std::vector<AuditAnnotation> annotations;
};

std::shared_ptr<const Policy> compile_policy(Json document) {
    auto policy = std::make_shared<Policy>();
    policy->document = std::move(document);
    const Json& spec = object_at(policy->document, {"spec"});
    const cel::AdmissionEnvironment environment = policy->compile_head(spec);
    for (const Json& given : array_at(spec, {"validations"})) {
        Validation validation;
        validation.expression = cel::compile_admission(std::string(string_at(given, {"expression"})), environment,
                                                       cel::AdmissionScope::authorizer, {"bool"});
        if (const std::string text(string_at(given, {"messageExpression"})); !text.empty()) {
            validation.message_expression = cel::compile_admission(text, environment, cel::AdmissionScope::plain, {"string"});
        }
        validation.message = trim(string_at(given, {"message"}));
        validation.reason = string_at(given, {"reason"});
        policy->validations.push_back(std::move(validation));
    }
    for (const Json& given : array_at(spec, {"auditAnnotations"})) {
        policy->annotations.push_back(
            {std::string(string_at(given, {"key"})),
             cel::compile_admission(std::string(string_at(given, {"valueExpression"})), environment,
                                    cel::AdmissionScope::authorizer, {"string", "null_type"})});
    }
    return policy;
}

// One validation that did not pass.
struct Denial {
    std::string message, reason;
    bool certain = false;  // the binding's actions do not matter: something could not be evaluated
    std::size_t index = 0;  // of the validation
};

// Values of audit annotations by key; several bindings and parameters may give different ones.
using Annotations = std::map<std::string, std::vector<std::string>>;

// The message of a validation that is false.
std::string message_of(const Validation& validation, const PolicyActivation& messages, std::int64_t& budget, bool& spent) {
    if (validation.message_expression) {
        const PolicyActivation::Result result = messages.evaluate(*validation.message_expression, budget);
        spent = result.spent;
        if (result.error.empty() && !result.spent && result.value.kind == cel::Kind::string) {
            const std::string text(trim(result.value.str()));
            if (!text.empty() && text.size() <= message_bytes_max && text.find('\n') == std::string::npos) return text;
        }
    }
    if (!validation.message.empty()) return validation.message;
    return "failed expression: " + std::string(trim(validation.expression.source));
}

// What a policy says of a request with one set of parameters.
std::vector<Denial> validate(const Policy& policy, const PolicyInput& input, Annotations& notes) {
    std::vector<Denial> denials;
    const auto failed = [&](std::string message) {
        if (policy.fails) denials.push_back({std::move(message), {}, false});
    };
    const ConditionsResult conditions = evaluate_conditions(policy.conditions, input, policy.variables, policy.fails);
    if (!conditions.error.empty()) {
        failed(conditions.error);
        return denials;
    }
    if (!conditions.matches) return denials;
    const PolicyActivation expressions(input, policy.variables), messages(input, policy.variables);
    std::int64_t budget = policy_cost_max;
    std::vector<PolicyActivation::Result> results;
    for (const Validation& validation : policy.validations) {
        results.push_back(expressions.evaluate(validation.expression, budget));
        if (!results.back().spent) continue;
        failed(std::string(out_of_budget));
        return denials;
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        const Validation& validation = policy.validations[i];
        if (!results[i].error.empty()) {
            failed(results[i].error);
        } else if (!results[i].value.is(true)) {
            bool spent = false;
            std::string message = message_of(validation, messages, budget, spent);
            if (spent) failed("failed messageExpression: " + std::string(out_of_budget));
            else denials.push_back({std::move(message), validation.reason.empty() ? "Invalid" : validation.reason, false, i});
        }
    }
    // An expression that fails refuses the request, whether there is an audit log or not.
    const PolicyActivation annotations(input, policy.variables);
    budget = policy_cost_max;
    for (const AuditAnnotation& annotation : policy.annotations) {
        const PolicyActivation::Result result = annotations.evaluate(annotation.value, budget);
        if (result.spent) {
            denials.clear();
            failed(std::string(out_of_budget));
            return denials;
        }
        if (!result.error.empty()) {
            if (policy.fails) denials.push_back({result.error, {}, true});
            continue;
        }
        if (result.value.kind != cel::Kind::string) continue;
        std::string value(trim(result.value.str()));
        if (value.size() > annotation_bytes_max) value.resize(annotation_bytes_max);
        std::vector<std::string>& values = notes[annotation.key];
        if (!value.empty() && std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
    }
    return denials;
}

int code_of(std::string_view reason) {
    if (reason == "Forbidden") return 403;
    if (reason == "Unauthorized") return 401;
    return reason == "RequestEntityTooLarge" ? 413 : 422;
}

// All policies that are in force for one request.
class Dispatch {
  public:
    explicit Dispatch(AdmissionRequest& request) : request_(request) {}

    ApiResult<bool> run(const Policy& policy, const std::vector<Json>& bindings) {
        const std::string name(name_of(policy.document));
        const auto kind = match_resources(object_at(policy.document, {"spec", "matchConstraints"}), request_);
        if (!kind) {
            configuration_error(policy, "policy", kind.error()->message, {});
            return true;
        }
        if (*kind == nullptr) return true;
        const auto param_kind = param_kind_of(request_, policy.document);
        if (!param_kind) {
            configuration_error(policy, "policy", param_kind.error(), {});
            return true;
        }
        Annotations notes;
        for (const Json& binding : bindings) TRY(bound(policy, **kind, *param_kind, binding, notes));
        for (const auto& [key, values] : notes) {
            if (values.empty()) continue;
            std::string text;
            for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
            audit_note(name + "/" + key, text);
        }
        return true;
    }

    ApiResult<bool> verdict() const {
        if (!denied_) return true;
        StatusDetail detail = *request_.forbidden(denied_->message);
        detail.reason = denied_->reason.empty() ? "Invalid" : denied_->reason;
        detail.code = code_of(detail.reason);
        detail.causes.push_back({{}, denied_->message, {}});
        return Status(std::move(detail));
    }

  private:
    ApiResult<bool> bound(const Policy& policy, const KindSpec& kind, const KindSpec* param_kind, const Json& binding, Annotations& notes) {
        const std::string name(name_of(binding));
        if (const Json* match = find(binding, {"spec", "matchResources"})) {
            const auto matches = match_resources(*match, request_);
            if (!matches) {
                configuration_error(policy, "binding", matches.error()->message, name);
                return true;
            }
            if (*matches == nullptr) return true;
        }
        const auto params = params_of(request_, param_kind, binding);
        if (!params) {
            configuration_error(policy, "binding", params.error(), name);
            return true;
        }
        TRY_ASSIGN(const std::optional<Json> space, namespace_of_request(request_));
        for (const std::optional<Json>& param : *params) {
            PolicyDocuments documents(request_, kind);
            documents.input.params = param ? &*param : nullptr;
            documents.input.namespace_object = space ? &*space : nullptr;
            for (const Denial& denial : validate(policy, documents.input, notes)) act(policy, binding, denial);
        }
        return true;
    }

    void act(const Policy& policy, const Json& binding, const Denial& denial) {
        const std::string policy_name(name_of(policy.document)), name(name_of(binding));
        if (denial.certain) return deny(policy_name, name, denial);
        for (const Json& action : array_at(binding, {"spec", "validationActions"})) {
            if (action == "Deny") deny(policy_name, name, denial);
            if (action == "Audit") {
                audit_note("validation.policy.admission.k8s.io/validation_failure",
                           R"([{"message":)" + go_quote(denial.message) + R"(,"policy":)" + go_quote(policy_name) + R"(,"binding":)" +
                               go_quote(name) + R"(,"expressionIndex":)" + std::to_string(denial.index) + R"(,"validationActions":)" +
                               array_at(binding, {"spec", "validationActions"}).dump() + "}]");
            }
            if (action != "Warn" || request_.warnings == nullptr) continue;
            request_.warnings->push_back("Validation failed for ValidatingAdmissionPolicy '" + policy_name + "' with binding '" + name +
                                         "': " + denial.message);
        }
    }

    void configuration_error(const Policy& policy, const std::string& what, const std::string& why, const std::string& binding) {
        if (policy.fails) deny(std::string(name_of(policy.document)), binding, {"failed to configure " + what + ": " + why, {}, true});
    }

    void deny(const std::string& policy, const std::string& binding, const Denial& denial) {
        if (denied_) return;
        const std::string bound = binding.empty() ? "" : " with binding '" + binding + "'";
        denied_ = Denial{"ValidatingAdmissionPolicy '" + policy + "'" + bound + " denied request: " + denial.message, denial.reason, true};
    }

    AdmissionRequest& request_;
    std::optional<Denial> denied_;
};

}  // namespace

ApiResult<bool> validating_policies(AdmissionRequest& request) {
    if (request.admitted) return true;
    const auto records = request.lookup.list(policies_resource, {});
    if (records.empty() || exempt_from_policies(request.kind)) return true;
    Dispatch dispatch(request);
    for (const storage::RecordPtr& record : records) {
        const auto make = [&] { return compile_policy(request.lookup.document(*record)); };
        const std::vector<Json> bindings = bindings_of(request, bindings_resource, record->key);
        if (bindings.empty()) continue;
        const auto policy = request.compiled != nullptr ? request.compiled->of<Policy>(*record, make) : make();
        TRY(dispatch.run(*policy, bindings));
    }
    return dispatch.verdict();
}

}  // namespace kubemu::api

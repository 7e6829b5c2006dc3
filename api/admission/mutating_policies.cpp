// MutatingAdmissionPolicy: expressions that change a request's object, by what they say it should hold
// (ApplyConfiguration) or by operations (JSONPatch) (k8s.io/apiserver/pkg/admission/plugin/policy/mutating).
#include <nlohmann/json.hpp>
#include <optional>

#include "api/admission/compiled_cache.h"
#include "api/admission/mutation.h"
#include "api/admission/policy_expressions.h"
#include "api/admission/policy_params.h"
#include "api/admission/policy_patch.h"
#include "api/admission/reinvocation.h"
#include "api/admission/request_match.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::string_view policies_resource = "mutatingadmissionpolicies.admissionregistration.k8s.io";
constexpr std::string_view bindings_resource = "mutatingadmissionpolicybindings.admissionregistration.k8s.io";

struct Mutation {
    bool applies = false;  // ApplyConfiguration; else JSONPatch
    cel::AdmissionExpression expression;
};

struct Policy : PolicyHead {
    Json document;
    bool again = false;  // reinvocationPolicy IfNeeded
    std::vector<Mutation> mutations;
};

std::shared_ptr<const Policy> compile_policy(Json document) {
    auto policy = std::make_shared<Policy>();
    policy->document = std::move(document);
    const Json& spec = object_at(policy->document, {"spec"});
    const cel::AdmissionEnvironment environment = policy->compile_head(spec);
    policy->again = string_at(spec, {"reinvocationPolicy"}) == "IfNeeded";
    for (const Json& given : array_at(spec, {"mutations"})) {
        const bool applies = string_at(given, {"patchType"}) == "ApplyConfiguration";
        const std::string source(string_at(given, {applies ? "applyConfiguration" : "jsonPatch", "expression"}));
        policy->mutations.push_back({applies, cel::compile_admission(source, environment, cel::AdmissionScope::patches,
                                                                     {applies ? "Object" : "list(JSONPatch)"})});
    }
    return policy;
}

// A policy with one binding and one set of parameters.
struct Invocation {
    std::shared_ptr<const Policy> policy;
    const KindSpec* kind = nullptr;
    std::string binding, id;
    std::optional<Json> params;
};

class Dispatch {
  public:
    explicit Dispatch(AdmissionRequest& request) : request_(request) {}

    void add(const std::shared_ptr<const Policy>& policy, const std::vector<Json>& bindings) {
        const auto kind = match_resources(object_at(policy->document, {"spec", "matchConstraints"}), request_);
        if (!kind) return fail(*policy, {}, "failed to configure policy: " + kind.error()->message);
        if (*kind == nullptr) return;
        const auto param_kind = param_kind_of(request_, policy->document);
        if (!param_kind) return fail(*policy, {}, "failed to configure policy: " + param_kind.error());
        for (const Json& binding : bindings) {
            const std::string name(name_of(binding));
            if (const Json* match = find(binding, {"spec", "matchResources"})) {
                const auto matches = match_resources(*match, request_);
                if (!matches) fail(*policy, name, "failed to configure binding: " + matches.error()->message);
                if (!matches || *matches == nullptr) continue;
            }
            auto params = params_of(request_, *param_kind, binding);
            if (!params) {
                fail(*policy, name, "failed to configure binding: " + params.error());
                continue;
            }
            for (std::optional<Json>& param : *params) {
                std::string id = std::string(name_of(policy->document)) + "/" + name;
                if (param) id += "/" + std::string(namespace_of(*param)) + "/" + std::string(name_of(*param));
                invocations_.push_back({policy, *kind, name, std::move(id), std::move(param)});
            }
        }
    }

    ApiResult<bool> run() {
        if (invocations_.empty()) return verdict();
        Reinvocation& again = *request_.reinvocation;
        if (again.running && output_changed(again.policies, request_)) again.policies.changed();
        TRY_ASSIGN(const std::optional<Json> space, namespace_of_request(request_));
        for (const Invocation& invocation : invocations_) TRY(invoke(invocation, space ? &*space : nullptr));
        remember_output(again.policies, request_);
        return verdict();
    }

  private:
    ApiResult<bool> invoke(const Invocation& invocation, const Json* space) {
        Reinvocation& again = *request_.reinvocation;
        const Policy& policy = *invocation.policy;
        {
            PolicyDocuments documents = documents_of(invocation, space);
            const ConditionsResult conditions = evaluate_conditions(policy.conditions, documents.input, policy.variables, policy.fails);
            if (!conditions.error.empty()) {
                fail(policy, invocation.binding, conditions.error, "Invalid");
                return true;
            }
            if (!conditions.matches) return true;
        }
        if (again.running && !again.policies.wanted(invocation.id)) return true;
        bool changed = false;
        for (const Mutation& mutation : policy.mutations) {
            if (request_.object == nullptr) break;
            TRY_ASSIGN(const bool mutated, mutate(invocation, mutation, space));
            changed = changed || mutated;
        }
        if (changed) {
            again.policies.changed();
            again.needed = true;
        }
        if (policy.again) again.policies.remember(invocation.id);
        return true;
    }

    PolicyDocuments documents_of(const Invocation& invocation, const Json* space) const {
        PolicyDocuments documents(request_, *invocation.kind);
        documents.input.params = invocation.params ? &*invocation.params : nullptr;
        documents.input.namespace_object = space;
        return documents;
    }

    ApiResult<bool> mutate(const Invocation& invocation, const Mutation& mutation, const Json* space) {
        const Policy& policy = *invocation.policy;
        if (mutation.expression.program == nullptr) {
            fail(policy, invocation.binding, mutation.expression.error, "Invalid");
            return false;
        }
        const PolicyDocuments documents = documents_of(invocation, space);
        const PolicyActivation activation(documents.input, policy.variables);
        std::int64_t budget = policy_cost_max;
        const PolicyActivation::Result result = activation.evaluate(mutation.expression, budget);
        std::string why = result.spent ? std::string(out_of_budget) : result.error;
        Json object = *documents.object;
        if (why.empty()) {
            why = mutation.applies ? apply_configuration(result.value, *invocation.kind, request_.subresource, object)
                                   : apply_operations(result.value, object);
        }
        if (!why.empty()) {
            fail(policy, invocation.binding, why, "Invalid");
            return false;
        }
        return take_mutated(request_, *invocation.kind, std::move(object));
    }

    // generic.PolicyError
    void fail(const Policy& policy, const std::string& binding, const std::string& why, const std::string& reason = {}) {
        if (!policy.fails) return;
        const std::string name(name_of(policy.document));
        const std::string which = binding.empty() ? go_quote(name) : "'" + name + "' with binding '" + binding + "'";
        failures_.push_back("policy " + which + " denied request: " + why);
        if (failures_.size() == 1) reason_ = reason;
    }

    ApiResult<bool> verdict() const {
        if (failures_.empty()) return true;
        StatusDetail detail = *request_.forbidden("admission request denied by policy");
        detail.message = failures_[0];
        if (!reason_.empty()) detail.reason = reason_;
        for (const std::string& failure : failures_) detail.causes.push_back({{}, failure, {}});
        return Status(std::move(detail));
    }

    AdmissionRequest& request_;
    std::vector<Invocation> invocations_;
    std::vector<std::string> failures_;
    std::string reason_;
};

}  // namespace

ApiResult<bool> mutating_policies(AdmissionRequest& request) {
    using Operation = AdmissionRequest::Operation;
    if (request.admitted || request.operation == Operation::remove) return true;
    const auto records = request.lookup.list(policies_resource, {});
    if (records.empty() || exempt_from_policies(request.kind)) return true;
    Dispatch dispatch(request);
    for (const storage::RecordPtr& record : records) {
        const auto make = [&] { return compile_policy(request.lookup.document(*record)); };
        const std::vector<Json> bindings = bindings_of(request, bindings_resource, record->key);
        if (bindings.empty()) continue;
        dispatch.add(request.compiled != nullptr ? request.compiled->of<Policy>(*record, make) : make(), bindings);
    }
    return dispatch.run();
}

}  // namespace kubemu::api

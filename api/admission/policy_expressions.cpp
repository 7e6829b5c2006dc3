// Values of the variables, budgets, and the words of errors.
#include "api/admission/policy_expressions.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "api/admission/request_words.h"
#include "api/authentication/service_account.h"
#include "api/authorization/authorizer.h"
#include "api/cel/authorization.h"
#include "api/cel/evaluator.h"
#include "api/conversion.h"
#include "api/schema/structural.h"
#include "api/values/text.h"

namespace kubemu::api {
namespace {

// pkg/apis/cel/config.go, PerCallLimit
constexpr std::uint64_t call_cost_max = 1'000'000;

class Oracle final : public cel::AuthorizationOracle {
  public:
    Oracle(const Authorizer* authorizer, const User& user) : authorizer_(authorizer), user_(user) {}

    cel::AuthorizationDecision decide(const cel::AuthorizationQuery& query) const override {
        User user = user_;
        if (!query.account_name.empty()) {
            user = User{};
            user.name = "system:serviceaccount:" + query.account_namespace + ":" + query.account_name;
            user.groups = {"system:serviceaccounts", "system:serviceaccounts:" + query.account_namespace, "system:authenticated"};
        }
        if (authorizer_ == nullptr || user.in_group(masters_group)) return {true, {}, {}};
        Attributes attributes;
        attributes.verb = query.verb;
        attributes.resource_request = query.resource_request;
        attributes.path = query.path;
        attributes.group = query.group;
        attributes.version = "*";
        attributes.resource = query.resource;
        attributes.subresource = query.subresource;
        attributes.namespace_name = query.namespace_name;
        attributes.name = query.name;
        Rbac::Answer answer = authorizer_->authorize(user, attributes);
        return {answer.allowed, std::move(answer.reason), {}};
    }

  private:
    const Authorizer* authorizer_;
    const User& user_;
};

cel::Value authorizer_of(const AdmissionRequest& request) {
    cel::AuthorizationQuery own;
    own.resource_request = true;
    own.group = request.kind.group;
    own.resource = request.kind.plural;
    own.subresource = request.subresource;
    own.namespace_name = admission_namespace(request);
    own.name = request.name;
    return cel::authorizer_value(std::make_shared<const Oracle>(request.authorizer, request.user), std::move(own));
}

// Says which texts of a Namespace are times.
const structural::Schema& namespace_schema() {
    static const structural::Schema schema = [] {
        const Json time = {{"type", "string"}, {"format", "date-time"}};
        const Json condition = {{"type", "object"}, {"properties", {{"lastTransitionTime", time}}}};
        return structural::parse_schema(
            Json{{"type", "object"},
                 {"properties",
                  {{"metadata", {{"type", "object"}, {"properties", {{"creationTimestamp", time}, {"deletionTimestamp", time}}}}},
                   {"status",
                    {{"type", "object"}, {"properties", {{"conditions", {{"type", "array"}, {"items", condition}}}}}}}}}});
    }();
    return schema;
}

cel::Value value_of(const Json* document) {
    return document == nullptr ? cel::Value::null() : cel::Value::from(*document, nullptr);
}

std::shared_ptr<const Json> shown(const Json* object, const AdmissionRequest& request, const KindSpec& matched) {
    if (object == nullptr) return nullptr;
    if (!body_is_object(request.kind, request.subresource)) return std::make_shared<const Json>(*object);
    Json made = convert_version(request.kind, matched, *object);
    const GroupVersionKind kind = body_kind(matched, {});
    made["kind"] = kind.kind;
    made["apiVersion"] = (kind.group.empty() ? "" : std::string(kind.group) + "/") + std::string(kind.version);
    return std::make_shared<const Json>(std::move(made));
}

}  // namespace

PolicyDocuments::PolicyDocuments(const AdmissionRequest& request, const KindSpec& matched)
    : object(shown(request.object, request, matched)),
      old(shown(request.old, request, matched)),
      review(std::make_shared<const Json>(admission_request_document(request, matched))),
      input{request, review.get(), object.get(), old.get()} {}

PolicyActivation::PolicyActivation(const PolicyInput& input, const PolicyVariables& variables) : variables_(variables) {
    values_["object"] = value_of(input.object);
    values_["oldObject"] = value_of(input.old);
    values_["params"] = value_of(input.params);
    values_["request"] = value_of(input.review);
    values_["namespaceObject"] =
        input.namespace_object == nullptr ? cel::Value::null() : cel::Value::from(*input.namespace_object, &namespace_schema());
    values_["authorizer"] = authorizer_of(input.request);
    values_["variables"] = cel::Value::of(*this);
}

std::optional<cel::Value> PolicyActivation::member(std::string_view name) const {
    if (const auto at = computed_.find(name); at != computed_.end()) return at->second;
    for (const auto& [known, expression] : variables_) {
        if (known != name) continue;
        const std::string prefix = "composited variable " + go_quote(known) + " fails to ";
        cel::Value value;
        if (expression.program == nullptr) {
            value = cel::Value::error(prefix + "compile: " + expression.error);
        } else {
            cel::Outcome outcome = cel::evaluate(*expression.program, values_, call_cost_max);
            composed_cost_ += outcome.cost;
            value = std::move(outcome.value);
            if (value.is_error()) value = cel::Value::error(prefix + "evaluate: " + value.str());
        }
        return computed_.emplace(known, std::move(value)).first->second;
    }
    return std::nullopt;
}

PolicyActivation::Result PolicyActivation::evaluate(const cel::AdmissionExpression& expression, std::int64_t& budget) const {
    Result result;
    if (expression.program == nullptr) {
        result.error = "compilation error: " + expression.error;
        return result;
    }
    composed_cost_ = 0;
    cel::Outcome outcome = cel::evaluate(*expression.program, values_, call_cost_max);
    const std::uint64_t cost = outcome.cost + composed_cost_;
    if (cost > static_cast<std::uint64_t>(budget)) {
        result.spent = true;
        return result;
    }
    budget -= static_cast<std::int64_t>(cost);
    if (outcome.value.is_error()) {
        result.error = "expression '" + expression.source + "' resulted in error: " + outcome.value.str();
    } else {
        result.value = std::move(outcome.value);
    }
    return result;
}

std::vector<MatchCondition> compile_conditions(const Json& conditions, const cel::AdmissionEnvironment& environment) {
    std::vector<MatchCondition> made;
    for (const Json& condition : conditions) {
        made.push_back({std::string(string_at(condition, {"name"})),
                        cel::compile_admission(std::string(string_at(condition, {"expression"})), environment,
                                               cel::AdmissionScope::authorizer, {"bool"})});
    }
    return made;
}

cel::AdmissionEnvironment PolicyHead::compile_head(const Json& spec) {
    fails = string_at(spec, {"failurePolicy"}) != "Ignore";
    cel::AdmissionEnvironment environment;
    environment.params = find(spec, "paramKind") != nullptr;
    for (const Json& variable : array_at(spec, {"variables"})) {
        const std::string name(string_at(variable, {"name"}));
        variables.emplace_back(name, cel::compile_variable(name, std::string(string_at(variable, {"expression"})), environment));
    }
    conditions = compile_conditions(array_at(spec, {"matchConditions"}), environment);
    return environment;
}

ConditionsResult evaluate_conditions(const std::vector<MatchCondition>& conditions, const PolicyInput& input,
                                     const PolicyVariables& variables, bool fails) {
    if (conditions.empty()) return {};
    const PolicyActivation activation(input, variables);
    std::int64_t budget = conditions_cost_max;
    std::vector<std::string> errors;
    for (const MatchCondition& condition : conditions) {
        PolicyActivation::Result result = activation.evaluate(condition.expression, budget);
        if (result.spent) return {false, fails ? std::string(out_of_budget) : std::string()};
        if (!result.error.empty()) errors.push_back(std::move(result.error));
        // One that does not hold settles it, whatever came before.
        else if (result.value.is(false)) return {false, {}};
    }
    if (errors.empty()) return {};
    if (!fails) return {false, {}};
    // k8s.io/apimachinery/pkg/util/errors.Aggregate
    return {false, errors.size() == 1 ? errors[0] : "[" + join(errors, ", ") + "]"};
}

}  // namespace kubemu::api

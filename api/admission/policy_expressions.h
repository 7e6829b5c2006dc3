// Evaluation of the expressions of policies and match conditions for one request
// (k8s.io/apiserver/pkg/admission/plugin/cel/activation.go, composition.go, plugin/webhook/matchconditions).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/admission/chain.h"
#include "api/cel/admission.h"
#include "api/cel/value.h"

namespace kubemu::api {

// pkg/apis/cel/config.go: what all expressions of a policy may cost together, and all match conditions.
inline constexpr std::int64_t policy_cost_max = 10'000'000, conditions_cost_max = 2'500'000;

// Compiled variables of a policy, in their order.
using PolicyVariables = std::vector<std::pair<std::string, cel::AdmissionExpression>>;

// What expressions see. The documents are in the version that was matched and outlive the activations.
struct PolicyInput {
    const AdmissionRequest& request;
    const Json* review = nullptr;             // the variable `request`
    const Json* object = nullptr;
    const Json* old = nullptr;
    const Json* params = nullptr;
    const Json* namespace_object = nullptr;
};
// The documents of a request in the version of `matched`, which the input points at.
struct PolicyDocuments {
    PolicyDocuments(const AdmissionRequest& request, const KindSpec& matched);
    std::shared_ptr<const Json> object, old, review;
    PolicyInput input;
};

// The variables of one pass over expressions: composed ones are computed once, when they are first named.
class PolicyActivation final : public cel::LazyMembers {
  public:
    PolicyActivation(const PolicyInput& input, const PolicyVariables& variables);

    struct Result {
        cel::Value value;
        std::string error;    // this expression failed
        bool spent = false;   // there is no budget left for it or any other
    };
    Result evaluate(const cel::AdmissionExpression& expression, std::int64_t& budget) const;

    std::optional<cel::Value> member(std::string_view name) const override;

  private:
    const PolicyVariables& variables_;
    std::map<std::string, cel::Value> values_;
    mutable std::map<std::string, cel::Value, std::less<>> computed_;
    mutable std::uint64_t composed_cost_ = 0;
};

inline constexpr std::string_view out_of_budget =
    "validation failed due to running out of cost budget, no further validation rules will be run";

struct MatchCondition {
    std::string name;
    cel::AdmissionExpression expression;
};
std::vector<MatchCondition> compile_conditions(const Json& conditions, const cel::AdmissionEnvironment& environment);

// What validating and mutating policies have in common, compiled.
struct PolicyHead {
    bool fails = true;  // failurePolicy Fail
    PolicyVariables variables;
    std::vector<MatchCondition> conditions;

    // From the spec of a policy; what its other expressions are compiled in.
    cel::AdmissionEnvironment compile_head(const Json& spec);
};

struct ConditionsResult {
    bool matches = true;
    std::string error;  // with failurePolicy Fail; then nothing is known of `matches`
};
ConditionsResult evaluate_conditions(const std::vector<MatchCondition>& conditions, const PolicyInput& input,
                                     const PolicyVariables& variables, bool fails);

}  // namespace kubemu::api

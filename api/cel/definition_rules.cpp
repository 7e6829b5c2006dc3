// The rules of a CustomResourceDefinition before it is accepted: do they compile, what may they cost
// (k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/{validation,cel_validation}.go).
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/cel/cost.h"
#include "api/cel/rules.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

using structural::Schema;
using structural::ValidationRule;

constexpr std::uint64_t expression_cost_max = 10'000'000, definition_cost_max = 100'000'000;
constexpr std::uint64_t request_bytes_max = 3 * 1024 * 1024;
constexpr std::size_t most_expensive_max = 4;

std::string go_rule(const ValidationRule& rule) {
    return "apiextensions.ValidationRule{Rule:" + go_quote(rule.rule) + ", Message:" + go_quote(rule.message) +
           ", MessageExpression:" + go_quote(rule.message_expression) + ", Reason:(*apiextensions.FieldValueErrorReason)(" +
           (rule.reason ? "0xc000010000" : "nil") + "), FieldPath:" + go_quote(rule.field_path) + "}";
}

std::string over_budget(const std::string& what, std::uint64_t cost, std::uint64_t limit) {
    const double factor = static_cast<double>(cost) / static_cast<double>(limit);
    char text[64];
    if (factor > 100) std::snprintf(text, sizeof text, "more than 100x");
    else std::snprintf(text, sizeof text, factor < 1.5 ? "%fx" : "%.1fx", factor);
    return what + " exceeds budget by factor of " + text +
           " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
}

class Check {
  public:
    explicit Check(FieldErrors& errors) : errors_(errors) {}

    // `times`: how often the schema's values can occur in an object; nothing when nobody says. `uncorrelated`: the
    // part within which old and new values cannot be told to be the same.
    void node(const Schema& schema, bool resource, const FieldPath& path, std::optional<std::uint64_t> times, const std::string& uncorrelated) {
        if (!schema.validations.empty()) rules(schema, resource, path, times, uncorrelated);
        const auto inside = [&times](const std::optional<std::int64_t>& most) -> std::optional<std::uint64_t> {
            if (!times || !most) return std::nullopt;
            return saturating_multiply(*times, static_cast<std::uint64_t>(std::max<std::int64_t>(*most, 0)));
        };
        const std::string below = uncorrelated.empty() ? path.text() : uncorrelated;
        if (schema.items) {
            const std::string part = schema.list_type == "map" ? uncorrelated : below;
            node(*schema.items, schema.items->embedded_resource, path.child("items"), inside(schema.max_items), part);
        }
        if (schema.additional_properties) {
            node(*schema.additional_properties, schema.additional_properties->embedded_resource, path.child("additionalProperties"),
                 inside(schema.max_properties), uncorrelated);
        }
        for (const structural::Property& property : schema.properties) {
            node(property.schema, property.schema.embedded_resource, path.child("properties").key(property.name), times, uncorrelated);
        }
    }

    void total(const FieldPath& path) {
        if (total_ <= definition_cost_max) return;
        std::sort(costs_.begin(), costs_.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
        for (std::size_t i = 0; i < std::min(costs_.size(), most_expensive_max); ++i) {
            errors_.forbidden(FieldPath(costs_[i].second), "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema");
        }
        errors_.forbidden(path, over_budget("x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema", total_, definition_cost_max));
    }

  private:
    void observe(const FieldPath& path, std::uint64_t cost) {
        total_ = saturating_add(total_, cost);
        costs_.emplace_back(cost, path.text());
    }

    void rules(const Schema& schema, bool resource, const FieldPath& path, std::optional<std::uint64_t> times, const std::string& uncorrelated) {
        const auto compiled = schema.rules ? schema.rules : compile(schema, resource);
        const std::uint64_t occurrences = times.value_or(request_bytes_max / (static_cast<std::uint64_t>(min_bytes(schema)) + 1));
        for (std::size_t i = 0; i < schema.validations.size(); ++i) {
            const ValidationRule& rule = schema.validations[i];
            const CompiledRule& result = compiled->list[i];
            const FieldPath at = path.child("x-kubernetes-validations").index(i);
            const std::uint64_t cost = saturating_multiply(result.cost, occurrences);
            if (cost > expression_cost_max) errors_.forbidden(at.child("rule"), over_budget("estimated rule cost", cost, expression_cost_max));
            observe(at.child("rule"), cost);
            if (!result.error.empty()) errors_.invalid(at.child("rule"), GoText{go_rule(rule)}, result.error);
            if (!result.message_error.empty()) {
                errors_.invalid(at.child("messageExpression"), GoText{go_rule(rule)}, result.message_error);
            } else if (result.message != nullptr) {
                if (result.message_cost > expression_cost_max) {
                    errors_.forbidden(at.child("messageExpression"),
                                      over_budget("estimated messageExpression cost", result.message_cost, expression_cost_max));
                }
                observe(at.child("messageExpression"), result.message_cost);
            }
            if (result.uses_old_self && !uncorrelated.empty()) {
                errors_.invalid(at.child("rule"), rule.rule, "oldSelf cannot be used on the uncorrelatable portion of the schema within " + uncorrelated);
            } else if (!result.uses_old_self && rule.optional_old_self && result.program != nullptr) {
                errors_.invalid(at.child("optionalOldSelf"), *rule.optional_old_self, "may not be set if oldSelf is not used in rule");
            }
        }
    }

    FieldErrors& errors_;
    std::uint64_t total_ = 0;
    std::vector<std::pair<std::uint64_t, std::string>> costs_;
};

}  // namespace

void check_rules(const Schema& root, const FieldPath& path, FieldErrors& errors) {
    Check check(errors);
    check.node(root, true, path, 1, {});
    check.total(path);
}

}  // namespace kubemu::api::cel

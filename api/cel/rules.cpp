// Compilation and evaluation of rules.
#include "api/cel/rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cel/checker.h"
#include "api/cel/cost.h"
#include "api/cel/evaluator.h"
#include "api/cel/literals.h"
#include "api/schema/validate_schema.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

using structural::Schema;
using structural::ValidationRule;

// pkg/apis/cel/config.go
constexpr std::uint64_t call_cost_max = 1'000'000;
constexpr std::uint64_t object_cost_max = 10'000'000;
constexpr std::size_t message_bytes_max = 5 * 1024;

std::unique_ptr<Expression> compiled(const std::string& source, const std::map<std::string, TypePtr>& variables, std::string_view type,
                                     const std::string& prefix, const std::string& wrong_type, std::string& error) {
    std::vector<Issue> issues;
    std::unique_ptr<Expression> made = parse(source, issues);
    if (made != nullptr) check(*made, variables, issues);
    if (!issues.empty()) {
        error = prefix + print_issues(source, issues);
        return nullptr;
    }
    if (!made->type->is(type)) {
        error = wrong_type;
        return nullptr;
    }
    if (const std::string wrong = broken_pattern(*made); !wrong.empty()) {
        const bool message = prefix.starts_with("messageExpression");
        error = (message ? "messageExpression instantiation failed: " : "program instantiation failed: ") + wrong;
        return nullptr;
    }
    return made;
}

CompiledRule compile_rule(const ValidationRule& rule, const TypePtr& self) {
    CompiledRule made;
    if (trim(rule.rule).empty()) return made;
    const TypePtr old = rule.optional_old_self.value_or(false) ? optional_of(self) : self;
    const std::map<std::string, TypePtr> variables = {{"self", self}, {"oldSelf", old}};
    made.program = compiled(rule.rule, variables, "bool", "compilation failed: ", "cel expression must evaluate to a bool", made.error);
    if (made.program == nullptr) return made;
    made.uses_old_self = mentions(*made.program, "oldSelf");
    made.cost = worst_cost(*made.program, self);
    if (trim(rule.message_expression).empty()) return made;
    made.message = compiled(rule.message_expression, variables, "string", "messageExpression compilation failed: ",
                            "messageExpression must evaluate to a string", made.message_error);
    if (made.message != nullptr) made.message_cost = worst_cost(*made.message, self);
    return made;
}

bool compile_below(Schema& schema, bool resource) {
    if (!schema.validations.empty()) schema.rules = compile(schema, resource);
    bool any = schema.rules != nullptr;
    if (schema.items) any = compile_below(*schema.items, schema.items->embedded_resource) || any;
    if (schema.additional_properties) any = compile_below(*schema.additional_properties, schema.additional_properties->embedded_resource) || any;
    for (structural::Property& property : schema.properties) {
        any = compile_below(property.schema, property.schema.embedded_resource) || any;
    }
    schema.rules_within = any;
    return any;
}

std::string rule_text(const ValidationRule& rule) { return std::string(trim(rule.message.empty() ? rule.rule : rule.message)); }

class Run {
  public:
    explicit Run(FieldErrors& errors) : errors_(errors) {}

    // `unchanged`: the nearest part that could be found before is as it was.
    void node(const Json& value, const Json* old, const Schema& schema, bool resource, const FieldPath& path, bool found, bool unchanged) {
        if (spent_ || value.is_null() || !schema.rules_within) return;
        if (found) unchanged = old != nullptr && *old == value;
        if (schema.rules) rules(value, old, schema, resource, path, unchanged);
        if (value.is_array() && schema.items) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                const Json* before = structural::correlated_item(schema, value[i], old);
                node(value[i], before, *schema.items, schema.items->embedded_resource, path.index(i), before != nullptr, unchanged);
            }
            return;
        }
        if (!value.is_object()) return;
        for (const auto& [name, member] : value.items()) {
            const Schema* own = schema.property(name);
            const bool declared = own != nullptr;
            if (!declared) own = schema.additional_properties.get();
            if (own == nullptr) continue;
            const Json* before = nullptr;
            if (old != nullptr && old->is_object()) {
                if (const auto at = old->find(name); at != old->end()) before = &*at;
            }
            node(member, before, *own, own->embedded_resource, declared ? path.child(name) : path.key(name), before != nullptr, unchanged);
        }
    }

  private:
    static FieldPath shown(const FieldPath& path) { return path.text().empty() ? FieldPath("<nil>") : path; }

    bool pay(std::uint64_t cost) {
        if (cost > budget_) return false;
        budget_ -= cost;
        return true;
    }

    void rules(const Json& value, const Json* old, const Schema& schema, bool resource, const FieldPath& path, bool unchanged) {
        const Value self = Value::from(value, &schema, resource);
        for (std::size_t i = 0; i < schema.validations.size() && !spent_; ++i) {
            const ValidationRule& rule = schema.validations[i];
            const CompiledRule& compiled = schema.rules->list[i];
            if (!compiled.error.empty()) {
                errors_.invalid(shown(path), schema.type, "rule compile error: " + compiled.error);
                continue;
            }
            const bool optional = rule.optional_old_self.value_or(false);
            if (compiled.program == nullptr || (compiled.uses_old_self && old == nullptr && !optional)) continue;
            std::map<std::string, Value> variables = {{"self", self}};
            if (optional) variables["oldSelf"] = old == nullptr ? Value::none() : Value::some(Value::from(*old, &schema, resource));
            else if (old != nullptr) variables["oldSelf"] = Value::from(*old, &schema, resource);
            const Outcome outcome = evaluate(*compiled.program, variables, call_cost_max);
            judge(outcome, rule, compiled, variables, schema, path, unchanged);
        }
    }

    void judge(const Outcome& outcome, const ValidationRule& rule, const CompiledRule& compiled, const std::map<std::string, Value>& variables,
               const Schema& schema, const FieldPath& path, bool unchanged) {
        const FieldPath at = shown(path);
        const bool cancelled = outcome.value.is_error() && outcome.value.str().starts_with("operation cancelled");
        if (!pay(outcome.cost) && !cancelled) {
            errors_.invalid(at, schema.type, "validation failed due to running out of cost budget, no further validation rules will be run");
            spent_ = true;
            return;
        }
        if (outcome.value.is_error()) {
            const std::string& error = outcome.value.str();
            if (cancelled) {
                errors_.invalid(at, schema.type, "'" + error + "': no further validation rules will be run due to call cost exceeds limit for rule: " + rule_text(rule));
                spent_ = true;
            } else if (error.starts_with("no such overload")) {
                errors_.invalid(at, schema.type, "'" + error + "': call arguments did not match a supported operator, function or macro signature for rule: " + rule_text(rule));
            } else {
                errors_.invalid(at, schema.type, error + " evaluating rule: " + rule_text(rule));
            }
            return;
        }
        if (outcome.value.is(true)) return;
        // What was broken before may stay so, unless the rule is about the change itself.
        if (unchanged && !compiled.uses_old_self) return;
        FieldPath field = path;
        if (!rule.field_path.empty()) {
            std::string relative(trim(rule.field_path));
            if (relative[0] == '.') relative.erase(0, 1);
            field = relative[0] == '[' ? FieldPath(path.text() + "[" + relative.substr(2, relative.size() - 4) + "]") : path.child(relative);
        }
        complain(shown(field), schema, rule, message_of(rule, compiled, variables));
    }

    std::string message_of(const ValidationRule& rule, const CompiledRule& compiled, const std::map<std::string, Value>& variables) {
        if (compiled.message != nullptr) {
            const Outcome outcome = evaluate(*compiled.message, variables, call_cost_max);
            pay(outcome.cost);
            if (outcome.value.kind == Kind::string) {
                const std::string text(trim(outcome.value.str()));
                if (!text.empty() && text.size() <= message_bytes_max && text.find('\n') == std::string::npos) return text;
            }
        }
        return rule.message.empty() ? "failed rule: " + rule_text(rule) : rule_text(rule);
    }

    void complain(const FieldPath& path, const Schema& schema, const ValidationRule& rule, const std::string& message) {
        const std::string reason = rule.reason.value_or("FieldValueInvalid");
        if (reason == "FieldValueForbidden") errors_.forbidden(path, message);
        else if (reason == "FieldValueRequired") errors_.required(path, message);
        else if (reason == "FieldValueDuplicate") errors_.duplicate(path, schema.type);
        else errors_.invalid(path, schema.type, message);
    }

    FieldErrors& errors_;
    std::uint64_t budget_ = object_cost_max;
    bool spent_ = false;
};

}  // namespace

std::shared_ptr<const Rules> compile(const Schema& schema, bool resource) {
    auto made = std::make_shared<Rules>();
    TypePtr self = type_of_schema(schema, resource, "selfType");
    if (self == nullptr) self = simple_type("dyn");
    for (const ValidationRule& rule : schema.validations) made->list.push_back(compile_rule(rule, self));
    return made;
}

void compile_rules(Schema& root) { compile_below(root, true); }

void validate_rules(const Json& object, const Json* old, const Schema& root, const FieldPath& path, FieldErrors& errors) {
    Run(errors).node(object, old, root, true, path, old != nullptr, false);
}

bool blocks_rules(const FieldErrors& errors) {
    return std::any_of(errors.all().begin(), errors.all().end(), [](const FieldError& error) {
        return error.reason == "FieldValueNotSupported" || error.reason == "FieldValueRequired" || error.reason == "FieldValueTooLong" ||
               error.reason == "FieldValueTooMany" || error.reason == "FieldValueTypeInvalid";
    });
}

}  // namespace kubemu::api::cel

// Rules: the x-kubernetes-validations of one schema, compiled, and how objects are checked by them
// (k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/cel/expression.h"
#include "api/schema/structural.h"
#include "api/values/field_errors.h"

namespace kubemu::api::cel {

struct CompiledRule {
    std::unique_ptr<Expression> program;  // null when it could not be compiled
    std::string error;                    // why
    std::unique_ptr<Expression> message;  // messageExpression; null without one
    std::string message_error;
    bool uses_old_self = false;
    std::uint64_t cost = 0, message_cost = 0;  // at worst
};

class Rules {
  public:
    std::vector<CompiledRule> list;  // in the order of Schema::validations
};

// The rules of this schema alone; `resource`: of the root of a custom or embedded resource.
std::shared_ptr<const Rules> compile(const structural::Schema& schema, bool resource);
// Compiles the rules of `root` and of all below it into Schema::rules.
void compile_rules(structural::Schema& root);

// Checks every value in `object` by the rules of its schema. `old` is the object before an update, or null. Complaints
// about what did not change are left out unless the rule looks at oldSelf.
void validate_rules(const Json& object, const Json* old, const structural::Schema& root, const FieldPath& path, FieldErrors& errors);

// Whether `errors` make it pointless to run rules at all: values of wrong types, missing, too long or too many.
bool blocks_rules(const FieldErrors& errors);

// For a CustomResourceDefinition: whether its rules compile and stay within their cost limits.
void check_rules(const structural::Schema& root, const FieldPath& path, FieldErrors& errors);

}  // namespace kubemu::api::cel

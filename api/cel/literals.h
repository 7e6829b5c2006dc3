// Literals that are arguments: what a call can only make of them is found before the expression runs
// (cel-go/cel/validator.go, in the order of k8s.io/apiserver/pkg/cel/environment).
#pragma once

#include <string>
#include <vector>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

// Adds an issue for each text that is no duration, no timestamp or no pattern although it is used as one.
void check_literals(const Expression& expression, std::vector<Issue>& issues);

// Patterns are read once, when a program is made of the expression: what is wrong with the first that is broken, in Go's
// words; empty when there is none.
std::string broken_pattern(const Expression& expression);

}  // namespace kubemu::api::cel

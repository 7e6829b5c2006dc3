// Checker: every expression has a type before it runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

// Fills in the types of `expression`. `variables` are those it may name. Messages are cel-go's.
void check(Expression& expression, const std::map<std::string, TypePtr>& variables, std::vector<Issue>& issues);

// Whether the expression names this variable.
bool mentions(const Expression& expression, std::string_view variable);

}  // namespace kubemu::api::cel

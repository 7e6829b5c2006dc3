// Evaluator: runs a checked expression, counting what it costs (cel-go/interpreter/runtimecost.go).
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

struct Outcome {
    Value value;  // an error value when it failed
    std::uint64_t cost = 0;
};

// Gives up with "operation cancelled: actual cost limit exceeded" when it costs more than `cost_max`.
Outcome evaluate(const Expression& expression, const std::map<std::string, Value>& variables, std::uint64_t cost_max);

// What a call costs beyond its arguments.
std::uint64_t call_cost(const std::string& function, const std::vector<Value>& arguments, const Value& result);

}  // namespace kubemu::api::cel

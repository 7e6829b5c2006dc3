// What an expression may cost at worst, before it ever runs (cel-go/checker/cost.go).
#pragma once

#include <cstdint>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

// Of a checked expression; the largest number when there is no bound.
std::uint64_t worst_cost(const Expression& expression);

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b);
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b);

}  // namespace kubemu::api::cel

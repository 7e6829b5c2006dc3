// What an expression may cost at worst, before it ever runs (cel-go/checker/cost.go).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/cel/expression.h"

namespace kubemu::api::cel {

// Of a checked expression; the largest number when there is no bound. `self`: the type of self and oldSelf, which says
// how large their parts can be; without one nothing that comes from a variable has a bound.
std::uint64_t worst_cost(const Expression& expression, const TypePtr& self = nullptr);

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b);
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b);
// The product, rounded up.
std::uint64_t scaled(std::uint64_t size, double factor);

// How long a value can be, as size() counts.
struct SizeRange {
    std::uint64_t least = 0, most = UINT64_MAX;

    SizeRange plus(const SizeRange& other) const;
    SizeRange times(const SizeRange& other) const;
    SizeRange united(const SizeRange& other) const;
};

// An argument of a function, as far as its price depends on it.
struct CostedArgument {
    TypePtr type;
    SizeRange size;
    std::optional<SizeRange> items;       // of lists: how long their strings can be
    std::optional<std::int64_t> literal;  // an integer written out
};
struct FunctionCost {
    std::uint64_t cost = 1;
    std::optional<SizeRange> size;  // of the result, where the function says
};
// Without the costs of the arguments; of a method the first is what it is called on.
FunctionCost function_cost(const std::string& function, bool method, const std::vector<CostedArgument>& arguments);

}  // namespace kubemu::api::cel

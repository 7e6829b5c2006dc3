// Costs and sizes along the tree. Sizes of what stands in documents come from their schemas.
#include "api/cel/cost.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace kubemu::api::cel {
namespace {

constexpr std::uint64_t unbounded = UINT64_MAX;
using ExpressionKind = Expression::Kind;

std::uint64_t scaled(std::uint64_t size, double factor) {
    const double product = std::ceil(static_cast<double>(size) * factor);
    return product >= 18446744073709551615.0 ? unbounded : static_cast<std::uint64_t>(product);
}
std::uint64_t traversal(std::uint64_t size) { return scaled(size, 0.1); }

bool scalar(const Type& type) {
    return type.is("bool") || type.is("int") || type.is("uint") || type.is("double") || type.is("timestamp") || type.is("duration") ||
           (type.is("optional_type") && scalar(*type.parameters[0]));
}

struct Estimate {
    std::uint64_t cost = 0, size = unbounded;
};

class Estimator {
  public:
    Estimate of(const Expression& e) {
        switch (e.kind) {
            case ExpressionKind::literal:
                return {0, e.literal.size()};
            case ExpressionKind::identifier: {
                const auto local = locals_.find(e.name);
                return {1, local != locals_.end() && !local->second.empty() ? local->second.back() : size_of(e.type)};
            }
            case ExpressionKind::select: {
                const Estimate operand = of(e.args[0]);
                const Type& type = *e.args[0].type;
                const bool counts = type.is("map") || type.is("object") || type.is("dyn");
                return {saturating_add(operand.cost, counts ? 1 : 0), size_of(e.type)};
            }
            case ExpressionKind::has:
                return {of(e.args[0]).cost, 1};
            case ExpressionKind::call:
                return call(e);
            case ExpressionKind::list:
                return {saturating_add(10, sum(e.args)), e.args.size()};
            case ExpressionKind::map:
                return {saturating_add(30, sum(e.args)), e.args.size() / 2};
            case ExpressionKind::macro:
                return macro(e);
        }
        return {};
    }

  private:
    static std::uint64_t size_of(const TypePtr& type) {
        if (type == nullptr) return unbounded;
        if (type->is("dyn") || type->is("error")) return unbounded;
        if (scalar(*type)) return 1;
        const TypePtr inner = type->is("optional_type") ? type->parameters[0] : type;
        return inner->schema == nullptr ? unbounded : max_size(*inner->schema);
    }
    static std::uint64_t item_size(const TypePtr& type) {
        return type != nullptr && type->is("list") ? size_of(type->parameters[0]) : unbounded;
    }

    std::uint64_t sum(const std::vector<Expression>& parts) {
        std::uint64_t total = 0;
        for (const Expression& part : parts) total = saturating_add(total, of(part).cost);
        return total;
    }

    Estimate call(const Expression& e) {
        std::vector<Estimate> arguments;
        std::uint64_t cost = 0;
        for (const Expression& argument : e.args) {
            arguments.push_back(of(argument));
            cost = saturating_add(cost, arguments.back().cost);
        }
        if (e.name == "_&&_" || e.name == "_||_") return {cost, 1};
        if (e.name == "_?_:_") {
            return {saturating_add(arguments[0].cost, std::max(arguments[1].cost, arguments[2].cost)),
                    std::max(arguments[1].size, arguments[2].size)};
        }
        Estimate own = function(e, arguments);
        own.cost = saturating_add(own.cost, cost);
        return own;
    }

    static Estimate function(const Expression& e, const std::vector<Estimate>& a) {
        const auto is = [&e](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), e.name) != names.end(); };
        const std::uint64_t typed = size_of(e.type);
        const bool text = !e.args.empty() && (e.args[0].type->is("string") || e.args[0].type->is("bytes"));
        if (a.empty()) return {1, typed};
        if (is({"startsWith", "endsWith"})) return {traversal(a[1].size), 1};
        if (e.name == "@in") return {e.args[1].type->is("list") ? a[1].size : 1, 1};
        if (is({"matches", "find", "findAll"})) {
            const std::uint64_t regex = scaled(a[1].size, 0.25);
            return {saturating_multiply(traversal(saturating_add(a[0].size, 1)), regex), e.name == "matches" ? 1 : a[0].size};
        }
        if (e.name == "contains" && a.size() == 2) return {saturating_multiply(traversal(a[0].size), traversal(a[1].size)), 1};
        if (e.name == "_+_" && a.size() == 2 && !scalar(*e.type)) {
            const std::uint64_t size = saturating_add(a[0].size, a[1].size);
            return {text ? traversal(size) : 1, size};
        }
        if (is({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})) return {traversal(std::min(a[0].size, a[1].size)), 1};
        if (e.method && is({"isSorted", "sum", "min", "max", "indexOf", "lastIndexOf", "distinct", "reverse", "sort", "flatten"}) && !text) {
            const Type& list = *e.args[0].type;
            const bool texts = list.is("list") && (list.parameters[0]->is("string") || list.parameters[0]->is("bytes"));
            const std::uint64_t each = saturating_add(1, texts ? traversal(item_size(e.args[0].type)) : 0);
            return {saturating_multiply(a[0].size, each), typed == unbounded ? a[0].size : typed};
        }
        if (is({"url", "isURL", "lowerAscii", "upperAscii", "substring", "trim", "ip", "isIP", "cidr", "isCIDR", "quantity", "isQuantity",
                "semver", "isSemver", "indexOf", "lastIndexOf", "strings.quote", "format"})) {
            return {traversal(a[0].size), scalar(*e.type) ? 1 : a[0].size};
        }
        if (e.name == "replace") return {scaled(a[0].size, 0.2), saturating_multiply(saturating_add(a[0].size, 1), saturating_add(a[2].size, 1))};
        if (is({"split", "ip.isCanonical"})) return {scaled(a[0].size, 0.2), a[0].size};
        if (e.name == "join") {
            const std::uint64_t joined = saturating_add(saturating_multiply(a[0].size, item_size(e.args[0].type)),
                                                        a.size() > 1 ? saturating_multiply(a[1].size, a[0].size) : 0);
            return {traversal(joined), joined};
        }
        if (e.name == "validate") return {saturating_multiply(traversal(saturating_add(a[1].size, 1)), 25), unbounded};
        if (is({"sets.contains", "sets.equivalent", "sets.intersects"})) {
            return {saturating_add(saturating_multiply(a[0].size, a[1].size), 1), 1};
        }
        if (is({"string", "bytes"}) && text) return {traversal(a[0].size), a[0].size};
        if (e.name == "dyn") return {1, a[0].size};
        return {1, typed};
    }

    Estimate within(const Expression& e, const Expression& body, std::uint64_t first, std::uint64_t second) {
        locals_[e.variable].push_back(first);
        if (!e.variable2.empty()) locals_[e.variable2].push_back(second);
        const Estimate estimate = of(body);
        locals_[e.variable].pop_back();
        if (!e.variable2.empty()) locals_[e.variable2].pop_back();
        return estimate;
    }

    Estimate macro(const Expression& e) {
        const Estimate range = of(e.args[0]);
        const TypePtr& type = e.args[0].type;
        if (e.name == "optMap" || e.name == "optFlatMap") {
            const Estimate body = within(e, e.args[1], size_of(type->is("optional_type") ? type->parameters[0] : nullptr), 0);
            return {saturating_add(saturating_add(range.cost, body.cost), 3), body.size};
        }
        const bool list = type->is("list"), two = !e.variable2.empty();
        const std::uint64_t value = list ? item_size(type) : type->is("map") ? size_of(type->parameters[1]) : unbounded;
        const std::uint64_t key = list ? 1 : unbounded;
        std::vector<std::uint64_t> bodies;
        for (std::size_t i = 1; i < e.args.size(); ++i) {
            bodies.push_back(within(e, e.args[i], two || !list ? key : value, value).cost);
        }
        std::uint64_t fixed = 1, step = 0;
        if (e.name == "all") step = saturating_add(bodies[0], 3);
        else if (e.name == "exists") step = saturating_add(bodies[0], 4);
        else if (e.name == "existsOne") fixed = 2, step = saturating_add(bodies[0], 2);
        else {
            fixed = e.name.starts_with("transformMap") ? 31 : 11;
            step = e.name == "filter" ? 13 : 12;
            for (const std::uint64_t body : bodies) step = saturating_add(step, body);
        }
        const std::uint64_t total = saturating_add(saturating_add(range.cost, fixed), saturating_multiply(range.size, step));
        return {total, e.type->is("bool") ? 1 : range.size};
    }

    std::map<std::string, std::vector<std::uint64_t>> locals_;
};

}  // namespace

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) { return a > unbounded - b ? unbounded : a + b; }
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
    if (a == 0 || b == 0) return 0;
    return a > unbounded / b ? unbounded : a * b;
}

std::uint64_t worst_cost(const Expression& expression) { return Estimator().of(expression).cost; }

}  // namespace kubemu::api::cel

// Costs and sizes along the tree, as cel-go's coster keeps them (cel-go/checker/cost.go). Where a value comes from is
// its path below self: the schema there says how long it can be. A path that begins at something computed is only its
// last step, which the real estimator then looks up at the root; definitions rely on the sizes that this gives.
#include "api/cel/cost.h"

#include <cmath>
#include <map>

namespace kubemu::api::cel {
namespace {

constexpr std::uint64_t unbounded = UINT64_MAX;
constexpr std::uint64_t request_bytes_max = 3 * 1024 * 1024;
using ExpressionKind = Expression::Kind;
using Path = std::vector<std::string>;

bool scalar(const Type& type) {
    return type.is("bool") || type.is("int") || type.is("uint") || type.is("double") || type.is("timestamp") ||
           type.is("duration") || (type.is("optional_type") && scalar(*type.parameters[0]));
}

// What is known of the keys and values of a list or map that the expression makes.
struct Entries {
    bool map = false;
    SizeRange key{1, 1}, value;
};

struct Estimate {
    std::uint64_t cost = 0;
    Path path;
    std::optional<SizeRange> size;
    std::optional<Entries> entries;

    SizeRange size_or_any() const { return size.value_or(SizeRange{}); }
};

struct Local {
    Path path;
    std::optional<SizeRange> size;
    std::optional<Entries> entries;
};

// MaxElements of the type's declaration: what has no length counts as 0.
std::uint64_t declared_size(const Type& type) {
    if (type.elements_max) return *type.elements_max;
    if (type.is("list") || type.is("map") || type.is("string") || type.is("bytes") || type.is("dyn") ||
        type.is("timestamp") || type.is("duration")) {
        return type.schema == nullptr ? request_bytes_max - 2 : max_size(*type.schema);
    }
    return 0;
}

class Estimator {
  public:
    explicit Estimator(TypePtr root) : root_(std::move(root)) {}

    Estimate of(const Expression& e) {
        Estimate made = visit(e);
        if (made.size) return made;
        made.size = at_path(made.path);
        if (!made.size && e.type != nullptr && scalar(*e.type)) made.size = SizeRange{1, 1};
        if (!made.size && e.kind == ExpressionKind::identifier) {
            if (const Local* local = local_of(e.name)) made.size = local->size;
        }
        return made;
    }

  private:
    Estimate visit(const Expression& e) {
        switch (e.kind) {
            case ExpressionKind::literal:
                return {0, {}, SizeRange{e.literal.size(), e.literal.size()}, {}};
            case ExpressionKind::identifier: {
                if (const Local* local = local_of(e.name)) return {1, local->path, {}, local->entries};
                return {1, {e.name}, {}, {}};
            }
            case ExpressionKind::select:
                return select(e);
            case ExpressionKind::has:
                return {of(e.args[0]).cost, {}, {}, {}};
            case ExpressionKind::call:
                return call(e);
            case ExpressionKind::list:
                return list(e);
            case ExpressionKind::map:
                return map(e);
            case ExpressionKind::message:
                return message(e);
            case ExpressionKind::macro:
                return macro(e);
        }
        return {};
    }

    const Local* local_of(const std::string& name) const {
        const auto at = locals_.find(name);
        return at == locals_.end() || at->second.empty() ? nullptr : &at->second.back();
    }

    std::optional<SizeRange> at_path(const Path& path) const {
        if (path.empty() || root_ == nullptr) return std::nullopt;
        TypePtr type = root_;
        for (std::size_t i = 1; i < path.size(); ++i) {
            const bool list = type->is("list"), map = type->is("map");
            if (path[i] == "@keys") {
                // Keys are strings, mostly without a declared length.
                const std::uint64_t most = map ? type->parameters.front()->elements_max.value_or(0) : 0;
                return map && i + 1 == path.size() ? std::optional(SizeRange{0, most}) : std::nullopt;
            }
            if (path[i] == "@items" || path[i] == "@values")
                type = list || map ? type->parameters.back() : nullptr;
            else if (map && type->parameters.back()->path == "any")
                type = type->parameters.back();  // attributes by name
            else
                type = type->is("object") ? type_of_field(*type, path[i]) : nullptr;
            if (type == nullptr) return std::nullopt;
        }
        return SizeRange{0, declared_size(*type)};
    }

    static Path below(Path path, std::string step) {
        path.push_back(std::move(step));
        return path;
    }

    Estimate select(const Expression& e) {
        Estimate operand = of(e.args[0]);
        // a.?b is a function of a and the name.
        if (e.optional) return {saturating_add(operand.cost, 1), {}, {}, {}};
        const Type& type = *e.args[0].type;
        const std::uint64_t own = type.is("map") || type.is("object") ? 1 : 0;
        return {saturating_add(operand.cost, own), below(std::move(operand.path), e.name), {}, {}};
    }

    CostedArgument argument(const Expression& e, const Estimate& estimate) const {
        CostedArgument made{e.type, estimate.size_or_any(), {}, {}};
        if (e.kind == ExpressionKind::literal && e.literal.kind == Kind::integer) made.literal = e.literal.integer;
        if (e.type->is("list") && (e.type->parameters[0]->is("string") || e.type->parameters[0]->is("bytes"))) {
            // Only what comes from the document is looked up here.
            made.items = SizeRange{};
            if (!estimate.path.empty()) made.items = at_path(below(estimate.path, "@items")).value_or(SizeRange{});
        }
        return made;
    }

    Estimate call(const Expression& e) {
        std::vector<Estimate> parts;
        std::uint64_t cost = 0;
        for (const Expression& part : e.args) {
            parts.push_back(of(part));
            cost = saturating_add(cost, parts.back().cost);
        }
        if (e.name == "_&&_" || e.name == "_||_") return {cost, {}, {}, {}};
        if (e.name == "dyn") return {saturating_add(cost, 1), {}, parts[0].size, parts[0].entries};
        if (e.name == "_?_:_") return conditional(parts);
        std::vector<CostedArgument> arguments;
        for (std::size_t i = 0; i < parts.size(); ++i) arguments.push_back(argument(e.args[i], parts[i]));
        const FunctionCost own = function_cost(e.name, e.method, arguments);
        Estimate made{saturating_add(cost, own.cost), {}, own.size, {}};
        if (e.name == "_[_]" && !e.args[0].type->is("optional_type")) {
            made.path = below(parts[0].path, e.args[0].type->is("map") ? "@values" : "@items");
            if (parts[0].entries) made.size = parts[0].entries->value;
        }
        if (e.name == "_+_") made.entries = united(parts[0].entries, parts[1].entries);
        return made;
    }

    static std::optional<Entries> united(const std::optional<Entries>& a, const std::optional<Entries>& b) {
        if (!a || !b) return std::nullopt;
        return Entries{a->map, a->key.united(b->key), a->value.united(b->value)};
    }

    static Estimate conditional(const std::vector<Estimate>& parts) {
        return {saturating_add(parts[0].cost, std::max(parts[1].cost, parts[2].cost)),
                {},
                parts[1].size_or_any().united(parts[2].size_or_any()),
                united(parts[1].entries, parts[2].entries)};
    }

    Estimate list(const Expression& e) {
        Estimate made{10, {}, SizeRange{e.args.size(), e.args.size()}, {}};
        Entries entries{false, {1, 1}, {e.args.empty() ? 0 : unbounded, 0}};
        for (const Expression& item : e.args) {
            const Estimate part = of(item);
            made.cost = saturating_add(made.cost, part.cost);
            entries.value = entries.value.united(part.size_or_any());
        }
        made.entries = entries;
        return made;
    }

    Estimate map(const Expression& e) {
        Estimate made{30, {}, SizeRange{e.args.size() / 2, e.args.size() / 2}, {}};
        const SizeRange none{e.args.empty() ? 0 : unbounded, 0};
        Entries entries{true, none, none};
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            const Estimate part = of(e.args[i]);
            made.cost = saturating_add(made.cost, part.cost);
            SizeRange& side = i % 2 == 0 ? entries.key : entries.value;
            side = side.united(part.size_or_any());
        }
        made.entries = entries;
        return made;
    }

    Estimate message(const Expression& e) {
        Estimate made{40, {}, SizeRange{e.args.size(), e.args.size()}, {}};
        for (const Expression& part : e.args) made.cost = saturating_add(made.cost, of(part).cost);
        return made;
    }

    Estimate within(const Expression& body, const std::vector<std::pair<std::string, Local>>& added) {
        for (const auto& [name, local] : added) locals_[name].push_back(local);
        Estimate made = of(body);
        for (const auto& [name, local] : added) locals_[name].pop_back();
        return made;
    }

    Estimate macro(const Expression& e) {
        const Estimate range = of(e.args[0]);
        if (e.name == "optMap" || e.name == "optFlatMap") return optional_macro(e, range);
        if (e.name == "sortBy") return sort_by(e, range);
        if (e.name == "bind") {
            const Estimate body = within(e.args[1], {{e.variable, Local{range.path, range.size, range.entries}}});
            return {saturating_add(saturating_add(range.cost, 10 + 1), body.cost), body.path, body.size, body.entries};
        }
        return loop(e, range);
    }

    // has-value test, and the value bound to the variable: the operand is estimated twice.
    Estimate optional_macro(const Expression& e, const Estimate& range) {
        const Estimate body = within(e.args[1], {{e.variable, Local{{}, inner_size(e.args[0]), {}}}});
        const std::uint64_t value = saturating_add(range.cost, 1);
        const std::uint64_t bound = saturating_add(saturating_add(10, value), body.cost);
        const std::uint64_t made = saturating_add(bound, e.name == "optMap" ? 1 : 0);
        return {saturating_add(value, std::max<std::uint64_t>(made, 1)), {}, {}, {}};
    }
    static std::optional<SizeRange> inner_size(const Expression& operand) {
        const bool known = operand.type->is("optional_type") && scalar(*operand.type->parameters[0]);
        return known ? std::optional(SizeRange{1, 1}) : std::nullopt;
    }

    // The list bound to a variable, mapped to its keys, sorted by them.
    Estimate sort_by(const Expression& e, const Estimate& range) {
        const Estimate key = within(e.args[1], variables(e, range));
        const std::uint64_t mapped =
            saturating_add(12, saturating_multiply(range.size_or_any().most, saturating_add(key.cost, 12)));
        const std::vector<CostedArgument> arguments = {{e.args[0].type, range.size_or_any(), {}, {}},
                                                       {list_of(e.args[1].type), range.size_or_any(), {}, {}}};
        const FunctionCost sorted = function_cost("@sortByAssociatedKeys", true, arguments);
        const std::uint64_t bound = saturating_add(range.cost, 10 + 1);
        return {saturating_add(bound, saturating_add(mapped, sorted.cost)), {}, sorted.size, {}};
    }

    static std::vector<std::pair<std::string, Local>> variables(const Expression& e, const Estimate& range) {
        const bool map = range.entries ? range.entries->map : !e.args[0].type->is("list");
        const auto part = [&range](const char* step, const SizeRange Entries::*side) {
            return Local{
                below(range.path, step), range.entries ? std::optional((*range.entries).*side) : std::nullopt, {}};
        };
        const Local key = part(map ? "@keys" : "@indices", &Entries::key),
                    value = part(map ? "@values" : "@items", &Entries::value);
        if (!e.variable2.empty()) return {{e.variable, key}, {e.variable2, value}};
        return {{e.variable, map ? key : value}};
    }

    // The costs beside those of the parts are those of the loop that cel-go expands the macro to.
    Estimate loop(const Expression& e, const Estimate& range) {
        const auto added = variables(e, range);
        std::vector<Estimate> bodies;
        for (std::size_t i = 1; i < e.args.size(); ++i) bodies.push_back(within(e.args[i], added));
        const bool quantifier = e.name == "all" || e.name == "exists" || e.name == "existsOne";
        std::uint64_t fixed = 1, step = 0;
        Estimate made;
        if (quantifier) {
            fixed = e.name == "existsOne" ? 2 : 1;
            step = saturating_add(bodies[0].cost, e.name == "all" ? 3 : e.name == "exists" ? 4 : 2);
            made.size = SizeRange{1, 1};
        } else {
            fixed = e.name.starts_with("transformMap") ? 31 : 11;
            step = e.name == "filter" ? 13 : e.name == "transformMap" ? 3 : e.name == "transformMapEntry" ? 2 : 12;
            for (const Estimate& body : bodies) step = saturating_add(step, body.cost);
            made.size = range.size_or_any();
            if (!e.name.starts_with("transformMap"))
                made.entries = Entries{false, {1, 1}, {0, collected(e, bodies, added)}};
        }
        made.cost =
            saturating_add(saturating_add(range.cost, fixed), saturating_multiply(range.size_or_any().most, step));
        return made;
    }

    std::uint64_t collected(const Expression& e, const std::vector<Estimate>& bodies,
                            const std::vector<std::pair<std::string, Local>>& added) const {
        if (e.name != "filter") return bodies.back().size_or_any().most;
        const Local& item = added[0].second;
        if (const auto size = at_path(item.path)) return size->most;
        const Type& type = *e.args[0].type;
        if (type.is("list") && scalar(*type.parameters[0])) return 1;
        return item.size.value_or(SizeRange{}).most;
    }

    const TypePtr root_;
    std::map<std::string, std::vector<Local>> locals_;
};

}  // namespace

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
    return a > unbounded - b ? unbounded : a + b;
}
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
    if (a == 0 || b == 0) return 0;
    return a > unbounded / b ? unbounded : a * b;
}
std::uint64_t scaled(std::uint64_t size, double factor) {
    const double product = std::ceil(static_cast<double>(size) * factor);
    return product >= 18446744073709551615.0 ? unbounded : static_cast<std::uint64_t>(product);
}

std::uint64_t worst_cost(const Expression& expression, const TypePtr& self) {
    return Estimator(self).of(expression).cost;
}

}  // namespace kubemu::api::cel

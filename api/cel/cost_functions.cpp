// What single functions cost at worst (cel-go/checker/cost.go functionCost, cel-go/ext/{lists,sets}.go and
// k8s.io/apiserver/pkg/cel/library/cost.go). The estimates decide which definitions are accepted, so they are the same
// to the unit, where they are too high as well as where they are too low.
#include <algorithm>
#include <initializer_list>

#include "api/cel/cost.h"

namespace kubemu::api::cel {
namespace {

using Arguments = std::vector<CostedArgument>;

constexpr double string_factor = 0.1, regex_factor = 0.25;
constexpr std::uint64_t list_cost = 10, struct_cost = 40, authorization_cost = 350'000, format_regex_max = 128,
                        format_max = 64;

std::uint64_t traversal(const SizeRange& size) {
    return scaled(size.most, string_factor);
}
bool is(const std::string& name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}
bool text(const CostedArgument& argument) {
    return argument.type->is("string") || argument.type->is("bytes");
}
bool open(const CostedArgument& argument) {
    return argument.type->is("dyn") || argument.type->is("error");
}

FunctionCost pattern(const CostedArgument& subject, const CostedArgument& regex) {
    return {saturating_multiply(scaled(saturating_add(subject.size.most, 1), string_factor),
                                scaled(regex.size.most, regex_factor)),
            {}};
}

// A list made of as many items as `size`.
FunctionCost list_made(double factor, const SizeRange& size) {
    return {saturating_add(scaled(size.most, factor), 1 + list_cost), size};
}

std::optional<FunctionCost> list_function(const std::string& name, const Arguments& a) {
    if (!a[0].type->is("list") && !open(a[0])) return std::nullopt;
    if (name == "reverse") return list_made(1, a[0].size);
    if (name == "distinct") return list_made(2, a[0].size.times(a[0].size));
    if (is(name, {"sort", "@sortByAssociatedKeys"})) {
        const CostedArgument& keys = a.back();
        const bool texts = keys.type->is("list") && is(keys.type->parameters[0]->name, {"string", "bytes"});
        return list_made(texts ? 2.1 : 2, keys.size.times(keys.size));
    }
    if (name == "flatten") {
        return list_made(a.size() > 1 ? static_cast<double>(a[1].literal.value_or(INT64_MAX)) : 1, a[0].size);
    }
    if (name == "slice" && a.size() == 3) {
        const std::uint64_t begin = static_cast<std::uint64_t>(a[1].literal.value_or(0));
        const std::uint64_t end = a[2].literal ? static_cast<std::uint64_t>(*a[2].literal) : a[0].size.most;
        return list_made(1, {end - begin, end - begin});
    }
    return std::nullopt;
}

// The longest and shortest that replacing can give.
SizeRange replaced(const SizeRange& subject, const SizeRange& old, const SizeRange& by) {
    const auto times = [](std::uint64_t size, std::uint64_t part) {
        return part == 0 ? saturating_add(size, 1) : (size + part - 1) / part;
    };
    SizeRange count{0, 0}, kept{0, 0};
    if (old.least == 0)
        count.most = times(subject.most, 0), kept.most = subject.most;
    else if (by.most <= old.least)
        kept.most = subject.most;
    else
        count.most = scaled(subject.most, 1.0 / static_cast<double>(old.least));
    if (old.most == 0)
        count.least = times(subject.least, 0), kept.least = subject.least;
    else if (old.most <= by.least)
        kept.least = subject.least;
    else
        count.least = scaled(subject.least, 1.0 / static_cast<double>(old.most));
    return count.times(by).plus(kept);
}

std::optional<FunctionCost> string_function(const std::string& name, const Arguments& a) {
    if (is(name, {"lowerAscii", "upperAscii", "substring", "trim"}))
        return FunctionCost{traversal(a[0].size), a[0].size};
    if (name == "replace" && a.size() >= 3) {
        return FunctionCost{scaled(a[0].size.most, 2 * string_factor), replaced(a[0].size, a[1].size, a[2].size)};
    }
    if (name == "split") {
        const bool limited = a.size() > 2 && a[2].literal.has_value();
        return FunctionCost{scaled(a[0].size.most, 2 * string_factor),
                            SizeRange{0, limited ? static_cast<std::uint64_t>(*a[2].literal) : a[0].size.most}};
    }
    if (name == "join") {
        SizeRange size = a[0].items ? a[0].size.times(*a[0].items) : SizeRange{0, 0};
        if (a.size() > 1) {
            const auto gaps = [](std::uint64_t items) { return items == 0 ? 0 : items - 1; };
            size = size.plus(a[1].size.times({gaps(a[0].size.least), gaps(a[0].size.most)}));
        }
        return FunctionCost{traversal(size), size};
    }
    if (is(name, {"find", "findAll"}) && a.size() > 1) {
        FunctionCost cost = pattern(a[0], a[1]);
        cost.size = SizeRange{0, a[0].size.most};
        return cost;
    }
    if (is(name, {"startsWith", "endsWith"})) return FunctionCost{traversal(a[1].size), {}};
    if (name == "matches") return pattern(a[0], a[1]);
    if (name == "contains") return FunctionCost{saturating_multiply(traversal(a[0].size), traversal(a[1].size)), {}};
    if (name == "format") return FunctionCost{traversal(a[0].size), {}};
    return std::nullopt;
}

FunctionCost contained(const std::string& name, const CostedArgument& other) {
    constexpr SizeRange address{4, 16};  // bytes
    std::uint64_t cost = traversal(address.plus(address));
    if (name == "containsCIDR") cost += traversal(address) + 1;
    if (!other.type->is("net.IP") && !other.type->is("net.CIDR")) cost = saturating_add(cost, traversal(other.size));
    return {cost, {}};
}

// Methods of lists and of what Kubernetes adds.
std::optional<FunctionCost> method_cost(const std::string& name, const Arguments& a) {
    if (is(name, {"isSorted", "sum", "max", "min", "indexOf", "lastIndexOf", "includes"})) {
        if (!a[0].type->is("list") && !(open(a[0]) && name == "includes"))
            return FunctionCost{traversal(a[0].size), {}};
        const std::uint64_t each = saturating_add(1, a[0].items ? traversal(*a[0].items) : 0);
        return FunctionCost{saturating_multiply(a[0].size.most, each), {}};
    }
    if (is(name, {"containsIP", "containsCIDR"})) return contained(name, a[1]);
    if (name == "validate") return FunctionCost{scaled(traversal(a[1].size), format_regex_max * regex_factor), {}};
    if (name == "check") return FunctionCost{authorization_cost, {}};
    if (is(name, {"fieldSelector", "labelSelector"})) {
        const std::uint64_t requirements =
            scaled(scaled(a[1].size.most, 0.5), static_cast<double>(list_cost + struct_cost));
        return FunctionCost{saturating_add(list_cost, saturating_add(traversal(a[1].size), requirements)), {}};
    }
    if (const auto cost = list_function(name, a)) return cost;
    return string_function(name, a);
}

std::optional<FunctionCost> parsing(const std::string& name, const Arguments& a) {
    if (is(name, {"url", "jsonpatch.escapeKey"})) return FunctionCost{traversal(a[0].size), a[0].size};
    if (is(name, {"cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"}))
        return FunctionCost{traversal(a[0].size), {}};
    if (name == "ip.isCanonical") return FunctionCost{scaled(a[0].size.most, 2 * string_factor), {}};
    if (is(name, {"sets.contains", "sets.intersects", "sets.equivalent"})) {
        const std::uint64_t product = saturating_multiply(a[0].size.most, a[1].size.most);
        return FunctionCost{saturating_add(scaled(product, name == "sets.equivalent" ? 2 : 1), 1), {}};
    }
    if (name == "lists.range") {
        const std::uint64_t count = static_cast<std::uint64_t>(a[0].literal.value_or(-1));
        return list_made(1, {count, count});
    }
    if (name == "bytes" && a[0].type->is("string")) {
        return FunctionCost{traversal(a[0].size), SizeRange{a[0].size.least, saturating_multiply(a[0].size.most, 4)}};
    }
    if (name == "string" && a[0].type->is("bytes"))
        return FunctionCost{traversal(a[0].size), SizeRange{a[0].size.least / 4, a[0].size.most}};
    if (name == "strings.quote") {
        const auto quoted = [](std::uint64_t size, std::uint64_t factor) {
            return saturating_add(saturating_multiply(size, factor), 2);
        };
        return FunctionCost{traversal(a[0].size), SizeRange{quoted(a[0].size.least, 1), quoted(a[0].size.most, 2)}};
    }
    return std::nullopt;
}

FunctionCost comparison(const std::string& name, const CostedArgument& a, const CostedArgument& b) {
    const std::uint64_t shorter = scaled(std::min(a.size.most, b.size.most), string_factor);
    if (name == "_==_" && a.type->name == b.type->name) {
        if (is(a.type->name, {"net.IP", "net.CIDR", "kubernetes.Quantity", "kubernetes.Semver"})) return {1, {}};
        if (a.type->is("kubernetes.NamedFormat")) return {scaled(format_max, string_factor), {}};
        if (a.type->is("kubernetes.URL")) return {traversal(b.size), {}};
    }
    if (is(name, {"_==_", "_!=_"}) || text(a)) return {shorter, {}};
    // Which order it is shows when it runs; that of numbers costs 1.
    return {open(a) ? std::max<std::uint64_t>(shorter, 1) : 1, {}};
}

FunctionCost operator_cost(const std::string& name, const Arguments& a) {
    if (is(name, {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})) return comparison(name, a[0], a[1]);
    if (name == "@in") return {a[1].type->is("map") ? 1 : a[1].size.most, {}};
    if (name == "_+_" && (text(a[0]) || open(a[0]) || a[0].type->is("list"))) {
        const SizeRange size = a[0].size.plus(a[1].size);
        return {a[0].type->is("list") ? 1 : std::max<std::uint64_t>(traversal(size), open(a[0]) ? 1 : 0), size};
    }
    return {};
}

}  // namespace

SizeRange SizeRange::plus(const SizeRange& other) const {
    return {saturating_add(least, other.least), saturating_add(most, other.most)};
}
SizeRange SizeRange::times(const SizeRange& other) const {
    return {saturating_multiply(least, other.least), saturating_multiply(most, other.most)};
}
SizeRange SizeRange::united(const SizeRange& other) const {
    return {std::min(least, other.least), std::max(most, other.most)};
}

FunctionCost function_cost(const std::string& function, bool method, const Arguments& arguments) {
    if (arguments.empty()) return {};
    std::optional<FunctionCost> cost = method ? method_cost(function, arguments) : parsing(function, arguments);
    return cost ? *cost : operator_cost(function, arguments);
}

}  // namespace kubemu::api::cel

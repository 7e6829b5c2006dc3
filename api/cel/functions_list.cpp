// Lists and sets.
#include <algorithm>

#include "api/cel/function_list.h"

namespace kubemu::api::cel {
namespace {

Value is_sorted(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    for (std::size_t i = 1; i < a[0].size(); ++i) {
        const auto order = compare(a[0].at(i - 1), a[0].at(i));
        if (!order) return no_overload();
        if (*order > 0) return Value::of(false);
    }
    return Value::of(true);
}

Value sum(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    const Value::List items = a[0].list();
    if (items.empty()) {
        const bool real = a[0].schema != nullptr && a[0].schema->items && a[0].schema->items->type == "number";
        return real ? Value::of(0.0) : Value::of(std::int64_t{0});
    }
    Value total = items[0];
    for (std::size_t i = 1; i < items.size() && !total.is_error(); ++i) total = function_of("_+_")({total, items[i]});
    return total;
}

template <bool least>
Value extreme(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    const Value::List items = a[0].list();
    if (items.empty()) return Value::error(std::string(least ? "min" : "max") + " called on empty list");
    Value best = items[0];
    for (const Value& item : items) {
        const auto order = compare(item, best);
        if (!order) return no_overload();
        if (least ? *order < 0 : *order > 0) best = item;
    }
    return best;
}

bool has(const Value::List& list, const Value& wanted) {
    return std::any_of(list.begin(), list.end(), [&wanted](const Value& item) { return equal(item, wanted); });
}

Value distinct(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    Value::List out;
    for (Value& item : a[0].list()) {
        if (!has(out, item)) out.push_back(std::move(item));
    }
    return Value::of(std::move(out));
}

Value reverse(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    Value::List out = a[0].list();
    std::reverse(out.begin(), out.end());
    return Value::of(std::move(out));
}

Value sort(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    Value::List out = a[0].list();
    for (const Value& item : out) {
        if (!compare(item, out[0])) return Value::error("list elements must be comparable");
    }
    std::stable_sort(out.begin(), out.end(), [](const Value& x, const Value& y) { return compare(x, y).value_or(0) < 0; });
    return Value::of(std::move(out));
}

Value slice(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    const Value::List items = a[0].list();
    const std::int64_t begin = a[1].integer, end = a[2].integer, size = static_cast<std::int64_t>(items.size());
    const std::string range = "cannot slice(" + std::to_string(begin) + ", " + std::to_string(end) + "), ";
    if (begin < 0 || end < 0) return Value::error(range + "negative indexes not supported");
    if (begin > end) return Value::error(range + "start index must be less than or equal to end index");
    if (end > size) return Value::error(range + "list is length " + std::to_string(size));
    return Value::of(Value::List(items.begin() + begin, items.begin() + end));
}

void flatten_into(const Value& list, std::int64_t depth, Value::List& out) {
    for (Value& item : list.list()) {
        if (item.kind == Kind::list && depth > 0) flatten_into(item, depth - 1, out);
        else out.push_back(std::move(item));
    }
}

Value flatten(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    const std::int64_t depth = a.size() > 1 ? a[1].integer : 1;
    if (depth < 0) return Value::error("level must be non-negative");
    Value::List out;
    flatten_into(a[0], std::min<std::int64_t>(depth, 64), out);
    return Value::of(std::move(out));
}

Value first(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    return a[0].size() == 0 ? Value::none() : Value::some(a[0].at(0));
}
Value last(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    return a[0].size() == 0 ? Value::none() : Value::some(a[0].at(a[0].size() - 1));
}

// The values of the optionals that have one.
Value unwrap(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    Value::List out;
    for (const Value& item : a[0].list()) {
        if (item.kind != Kind::optional) return no_overload();
        if (item.has_value()) out.push_back(item.at(0));
    }
    return Value::of(std::move(out));
}

// Nothing for a negative length. More items than this cost more than any expression may.
Value range(const Arguments& a) {
    constexpr std::int64_t range_max = 1'000'000;
    if (a[0].integer > range_max) return Value::error("range length exceeds " + std::to_string(range_max));
    Value::List out;
    for (std::int64_t i = 0; i < a[0].integer; ++i) out.push_back(Value::of(i));
    return Value::of(std::move(out));
}

bool contains_all(const Value::List& list, const Value::List& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&list](const Value& item) { return has(list, item); });
}

Value sets_contains(const Arguments& a) { return Value::of(contains_all(a[0].list(), a[1].list())); }
Value sets_equivalent(const Arguments& a) {
    return Value::of(contains_all(a[0].list(), a[1].list()) && contains_all(a[1].list(), a[0].list()));
}
Value sets_intersects(const Arguments& a) {
    const Value::List list = a[0].list(), other = a[1].list();
    return Value::of(std::any_of(other.begin(), other.end(), [&list](const Value& item) { return has(list, item); }));
}

}  // namespace

std::span<const NamedFunction> list_functions() {
    static constexpr NamedFunction functions[] = {
        {"isSorted", is_sorted},
        {"sum", sum},
        {"min", extreme<true>},
        {"max", extreme<false>},
        {"distinct", distinct},
        {"reverse", reverse},
        {"sort", sort},
        {"slice", slice},
        {"flatten", flatten},
        {"lists.range", range},
        {"first", first},
        {"last", last},
        {"optional.unwrap", unwrap},
        {"unwrapOpt", unwrap},
        {"sets.contains", sets_contains},
        {"sets.equivalent", sets_equivalent},
        {"sets.intersects", sets_intersects},
    };
    return functions;
}

}  // namespace kubemu::api::cel

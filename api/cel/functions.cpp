// The function table, and the operators.
#include "api/cel/functions.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "api/cel/function_list.h"

namespace kubemu::api::cel {
namespace {

bool both(const Arguments& a, Kind kind) { return a[0].kind == kind && a[1].kind == kind; }
Value overflow(const char* type) { return Value::error(std::string(type) + " overflow"); }

template <class Int>
Value of_checked(bool overflowed, Int value, const char* type) {
    return overflowed ? overflow(type) : Value::of(value);
}

Value add(const Arguments& a) {
    if (both(a, Kind::integer)) {
        std::int64_t sum = 0;
        const bool over = __builtin_add_overflow(a[0].integer, a[1].integer, &sum);
        return of_checked(over, sum, "integer");
    }
    if (both(a, Kind::unsigned_integer)) {
        std::uint64_t sum = 0;
        const bool over = __builtin_add_overflow(a[0].unsigned_integer, a[1].unsigned_integer, &sum);
        return of_checked(over, sum, "unsigned integer");
    }
    if (both(a, Kind::real)) return Value::of(a[0].real + a[1].real);
    if (both(a, Kind::string)) return Value::of(a[0].str() + a[1].str());
    if (both(a, Kind::bytes)) return Value::of_bytes(a[0].str() + a[1].str());
    if (both(a, Kind::duration)) {
        std::int64_t sum = 0;
        if (__builtin_add_overflow(a[0].integer, a[1].integer, &sum)) return overflow("integer");
        return Value::duration(sum);
    }
    if (both(a, Kind::list)) {
        Value::List all = a[0].list();
        const bool set = a[0].schema != nullptr && a[0].schema->list_type == "set";
        for (Value& item : a[1].list()) {
            bool known = false;
            for (std::size_t i = 0; set && i < all.size() && !known; ++i) known = equal(all[i], item);
            if (!known) all.push_back(std::move(item));
        }
        return Value::of(std::move(all));
    }
    const bool time_first = a[0].kind == Kind::timestamp && a[1].kind == Kind::duration;
    if (time_first || (a[0].kind == Kind::duration && a[1].kind == Kind::timestamp)) {
        const Value &time = time_first ? a[0] : a[1], &by = time_first ? a[1] : a[0];
        std::int64_t seconds = time.integer + by.integer / 1'000'000'000, rest = time.nanoseconds + by.integer % 1'000'000'000;
        if (rest < 0) --seconds, rest += 1'000'000'000;
        if (rest >= 1'000'000'000) ++seconds, rest -= 1'000'000'000;
        return Value::timestamp(seconds, rest);
    }
    return no_overload();
}

Value subtract(const Arguments& a) {
    if (both(a, Kind::integer)) {
        std::int64_t rest = 0;
        const bool over = __builtin_sub_overflow(a[0].integer, a[1].integer, &rest);
        return of_checked(over, rest, "integer");
    }
    if (both(a, Kind::unsigned_integer)) {
        std::uint64_t rest = 0;
        const bool over = __builtin_sub_overflow(a[0].unsigned_integer, a[1].unsigned_integer, &rest);
        return of_checked(over, rest, "unsigned integer");
    }
    if (both(a, Kind::real)) return Value::of(a[0].real - a[1].real);
    if (both(a, Kind::timestamp)) {
        return Value::duration((a[0].integer - a[1].integer) * 1'000'000'000 + a[0].nanoseconds - a[1].nanoseconds);
    }
    if (a[1].kind == Kind::duration && (a[0].kind == Kind::duration || a[0].kind == Kind::timestamp)) {
        return add({a[0], Value::duration(-a[1].integer)});
    }
    return no_overload();
}

Value multiply(const Arguments& a) {
    if (both(a, Kind::integer)) {
        std::int64_t product = 0;
        const bool over = __builtin_mul_overflow(a[0].integer, a[1].integer, &product);
        return of_checked(over, product, "integer");
    }
    if (both(a, Kind::unsigned_integer)) {
        std::uint64_t product = 0;
        const bool over = __builtin_mul_overflow(a[0].unsigned_integer, a[1].unsigned_integer, &product);
        return of_checked(over, product, "unsigned integer");
    }
    return both(a, Kind::real) ? Value::of(a[0].real * a[1].real) : no_overload();
}

Value divide(const Arguments& a) {
    if (both(a, Kind::integer)) {
        if (a[1].integer == 0) return Value::error("division by zero");
        if (a[0].integer == INT64_MIN && a[1].integer == -1) return overflow("integer");
        return Value::of(a[0].integer / a[1].integer);
    }
    if (both(a, Kind::unsigned_integer)) {
        if (a[1].unsigned_integer == 0) return Value::error("division by zero");
        return Value::of(a[0].unsigned_integer / a[1].unsigned_integer);
    }
    return both(a, Kind::real) ? Value::of(a[0].real / a[1].real) : no_overload();
}

Value modulo(const Arguments& a) {
    if (both(a, Kind::integer)) {
        if (a[1].integer == 0) return Value::error("modulus by zero");
        if (a[0].integer == INT64_MIN && a[1].integer == -1) return overflow("integer");
        return Value::of(a[0].integer % a[1].integer);
    }
    if (!both(a, Kind::unsigned_integer)) return no_overload();
    if (a[1].unsigned_integer == 0) return Value::error("modulus by zero");
    return Value::of(a[0].unsigned_integer % a[1].unsigned_integer);
}

Value negate(const Arguments& a) {
    if (a[0].kind == Kind::real) return Value::of(-a[0].real);
    if (a[0].kind != Kind::integer) return no_overload();
    return a[0].integer == INT64_MIN ? overflow("integer") : Value::of(-a[0].integer);
}

Value invert(const Arguments& a) { return a[0].kind == Kind::boolean ? Value::of(!a[0].truth) : no_overload(); }
Value equals(const Arguments& a) { return Value::of(equal(a[0], a[1])); }
Value differs(const Arguments& a) { return Value::of(!equal(a[0], a[1])); }

bool below(int order) { return order < 0; }
bool at_most(int order) { return order <= 0; }
bool above(int order) { return order > 0; }
bool at_least(int order) { return order >= 0; }

template <bool (*holds)(int)>
Value ordered(const Arguments& a) {
    const bool numbers = a[0].kind == Kind::real || a[1].kind == Kind::real;
    const auto order = compare(a[0], a[1]);
    if (!order) return numbers && a[0].kind != Kind::string && a[1].kind != Kind::string ? Value::of(false) : no_overload();
    return Value::of(holds(*order));
}

Value in(const Arguments& a) {
    if (a[1].kind == Kind::map && a[1].entries != nullptr) {
        // What it holds, whatever it answers for other keys.
        return Value::of(std::any_of(a[1].entries->begin(), a[1].entries->end(), [&](const auto& entry) { return equal(entry.first, a[0]); }));
    }
    if (a[1].kind == Kind::map || a[1].kind == Kind::object) return Value::of(a[1].member(a[0]).has_value());
    if (a[1].kind != Kind::list) return no_overload();
    for (std::size_t i = 0; i < a[1].size(); ++i) {
        if (equal(a[0], a[1].at(i))) return Value::of(true);
    }
    return Value::of(false);
}

std::optional<std::int64_t> index_of(const Value& value) {
    if (value.kind == Kind::integer) return value.integer;
    if (value.kind == Kind::unsigned_integer && value.unsigned_integer <= INT64_MAX) return static_cast<std::int64_t>(value.unsigned_integer);
    if (value.kind == Kind::real && value.real == std::trunc(value.real)) return static_cast<std::int64_t>(value.real);
    return std::nullopt;
}

std::string key_text(const Value& key) {
    if (key.kind == Kind::string) return key.str();
    if (key.kind == Kind::integer) return std::to_string(key.integer);
    if (key.kind == Kind::boolean) return key.truth ? "true" : "false";
    return key.kind == Kind::unsigned_integer ? std::to_string(key.unsigned_integer) : "";
}

Value index(const Arguments& a) {
    if (a[0].kind == Kind::optional) {
        if (!a[0].has_value()) return a[0];
        return function_of("_[?_]")({a[0].at(0), a[1]});
    }
    if (a[0].kind == Kind::list) {
        const auto place = index_of(a[1]);
        if (!place) return no_overload();
        if (*place < 0 || static_cast<std::size_t>(*place) >= a[0].size()) return Value::error("index out of bounds: " + std::to_string(*place));
        return a[0].at(static_cast<std::size_t>(*place));
    }
    if (a[0].kind != Kind::map && a[0].kind != Kind::object) return no_overload();
    const auto found = a[0].member(a[1]);
    return found ? *found : Value::error("no such key: " + key_text(a[1]));
}

Value optional_index(const Arguments& a) {
    const Value from = a[0].kind == Kind::optional ? (a[0].has_value() ? a[0].at(0) : a[0]) : a[0];
    if (from.kind == Kind::optional) return from;
    if (from.kind == Kind::list) {
        const auto place = index_of(a[1]);
        if (!place) return no_overload();
        return *place < 0 || static_cast<std::size_t>(*place) >= from.size() ? Value::none() : Value::some(from.at(static_cast<std::size_t>(*place)));
    }
    if (from.kind != Kind::map && from.kind != Kind::object) return no_overload();
    const auto found = from.member(a[1]);
    return found ? Value::some(*found) : Value::none();
}

Value size(const Arguments& a) {
    switch (a[0].kind) {
        case Kind::string:
        case Kind::bytes:
        case Kind::list:
        case Kind::map:
        case Kind::object:
            return Value::of(static_cast<std::int64_t>(a[0].size()));
        default:
            return no_overload();
    }
}

Value optional_of_nonzero(const Arguments& a) {
    const Value& v = a[0];
    const bool zero = v.kind == Kind::null || v.is(false) || (v.kind == Kind::integer && v.integer == 0) ||
                      (v.kind == Kind::unsigned_integer && v.unsigned_integer == 0) || (v.kind == Kind::real && v.real == 0) ||
                      ((v.kind == Kind::string || v.kind == Kind::bytes) && v.str().empty()) ||
                      ((v.kind == Kind::list || v.kind == Kind::map || v.kind == Kind::object) && v.size() == 0);
    return zero ? Value::none() : Value::some(v);
}

Value optional_value(const Arguments& a) {
    if (a[0].kind != Kind::optional) return no_overload();
    return a[0].has_value() ? a[0].at(0) : Value::error("optional.none() dereference");
}

}  // namespace

Value no_overload() { return Value::error("no such overload"); }

std::span<const NamedFunction> operator_functions() {
    static constexpr NamedFunction functions[] = {
        {"_+_", add},
        {"_-_", subtract},
        {"_*_", multiply},
        {"_/_", divide},
        {"_%_", modulo},
        {"-_", negate},
        {"!_", invert},
        {"_==_", equals},
        {"_!=_", differs},
        {"_<_", ordered<below>},
        {"_<=_", ordered<at_most>},
        {"_>_", ordered<above>},
        {"_>=_", ordered<at_least>},
        {"@in", in},
        {"_[_]", index},
        {"_[?_]", optional_index},
        {"size", size},
        {"optional.of", [](const Arguments& a) { return Value::some(a[0]); }},
        {"optional.none", [](const Arguments&) { return Value::none(); }},
        {"optional.ofNonZeroValue", optional_of_nonzero},
        {"hasValue", [](const Arguments& a) { return a[0].kind == Kind::optional ? Value::of(a[0].has_value()) : no_overload(); }},
        {"value", optional_value},
        {"or", [](const Arguments& a) { return a[0].kind == Kind::optional ? (a[0].has_value() ? a[0] : a[1]) : no_overload(); }},
        {"orValue", [](const Arguments& a) { return a[0].kind == Kind::optional ? (a[0].has_value() ? a[0].at(0) : a[1]) : no_overload(); }},
    };
    return functions;
}

Function function_of(std::string_view name) {
    static const std::map<std::string_view, Function> all = [] {
        std::map<std::string_view, Function> made;
        for (const auto part : {operator_functions(), conversion_functions(), string_functions(), list_functions(), time_functions(),
                                kubernetes_functions(), authorization_functions(), kwok_functions()}) {
            for (const NamedFunction& entry : part) made.emplace(entry.name, entry.function);
        }
        return made;
    }();
    const auto at = all.find(name);
    return at == all.end() ? nullptr : at->second;
}

}  // namespace kubemu::api::cel

// What KWOK adds to CEL: quantities that compute, seconds since 1970, and questions about what the cluster uses
// (sigs.k8s.io/kwok/pkg/utils/cel/quantity.go, funcs.go). Quantities of resource lists are texts here.
#include <cmath>

#include "api/cel/function_list.h"
#include "api/cel/times.h"
#include "api/values/quantity.h"

namespace kubemu::api::cel {
namespace {

Value of_quantity(const Quantity& quantity) { return Value::extended(Kind::quantity, quantity, quantity.text()); }

// What it is as a quantity: itself, or a text that is one.
std::optional<Quantity> quantity_of(const Value& value) {
    if (value.kind == Kind::quantity) return value.as<Quantity>();
    return value.kind == Kind::string ? Quantity::parse(value.str()) : std::nullopt;
}

bool any_quantity(const Arguments& a) { return a[0].kind == Kind::quantity || (a.size() > 1 && a[1].kind == Kind::quantity); }

Value plain(std::string_view name, const Arguments& a) { return function_of(name)(a); }

std::optional<double> number_of(const Value& value) {
    switch (value.kind) {
        case Kind::integer: return static_cast<double>(value.integer);
        case Kind::unsigned_integer: return static_cast<double>(value.unsigned_integer);
        case Kind::real: return value.real;
        default: return std::nullopt;
    }
}

Value quantity(const Arguments& a) {
    const auto parsed = a.size() == 1 ? quantity_of(a[0]) : std::nullopt;
    return parsed ? of_quantity(*parsed) : Value::error("unable to parse quantity");
}

template <bool minus>
Value sum(const Arguments& a) {
    if (!any_quantity(a)) return plain(minus ? "_-_" : "_+_", a);
    auto left = quantity_of(a[0]);
    const auto right = quantity_of(a[1]);
    if (!left || !right) return no_overload();
    if (minus) *left -= *right;
    else *left += *right;
    return of_quantity(*left);
}

// Of a quantity and a number, in thousandths. Texts of resource lists are quantities when a number is beside them.
template <bool divides>
Value product(const Arguments& a) {
    const auto by = number_of(a[1]);
    const auto left = by ? quantity_of(a[0]) : std::nullopt;
    if (!left) return plain(divides ? "_/_" : "_*_", a);
    if (divides && *by == 0) return Value::error("division by zero");
    const auto milli = static_cast<double>(left->milli_value());
    return of_quantity(Quantity::from_milli(static_cast<std::int64_t>(divides ? milli / *by : milli * *by)));
}

Value negative(const Arguments& a) {
    if (!any_quantity(a)) return plain("-_", a);
    Quantity zero;
    zero -= a[0].as<Quantity>();
    return of_quantity(zero);
}

template <bool less, bool or_equal>
Value ordered(const Arguments& a) {
    if (!any_quantity(a)) return plain(less ? (or_equal ? "_<=_" : "_<_") : (or_equal ? "_>=_" : "_>_"), a);
    const auto left = quantity_of(a[0]), right = quantity_of(a[1]);
    if (!left || !right) return no_overload();
    if (*left == *right) return Value::of(or_equal);
    return Value::of((*left < *right) == less);
}

Value unix_second(const Arguments& a) {
    Value time = a[0];
    if (time.kind == Kind::string) time = parse_timestamp(time.str());
    if (time.kind != Kind::timestamp) return no_overload();
    return Value::of(static_cast<double>(time.integer) + static_cast<double>(time.nanoseconds) / 1e9);
}

Value ask(const Arguments& a) {
    std::string question = a[1].str();
    for (std::size_t i = 2; i < a.size(); ++i) {
        if (a[i].kind != Kind::string) return no_overload();
        question += "\n" + a[i].str();
    }
    if (a[0].lazy == nullptr) return no_overload();
    return a[0].lazy->member(question).value_or(no_overload());
}

}  // namespace

std::span<const NamedFunction> kwok_functions() {
    static constexpr NamedFunction functions[] = {
        {"kwok.ask", ask},
        {"kwok.quantity", quantity},
        {"kwok.unixSecond", unix_second},
        {"kwok._+_", sum<false>},
        {"kwok._-_", sum<true>},
        {"kwok._*_", product<false>},
        {"kwok._/_", product<true>},
        {"kwok.-_", negative},
        {"kwok._<_", ordered<true, false>},
        {"kwok._<=_", ordered<true, true>},
        {"kwok._>_", ordered<false, false>},
        {"kwok._>=_", ordered<false, true>},
    };
    return functions;
}

}  // namespace kubemu::api::cel

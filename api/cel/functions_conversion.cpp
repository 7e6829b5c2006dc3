// Conversions between types.
#include <charconv>
#include <cmath>

#include "api/cel/function_list.h"
#include "api/cel/times.h"
#include "api/values/go_print.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

Value to_int(const Arguments& a) {
    const Value& v = a[0];
    switch (v.kind) {
        case Kind::integer:
            return v;
        case Kind::unsigned_integer:
            if (v.unsigned_integer > INT64_MAX) return Value::error("integer overflow");
            return Value::of(static_cast<std::int64_t>(v.unsigned_integer));
        case Kind::real:
            if (!(v.real > -9223372036854775808.0 && v.real < 9223372036854775808.0)) return Value::error("integer overflow");
            return Value::of(static_cast<std::int64_t>(v.real));
        case Kind::timestamp:
            return Value::of(v.integer);
        case Kind::duration:
            return Value::of(v.integer);
        case Kind::string: {
            std::int64_t number = 0;
            const std::string_view text = v.str().substr(0, 1) == "+" ? std::string_view(v.str()).substr(1) : std::string_view(v.str());
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return Value::of(number);
            return Value::error("strconv.ParseInt: parsing " + go_quote(v.str()) + ": invalid syntax");
        }
        default:
            return no_overload();
    }
}

Value to_uint(const Arguments& a) {
    const Value& v = a[0];
    switch (v.kind) {
        case Kind::unsigned_integer:
            return v;
        case Kind::integer:
            return v.integer < 0 ? Value::error("unsigned integer overflow") : Value::of(static_cast<std::uint64_t>(v.integer));
        case Kind::real:
            if (!(v.real >= 0 && v.real < 18446744073709551616.0)) return Value::error("unsigned integer overflow");
            return Value::of(static_cast<std::uint64_t>(v.real));
        case Kind::string: {
            std::uint64_t number = 0;
            const std::string& text = v.str();
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return Value::of(number);
            return Value::error("strconv.ParseUint: parsing " + go_quote(text) + ": invalid syntax");
        }
        default:
            return no_overload();
    }
}

Value to_double(const Arguments& a) {
    const Value& v = a[0];
    if (v.kind == Kind::real) return v;
    if (v.kind == Kind::integer) return Value::of(static_cast<double>(v.integer));
    if (v.kind == Kind::unsigned_integer) return Value::of(static_cast<double>(v.unsigned_integer));
    if (v.kind != Kind::string) return no_overload();
    char* end = nullptr;
    const double number = std::strtod(v.str().c_str(), &end);
    if (v.str().empty() || *end != '\0') return Value::error("strconv.ParseFloat: parsing " + go_quote(v.str()) + ": invalid syntax");
    return Value::of(number);
}

Value to_string(const Arguments& a) {
    const Value& v = a[0];
    switch (v.kind) {
        case Kind::string:
            return v;
        case Kind::boolean:
            return Value::of(std::string(v.truth ? "true" : "false"));
        case Kind::integer:
            return Value::of(std::to_string(v.integer));
        case Kind::unsigned_integer:
            return Value::of(std::to_string(v.unsigned_integer));
        case Kind::real:
            return Value::of(go_float(v.real));
        case Kind::bytes:
            return valid_utf8(v.str()) ? Value::of(v.str()) : Value::error("invalid UTF-8 in bytes, cannot convert to string");
        case Kind::timestamp:
            return Value::of(timestamp_text(v));
        case Kind::duration:
            return Value::of(duration_text(v));
        case Kind::ip:
        case Kind::cidr:
            return Value::of(v.str());
        default:
            return no_overload();
    }
}

Value to_bytes(const Arguments& a) {
    if (a[0].kind == Kind::bytes) return a[0];
    return a[0].kind == Kind::string ? Value::of_bytes(a[0].str()) : no_overload();
}

Value to_bool(const Arguments& a) {
    if (a[0].kind == Kind::boolean) return a[0];
    if (a[0].kind != Kind::string) return no_overload();
    const std::string& text = a[0].str();
    for (const char* word : {"1", "t", "T", "true", "TRUE", "True"}) {
        if (text == word) return Value::of(true);
    }
    for (const char* word : {"0", "f", "F", "false", "FALSE", "False"}) {
        if (text == word) return Value::of(false);
    }
    return Value::error("strconv.ParseBool: parsing " + go_quote(text) + ": invalid syntax");
}

Value to_timestamp(const Arguments& a) {
    if (a[0].kind == Kind::timestamp) return a[0];
    if (a[0].kind == Kind::integer) return Value::timestamp(a[0].integer, 0);
    return a[0].kind == Kind::string ? parse_timestamp(a[0].str()) : no_overload();
}

Value to_duration(const Arguments& a) {
    if (a[0].kind == Kind::duration) return a[0];
    if (a[0].kind == Kind::integer) return Value::duration(a[0].integer);
    return a[0].kind == Kind::string ? parse_duration(a[0].str()) : no_overload();
}

}  // namespace

std::span<const NamedFunction> conversion_functions() {
    static constexpr NamedFunction functions[] = {
        {"int", to_int},
        {"uint", to_uint},
        {"double", to_double},
        {"string", to_string},
        {"bytes", to_bytes},
        {"bool", to_bool},
        {"timestamp", to_timestamp},
        {"duration", to_duration},
        {"dyn", [](const Arguments& a) { return a[0]; }},
        {"type", [](const Arguments& a) { return Value::of_type(a[0].kind == Kind::object ? "map" : a[0].type_name()); }},
    };
    return functions;
}

}  // namespace kubemu::api::cel

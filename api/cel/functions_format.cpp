// string.format: "%s is %d".format([name, number]) (cel-go/ext/formatting.go).
#include <charconv>
#include <cmath>
#include <cstdio>

#include "api/cel/function_list.h"
#include "api/cel/times.h"
#include "api/values/go_print.h"
#include "api/values/text.h"

namespace kubemu::api::cel {

std::string format_text(const Value& value) {
    switch (value.kind) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return value.truth ? "true" : "false";
        case Kind::integer:
            return std::to_string(value.integer);
        case Kind::unsigned_integer:
            return std::to_string(value.unsigned_integer);
        case Kind::real:
            return go_float(value.real);
        case Kind::timestamp:
            return timestamp_text(value);
        case Kind::duration:
            return duration_text(value);
        case Kind::list: {
            std::string text = "[";
            for (std::size_t i = 0; i < value.size(); ++i) {
                const Value item = value.at(i);
                text += (i > 0 ? ", " : "") + (item.kind == Kind::string ? go_quote(item.str()) : format_text(item));
            }
            return text + "]";
        }
        case Kind::map:
        case Kind::object: {
            std::string text = "{";
            for (const Value& key : value.keys()) {
                const Value member = *value.member(key);
                text += (text.size() > 1 ? ", " : "") + (key.kind == Kind::string ? go_quote(key.str()) : format_text(key)) + ": " +
                        (member.kind == Kind::string ? go_quote(member.str()) : format_text(member));
            }
            return text + "}";
        }
        default:
            return value.text != nullptr ? value.str() : std::string();
    }
}

namespace {

std::string in_base(std::uint64_t number, bool negative, int base, bool upper) {
    char buffer[80];
    const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number, base);
    std::string text = error == std::errc() ? std::string(buffer, end) : std::string();
    for (char& c : text) {
        if (upper && c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
    }
    return (negative ? "-" : "") + text;
}

Value numbered(const Value& value, char clause) {
    if (clause == 'b' && value.kind == Kind::boolean) return Value::of(std::string(value.truth ? "1" : "0"));
    const bool text = value.kind == Kind::string || value.kind == Kind::bytes;
    if (text && (clause == 'x' || clause == 'X')) {
        std::string out;
        for (const char c : value.str()) {
            const std::string digits = in_base(static_cast<unsigned char>(c), false, 16, clause == 'X');
            out += digits.size() == 1 ? "0" + digits : digits;
        }
        return Value::of(std::move(out));
    }
    if (value.kind != Kind::integer && value.kind != Kind::unsigned_integer) return no_overload();
    const bool negative = value.kind == Kind::integer && value.integer < 0;
    const std::uint64_t magnitude = value.kind == Kind::unsigned_integer ? value.unsigned_integer
                                    : negative                           ? 0 - static_cast<std::uint64_t>(value.integer)
                                                                         : static_cast<std::uint64_t>(value.integer);
    const int base = clause == 'd' ? 10 : clause == 'b' ? 2 : clause == 'o' ? 8 : 16;
    return Value::of(in_base(magnitude, negative, base, clause == 'X'));
}

Value fractional(const Value& value, char clause, int precision) {
    double number = value.real;
    if (value.kind == Kind::integer) number = static_cast<double>(value.integer);
    else if (value.kind == Kind::unsigned_integer) number = static_cast<double>(value.unsigned_integer);
    else if (value.kind != Kind::real) return no_overload();
    char buffer[400];
    std::snprintf(buffer, sizeof buffer, clause == 'f' ? "%.*f" : "%.*e", precision, number);
    return Value::of(std::string(buffer));
}

}  // namespace

Value format_string(const Arguments& a) {
    if (a[0].kind != Kind::string || a[1].kind != Kind::list) return no_overload();
    const std::string& pattern = a[0].str();
    std::string out;
    std::size_t next = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] != '%') {
            out += pattern[i];
            continue;
        }
        if (++i == pattern.size()) return Value::error("unexpected end of string");
        if (pattern[i] == '%') {
            out += '%';
            continue;
        }
        int precision = 6;
        if (pattern[i] == '.') {
            precision = 0;
            for (++i; i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9' && precision < 100; ++i) precision = precision * 10 + (pattern[i] - '0');
            if (i == pattern.size()) return Value::error("could not find end of precision specifier");
        }
        if (next >= a[1].size()) return Value::error("index " + std::to_string(next) + " out of range");
        const Value value = a[1].at(next++);
        const char clause = pattern[i];
        Value made = no_overload();
        if (clause == 's') made = Value::of(format_text(value));
        else if (clause == 'd' && value.kind == Kind::real) made = Value::of(go_float(value.real));
        else if (std::string_view("dboxX").find(clause) != std::string_view::npos) made = numbered(value, clause);
        else if (clause == 'f' || clause == 'e') made = fractional(value, clause, precision);
        else return Value::error("unrecognized formatting clause \"" + std::string(1, clause) + "\"");
        if (made.is_error()) return Value::error("error during formatting: " + std::string(1, clause) + " clause cannot be used on " + value.type_name());
        out += made.str();
    }
    return Value::of(std::move(out));
}

}  // namespace kubemu::api::cel

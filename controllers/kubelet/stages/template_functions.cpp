// The functions of Go's text/template and the commoner ones of sprig: one table with what its entries need, which is why
// the file is longer than others.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"
#include "api/values/text.h"
#include "controllers/kubelet/stages/template_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

using Arguments = std::vector<Json>;
using Value = Result<Json, std::string>;

Json present(const Json& value) {
    return value.is_discarded() ? Json() : value;
}
std::string text(const Json& value) {
    return value.is_discarded() || value.is_null() ? std::string() : template_text(value);
}

// Numbers, and texts that are numbers, as sprig casts them; 0 for the rest.
double number(const Json& value) {
    if (value.is_number()) return value.get<double>();
    if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
    double parsed = 0;
    if (value.is_string()) {
        const std::string& from = value.get_ref<const std::string&>();
        std::from_chars(from.data(), from.data() + from.size(), parsed);
    }
    return parsed;
}
std::int64_t whole(const Json& value) {
    return static_cast<std::int64_t>(number(value));
}

// Below 0, 0, above 0; nothing when they have no order.
std::optional<int> compared(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number())
        return a.get<double>() < b.get<double>() ? -1 : a.get<double>() > b.get<double>() ? 1 : 0;
    if (a.is_string() && b.is_string())
        return a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>());
    return std::nullopt;
}

bool same(const Json& a, const Json& b) {
    const Json left = present(a), right = present(b);
    return left == right;
}

Value equals(const Arguments& a) {
    if (a.size() < 2) return std::string("missing argument for comparison");
    return std::any_of(a.begin() + 1, a.end(), [&](const Json& other) { return same(a[0], other); })
               ? Json(true)
               : Json(false);
}

template <class Holds>
Value ordered(const Arguments& a, Holds holds) {
    if (a.size() != 2) return std::string("wrong number of arguments");
    const auto order = compared(a[0], a[1]);
    if (!order) return std::string("incompatible types for comparison");
    return Json(holds(*order));
}

Value index(const Arguments& a) {
    if (a.empty()) return std::string("missing value");
    Json value = a[0];
    for (std::size_t i = 1; i < a.size(); ++i) {
        if (value.is_null() || value.is_discarded()) return std::string("index of untyped nil");
        if (value.is_object()) {
            const auto found = value.find(text(a[i]));
            Json inner = found == value.end() ? Json() : *found;
            value = std::move(inner);
        } else if (value.is_array()) {
            const std::int64_t at = whole(a[i]);
            if (at < 0 || at >= static_cast<std::int64_t>(value.size()))
                return "index out of range: " + std::to_string(at);
            Json inner = value[static_cast<std::size_t>(at)];
            value = std::move(inner);
        } else {
            return "can't index item of " + template_text(value);
        }
    }
    return value;
}

Value length(const Arguments& a) {
    if (a.size() != 1) return std::string("wrong number of arguments");
    if (a[0].is_string()) return Json(a[0].get_ref<const std::string&>().size());
    if (a[0].is_structured()) return Json(a[0].size());
    return "len of " + template_text(a[0]);
}

Value slice(const Arguments& a) {
    if (a.empty()) return std::string("missing value");
    const std::size_t size = a[0].is_string() ? a[0].get_ref<const std::string&>().size() : a[0].size();
    const std::size_t from = a.size() > 1 ? static_cast<std::size_t>(whole(a[1])) : 0,
                      to = a.size() > 2 ? static_cast<std::size_t>(whole(a[2])) : size;
    if (from > to || to > size) return std::string("index out of range");
    if (a[0].is_string()) return Json(a[0].get<std::string>().substr(from, to - from));
    if (!a[0].is_array()) return "can't slice item of " + template_text(a[0]);
    return Json(Json::array_t(a[0].begin() + static_cast<std::ptrdiff_t>(from),
                              a[0].begin() + static_cast<std::ptrdiff_t>(to)));
}

// %s %v %d %q %f %t %x %% with widths and precisions.
Value print_formatted(const Arguments& a) {
    if (a.empty()) return std::string("missing format");
    const std::string format = text(a[0]);
    std::string out;
    std::size_t next = 1;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        std::string flags;
        for (++i; i < format.size() &&
                  std::string_view("+-# 0123456789.").find(format[i]) != std::string_view::npos;
             ++i)
            flags += format[i];
        if (i >= format.size()) {
            out += "%!(NOVERB)";
            break;
        }
        const char verb = format[i];
        if (verb == '%') {
            out += '%';
            continue;
        }
        if (next >= a.size()) {
            out += std::string("%!") + verb + "(MISSING)";
            continue;
        }
        const Json& value = a[next++];
        char buffer[64];
        const std::string spec = "%" + flags;
        if (verb == 'd' || verb == 'x' || verb == 'o' || verb == 'X') {
            std::snprintf(buffer, sizeof buffer, (spec + "ll" + verb).c_str(),
                          static_cast<long long>(whole(value)));
            out += buffer;
        } else if (verb == 'f' || verb == 'g' || verb == 'e') {
            std::snprintf(buffer, sizeof buffer, (spec + verb).c_str(), number(value));
            out += buffer;
        } else {
            const std::string shown = verb == 'q' ? Json(text(value)).dump() : template_text(value);
            const std::size_t width =
                static_cast<std::size_t>(std::atoi(flags.c_str() + (flags[0] == '-' ? 1 : 0)));
            const std::string pad(shown.size() < width && width < 1000 ? width - shown.size() : 0, ' ');
            out += flags[0] == '-' ? shown + pad : pad + shown;
        }
    }
    return Json(out);
}

Value print(const Arguments& a, bool spaces, bool line) {
    std::string out;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (i > 0 && (spaces || (!a[i].is_string() && !a[i - 1].is_string()))) out += ' ';
        out += template_text(a[i]);
    }
    return Json(line ? out + "\n" : out);
}

Value dict(const Arguments& a) {
    Json made = Json::object();
    for (std::size_t i = 0; i < a.size(); i += 2)
        made[text(a[i])] = i + 1 < a.size() ? present(a[i + 1]) : Json("");
    return made;
}

Value list_of(const Arguments& a) {
    Json made = Json::array();
    for (const Json& each : a) made.push_back(present(each));
    return made;
}

Value fallback(const Arguments& a) {
    if (a.empty()) return Json();
    return a.size() > 1 && template_truth(a[1]) ? a[1] : present(a[0]);
}

Value coalesce(const Arguments& a) {
    for (const Json& each : a)
        if (template_truth(each)) return each;
    return Json();
}

Value replace(const Arguments& a) {
    if (a.size() != 3) return std::string("wrong number of arguments");
    const std::string from = text(a[0]), to = text(a[1]);
    std::string on = text(a[2]);
    if (from.empty()) return Json(on);
    for (std::size_t at = 0; (at = on.find(from, at)) != std::string::npos; at += to.size())
        on.replace(at, from.size(), to);
    return Json(on);
}

Value indent(const Arguments& a, bool new_line) {
    if (a.size() != 2) return std::string("wrong number of arguments");
    const std::string pad(static_cast<std::size_t>(std::clamp<std::int64_t>(whole(a[0]), 0, 1000)), ' ');
    std::string out = (new_line ? "\n" : "") + pad;
    for (const char c : text(a[1])) {
        out += c;
        if (c == '\n') out += pad;
    }
    return Json(out);
}

std::string encoded_yaml(const Json& value) {
    std::string yaml = api::encode_yaml(present(value));
    while (!yaml.empty() && yaml.back() == '\n') yaml.pop_back();
    return yaml;
}

Value arithmetic(const Arguments& a, char op) {
    if (a.empty()) return std::string("wrong number of arguments");
    std::int64_t result = whole(a[0]);
    for (std::size_t i = 1; i < a.size(); ++i) {
        const std::int64_t other = whole(a[i]);
        if ((op == '/' || op == '%') && other == 0) return std::string("division by zero");
        switch (op) {
            case '+':
                result = static_cast<std::int64_t>(static_cast<std::uint64_t>(result) +
                                                   static_cast<std::uint64_t>(other));
                break;
            case '-':
                result = static_cast<std::int64_t>(static_cast<std::uint64_t>(result) -
                                                   static_cast<std::uint64_t>(other));
                break;
            case '*':
                result = static_cast<std::int64_t>(static_cast<std::uint64_t>(result) *
                                                   static_cast<std::uint64_t>(other));
                break;
            case '/':
                result = other == -1 ? -result : result / other;
                break;
            case '%':
                result = other == -1 ? 0 : result % other;
                break;
            case '<':
                result = std::min(result, other);
                break;
            default:
                result = std::max(result, other);
                break;
        }
    }
    return Json(result);
}

Value split_list(const Arguments& a) {
    if (a.size() != 2) return std::string("wrong number of arguments");
    const std::string by = text(a[0]), on = text(a[1]);
    Json made = Json::array();
    std::size_t begin = 0;
    for (std::size_t end; !by.empty() && (end = on.find(by, begin)) != std::string::npos;
         begin = end + by.size())
        made.push_back(on.substr(begin, end - begin));
    made.push_back(on.substr(begin));
    return made;
}

Value join(const Arguments& a) {
    if (a.size() != 2) return std::string("wrong number of arguments");
    std::string out;
    if (!a[1].is_array()) return Json(text(a[1]));
    for (std::size_t i = 0; i < a[1].size(); ++i) out += (i > 0 ? text(a[0]) : "") + text(a[1][i]);
    return Json(out);
}

bool contains(const std::string& whole_text, const std::string& part) {
    return whole_text.find(part) != std::string::npos;
}

std::string cased(std::string on, int (*change)(int)) {
    std::transform(on.begin(), on.end(), on.begin(),
                   [change](unsigned char c) { return static_cast<char>(c < 128 ? change(c) : c); });
    return on;
}

Value until(const Arguments& a) {
    Json made = Json::array();
    const std::int64_t count = a.empty() ? 0 : std::min<std::int64_t>(whole(a[0]), 100'000);
    for (std::int64_t i = 0; i < count; ++i) made.push_back(i);
    return made;
}

std::string type_of(const Json& value) {
    if (value.is_object()) return "map";
    if (value.is_array()) return "slice";
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    if (value.is_number_integer()) return "int";
    return value.is_number() ? "float64" : "invalid";
}

Json at_or_null(const Arguments& a, std::size_t i) {
    return i < a.size() ? present(a[i]) : Json();
}
std::string text_at(const Arguments& a, std::size_t i) {
    return i < a.size() ? text(a[i]) : std::string();
}

struct Entry {
    const char* name;
    OrdinaryFunction function;
};
const Entry entries[] = {
    // text/template
    {"not", [](const Arguments& a) -> Value { return Json(!template_truth(at_or_null(a, 0))); }},
    {"eq", equals},
    {"ne",
     [](const Arguments& a) -> Value {
         return a.size() == 2 ? Value(Json(!same(a[0], a[1])))
                              : Value(std::string("wrong number of arguments"));
     }},
    {"lt", [](const Arguments& a) { return ordered(a, [](int order) { return order < 0; }); }},
    {"le", [](const Arguments& a) { return ordered(a, [](int order) { return order <= 0; }); }},
    {"gt", [](const Arguments& a) { return ordered(a, [](int order) { return order > 0; }); }},
    {"ge", [](const Arguments& a) { return ordered(a, [](int order) { return order >= 0; }); }},
    {"len", length},
    {"index", index},
    {"slice", slice},
    {"print", [](const Arguments& a) { return print(a, false, false); }},
    {"println", [](const Arguments& a) { return print(a, true, true); }},
    {"printf", print_formatted},
    // sprig: values
    {"default", fallback},
    {"coalesce", coalesce},
    {"empty", [](const Arguments& a) -> Value { return Json(!template_truth(at_or_null(a, 0))); }},
    {"ternary",
     [](const Arguments& a) -> Value {
         return template_truth(at_or_null(a, 2)) ? at_or_null(a, 0) : at_or_null(a, 1);
     }},
    {"kindOf", [](const Arguments& a) -> Value { return Json(type_of(at_or_null(a, 0))); }},
    {"typeOf", [](const Arguments& a) -> Value { return Json(type_of(at_or_null(a, 0))); }},
    {"kindIs", [](const Arguments& a) -> Value { return Json(text_at(a, 0) == type_of(at_or_null(a, 1))); }},
    // sprig: lists and maps
    {"dict", dict},
    {"list", list_of},
    {"tuple", list_of},
    {"get",
     [](const Arguments& a) -> Value {
         const Json map = at_or_null(a, 0);
         const Json* found = map.is_object() ? api::find(map, text_at(a, 1)) : nullptr;
         return found != nullptr ? *found : Json("");
     }},
    {"set",
     [](const Arguments& a) -> Value {
         Json map = at_or_null(a, 0);
         if (!map.is_object()) map = Json::object();
         map[text_at(a, 1)] = at_or_null(a, 2);
         return map;
     }},
    {"hasKey",
     [](const Arguments& a) -> Value {
         return Json(at_or_null(a, 0).is_object() && a[0].contains(text_at(a, 1)));
     }},
    {"keys",
     [](const Arguments& a) -> Value {
         Json made = Json::array();
         const Json map = at_or_null(a, 0);
         if (map.is_object())
             for (const auto& [key, value] : map.items()) made.push_back(key);
         return made;
     }},
    {"values",
     [](const Arguments& a) -> Value {
         Json made = Json::array();
         const Json map = at_or_null(a, 0);
         if (map.is_object())
             for (const Json& value : map) made.push_back(value);
         return made;
     }},
    {"merge",
     [](const Arguments& a) -> Value {
         Json made = Json::object();
         for (auto each = a.rbegin(); each != a.rend(); ++each)
             if (each->is_object()) made.update(*each);
         return made;
     }},
    {"has",
     [](const Arguments& a) -> Value {
         const Json list = at_or_null(a, 1);
         return Json(list.is_array() && std::find(list.begin(), list.end(), at_or_null(a, 0)) != list.end());
     }},
    {"append",
     [](const Arguments& a) -> Value {
         Json list = at_or_null(a, 0).is_array() ? a[0] : Json::array();
         list.push_back(at_or_null(a, 1));
         return list;
     }},
    {"first",
     [](const Arguments& a) -> Value {
         return at_or_null(a, 0).is_array() && !a[0].empty() ? a[0].front() : Json();
     }},
    {"last",
     [](const Arguments& a) -> Value {
         return at_or_null(a, 0).is_array() && !a[0].empty() ? a[0].back() : Json();
     }},
    {"rest",
     [](const Arguments& a) -> Value {
         return at_or_null(a, 0).is_array() && !a[0].empty()
                    ? Json(Json::array_t(a[0].begin() + 1, a[0].end()))
                    : Json::array();
     }},
    {"until", until},
    // sprig: texts
    {"toString", [](const Arguments& a) -> Value { return Json(text_at(a, 0)); }},
    {"quote", [](const Arguments& a) -> Value { return Json(Json(text_at(a, 0)).dump()); }},
    {"squote", [](const Arguments& a) -> Value { return Json("'" + text_at(a, 0) + "'"); }},
    {"upper", [](const Arguments& a) -> Value { return Json(cased(text_at(a, 0), std::toupper)); }},
    {"lower", [](const Arguments& a) -> Value { return Json(cased(text_at(a, 0), std::tolower)); }},
    {"trim", [](const Arguments& a) -> Value { return Json(std::string(api::trim(text_at(a, 0)))); }},
    {"trimPrefix",
     [](const Arguments& a) -> Value {
         const std::string part = text_at(a, 0), on = text_at(a, 1);
         return Json(on.compare(0, part.size(), part) == 0 ? on.substr(part.size()) : on);
     }},
    {"trimSuffix",
     [](const Arguments& a) -> Value {
         const std::string part = text_at(a, 0), on = text_at(a, 1);
         const bool ends =
             on.size() >= part.size() && on.compare(on.size() - part.size(), part.size(), part) == 0;
         return Json(ends ? on.substr(0, on.size() - part.size()) : on);
     }},
    {"hasPrefix",
     [](const Arguments& a) -> Value {
         return Json(text_at(a, 1).compare(0, text_at(a, 0).size(), text_at(a, 0)) == 0);
     }},
    {"hasSuffix",
     [](const Arguments& a) -> Value {
         const std::string part = text_at(a, 0), on = text_at(a, 1);
         return Json(on.size() >= part.size() && on.compare(on.size() - part.size(), part.size(), part) == 0);
     }},
    {"contains", [](const Arguments& a) -> Value { return Json(contains(text_at(a, 1), text_at(a, 0))); }},
    {"replace", replace},
    {"repeat",
     [](const Arguments& a) -> Value {
         std::string out;
         const std::string part = text_at(a, 1);
         for (std::int64_t i = 0; i < whole(at_or_null(a, 0)) && out.size() < 100'000; ++i) out += part;
         return Json(out);
     }},
    {"trunc",
     [](const Arguments& a) -> Value {
         return Json(text_at(a, 1).substr(
             0, static_cast<std::size_t>(std::max<std::int64_t>(0, whole(at_or_null(a, 0))))));
     }},
    {"indent", [](const Arguments& a) { return indent(a, false); }},
    {"nindent", [](const Arguments& a) { return indent(a, true); }},
    {"join", join},
    {"splitList", split_list},
    {"b64enc", [](const Arguments& a) -> Value { return Json(api::base64_encode(text_at(a, 0))); }},
    {"b64dec",
     [](const Arguments& a) -> Value {
         std::string bytes;
         return api::base64_decode(text_at(a, 0), bytes) ? Json(bytes) : Json("");
     }},
    {"toJson", [](const Arguments& a) -> Value { return Json(at_or_null(a, 0).dump()); }},
    {"fromJson",
     [](const Arguments& a) -> Value {
         const Json value = Json::parse(text_at(a, 0), nullptr, false);
         return value.is_discarded() ? Json() : value;
     }},
    {"toYaml", [](const Arguments& a) -> Value { return Json(encoded_yaml(at_or_null(a, 0))); }},
    // sprig: numbers
    {"int", [](const Arguments& a) -> Value { return Json(whole(at_or_null(a, 0))); }},
    {"int64", [](const Arguments& a) -> Value { return Json(whole(at_or_null(a, 0))); }},
    {"atoi", [](const Arguments& a) -> Value { return Json(whole(at_or_null(a, 0))); }},
    {"float64", [](const Arguments& a) -> Value { return Json(number(at_or_null(a, 0))); }},
    {"add", [](const Arguments& a) { return arithmetic(a, '+'); }},
    {"add1", [](const Arguments& a) -> Value { return Json(whole(at_or_null(a, 0)) + 1); }},
    {"sub", [](const Arguments& a) { return arithmetic(a, '-'); }},
    {"mul", [](const Arguments& a) { return arithmetic(a, '*'); }},
    {"div", [](const Arguments& a) { return arithmetic(a, '/'); }},
    {"mod", [](const Arguments& a) { return arithmetic(a, '%'); }},
    {"min", [](const Arguments& a) { return arithmetic(a, '<'); }},
    {"max", [](const Arguments& a) { return arithmetic(a, '>'); }},
    // KWOK's own that need nothing but their arguments
    {"Quote",
     [](const Arguments& a) -> Value {
         const Json value = at_or_null(a, 0);
         return Json(value.is_string() ? value.dump() : Json(value.dump()).dump());
     }},
    {"YAML",
     [](const Arguments& a) -> Value {
         const std::string yaml = api::encode_yaml(at_or_null(a, 0));
         const std::int64_t levels = a.size() > 1 ? whole(a[1]) : 0;
         if (levels <= 0) return Json(yaml);
         return indent({Json(levels * 2), Json("\n" + yaml)}, false);
     }},
};

}  // namespace

OrdinaryFunction ordinary_function(const std::string& name) {
    const auto found = std::find_if(std::begin(entries), std::end(entries),
                                    [&](const Entry& entry) { return name == entry.name; });
    return found == std::end(entries) ? nullptr : found->function;
}

}  // namespace kubemu::controllers::stages

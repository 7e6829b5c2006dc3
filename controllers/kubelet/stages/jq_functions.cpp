// The functions that queries may call, by name and number of arguments: one table with what its entries need, which is
// why the file is longer than others.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/values/regex.h"
#include "api/values/text.h"
#include "controllers/kubelet/stages/jq_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

using Answer = std::optional<Json>;  // nothing: an error

const std::string* text_of(const Json& value) {
    return value.is_string() ? &value.get_ref<const std::string&>() : nullptr;
}

Answer length(const Json& in) {
    if (in.is_null()) return 0;
    if (in.is_number()) return in.get<double>() < 0 ? Json(-in.get<double>()) : in;
    if (const std::string* text = text_of(in))
        return std::count_if(text->begin(), text->end(),
                             [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
    return in.is_structured() ? Answer(in.size()) : std::nullopt;
}

Answer keys(const Json& in) {
    if (!in.is_structured()) return std::nullopt;
    Json list = Json::array();
    if (in.is_array())
        for (std::size_t i = 0; i < in.size(); ++i) list.push_back(i);
    else
        for (const auto& [key, value] : in.items()) list.push_back(key);
    return list;
}

Answer sorted(const Json& in, bool unique) {
    if (!in.is_array()) return std::nullopt;
    Json::array_t list(in.begin(), in.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const Json& a, const Json& b) { return jq_compare(a, b) < 0; });
    if (unique) list.erase(std::unique(list.begin(), list.end()), list.end());
    return Json(std::move(list));
}

Answer extreme(const Json& in, int sign) {
    if (!in.is_array()) return std::nullopt;
    Json best;
    for (const Json& item : in)
        if (&item == &in.front() || jq_compare(item, best) * sign > 0) best = item;
    return best;
}

Answer add(const Json& in) {
    if (!in.is_structured()) return std::nullopt;
    Json sum;
    for (const Json& item : in) {
        if (sum.is_null())
            sum = item;
        else if (item.is_null())
            continue;
        else if (sum.is_number() && item.is_number()) {
            const double value = sum.get<double>() + item.get<double>();
            sum = value == std::floor(value) ? Json(static_cast<std::int64_t>(value)) : Json(value);
        } else if (sum.is_string() && item.is_string())
            sum = sum.get<std::string>() + item.get<std::string>();
        else if (sum.is_array() && item.is_array())
            sum.insert(sum.end(), item.begin(), item.end());
        else if (sum.is_object() && item.is_object())
            sum.update(item);
        else
            return std::nullopt;
    }
    return sum;
}

void flatten_into(const Json& in, Json& list) {
    for (const Json& item : in)
        if (item.is_array())
            flatten_into(item, list);
        else
            list.push_back(item);
}

std::string type_name(const Json& in) {
    if (in.is_null()) return "null";
    if (in.is_boolean()) return "boolean";
    if (in.is_number()) return "number";
    return in.is_string() ? "string" : in.is_array() ? "array" : "object";
}

Answer to_number(const Json& in) {
    if (in.is_number()) return in;
    const std::string* text = text_of(in);
    if (text == nullptr) return std::nullopt;
    double value = 0;
    const auto result = std::from_chars(text->data(), text->data() + text->size(), value);
    if (text->empty() || result.ec != std::errc() || result.ptr != text->data() + text->size())
        return std::nullopt;
    return value == std::floor(value) && std::abs(value) < 9e15 ? Json(static_cast<std::int64_t>(value))
                                                                : Json(value);
}

std::string cased(std::string text, int (*change)(int)) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [change](unsigned char c) { return static_cast<char>(c < 128 ? change(c) : c); });
    return text;
}

Answer with_text(const Json& in, Json (*make)(const std::string&)) {
    const std::string* text = text_of(in);
    return text == nullptr ? std::nullopt : Answer(make(*text));
}

Answer entries(const Json& in) {
    if (!in.is_object()) return std::nullopt;
    Json list = Json::array();
    for (const auto& [key, value] : in.items()) list.push_back({{"key", key}, {"value", value}});
    return list;
}

Answer from_entries(const Json& in) {
    if (!in.is_array()) return std::nullopt;
    Json object = Json::object();
    for (const Json& entry : in) {
        const Json* key = api::find(entry, "key");
        if (key == nullptr) key = api::find(entry, "name");
        if (key == nullptr) return std::nullopt;
        const Json* value = api::find(entry, "value");
        object[key->is_string() ? key->get<std::string>() : key->dump()] = value != nullptr ? *value : Json();
    }
    return object;
}

Answer rounded(const Json& in, double (*how)(double)) {
    return in.is_number() ? Answer(static_cast<std::int64_t>(how(in.get<double>()))) : std::nullopt;
}

Answer quantified(const Json& in, bool all) {
    if (!in.is_structured()) return std::nullopt;
    const auto truth = [](const Json& item) { return jq_truth(item); };
    return all ? std::all_of(in.begin(), in.end(), truth) : std::any_of(in.begin(), in.end(), truth);
}

struct Plain {
    const char* name;
    Answer (*function)(const Json&);
};
constexpr Plain plain[] = {
    {"length", length},
    {"keys", keys},
    {"keys_unsorted", keys},
    {"not", [](const Json& in) { return Answer(!jq_truth(in)); }},
    {"type", [](const Json& in) { return Answer(type_name(in)); }},
    {"tostring", [](const Json& in) { return in.is_string() ? Answer(in) : Answer(in.dump()); }},
    {"tojson", [](const Json& in) { return Answer(in.dump()); }},
    {"fromjson",
     [](const Json& in) {
         const std::string* text = text_of(in);
         const Json value =
             text == nullptr ? Json(Json::value_t::discarded) : Json::parse(*text, nullptr, false);
         return value.is_discarded() ? Answer() : Answer(value);
     }},
    {"tonumber", to_number},
    {"ascii_downcase",
     [](const Json& in) {
         return with_text(in, [](const std::string& t) { return Json(cased(t, std::tolower)); });
     }},
    {"ascii_upcase",
     [](const Json& in) {
         return with_text(in, [](const std::string& t) { return Json(cased(t, std::toupper)); });
     }},
    {"sort", [](const Json& in) { return sorted(in, false); }},
    {"unique", [](const Json& in) { return sorted(in, true); }},
    {"min", [](const Json& in) { return extreme(in, -1); }},
    {"max", [](const Json& in) { return extreme(in, 1); }},
    {"add", add},
    {"any", [](const Json& in) { return quantified(in, false); }},
    {"all", [](const Json& in) { return quantified(in, true); }},
    {"first",
     [](const Json& in) { return in.is_array() ? Answer(in.empty() ? Json() : in.front()) : Answer(); }},
    {"last",
     [](const Json& in) { return in.is_array() ? Answer(in.empty() ? Json() : in.back()) : Answer(); }},
    {"reverse",
     [](const Json& in) {
         return in.is_array() ? Answer(Json(Json::array_t(in.rbegin(), in.rend()))) : Answer();
     }},
    {"flatten",
     [](const Json& in) {
         if (!in.is_array()) return Answer();
         Json list = Json::array();
         flatten_into(in, list);
         return Answer(list);
     }},
    {"to_entries", entries},
    {"from_entries", from_entries},
    {"floor", [](const Json& in) { return rounded(in, std::floor); }},
    {"ceil", [](const Json& in) { return rounded(in, std::ceil); }},
    {"round", [](const Json& in) { return rounded(in, std::round); }},
    {"abs",
     [](const Json& in) {
         return in.is_number() ? Answer(in.get<double>() < 0 ? Json(-in.get<double>()) : in) : Answer();
     }},
};

bool contains(const Json& in, const Json& part) {
    if (in.is_object() && part.is_object()) {
        for (const auto& [key, wanted] : part.items()) {
            const auto found = in.find(key);
            if (found == in.end() || !contains(*found, wanted)) return false;
        }
        return true;
    }
    if (in.is_array() && part.is_array()) {
        return std::all_of(part.begin(), part.end(), [&](const Json& wanted) {
            return std::any_of(in.begin(), in.end(),
                               [&](const Json& item) { return contains(item, wanted); });
        });
    }
    if (in.is_string() && part.is_string())
        return in.get_ref<const std::string&>().find(part.get_ref<const std::string&>()) != std::string::npos;
    return in == part;
}

Answer has(const Json& in, const Json& key) {
    if (in.is_object() && key.is_string()) return in.contains(key.get_ref<const std::string&>());
    if (in.is_array() && key.is_number())
        return key.get<double>() >= 0 && key.get<double>() < static_cast<double>(in.size());
    return std::nullopt;
}

Answer join(const Json& in, const Json& separator) {
    if (!in.is_array() || !separator.is_string()) return std::nullopt;
    std::string text;
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (i > 0) text += separator.get_ref<const std::string&>();
        if (in[i].is_structured()) return std::nullopt;
        if (!in[i].is_null()) text += in[i].is_string() ? in[i].get<std::string>() : in[i].dump();
    }
    return text;
}

Answer split(const Json& in, const Json& separator) {
    const std::string *text = text_of(in), *by = text_of(separator);
    if (text == nullptr || by == nullptr) return std::nullopt;
    Json list = Json::array();
    if (by->empty()) {
        for (const char c : *text) list.push_back(std::string(1, c));
        return list;
    }
    std::size_t begin = 0;
    for (std::size_t end; (end = text->find(*by, begin)) != std::string::npos; begin = end + by->size())
        list.push_back(text->substr(begin, end - begin));
    list.push_back(text->substr(begin));
    return list;
}

Answer test(const Json& in, const Json& pattern) {
    const std::string *text = text_of(in), *by = text_of(pattern);
    if (text == nullptr || by == nullptr) return std::nullopt;
    const api::Regex regex(*by);
    return regex.error().empty() ? Answer(regex.matches(*text)) : std::nullopt;
}

template <bool (*Check)(const std::string&, const std::string&)>
Answer of_texts(const Json& in, const Json& argument) {
    const std::string *text = text_of(in), *part = text_of(argument);
    return text == nullptr || part == nullptr ? Answer() : Answer(Check(*text, *part));
}
bool starts(const std::string& text, const std::string& part) {
    return text.compare(0, part.size(), part) == 0;
}
bool ends(const std::string& text, const std::string& part) {
    return text.size() >= part.size() && text.compare(text.size() - part.size(), part.size(), part) == 0;
}

Answer trimmed(const Json& in, const Json& part, bool left) {
    const std::string *text = text_of(in), *cut = text_of(part);
    if (text == nullptr || cut == nullptr || !(left ? starts(*text, *cut) : ends(*text, *cut))) return in;
    return left ? text->substr(cut->size()) : text->substr(0, text->size() - cut->size());
}

struct WithArgument {
    const char* name;
    Answer (*function)(const Json& in, const Json& argument);
};
constexpr WithArgument with_argument[] = {
    {"has", has},
    {"contains", [](const Json& in, const Json& part) { return Answer(contains(in, part)); }},
    {"inside", [](const Json& in, const Json& whole) { return Answer(contains(whole, in)); }},
    {"startswith", of_texts<starts>},
    {"endswith", of_texts<ends>},
    {"ltrimstr", [](const Json& in, const Json& part) { return trimmed(in, part, true); }},
    {"rtrimstr", [](const Json& in, const Json& part) { return trimmed(in, part, false); }},
    {"join", join},
    {"split", split},
    {"test", test},
    {"index",
     [](const Json& in, const Json& part) {
         const std::string *text = text_of(in), *wanted = text_of(part);
         if (text == nullptr || wanted == nullptr) return Answer();
         const std::size_t at = text->find(*wanted);
         return Answer(at == std::string::npos ? Json() : Json(at));
     }},
};

// Those that take expressions rather than values.
constexpr const char* special0[] = {"empty", "error", "values", "recurse"};
constexpr const char* special1[] = {"select",  "map",    "any",    "all",        "first", "isempty",
                                    "sort_by", "min_by", "max_by", "map_values", "error"};

}  // namespace

bool jq_knows(const std::string& function, std::size_t arguments) {
    const auto named = [&](const auto& entry) { return function == entry.name; };
    const auto is = [&](const char* name) { return function == name; };
    if (arguments == 0)
        return std::any_of(std::begin(plain), std::end(plain), named) ||
               std::any_of(std::begin(special0), std::end(special0), is);
    if (arguments == 1)
        return std::any_of(std::begin(with_argument), std::end(with_argument), named) ||
               std::any_of(std::begin(special1), std::end(special1), is);
    return false;
}

bool JqRun::call(const JqNode& node, const Json& input, const Variables& variables, const Emit& emit) {
    const std::string& name = node.text;
    const auto argument = [&](const Json& on, const Emit& then) {
        return run(*node.kids[0], on, variables, then);
    };
    const auto holds = [&](const Json& on, bool& result) {
        result = false;
        return argument(on, [&](const Json& value) {
            result = result || jq_truth(value);
            return true;
        });
    };
    if (node.kids.empty()) {
        if (name == "empty") return true;
        if (name == "error") return fail();
        if (name == "values") return input.is_null() || emit(input);
        if (name == "recurse") {
            JqNode all;
            all.kind = JqNode::Kind::recurse;
            return run(all, input, variables, emit);
        }
        for (const Plain& entry : plain) {
            if (name != entry.name) continue;
            const Answer answer = entry.function(input);
            return answer ? emit(*answer) : fail();
        }
        return fail();
    }
    for (const WithArgument& entry : with_argument) {
        if (name != entry.name) continue;
        return argument(input, [&](const Json& value) {
            const Answer answer = entry.function(input, value);
            return answer ? emit(*answer) : fail();
        });
    }
    if (name == "select")
        return argument(input, [&](const Json& value) { return !jq_truth(value) || emit(input); });
    if (name == "error") return fail();
    if (name == "first" || name == "isempty") {
        std::optional<Json> first;
        JqRun inner;  // it is ended early
        inner.run(*node.kids[0], input, variables, [&](const Json& value) {
            first = value;
            return false;
        });
        if (!first && inner.failed()) return fail();
        if (name == "isempty") return emit(!first);
        return !first || emit(*first);
    }
    if (!input.is_structured()) return fail();
    if (name == "any" || name == "all") {
        bool result = name == "all", one = false;
        for (const Json& item : input) {
            if (!holds(item, one)) return false;
            result = name == "all" ? result && one : result || one;
        }
        return emit(result);
    }
    if (name == "map_values" && input.is_object()) {
        Json made = Json::object();
        for (const auto& [key, item] : input.items()) {
            if (!argument(item, [&made, &key = key](const Json& value) {
                    made.emplace(key, value);
                    return true;
                })) {
                return false;
            }
        }
        return emit(made);
    }
    // map, map_values of arrays, and everything by a key.
    std::vector<std::pair<Json, Json>> keyed;
    Json mapped = Json::array();
    for (const Json& item : input) {
        Json key = Json::array();
        if (!argument(item, [&](const Json& value) {
                key.push_back(value);
                mapped.push_back(value);
                return true;
            })) {
            return false;
        }
        keyed.emplace_back(std::move(key), item);
    }
    if (name == "map" || name == "map_values") return emit(mapped);
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return jq_compare(a.first, b.first) < 0; });
    if (name == "min_by") return emit(keyed.empty() ? Json() : keyed.front().second);
    if (name == "max_by") return emit(keyed.empty() ? Json() : keyed.back().second);
    Json list = Json::array();
    for (auto& [key, item] : keyed) list.push_back(std::move(item));
    return emit(list);
}

}  // namespace kubemu::controllers::stages

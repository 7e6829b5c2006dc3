// Strings: the standard methods, cel-go/ext's and regular expressions.
#include <algorithm>
#include <memory>

#include "api/cel/function_list.h"
#include "api/values/regex.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

// Positions in strings count code points.
std::vector<std::string> runes_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = 1;
        while (i + length < text.size() && (static_cast<unsigned char>(text[i + length]) & 0xC0) == 0x80) ++length;
        out.push_back(text.substr(i, length));
        i += length;
    }
    return out;
}

std::string glued(const std::vector<std::string>& runes, std::size_t begin, std::size_t end) {
    std::string out;
    for (std::size_t i = begin; i < end; ++i) out += runes[i];
    return out;
}

bool texts(const Arguments& a, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (a[i].kind != Kind::string) return false;
    }
    return true;
}

Value out_of_range(std::int64_t index) { return Value::error("index out of range: " + std::to_string(index)); }

Value contains(const Arguments& a) { return texts(a, 2) ? Value::of(a[0].str().find(a[1].str()) != std::string::npos) : no_overload(); }
Value starts_with(const Arguments& a) { return texts(a, 2) ? Value::of(a[0].str().starts_with(a[1].str())) : no_overload(); }
Value ends_with(const Arguments& a) { return texts(a, 2) ? Value::of(a[0].str().ends_with(a[1].str())) : no_overload(); }

Value matches(const Arguments& a) {
    if (!texts(a, 2)) return no_overload();
    const auto regex = compiled_regex(a[1].str());
    if (!regex->error().empty()) return Value::error(regex->error());
    return Value::of(regex->matches(a[0].str()));
}

Value find(const Arguments& a) {
    if (!texts(a, 2)) return no_overload();
    const auto regex = compiled_regex(a[1].str());
    if (!regex->error().empty()) return Value::error("Illegal regex: " + regex->error());
    const auto found = regex->find_all(a[0].str(), 1);
    return Value::of(found.empty() ? std::string() : found[0]);
}

Value find_all(const Arguments& a) {
    if (!texts(a, 2)) return no_overload();
    const auto regex = compiled_regex(a[1].str());
    if (!regex->error().empty()) return Value::error("Illegal regex: " + regex->error());
    Value::List out;
    for (std::string& match : regex->find_all(a[0].str(), a.size() > 2 ? static_cast<long>(a[2].integer) : -1)) out.push_back(Value::of(std::move(match)));
    return Value::of(std::move(out));
}

Value char_at(const Arguments& a) {
    if (!texts(a, 1)) return no_overload();
    const auto runes = runes_of(a[0].str());
    const std::int64_t index = a[1].integer;
    if (index < 0 || index > static_cast<std::int64_t>(runes.size())) return out_of_range(index);
    return Value::of(static_cast<std::size_t>(index) == runes.size() ? std::string() : runes[static_cast<std::size_t>(index)]);
}

Value index_in_text(const Arguments& a, bool last) {
    const auto runes = runes_of(a[0].str()), wanted = runes_of(a[1].str());
    const auto size = static_cast<std::int64_t>(runes.size()), length = static_cast<std::int64_t>(wanted.size());
    const std::int64_t from = a.size() > 2 ? a[2].integer : last ? size : 0;
    if (a.size() > 2 && (from < 0 || from >= std::max<std::int64_t>(size, 1))) return out_of_range(from);
    if (length == 0) return Value::of(from);
    const auto at = [&](std::int64_t place) {
        return std::equal(wanted.begin(), wanted.end(), runes.begin() + place);
    };
    if (last) {
        for (std::int64_t i = std::min(from, size - length); i >= 0; --i) {
            if (at(i)) return Value::of(i);
        }
    } else {
        for (std::int64_t i = from; i + length <= size; ++i) {
            if (at(i)) return Value::of(i);
        }
    }
    return Value::of(std::int64_t{-1});
}

template <bool last>
Value index_of(const Arguments& a) {
    if (a[0].kind == Kind::list) {
        std::int64_t found = -1;
        for (std::size_t i = 0; i < a[0].size(); ++i) {
            if (!equal(a[0].at(i), a[1])) continue;
            found = static_cast<std::int64_t>(i);
            if (!last) break;
        }
        return Value::of(found);
    }
    return texts(a, 2) ? index_in_text(a, last) : no_overload();
}

Value join_list(const Arguments& a) {
    if (a[0].kind != Kind::list) return no_overload();
    std::string out;
    for (std::size_t i = 0; i < a[0].size(); ++i) {
        const Value item = a[0].at(i);
        if (item.kind != Kind::string) return no_overload();
        if (i > 0 && a.size() > 1) out += a[1].str();
        out += item.str();
    }
    return Value::of(std::move(out));
}

template <char from, char to, int shift>
Value shifted(const Arguments& a) {
    if (!texts(a, 1)) return no_overload();
    std::string out = a[0].str();
    for (char& c : out) {
        if (c >= from && c <= to) c = static_cast<char>(c + shift);
    }
    return Value::of(std::move(out));
}

Value trimmed(const Arguments& a) { return texts(a, 1) ? Value::of(std::string(trim(a[0].str()))) : no_overload(); }

Value replace(const Arguments& a) {
    if (!texts(a, 3)) return no_overload();
    const std::string &text = a[0].str(), &from = a[1].str(), &to = a[2].str();
    std::int64_t left = a.size() > 3 ? a[3].integer : -1;
    std::string out;
    if (from.empty()) {
        const auto runes = runes_of(text);
        for (std::size_t i = 0; i <= runes.size(); ++i) {
            if (left != 0) out += to, --left;
            if (i < runes.size()) out += runes[i];
        }
        return Value::of(std::move(out));
    }
    std::size_t at = 0;
    while (left != 0) {
        const std::size_t found = text.find(from, at);
        if (found == std::string::npos) break;
        out += text.substr(at, found - at) + to;
        at = found + from.size();
        --left;
    }
    return Value::of(out + text.substr(at));
}

Value split_text(const Arguments& a) {
    if (!texts(a, 2)) return no_overload();
    const std::string &text = a[0].str(), &by = a[1].str();
    const std::int64_t limit = a.size() > 2 ? a[2].integer : -1;
    Value::List out;
    if (limit == 0) return Value::of(std::move(out));
    if (by.empty()) {
        const auto runes = runes_of(text);
        for (std::size_t i = 0; i < runes.size(); ++i) {
            const bool rest = limit > 0 && static_cast<std::int64_t>(out.size()) == limit - 1;
            out.push_back(Value::of(rest ? glued(runes, i, runes.size()) : runes[i]));
            if (rest) break;
        }
        return Value::of(std::move(out));
    }
    std::size_t at = 0;
    while (limit < 0 || static_cast<std::int64_t>(out.size()) < limit - 1) {
        const std::size_t found = text.find(by, at);
        if (found == std::string::npos) break;
        out.push_back(Value::of(text.substr(at, found - at)));
        at = found + by.size();
    }
    out.push_back(Value::of(text.substr(at)));
    return Value::of(std::move(out));
}

Value substring(const Arguments& a) {
    if (!texts(a, 1)) return no_overload();
    const auto runes = runes_of(a[0].str());
    const auto size = static_cast<std::int64_t>(runes.size());
    const std::int64_t begin = a[1].integer, end = a.size() > 2 ? a[2].integer : size;
    if (begin < 0 || begin > size) return out_of_range(begin);
    if (end < 0 || end > size) return out_of_range(end);
    if (begin > end) return Value::error("invalid substring range. start: " + std::to_string(begin) + ", end: " + std::to_string(end));
    return Value::of(glued(runes, static_cast<std::size_t>(begin), static_cast<std::size_t>(end)));
}

Value quote(const Arguments& a) { return texts(a, 1) ? Value::of(go_quote(a[0].str())) : no_overload(); }

}  // namespace

std::span<const NamedFunction> string_functions() {
    static constexpr NamedFunction functions[] = {
        {"contains", contains},
        {"startsWith", starts_with},
        {"endsWith", ends_with},
        {"matches", matches},
        {"find", find},
        {"findAll", find_all},
        {"charAt", char_at},
        {"indexOf", index_of<false>},
        {"lastIndexOf", index_of<true>},
        {"join", join_list},
        {"lowerAscii", shifted<'A', 'Z', 32>},
        {"upperAscii", shifted<'a', 'z', -32>},
        {"trim", trimmed},
        {"replace", replace},
        {"split", split_text},
        {"substring", substring},
        {"format", format_string},
        {"strings.quote", quote},
    };
    return functions;
}

}  // namespace kubemu::api::cel

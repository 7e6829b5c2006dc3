// The grammar of field selectors: terms separated by ',', values may escape ',', '=' and '\' by '\'.
#include "api/selector/field.h"

namespace kubemu::api {
namespace {

std::vector<std::string_view> split_terms(std::string_view text) {
    std::vector<std::string_view> terms;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == ',') {
            terms.push_back(text.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    terms.push_back(text.substr(begin));
    return terms;
}

}  // namespace

Result<std::vector<FieldRequirement>, std::string> parse_field_selector(std::string_view text) {
    std::vector<FieldRequirement> requirements;
    if (text.empty()) return requirements;
    for (const std::string_view term : split_terms(text)) {
        if (term.empty()) continue;
        FieldRequirement r;
        std::size_t at = term.find_first_of("=!");
        while (at != std::string_view::npos && term[at] == '!' && term.substr(at, 2) != "!=") at = term.find_first_of("=!", at + 1);
        if (at == std::string_view::npos) {
            return "invalid selector: '" + std::string(text) + "'; can't understand '" + std::string(term) + "'";
        }
        r.field = std::string(term.substr(0, at));
        r.negated = term[at] == '!';
        at += r.negated ? 2 : term.substr(at, 2) == "==" ? 2 : 1;
        for (; at < term.size(); ++at) {
            char c = term[at];
            if (c == '\\') {
                if (at + 1 >= term.size()) return std::string("invalid field selector: unterminated escape sequence");
                c = term[++at];
                if (c != '\\' && c != ',' && c != '=') {
                    return "invalid field selector: invalid escape sequence: \\" + std::string(1, c);
                }
            } else if (c == '=' || c == ',') {
                return "invalid field selector: unescaped character in value: " + std::to_string(static_cast<int>(c));
            }
            r.value += c;
        }
        requirements.push_back(std::move(r));
    }
    return requirements;
}

}  // namespace kubemu::api

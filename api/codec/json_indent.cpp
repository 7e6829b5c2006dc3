// One pass; what is inside strings is left alone.
#include "api/codec/json_indent.h"

namespace kubemu::api {

std::string indent_json(std::string_view compact) {
    std::string out;
    out.reserve(compact.size() * 2);
    std::size_t depth = 0;
    const auto new_line = [&] {
        out += '\n';
        out.append(2 * depth, ' ');
    };
    for (std::size_t i = 0; i < compact.size(); ++i) {
        const char c = compact[i];
        switch (c) {
            case '"': {
                const std::size_t begin = i;
                for (++i; i < compact.size() && compact[i] != '"'; ++i) {
                    if (compact[i] == '\\') ++i;
                }
                out += compact.substr(begin, i - begin + 1);
                break;
            }
            case '{':
            case '[':
                out += c;
                if (i + 1 < compact.size() && compact[i + 1] == (c == '{' ? '}' : ']')) {
                    out += compact[++i];
                    break;
                }
                ++depth;
                new_line();
                break;
            case '}':
            case ']':
                if (depth > 0) --depth;
                new_line();
                out += c;
                break;
            case ',':
                out += c;
                new_line();
                break;
            case ':':
                out += ": ";
                break;
            case ' ':
            case '\n':
            case '\t':
            case '\r':
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace kubemu::api

// Strings as JSON writes them (RFC 8259, 7).
#include "api/documents/json_text.h"

namespace kubemu::api {

JsonText& JsonText::text(std::string_view value) {
    separate();
    out_ += '"';
    std::size_t from = 0;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const auto byte = static_cast<unsigned char>(value[at]);
        if (byte != '"' && byte != '\\' && byte >= 0x20) continue;
        out_ += value.substr(from, at - from);
        from = at + 1;
        constexpr char digits[] = "0123456789abcdef";
        if (byte == '\n') out_ += "\\n";
        else if (byte < 0x20) ((out_ += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
        else (out_ += '\\') += value[at];
    }
    out_ += value.substr(from);
    out_ += '"';
    return *this;
}

}  // namespace kubemu::api

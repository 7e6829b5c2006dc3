// Warning headers within their limits.
#include "api/warnings.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "api/values/text.h"

namespace kubemu::api {
namespace {

constexpr std::size_t total_characters_max = 4 * 1024;
constexpr std::size_t cut_characters_max = 256;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string_view cut(std::string_view text) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!continues(text[i]) && seen++ == cut_characters_max) return text.substr(0, i);
    }
    return text;
}

bool fits_a_header(std::string_view text) {
    if (!valid_utf8(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7f) return false;
        // U+0080 to U+009F are control characters too.
        if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return false;
    }
    return true;
}

std::string quoted(std::string_view text) {
    std::string out = "299 - \"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace

std::vector<std::pair<std::string, std::string>> warning_headers(const std::vector<std::string>& warnings) {
    std::vector<std::pair<std::string, std::string>> headers;
    std::vector<std::string_view> texts;
    std::set<std::string_view> said;
    std::size_t characters = 0;
    for (const std::string& warning : warnings) {
        if (warning.empty() || !fits_a_header(warning) || !said.insert(warning).second) continue;
        texts.push_back(warning);
        characters += characters_of(warning);
    }
    const bool cutting = characters > total_characters_max;
    std::size_t written = 0;
    for (const std::string_view text : texts) {
        if (cutting && written >= total_characters_max) break;
        const std::string_view shown = cutting ? cut(text) : text;
        written += characters_of(shown);
        headers.emplace_back("Warning", quoted(shown));
    }
    return headers;
}

}  // namespace kubemu::api

// See yaml_text.h.
#include "api/codec/yaml_text.h"

#include <algorithm>
#include <cstdint>

namespace kubemu::api {
namespace {

struct Character {
    std::uint32_t value = 0;
    std::size_t width = 0;
    const char* wrong = nullptr;
};

// The character that begins at `at`, of two bytes or more.
Character wide_character(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char lead = byte(0);
    Character found;
    if ((lead & 0xE0) == 0xC0) {
        found = {static_cast<std::uint32_t>(lead & 0x1F), 2};
    } else if ((lead & 0xF0) == 0xE0) {
        found = {static_cast<std::uint32_t>(lead & 0x0F), 3};
    } else if ((lead & 0xF8) == 0xF0) {
        found = {static_cast<std::uint32_t>(lead & 0x07), 4};
    } else {
        found.wrong = "invalid leading UTF-8 octet";
        return found;
    }
    if (text.size() - at < found.width) {
        found.wrong = "incomplete UTF-8 octet sequence";
        return found;
    }
    for (std::size_t i = 1; i < found.width; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            found.wrong = "invalid trailing UTF-8 octet";
            return found;
        }
        found.value = found.value << 6 | (byte(i) & 0x3F);
    }
    static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (found.value < smallest[found.width]) found.wrong = "invalid length of a UTF-8 sequence";
    else if ((found.value >= 0xD800 && found.value <= 0xDFFF) || found.value > 0x10FFFF) found.wrong = "invalid Unicode character";
    return found;
}

bool allowed(std::uint32_t value) {
    return value == 0x85 || (value >= 0xA0 && value <= 0xD7FF) ||
           (value >= 0xE000 && value <= 0xFFFD && value != 0xFEFF) || value >= 0x10000;
}

// What may not stand for itself in a written text although a reader would take it, or may not stand there at all.
bool is_special(std::uint32_t value) { return !allowed(value) || value == 0x85 || value == 0x2028 || value == 0x2029; }

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

std::optional<std::string> check_yaml_characters(std::string_view text) {
    std::size_t at = text.substr(0, 3) == byte_order_mark ? 3 : 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        if (lead < 0x80) {
            const bool fine = (lead >= 0x20 && lead <= 0x7E) || lead == '\n' || lead == '\t' || lead == '\r';
            if (!fine) return "control characters are not allowed";
            ++at;
            continue;
        }
        const Character character = wide_character(text, at);
        if (character.wrong != nullptr) return character.wrong;
        if (!allowed(character.value)) return "control characters are not allowed";
        at += character.width;
    }
    return std::nullopt;
}

std::string_view with_line_feeds(std::string_view text, std::string& storage) {
    if (text.find('\r') == std::string_view::npos && text.find("\xC2\x85") == std::string_view::npos) return text;
    storage.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\r') {
            if (text.substr(at, 2) == "\r\n") ++at;
            storage += '\n';
        } else if (text.substr(at, 2) == "\xC2\x85") {
            ++at;
            storage += '\n';
        } else {
            storage += text[at];
        }
    }
    return storage;
}

std::string mend_yaml_escapes(const std::string& scalar) {
    if (scalar.find_first_of("\x85\xA0") == std::string::npos) return scalar;
    std::string out;
    for (std::size_t at = 0; at < scalar.size();) {
        const bool ascii = static_cast<unsigned char>(scalar[at]) < 0x80;
        const Character character = ascii ? Character{0, 1} : wide_character(scalar, at);
        const std::size_t width = character.wrong != nullptr ? 1 : character.width;
        if (character.wrong != nullptr) out += '\xC2';
        out.append(scalar, at, width);
        at += width;
    }
    return out;
}

bool has_yaml_specials(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        if (lead < 0x80) {
            if (lead == 0x7F || (lead < 0x20 && lead != '\n' && lead != '\t')) return true;
            ++at;
            continue;
        }
        const Character character = wide_character(text, at);
        if (character.wrong != nullptr || is_special(character.value)) return true;
        at += character.width;
    }
    return false;
}

std::string escape_yaml_specials(std::string_view text) {
    std::string out;
    const auto escape = [&out](std::uint32_t value) {
        static constexpr char digits[] = "0123456789ABCDEF";
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out += digits[value >> shift & 0xF];
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const Character character = lead < 0x80 ? Character{lead, 1} : wide_character(text, at);
        const std::size_t width = character.wrong != nullptr ? 1 : character.width;
        if (character.wrong != nullptr) escape(0xFFFD);
        else if (lead == 0x7F || (lead >= 0x80 && is_special(character.value))) escape(character.value);
        else out += text.substr(at, width);
        at += width;
    }
    return out;
}

std::string go_line(int line, std::string_view message) {
    if (line <= 0) return {};
    const bool parser = message.starts_with("did not find expected");
    return message.starts_with("unknown anchor") ? std::string() : "line " + std::to_string(parser ? line : line + 1) + ": ";
}

int line_of_end(std::string_view text) {
    const int lines = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
    return text.empty() || text.ends_with('\n') ? lines : lines + 1;
}

std::optional<int> line_behind_bare_key(std::string_view text, std::size_t key_at) {
    if (key_at >= text.size()) return std::nullopt;
    const std::size_t begin = text.rfind('\n', key_at) == text.npos ? 0 : text.rfind('\n', key_at) + 1;
    const std::string_view before = text.substr(begin, key_at - begin);
    const std::size_t last = before.find_last_not_of(" \t");
    // "? key" needs no colon.
    if (last != before.npos && before[last] == '?') return std::nullopt;
    const std::size_t end = std::min(text.find('\n', key_at), text.size());
    std::size_t at = key_at;
    if (text[at] == '"' || text[at] == '\'') {
        const char quote = text[at];
        for (++at; at < end && text[at] != quote; ++at) {
            if (quote == '"' && text[at] == '\\') ++at;
        }
        at = std::min(at + 1, end);
    }
    for (; at < end; ++at) {
        const bool ends = at + 1 == end || text[at + 1] == ' ' || text[at + 1] == '\t';
        if (text[at] == ':' && ends) return std::nullopt;
        if (text[at] == '#' && (text[at - 1] == ' ' || text[at - 1] == '\t')) break;
    }
    int line = static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    // What comes next: behind lines without anything but a comment.
    for (std::size_t next = end; next < text.size();) {
        const std::size_t start = next + 1;
        ++line;
        next = std::min(text.find('\n', start), text.size());
        const std::string_view rest = text.substr(std::min(start, text.size()), next - std::min(start, next));
        const std::size_t first = rest.find_first_not_of(" \t");
        if (first != rest.npos && rest[first] != '#') return line;
    }
    return line_of_end(text);
}

}  // namespace kubemu::api

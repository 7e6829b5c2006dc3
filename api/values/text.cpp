// Small text functions that Go's standard library has and C++'s lacks.
#include "api/values/text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace kubemu::api {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// The length of the well-formed UTF-8 sequence at the start of `text`, or 0.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    if (first >= 0xc2 && first < 0xe0) return tail(1) ? 2 : 0;
    if (first >= 0xe0 && first < 0xf0) {
        if (!tail(1) || !tail(2)) return 0;
        if (first == 0xe0 && byte(1) < 0xa0) return 0;
        if (first == 0xed && byte(1) > 0x9f) return 0;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (first == 0xf0 && byte(1) < 0x90) return 0;
        if (first == 0xf4 && byte(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

bool valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string go_quote(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const unsigned char c = static_cast<unsigned char>(text[0]);
        if (length == 0 || (length == 1 && (c < 0x20 || c == 0x7f))) {
            switch (c) {
                case '\n': out += "\\n"; break;
                case '\t': out += "\\t"; break;
                case '\r': out += "\\r"; break;
                case '\a': out += "\\a"; break;
                case '\b': out += "\\b"; break;
                case '\f': out += "\\f"; break;
                case '\v': out += "\\v"; break;
                default:
                    out += "\\x";
                    out += hex_digits[c >> 4];
                    out += hex_digits[c & 15];
            }
            text.remove_prefix(1);
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += text.substr(0, length);
        text.remove_prefix(length);
    }
    return out + '"';
}

std::string go_quote_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += (out.size() > 1 ? " " : "") + go_quote(text);
    return out + "]";
}

namespace {

constexpr std::uint64_t each_byte(std::uint64_t value) { return value * 0x0101010101010101ULL; }
// Not zero when one of the eight bytes is this one / is below `limit` (Bit Twiddling Hacks: haszero, hasless).
constexpr std::uint64_t has_byte(std::uint64_t word, std::uint64_t value) {
    const std::uint64_t zeros = word ^ each_byte(value);
    return (zeros - each_byte(0x01)) & ~zeros & each_byte(0x80);
}
constexpr std::uint64_t has_below(std::uint64_t word, std::uint64_t limit) {
    return (word - each_byte(limit)) & ~word & each_byte(0x80);
}

// Eight bytes that all stand for themselves in a JSON string.
bool is_plain_word(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    // '"' and '&', and '<' and '>', differ in one bit each, which is set here.
    return ((word & each_byte(0x80)) | has_below(word, 0x20) | has_byte(word, '\\') | has_byte(word | each_byte('"' ^ '&'), '&') |
            has_byte(word | each_byte('<' ^ '>'), '>')) == 0;
}

// Whether all of a text stands for itself in a JSON string.
bool is_plain(std::string_view text) {
    if (text.size() < sizeof(std::uint64_t)) {
        return std::all_of(text.begin(), text.end(), [](char c) {
            return c >= 0x20 && static_cast<unsigned char>(c) < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
        });
    }
    const char* const last = text.data() + text.size() - sizeof(std::uint64_t);
    for (const char* at = text.data(); at < last; at += sizeof(std::uint64_t)) {
        if (!is_plain_word(at)) return false;
    }
    return is_plain_word(last);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    if (is_plain(text)) {
        out.append(text);
        out += '"';
        return;
    }
    std::size_t plain = 0;  // start of the part that is copied as it is
    std::size_t i = 0;
    const auto flush = [&](std::size_t end) { out.append(text.data() + plain, end - plain); };
    while (i < text.size()) {
        while (i + 8 <= text.size() && is_plain_word(text.data() + i)) i += 8;
        if (i == text.size()) break;
        const unsigned char c = static_cast<unsigned char>(text[i]);
        if (c < 0x80 && c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&') {
            ++i;
            continue;
        }
        if (c < 0x80) {
            flush(i);
            switch (c) {
                case '"': out += "\\\""; break;
                case '\\': out += "\\\\"; break;
                case '\n': out += "\\n"; break;
                case '\r': out += "\\r"; break;
                case '\t': out += "\\t"; break;
                default:
                    out += "\\u00";
                    out += hex_digits[c >> 4];
                    out += hex_digits[c & 15];
            }
            plain = ++i;
            continue;
        }
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) {
            flush(i);
            out += "\\ufffd";
            plain = ++i;
        } else if (length == 3 && text.substr(i, 2) == "\xe2\x80" && (text[i + 2] == '\xa8' || text[i + 2] == '\xa9')) {
            flush(i);
            out += text[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
            i += 3;
            plain = i;
        } else {
            i += length;
        }
    }
    flush(text.size());
    out += '"';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t end = text.find(separator, begin);
        parts.push_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) text += separator;
        text += parts[i];
    }
    return text;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n\f\v";
    const std::size_t begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += plus_is_space && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            out += i + j > bytes.size() ? '=' : base64_alphabet[group >> (18 - 6 * j) & 63];
        }
    }
    return out;
}

bool base64_decode(std::string_view text, std::string& bytes) {
    bytes.clear();
    std::uint32_t group = 0;
    int digits = 0, padding = 0;
    for (const char c : text) {
        if (c == '\n' || c == '\r') continue;
        if (c == '=') {
            ++padding;
            group <<= 6;
        } else {
            const std::size_t value = base64_alphabet.find(c);
            if (value == std::string_view::npos || padding > 0) return false;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        if (++digits == 4) {
            if (padding > 2) return false;
            for (int i = 0; i < 3 - padding; ++i) bytes += static_cast<char>(group >> (16 - 8 * i) & 255);
            group = 0;
            digits = 0;
        }
    }
    return digits == 0;
}

}  // namespace kubemu::api

// Checking and reading JSON text without building anything.
//
// Go checks the whole text before it decodes, so a syntax error at the end hides a wrong type at the
// beginning; that is why there are two passes here too. The words of each state are those of encoding/json's
// scanner.
#include "api/codec/json_syntax.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "api/values/text.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

constexpr std::string_view value_words = "looking for beginning of value";
constexpr std::string_view key_words = "looking for beginning of object key string";

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

void append_utf8(std::string& out, std::uint32_t rune) {
    if (rune < 0x80) {
        out += static_cast<char>(rune);
    } else if (rune < 0x800) {
        out += static_cast<char>(0xC0 | (rune >> 6));
        out += static_cast<char>(0x80 | (rune & 0x3F));
    } else if (rune < 0x10000) {
        out += static_cast<char>(0xE0 | (rune >> 12));
        out += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (rune & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (rune >> 18));
        out += static_cast<char>(0x80 | ((rune >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((rune >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (rune & 0x3F));
    }
}

class Checker {
  public:
    explicit Checker(std::string_view text) : text_(text) {}

    std::optional<std::string> run() {
        if (value() && (space(), at_ < text_.size())) fail("after top-level value");
        return std::move(error_);
    }

  private:
    bool fail(std::string_view where) {
        if (error_) return false;
        // Go's scanner takes the end for a space, which cannot stand within a literal, a number or an escape.
        const bool inside = where.starts_with("in ") || where.starts_with("after decimal point");
        if (at_ >= text_.size() && !inside) {
            error_ = "unexpected end of JSON input";
            return false;
        }
        const char c = at_ < text_.size() ? text_[at_] : ' ';
        std::string shown = "'\"'";
        if (c == '\'') {
            shown = "'\\''";
        } else if (c != '"') {
            std::string rune;  // Go takes the byte for a code point
            append_utf8(rune, static_cast<unsigned char>(c));
            shown = go_quote(rune);
            shown.front() = shown.back() = '\'';
        }
        error_ = "invalid character " + shown + " " + std::string(where);
        return false;
    }

    char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void space() {
        while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    }

    // Not recursive: nesting is a stack of brackets.
    bool value() {
        std::vector<char> open;
        for (;;) {
            space();
            const char c = now();
            if (c == '{' || c == '[') {
                if (open.size() >= limits::document_depth_max) {
                    error_ = "exceeded max depth";
                    return false;
                }
                ++at_;
                space();
                if (now() == (c == '{' ? '}' : ']')) {
                    ++at_;
                } else {
                    open.push_back(c);
                    if (c == '{' && !name()) return false;
                    continue;
                }
            } else if (!scalar()) {
                return false;
            }
            for (;;) {  // after a value: close, or go on with the next one
                if (open.empty()) return true;
                space();
                const bool object = open.back() == '{';
                if (now() == ',' && at_ < text_.size()) {
                    ++at_;
                    space();
                    if (object && !name()) return false;
                    break;
                }
                if (at_ >= text_.size() || now() != (object ? '}' : ']')) {
                    return fail(object ? "after object key:value pair" : "after array element");
                }
                ++at_;
                open.pop_back();
            }
        }
    }

    bool name() {
        space();
        if (now() != '"') return fail(key_words);
        if (!string()) return false;
        space();
        if (now() != ':') return fail("after object key");
        ++at_;
        return true;
    }

    bool scalar() {
        switch (now()) {
            case '"':
                return string();
            case 't':
                return literal("true");
            case 'f':
                return literal("false");
            case 'n':
                return literal("null");
            default:
                return number();
        }
    }

    bool literal(std::string_view word) {
        for (const char expected : word) {
            if (now() != expected || at_ >= text_.size()) {
                return fail("in literal " + std::string(word) + " (expecting '" + expected + "')");
            }
            ++at_;
        }
        return true;
    }

    bool digits(std::string_view where) {
        if (!is_digit(now())) return fail(where);
        while (is_digit(now())) ++at_;
        return true;
    }

    bool number() {
        const bool negative = now() == '-';
        if (negative) ++at_;
        if (now() == '0') {
            ++at_;
        } else if (!digits(negative ? "in numeric literal" : value_words)) {
            return false;
        }
        if (now() == '.') {
            ++at_;
            if (!digits("after decimal point in numeric literal")) return false;
        }
        if (now() == 'e' || now() == 'E') {
            ++at_;
            if (now() == '+' || now() == '-') ++at_;
            if (!digits("in exponent of numeric literal")) return false;
        }
        return true;
    }

    bool string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("in string literal");
            if (text_[at_] != '\\') continue;
            ++at_;
            if (now() == 'u') {
                for (int i = 0; i < 4; ++i) {
                    ++at_;
                    if (!is_hex(now())) return fail("in \\u hexadecimal character escape");
                }
            } else if (now() == '\0' ||
                       std::string_view("\"\\/bfnrt").find(now()) == std::string_view::npos) {
                return fail("in string escape code");
            }
        }
        if (at_ >= text_.size()) return fail("");
        ++at_;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::optional<std::string> error_;
};

// Stands in a string for itself, whatever stands around it.
bool is_plain(char c) {
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) < 0x80;
}

std::uint32_t hex4(std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits)
        value = value * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    return value;
}

// The high bits of those of eight characters that are not; what lies beyond the first such may be wrong (Bit Twiddling
// Hacks: haszero).
std::uint64_t special_in_word(const char* at) {
    constexpr std::uint64_t ones = 0x0101010101010101ULL, high = ones * 0x80;
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t quotes = word ^ (ones * '"'), escapes = word ^ (ones * '\\');
    return (word | ((quotes - ones) & ~quotes) | ((escapes - ones) & ~escapes)) & high;
}

// Where the first character from `at` on is that is not plain.
std::size_t end_of_plain(std::string_view text, std::size_t at) {
    for (; at + 8 <= text.size(); at += 8) {
        const std::uint64_t special = special_in_word(text.data() + at);
        if (special == 0) continue;
        if constexpr (std::endian::native == std::endian::little) {
            return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
        }
        break;
    }
    while (at < text.size() && is_plain(text[at])) ++at;
    return at;
}

// The characters between the quotes.
std::string unescape(std::string_view quoted) {
    std::string out;
    out.reserve(quoted.size());
    bool plain = true;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
        const char c = quoted[i];
        if (c != '\\') {
            if (static_cast<unsigned char>(c) >= 0x80) plain = false;
            out += c;
            continue;
        }
        switch (quoted[++i]) {
            case 'b':
                out += '\b';
                break;
            case 'f':
                out += '\f';
                break;
            case 'n':
                out += '\n';
                break;
            case 'r':
                out += '\r';
                break;
            case 't':
                out += '\t';
                break;
            case 'u': {
                std::uint32_t rune = hex4(quoted.substr(i + 1, 4));
                i += 4;
                if (rune >= 0xD800 &&
                    rune < 0xE000) {  // a pair of surrogates, or nothing that can be said in UTF-8
                    std::uint32_t low = 0;
                    if (rune < 0xDC00 && quoted.substr(i + 1, 2) == "\\u")
                        low = hex4(quoted.substr(i + 3, 4));
                    if (low >= 0xDC00 && low < 0xE000) {
                        rune = 0x10000 + ((rune - 0xD800) << 10) + (low - 0xDC00);
                        i += 6;
                    } else {
                        rune = 0xFFFD;
                    }
                }
                append_utf8(out, rune);
                break;
            }
            default:
                out += quoted[i];
        }
    }
    return plain ? out : mend_utf8(out);
}

}  // namespace

std::string mend_utf8(const std::string& text) {
    if (valid_utf8(text)) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = 1;
        while (length < 4 && i + length < text.size() &&
               !valid_utf8(std::string_view(text).substr(i, length)))
            ++length;
        if (valid_utf8(std::string_view(text).substr(i, length))) {
            out.append(text, i, length);
            i += length;
        } else {
            out += "\xEF\xBF\xBD";
            ++i;
        }
    }
    return out;
}

std::optional<std::string> json_syntax_error(std::string_view text) {
    return Checker(text).run();
}

void JsonReader::pass_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

std::string_view JsonReader::skip() {
    space();
    const std::size_t start = std::min(at_, text_.size());
    int depth = 0;
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == '"') {
            for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
                if (text_[at_] == '\\') ++at_;
            }
            ++at_;
        } else if (c == '{' || c == '[') {
            ++depth;
            ++at_;
        } else if (c == '}' || c == ']') {
            if (depth == 0) break;  // closes what holds this value
            --depth;
            ++at_;
        } else if (depth == 0 && (c == ',' || is_space(c))) {
            break;
        } else {
            ++at_;
            continue;
        }
        if (depth == 0) break;
    }
    at_ = std::min(at_, text_.size());
    return text_.substr(start, at_ - start);
}

std::string_view JsonReader::string(std::string& room) {
    space();
    // Most strings stand there as they are.
    const std::size_t end = end_of_plain(text_, at_ + 1);
    if (end < text_.size() && text_[end] == '"') {
        const std::string_view text = text_.substr(at_ + 1, end - at_ - 1);
        at_ = end + 1;
        return text;
    }
    room = unescape(skip());
    return room;
}

std::string JsonReader::string() {
    std::string room;
    const std::string_view text = string(room);
    return text.data() == room.data() ? std::move(room) : std::string(text);
}

std::string JsonReader::name() {
    std::string text = string();
    space();
    ++at_;  // ':'
    return text;
}

}  // namespace kubemu::api

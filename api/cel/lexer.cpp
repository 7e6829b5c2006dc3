// The lexical grammar of CEL (github.com/google/cel-spec/blob/master/doc/langdef.md).
#include "api/cel/lexer.h"

#include <cctype>

#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

void append_utf8(std::string& out, unsigned long code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | code >> 6);
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | code >> 12);
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | code >> 18);
        out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

class Lexer {
  public:
    Lexer(const std::string& source, std::vector<Issue>& issues) : source_(source), issues_(issues) {}

    std::vector<Token> run() {
        std::vector<Token> tokens;
        while (true) {
            skip_space();
            Token token;
            token.offset = at_;
            if (at_ >= source_.size()) {
                tokens.push_back(token);
                return tokens;
            }
            // A string or name that does not end has been read to where it went wrong.
            const bool found = quoted(token) || escaped_name(token);
            if (found || (at_ == token.offset && (number(token) || name(token) || symbol(token)))) {
                token.length = at_ - token.offset;
                tokens.push_back(std::move(token));
            } else {
                skip(token.offset);
            }
        }
    }

  private:
    char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

    // Leaves out what began as a token at `start`, up to the character at_ that ended the hope.
    void skip(std::size_t start) {
        const bool half_an_operator = at_ == start && std::string_view("=&|").find(peek()) != std::string_view::npos;
        if (half_an_operator) ++at_;
        if (at_ < source_.size()) ++at_;
        // A character may have more than one byte.
        while (at_ < source_.size() && (static_cast<unsigned char>(source_[at_]) & 0xC0) == 0x80) ++at_;
        issues_.push_back({start, "Syntax error: token recognition error at: '" + source_.substr(start, at_ - start) + "'"});
    }

    void skip_space() {
        while (at_ < source_.size()) {
            if (std::isspace(static_cast<unsigned char>(source_[at_])) != 0) {
                ++at_;
            } else if (source_.compare(at_, 2, "//") == 0) {
                while (at_ < source_.size() && source_[at_] != '\n') ++at_;
            } else {
                return;
            }
        }
    }

    bool name(Token& token) {
        if (!is_name(peek())) return false;
        token.kind = Token::Kind::identifier;
        while (is_name(peek())) token.text += source_[at_++];
        return true;
    }

    // `a name`: the parser knows that they are not to be used.
    bool escaped_name(Token& token) {
        if (peek() != '`') return false;
        std::size_t end = at_ + 1;
        while (end < source_.size() && (is_name(source_[end]) || std::string_view(".-/ ").find(source_[end]) != std::string_view::npos)) {
            ++end;
        }
        if (end == at_ + 1 || end >= source_.size() || source_[end] != '`') {
            at_ = end;
            return false;
        }
        token.kind = Token::Kind::symbol;
        token.text = source_.substr(at_, end + 1 - at_);
        at_ = end + 1;
        return true;
    }

    bool number(Token& token) {
        if (!is_digit(peek()) && !(peek() == '.' && is_digit(peek(1)))) return false;
        token.kind = Token::Kind::integer;
        if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
            token.text = "0x";
            for (at_ += 2; is_hex(peek()); ++at_) token.text += peek();
        } else {
            while (is_digit(peek())) token.text += source_[at_++];
            if (peek() == '.' && is_digit(peek(1))) {
                token.kind = Token::Kind::real;
                token.text += source_[at_++];
                while (is_digit(peek())) token.text += source_[at_++];
            }
            const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
            if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign))) {
                token.kind = Token::Kind::real;
                for (std::size_t i = 0; i < sign; ++i) token.text += source_[at_++];
                while (is_digit(peek())) token.text += source_[at_++];
            }
        }
        if (token.kind == Token::Kind::integer && (peek() == 'u' || peek() == 'U')) {
            token.kind = Token::Kind::unsigned_integer;
            ++at_;
        }
        return true;
    }

    bool symbol(Token& token) {
        static constexpr std::string_view symbols[] = {"==", "!=", "<=", ">=", "&&", "||", "[?", "{?", ".?", "+", "-", "*", "/", "%",
                                                       "<",  ">",  "!",  "?",  ":",  ",",  ".",  "(",  ")",  "[", "]", "{", "}"};
        for (const std::string_view candidate : symbols) {
            if (source_.compare(at_, candidate.size(), candidate) != 0) continue;
            token.kind = Token::Kind::symbol;
            token.text = candidate;
            at_ += candidate.size();
            return true;
        }
        return false;
    }

    bool quoted(Token& token) {
        std::size_t prefix = 0;
        bool raw = false, bytes = false;
        for (; prefix < 2; ++prefix) {
            const char c = peek(prefix);
            if ((c == 'r' || c == 'R') && !raw) raw = true;
            else if ((c == 'b' || c == 'B') && !bytes) bytes = true;
            else break;
        }
        const char quote = peek(prefix);
        if (quote != '\'' && quote != '"') return false;
        const std::size_t start = at_;
        at_ += prefix;
        const std::string triple(3, quote);
        const std::string end = source_.compare(at_, 3, triple) == 0 ? triple : std::string(1, quote);
        at_ += end.size();
        token.kind = bytes ? Token::Kind::bytes : Token::Kind::string;
        while (at_ < source_.size() && source_.compare(at_, end.size(), end) != 0) {
            if (end.size() == 1 && (source_[at_] == '\n' || source_[at_] == '\r')) break;
            if (source_[at_] == '\\' && !raw) {
                if (!escape(token.text, bytes)) return unterminated(token, start, prefix, end.size());
            } else {
                token.text += source_[at_++];
            }
        }
        if (source_.compare(at_, end.size(), end) != 0) return unterminated(token, start, prefix, end.size());
        at_ += end.size();
        return true;
    }

    // A string that does not end is no token, but its beginning may be one: a name, or the empty string of the first two
    // of three quotes.
    bool unterminated(Token& token, std::size_t start, std::size_t prefix, std::size_t quotes) {
        token.text.clear();
        if (quotes == 3) {
            at_ = start + prefix + 2;
            return true;
        }
        if (prefix == 0) return false;
        token.kind = Token::Kind::identifier;
        token.text = source_.substr(start, prefix);
        at_ = start + prefix;
        return true;
    }

    bool escape(std::string& out, bool bytes) {
        static constexpr std::pair<char, char> simple[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'},
                                                           {'v', '\v'}, {'\\', '\\'}, {'\'', '\''}, {'"', '"'}, {'`', '`'}, {'?', '?'}};
        const char c = peek(1);
        for (const auto& [letter, meaning] : simple) {
            if (c != letter) continue;
            out += meaning;
            at_ += 2;
            return true;
        }
        const auto code = [&](std::size_t from, std::size_t length, int base) {
            const std::string digits = source_.substr(at_ + from, length);
            const std::string_view known = base == 16 ? "0123456789abcdefABCDEF" : "01234567";
            std::size_t valid = digits.find_first_not_of(known);
            if (base == 8 && !digits.empty() && digits[0] > '3') valid = 0;
            if (valid == std::string::npos) valid = digits.size();
            if (valid < length) {
                at_ += from + valid;
                return false;
            }
            const unsigned long value = std::stoul(digits, nullptr, base);
            if (bytes && (c == 'x' || c == 'X' || is_digit(c))) out += static_cast<char>(value);
            else append_utf8(out, value);
            at_ += from + length;
            return true;
        };
        if (c == 'x' || c == 'X') return code(2, 2, 16);
        if (c == 'u') return code(2, 4, 16);
        if (c == 'U') return code(2, 8, 16);
        return code(1, 3, 8);
    }

    const std::string& source_;
    std::vector<Issue>& issues_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokenize(const std::string& source, std::vector<Issue>& issues) { return Lexer(source, issues).run(); }

}  // namespace kubemu::api::cel

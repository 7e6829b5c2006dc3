// The grammar of JSON as Go's encoding/json checks it, with its words for what is wrong.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kubemu::api {

// What encoding/json says about a text that is not one JSON value: "unexpected end of JSON input", "invalid
// character
// '}' looking for beginning of value", "exceeded max depth" (limits::document_depth_max). Nothing when it is
// one.
std::optional<std::string> json_syntax_error(std::string_view text);

// A text in which each byte that belongs to no valid UTF-8 sequence is U+FFFD, as encoding/json writes it.
std::string mend_utf8(const std::string& text);

// Reads a text that json_syntax_error has accepted; nothing is checked again. It never leaves a text that is none.
class JsonReader {
  public:
    enum class Token { null, boolean, number, string, array, object };

    explicit JsonReader(std::string_view text) : text_(text) {}

    Token peek();             // kind of the value that follows
    std::string_view skip();  // passes over it; its text
    std::string string();     // a string or a member's name, unescaped; bad UTF-8 becomes U+FFFD
    // The same without a copy: it stands in the text, or in `room` where something is escaped.
    std::string_view string(std::string& room);

    // begin() before the first element or member; then while next() finds another one. A member's name and
    // its colon: name().
    void begin() {
        space();
        ++at_;
    }
    bool next();
    std::string name();
    std::string_view name(std::string& room) {
        const std::string_view text = string(room);
        space();
        ++at_;  // ':'
        return text;
    }

  private:
    // What this program wrote itself has none.
    void space() {
        if (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') pass_space();
    }
    void pass_space();

    std::string_view text_;
    std::size_t at_ = 0;
};

inline JsonReader::Token JsonReader::peek() {
    space();
    switch (at_ < text_.size() ? text_[at_] : 'n') {
        case '{':
            return Token::object;
        case '[':
            return Token::array;
        case '"':
            return Token::string;
        case 't':
        case 'f':
            return Token::boolean;
        case 'n':
            return Token::null;
        default:
            return Token::number;
    }
}

inline bool JsonReader::next() {
    space();
    if (at_ >= text_.size()) return false;
    if (text_[at_] == ',') {
        ++at_;
        return true;
    }
    if (text_[at_] == '}' || text_[at_] == ']') {
        ++at_;
        return false;
    }
    return true;
}

}  // namespace kubemu::api

// One pass over a JSON text. It is lenient about what numbers and words look like: the texts are the server's own.
#include "api/codec/json_index.h"

#include <limits>

#include "api/codec/json_syntax.h"
#include "storage/base/limits.h"

namespace kubemu::api {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool ends_word(char c) {
    return c == ',' || c == '}' || c == ']' || is_space(c);
}

}  // namespace

void JsonIndex::space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

bool JsonIndex::read(std::string_view text) {
    text_ = text;
    at_ = 0;
    nodes_.clear();
    if (text.size() >= std::numeric_limits<std::uint32_t>::max() || !value(0)) return false;
    space();
    return at_ == text_.size();
}

bool JsonIndex::quoted() {
    Node node;
    node.type = Type::string;
    node.begin = static_cast<std::uint32_t>(++at_);
    // A local place: what characters are read could be the member's own bytes, for all that the compiler knows.
    const char* const end = text_.data() + text_.size();
    for (const char* at = text_.data() + at_; at < end; ++at) {
        if (*at == '"') {
            at_ = static_cast<std::size_t>(at - text_.data()) + 1;
            node.end = static_cast<std::uint32_t>(at_ - 1);
            node.next = static_cast<std::uint32_t>(nodes_.size() + 1);
            nodes_.push_back(node);
            return true;
        }
        if (*at == '\\') {
            node.escaped = true;
            if (++at == end) break;
        }
    }
    return false;
}

bool JsonIndex::container(char close, std::size_t depth) {
    const std::size_t self = nodes_.size();
    Node node;
    node.type = close == '}' ? Type::object : Type::array;
    node.begin = static_cast<std::uint32_t>(at_++);
    nodes_.push_back(node);
    space();
    if (at_ < text_.size() && text_[at_] == close) {
        ++at_;
    } else {
        for (;;) {
            if (close == '}') {
                space();
                if (at_ >= text_.size() || text_[at_] != '"' || !quoted()) return false;
                space();
                if (at_ >= text_.size() || text_[at_++] != ':') return false;
            }
            if (!value(depth + 1)) return false;
            space();
            if (at_ >= text_.size()) return false;
            const char c = text_[at_++];
            if (c == close) break;
            if (c != ',') return false;
        }
    }
    nodes_[self].end = static_cast<std::uint32_t>(at_);
    nodes_[self].next = static_cast<std::uint32_t>(nodes_.size());
    return true;
}

bool JsonIndex::value(std::size_t depth) {
    space();
    if (at_ >= text_.size() || depth > limits::document_depth_max) return false;
    const char first = text_[at_];
    if (first == '"') return quoted();
    if (first == '{') return container('}', depth);
    if (first == '[') return container(']', depth);
    Node node;
    node.begin = static_cast<std::uint32_t>(at_);
    while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
    if (at_ == node.begin) return false;
    node.end = static_cast<std::uint32_t>(at_);
    node.next = static_cast<std::uint32_t>(nodes_.size() + 1);
    node.type = first == 'n' ? Type::null : first == 't' || first == 'f' ? Type::boolean : Type::number;
    nodes_.push_back(node);
    return true;
}

std::string_view JsonIndex::string(std::uint32_t node, std::string& scratch) const {
    if (!nodes_[node].escaped) return text(node);
    scratch = JsonReader(json(node)).string();
    return scratch;
}

std::string_view JsonIndex::json(std::uint32_t node) const {
    const Node& at = nodes_[node];
    if (at.type != Type::string) return text(at);
    return text_.substr(at.begin - 1, at.end - at.begin + 2);
}

}  // namespace kubemu::api

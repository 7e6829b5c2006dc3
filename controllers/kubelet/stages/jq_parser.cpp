// From text to tree: a recursive descent over jq's operators, from the loosest to the tightest.
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/stages/jq_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

constexpr int depth_max = 200;

JqNodePtr node(JqNode::Kind kind, std::string text = {}) {
    auto made = std::make_unique<JqNode>();
    made->kind = kind;
    made->text = std::move(text);
    return made;
}

template <class... Kids>
JqNodePtr node_of(JqNode::Kind kind, std::string text, Kids... kids) {
    JqNodePtr made = node(kind, std::move(text));
    (made->kids.push_back(std::move(kids)), ...);
    return made;
}

class Parser {
  public:
    explicit Parser(const std::string& text) : text_(text) {}

    Result<JqNodePtr, std::string> parse() {
        JqNodePtr root = pipe();
        skip_space();
        if (error_.empty() && at_ < text_.size()) complain("unexpected \"" + text_.substr(at_, 10) + "\"");
        if (!error_.empty()) return error_;
        return root;
    }

  private:
    JqNodePtr complain(const std::string& what) {
        if (error_.empty()) error_ = what + " at position " + std::to_string(at_);
        return node(JqNode::Kind::identity);
    }

    void skip_space() {
        while (at_ < text_.size() &&
               (std::isspace(static_cast<unsigned char>(text_[at_])) || text_[at_] == '#')) {
            if (text_[at_] == '#')
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            else
                ++at_;
        }
    }

    // The symbol comes next, and no longer one that begins with it.
    bool take(std::string_view symbol) {
        skip_space();
        if (text_.compare(at_, symbol.size(), symbol) != 0) return false;
        const char after = at_ + symbol.size() < text_.size() ? text_[at_ + symbol.size()] : '\0';
        if ((symbol == "/" && after == '/') || (symbol == "|" && after == '=')) return false;
        if ((symbol == "<" || symbol == ">" || symbol == "=") && after == '=') return false;
        at_ += symbol.size();
        return true;
    }

    static bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

    std::string peek_name() {
        skip_space();
        std::size_t end = at_;
        while (end < text_.size() && is_name(text_[end])) ++end;
        if (end == at_ || std::isdigit(static_cast<unsigned char>(text_[at_]))) return {};
        return text_.substr(at_, end - at_);
    }

    bool take_word(std::string_view word) {
        if (peek_name() != word) return false;
        at_ += word.size();
        return true;
    }

    void expect(std::string_view symbol) {
        if (!take(symbol)) complain("expected \"" + std::string(symbol) + "\"");
    }
    void expect_word(std::string_view word) {
        if (!take_word(word)) complain("expected \"" + std::string(word) + "\"");
    }

    std::string variable_name() {
        expect("$");
        const std::string name = peek_name();
        if (name.empty()) complain("expected a name after $");
        at_ += name.size();
        return name;
    }

    JqNodePtr pipe() {
        if (++depth_ > depth_max) return complain("too deep");
        JqNodePtr left = comma();
        if (error_.empty() && take_word("as")) {
            std::string name = variable_name();
            expect("|");
            left = node_of(JqNode::Kind::bind, std::move(name), std::move(left), pipe());
        } else if (error_.empty() && take("|")) {
            left = node_of(JqNode::Kind::pipe, {}, std::move(left), pipe());
        }
        --depth_;
        return left;
    }

    JqNodePtr comma() {
        JqNodePtr left = alternative();
        while (error_.empty() && take(","))
            left = node_of(JqNode::Kind::comma, {}, std::move(left), alternative());
        return left;
    }

    JqNodePtr alternative() {
        JqNodePtr left = either();
        if (error_.empty() && take("//"))
            left = node_of(JqNode::Kind::alternative, {}, std::move(left), alternative());
        return left;
    }

    JqNodePtr either() {
        JqNodePtr left = both();
        while (error_.empty() && take_word("or"))
            left = node_of(JqNode::Kind::either, {}, std::move(left), both());
        return left;
    }

    JqNodePtr both() {
        JqNodePtr left = comparison();
        while (error_.empty() && take_word("and"))
            left = node_of(JqNode::Kind::both, {}, std::move(left), comparison());
        return left;
    }

    JqNodePtr comparison() {
        JqNodePtr left = sum();
        for (const char* symbol : {"==", "!=", "<=", ">=", "<", ">"})
            if (error_.empty() && take(symbol))
                return node_of(JqNode::Kind::binary, symbol, std::move(left), sum());
        return left;
    }

    JqNodePtr sum() {
        JqNodePtr left = product();
        while (error_.empty()) {
            if (take("+"))
                left = node_of(JqNode::Kind::binary, "+", std::move(left), product());
            else if (take("-"))
                left = node_of(JqNode::Kind::binary, "-", std::move(left), product());
            else
                break;
        }
        return left;
    }

    JqNodePtr product() {
        JqNodePtr left = postfix();
        while (error_.empty()) {
            if (take("*"))
                left = node_of(JqNode::Kind::binary, "*", std::move(left), postfix());
            else if (take("/"))
                left = node_of(JqNode::Kind::binary, "/", std::move(left), postfix());
            else if (take("%"))
                left = node_of(JqNode::Kind::binary, "%", std::move(left), postfix());
            else
                break;
        }
        return left;
    }

    static JqNodePtr literal(Json value) {
        JqNodePtr made = node(JqNode::Kind::literal);
        made->value = std::make_shared<const Json>(std::move(value));
        return made;
    }
    static JqNodePtr name_literal(std::string name) { return literal(Json(std::move(name))); }

    // After a dot or a term: names, [..] and ?.
    JqNodePtr suffixes(JqNodePtr term) {
        while (error_.empty()) {
            skip_space();
            if (at_ >= text_.size()) break;
            if (text_[at_] == '?') {
                ++at_;
                term = node_of(JqNode::Kind::optional, {}, std::move(term));
            } else if (text_[at_] == '[') {
                term = brackets(std::move(term));
            } else if (text_[at_] == '.' && at_ + 1 < text_.size() &&
                       (text_[at_ + 1] == '[' || text_[at_ + 1] == '"' || is_name(text_[at_ + 1]))) {
                ++at_;
                if (text_[at_] != '[') term = node_of(JqNode::Kind::index, {}, std::move(term), member());
            } else {
                break;
            }
        }
        return term;
    }

    JqNodePtr member() {
        if (text_[at_] == '"') return name_literal(string_literal());
        std::size_t end = at_;
        while (end < text_.size() && is_name(text_[end])) ++end;
        JqNodePtr name = name_literal(text_.substr(at_, end - at_));
        at_ = end;
        return name;
    }

    JqNodePtr brackets(JqNodePtr term) {
        expect("[");
        if (take("]")) return node_of(JqNode::Kind::iterate, {}, std::move(term));
        JqNodePtr from = literal({}), to = literal({});
        if (take(":")) {
            to = pipe();
        } else {
            from = pipe();
            if (!take(":")) {
                expect("]");
                return node_of(JqNode::Kind::index, {}, std::move(term), std::move(from));
            }
            skip_space();
            if (at_ < text_.size() && text_[at_] != ']') to = pipe();
        }
        expect("]");
        return node_of(JqNode::Kind::slice, {}, std::move(term), std::move(from), std::move(to));
    }

    JqNodePtr postfix() {
        if (take("-")) return node_of(JqNode::Kind::negate, {}, postfix());
        return suffixes(term());
    }

    JqNodePtr term() {
        skip_space();
        if (at_ >= text_.size()) return complain("unexpected end");
        const char c = text_[at_];
        if (c == '.') return dot();
        if (c == '"') return name_literal(string_literal());
        if (c == '$') return node(JqNode::Kind::variable, variable_name());
        if (c == '(') {
            ++at_;
            JqNodePtr inner = pipe();
            expect(")");
            return inner;
        }
        if (c == '[') {
            ++at_;
            if (take("]")) return node(JqNode::Kind::array);
            JqNodePtr made = node_of(JqNode::Kind::array, {}, pipe());
            expect("]");
            return made;
        }
        if (c == '{') return object();
        if (std::isdigit(static_cast<unsigned char>(c))) return number();
        return word();
    }

    JqNodePtr dot() {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            return node(JqNode::Kind::recurse);
        }
        if (at_ < text_.size() &&
            (text_[at_] == '"' ||
             (is_name(text_[at_]) && !std::isdigit(static_cast<unsigned char>(text_[at_])))))
            return node_of(JqNode::Kind::index, {}, node(JqNode::Kind::identity), member());
        return node(JqNode::Kind::identity);
    }

    JqNodePtr number() {
        double value = 0;
        const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        at_ = static_cast<std::size_t>(result.ptr - text_.data());
        const auto whole = static_cast<std::int64_t>(value);
        return literal(value == static_cast<double>(whole) ? Json(whole) : Json(value));
    }

    std::string string_literal() {
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
        const std::string quoted = text_.substr(at_, end + 1 - at_);
        const Json value = Json::parse(quoted, nullptr, false);
        if (!value.is_string()) {
            complain("malformed text");  // an interpolation \(...) too
            return {};
        }
        at_ = end + 1;
        return value.get<std::string>();
    }

    JqNodePtr object() {
        JqNodePtr made = node(JqNode::Kind::object);
        expect("{");
        if (take("}")) return made;
        do {
            skip_space();
            JqNodePtr key;
            bool alone = false;
            if (take("(")) {
                key = pipe();
                expect(")");
            } else if (at_ < text_.size() && text_[at_] == '"') {
                key = name_literal(string_literal());
                alone = true;
            } else if (at_ < text_.size() && text_[at_] == '$') {
                const std::string name = variable_name();
                made->kids.push_back(name_literal(name));
                made->kids.push_back(node(JqNode::Kind::variable, name));
                continue;
            } else {
                const std::string name = peek_name();
                if (name.empty()) return complain("expected a key");
                at_ += name.size();
                key = name_literal(name);
                alone = true;
            }
            JqNodePtr value;
            if (take(":"))
                value = alternative();
            else if (alone)
                value = node_of(JqNode::Kind::index, {}, node(JqNode::Kind::identity),
                                name_literal(key->value->get<std::string>()));
            else
                return complain("expected \":\"");
            made->kids.push_back(std::move(key));
            made->kids.push_back(std::move(value));
        } while (error_.empty() && take(","));
        expect("}");
        return made;
    }

    JqNodePtr condition() {
        JqNodePtr made = node(JqNode::Kind::condition);
        made->kids.push_back(pipe());
        expect_word("then");
        made->kids.push_back(pipe());
        if (!error_.empty()) return made;
        if (take_word("elif")) {
            made->kids.push_back(condition());
            return made;
        }
        if (take_word("else"))
            made->kids.push_back(pipe());
        else
            made->kids.push_back(node(JqNode::Kind::identity));
        expect_word("end");
        return made;
    }

    JqNodePtr word() {
        const std::string name = peek_name();
        if (name.empty()) return complain("unexpected \"" + text_.substr(at_, 10) + "\"");
        at_ += name.size();
        if (name == "null") return literal({});
        if (name == "true" || name == "false") return literal(name == "true");
        if (name == "if") return condition();
        if (name == "try") {
            JqNodePtr tried = node_of(JqNode::Kind::optional, {}, postfix());
            if (take_word("catch")) tried->kids.push_back(postfix());
            return tried;
        }
        if (name == "reduce") {
            JqNodePtr source = postfix();
            expect_word("as");
            std::string variable = variable_name();
            expect("(");
            JqNodePtr start = pipe();
            expect(";");
            JqNodePtr update = pipe();
            expect(")");
            return node_of(JqNode::Kind::reduce, std::move(variable), std::move(source), std::move(start),
                           std::move(update));
        }
        JqNodePtr call = node(JqNode::Kind::call, name);
        if (take("(")) {
            do call->kids.push_back(pipe());
            while (error_.empty() && take(";"));
            expect(")");
        }
        if (error_.empty() && !jq_knows(name, call->kids.size()))
            return complain("function not defined: " + name + "/" + std::to_string(call->kids.size()));
        return call;
    }

    const std::string& text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::string error_;
};

}  // namespace

Result<JqNodePtr, std::string> parse_jq(const std::string& text) {
    return Parser(text).parse();
}

}  // namespace kubemu::controllers::stages

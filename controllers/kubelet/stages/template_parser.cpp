// Text and actions to a tree (Go's text/template/parse): the lexer of actions and the parser over it in one file, since
// neither is of use alone.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/values/text.h"
#include "controllers/kubelet/stages/template_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

struct Token {
    enum class Kind { end, name, variable, field, text, number, character, symbol } kind = Kind::end;
    std::string text;     // without dollar, dot or quotes
    bool spaced = false;  // a blank comes before it
    Json value;
};

bool is_letter(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool is_name(char c) {
    return is_letter(c) || std::isdigit(static_cast<unsigned char>(c));
}

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}
    // The error is empty when all is well.
    std::string run(std::vector<Token>& tokens) {
        for (;;) {
            const std::size_t before = at_;
            while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
            Token token;
            token.spaced = at_ > before || at_ == 0;
            if (at_ >= text_.size()) {
                tokens.push_back(token);
                return {};
            }
            if (const std::string error = next(token); !error.empty()) return error;
            tokens.push_back(std::move(token));
        }
    }

  private:
    std::string name() {
        std::size_t end = at_;
        while (end < text_.size() && is_name(text_[end])) ++end;
        std::string found(text_.substr(at_, end - at_));
        at_ = end;
        return found;
    }

    std::string next(Token& token) {
        const char c = text_[at_];
        if (c == '"' || c == '`' || c == '\'') return quoted(token, c);
        if (c == '$') {
            ++at_;
            token.kind = Token::Kind::variable;
            token.text = name();
            return {};
        }
        if (c == '.' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1])) {
            ++at_;
            token.kind = Token::Kind::field;
            token.text = name();
            return {};
        }
        if (is_letter(c)) {
            token.kind = Token::Kind::name;
            token.text = name();
            return {};
        }
        const bool sign = (c == '-' || c == '+') && at_ + 1 < text_.size() &&
                          std::isdigit(static_cast<unsigned char>(text_[at_ + 1]));
        if (sign || std::isdigit(static_cast<unsigned char>(c))) return number(token);
        token.kind = Token::Kind::symbol;
        token.text = text_.substr(at_, 2) == ":=" ? ":=" : std::string(1, c);
        if (std::string_view("|().,=:=").find(token.text) == std::string_view::npos)
            return "unexpected " + Json(token.text).dump() + " in an action";
        at_ += token.text.size();
        return {};
    }

    std::string quoted(Token& token, char quote) {
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' && quote != '`' ? 2 : 1;
        if (end >= text_.size()) return "unterminated text";
        const std::string raw(text_.substr(at_ + 1, end - at_ - 1));
        at_ = end + 1;
        token.kind = quote == '\'' ? Token::Kind::character : Token::Kind::text;
        if (quote == '`') {
            token.value = raw;
            return {};
        }
        if (quote == '\'') {
            token.value = raw.size() == 1 ? Json(static_cast<unsigned char>(raw[0])) : Json(raw);
            return {};
        }
        token.value = Json::parse("\"" + raw + "\"", nullptr, false);
        return token.value.is_string() ? std::string() : "malformed text " + Json(raw).dump();
    }

    std::string number(Token& token) {
        std::size_t end = at_ + 1;
        while (end < text_.size() && (is_name(text_[end]) || text_[end] == '.')) ++end;
        std::string digits(text_.substr(at_, end - at_));
        std::erase(digits, '_');
        at_ = end;
        token.kind = Token::Kind::number;
        if (digits[0] == '+') digits.erase(0, 1);
        std::int64_t whole = 0;
        double real = 0;
        const char *first = digits.data(), *last = digits.data() + digits.size();
        if (const auto parsed = std::from_chars(first, last, whole);
            parsed.ec == std::errc() && parsed.ptr == last)
            token.value = whole;
        else if (const auto other = std::from_chars(first, last, real);
                 other.ec == std::errc() && other.ptr == last)
            token.value = real;
        else
            return "bad number " + digits;
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

class Parser {
  public:
    Parser(const std::string& text, const TemplateFunctions& functions)
        : text_(text), functions_(functions) {}

    Result<ParsedTemplate, std::string> parse() {
        ParsedTemplate parsed;
        defined_ = &parsed.defined;
        const std::string end = list(parsed.root, 0);
        if (error_.empty() && !end.empty()) complain("unexpected {{" + end + "}}");
        if (!error_.empty()) return error_;
        return parsed;
    }

  private:
    void complain(const std::string& what) {
        if (!error_.empty()) return;
        const auto lines = std::count(
            text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
        error_ = "template:" + std::to_string(lines + 1) + ": " + what;
    }

    int line() const {
        return 1 + static_cast<int>(
                       std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
    }

    // Nodes up to {{end}}, {{else}} or the end of the text; the word that ended it, with what stands after
    // it.
    std::string list(TemplateList& nodes, int depth) {
        if (depth > 100) {
            complain("too deep");
            return {};
        }
        while (error_.empty()) {
            const std::size_t open = text_.find("{{", at_);
            std::string plain = text_.substr(at_, open == std::string::npos ? std::string::npos : open - at_);
            if (trim_next_) plain.erase(0, std::min(plain.find_first_not_of(" \t\r\n"), plain.size()));
            trim_next_ = false;
            const bool trims = open != std::string::npos && text_.compare(open, 3, "{{-") == 0 &&
                               open + 3 < text_.size() &&
                               std::isspace(static_cast<unsigned char>(text_[open + 3]));
            if (trims) plain.erase(plain.find_last_not_of(" \t\r\n") + 1);
            if (!plain.empty()) {
                TemplateNode node;
                node.text = std::move(plain);
                nodes.push_back(std::move(node));
            }
            if (open == std::string::npos) {
                at_ = text_.size();
                return {};
            }
            const std::string action = read_action(open, trims);
            if (!error_.empty() || action.compare(0, 2, "/*") == 0) continue;
            std::vector<Token> tokens;
            if (const std::string wrong = Lexer(action).run(tokens); !wrong.empty()) {
                complain(wrong);
                break;
            }
            const std::string first = tokens[0].kind == Token::Kind::name ? tokens[0].text : std::string();
            if (first == "end" || first == "else") {
                ending_ = std::move(tokens);
                return first;
            }
            action_node(nodes, std::move(tokens), first, depth);
        }
        return {};
    }

    std::string read_action(std::size_t open, bool trims) {
        const std::size_t begin = open + (trims ? 3 : 2);
        // Quoted texts may contain the closing braces.
        char quote = 0;
        std::size_t end = begin;
        const std::size_t comment = text_.find_first_not_of(" \t\r\n", begin);
        if (comment != std::string::npos && text_.compare(comment, 2, "/*") == 0) {
            end = text_.find("*/", comment);
            if (end == std::string::npos) {
                complain("unclosed comment");
                return {};
            }
        }
        for (; end < text_.size(); ++end) {
            const char c = text_[end];
            if (quote != 0) {
                if (c == '\\' && quote != '`')
                    ++end;
                else if (c == quote)
                    quote = 0;
            } else if (c == '"' || c == '`') {
                quote = c;
            } else if (text_.compare(end, 2, "}}") == 0) {
                break;
            }
        }
        if (end >= text_.size()) {
            complain("unclosed action");
            return {};
        }
        std::string action = text_.substr(begin, end - begin);
        at_ = end + 2;
        if (action.size() > 1 && action.back() == '-' &&
            std::isspace(static_cast<unsigned char>(action[action.size() - 2]))) {
            trim_next_ = true;
            action.pop_back();
        }
        return std::string(api::trim(action));
    }

    void action_node(TemplateList& nodes, std::vector<Token> tokens, const std::string& word, int depth) {
        TemplateNode node;
        node.line = line();
        tokens_ = std::move(tokens);
        place_ = 0;
        if (word == "if" || word == "with" || word == "range") {
            node.kind = word == "if"     ? TemplateNode::Kind::condition
                        : word == "with" ? TemplateNode::Kind::with
                                         : TemplateNode::Kind::range;
            ++place_;
            node.pipeline = pipeline(word == "range");
            finish();
            branches(node, word, depth);
        } else if (word == "define" || word == "block") {
            ++place_;
            const std::string name = tokens_[place_].kind == Token::Kind::text
                                         ? tokens_[place_].value.get<std::string>()
                                         : std::string();
            if (name.empty()) return complain("expected the name of a template");
            ++place_;
            if (word == "block") node.pipeline = pipeline(false);
            finish();
            TemplateList body;
            if (list(body, depth + 1) != "end") return complain("{{" + word + "}} without {{end}}");
            (*defined_)[name] = std::move(body);
            if (word == "define") return;
            node.kind = TemplateNode::Kind::call;
            node.text = name;
        } else if (word == "template") {
            ++place_;
            node.kind = TemplateNode::Kind::call;
            if (tokens_[place_].kind != Token::Kind::text) return complain("expected the name of a template");
            node.text = tokens_[place_++].value.get<std::string>();
            if (tokens_[place_].kind != Token::Kind::end) node.pipeline = pipeline(false);
            finish();
        } else if (word == "break" || word == "continue") {
            node.kind = word == "break" ? TemplateNode::Kind::leave : TemplateNode::Kind::skip;
        } else {
            node.kind = TemplateNode::Kind::print;
            node.pipeline = pipeline(false);
            finish();
        }
        nodes.push_back(std::move(node));
    }

    // The bodies of if, with and range; "else if" is an if within the else, which ends with it.
    void branches(TemplateNode& node, const std::string& word, int depth) {
        std::string end = list(node.body, depth + 1);
        if (end == "else" && error_.empty()) {
            if (ending_.size() > 1 && ending_[1].kind == Token::Kind::name) {
                std::vector<Token> rest(ending_.begin() + 1, ending_.end());
                const std::string inner = rest[0].text;
                if (inner != "if" && inner != "with") return complain("unexpected {{else " + inner + "}}");
                return action_node(node.otherwise, std::move(rest), inner, depth + 1);
            }
            end = list(node.otherwise, depth + 1);
        }
        if (end != "end") complain("{{" + word + "}} without {{end}}");
    }

    const Token& token() const { return tokens_[place_]; }
    bool is_symbol(std::string_view symbol) const {
        return token().kind == Token::Kind::symbol && token().text == symbol;
    }
    void finish() {
        if (token().kind != Token::Kind::end)
            complain("unexpected " + (token().text.empty() ? token().value.dump() : token().text));
    }

    TemplatePipeline pipeline(bool in_range) {
        TemplatePipeline made;
        const std::size_t start = place_;
        if (token().kind == Token::Kind::variable) {
            made.variables.push_back(token().text);
            ++place_;
            if (in_range && is_symbol(",")) {
                ++place_;
                made.variables.push_back(token().text);
                ++place_;
            }
            if (is_symbol(":=") || is_symbol("=")) {
                made.assigns = is_symbol("=");
                ++place_;
            } else {
                made.variables.clear();
                place_ = start;
            }
        }
        do {
            if (is_symbol("|")) ++place_;
            made.commands.push_back(command());
        } while (error_.empty() && is_symbol("|"));
        return made;
    }

    TemplateCommand command() {
        TemplateCommand made;
        while (error_.empty() && token().kind != Token::Kind::end && !is_symbol("|") && !is_symbol(")"))
            made.push_back(operand());
        if (error_.empty() && made.empty()) complain("missing value for command");
        return made;
    }

    TemplateOperand operand() {
        TemplateOperand made;
        const Token& first = token();
        switch (first.kind) {
            case Token::Kind::field:
                made.fields.push_back(first.text);
                break;
            case Token::Kind::variable:
                made.kind = TemplateOperand::Kind::variable;
                made.name = first.text;
                break;
            case Token::Kind::text:
            case Token::Kind::number:
            case Token::Kind::character:
                made.kind = TemplateOperand::Kind::literal;
                made.value = std::make_shared<const Json>(first.value);
                break;
            case Token::Kind::name:
                named(made, first.text);
                break;
            case Token::Kind::symbol:
                if (first.text == "(") {
                    ++place_;
                    made.kind = TemplateOperand::Kind::pipeline;
                    made.inner = std::make_unique<TemplatePipeline>(pipeline(false));
                    if (!is_symbol(")")) complain("unclosed parenthesis");
                } else if (first.text != ".") {
                    complain("unexpected " + first.text);
                }
                break;
            case Token::Kind::end:
                complain("unexpected end");
                break;
        }
        if (!error_.empty()) return made;
        ++place_;
        while (token().kind == Token::Kind::field && !token().spaced)
            made.fields.push_back(tokens_[place_++].text);
        return made;
    }

    void named(TemplateOperand& made, const std::string& name) {
        made.kind = TemplateOperand::Kind::literal;
        if (name == "true" || name == "false") {
            made.value = std::make_shared<const Json>(name == "true");
        } else if (name != "nil") {
            made.kind = TemplateOperand::Kind::function;
            made.name = name;
            if (name != "and" && name != "or" && ordinary_function(name) == nullptr &&
                functions_.find(name) == functions_.end())
                complain("function " + Json(name).dump() + " not defined");
        }
    }

    const std::string& text_;
    const TemplateFunctions& functions_;
    std::map<std::string, TemplateList, std::less<>>* defined_ = nullptr;
    std::size_t at_ = 0;
    bool trim_next_ = false;
    std::vector<Token> tokens_, ending_;
    std::size_t place_ = 0;
    std::string error_;
};

}  // namespace

Result<ParsedTemplate, std::string> parse_template(const std::string& text,
                                                   const TemplateFunctions& functions) {
    return Parser(text, functions).parse();
}

}  // namespace kubemu::controllers::stages

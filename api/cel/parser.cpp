// The grammar of CEL, by precedence climbing, and its macros.
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "api/cel/expression.h"
#include "api/cel/lexer.h"
#include "api/values/text.h"

namespace kubemu::api::cel {
namespace {

using Kind = Expression::Kind;
constexpr int depth_max = 250;

int precedence_of(const Token& token) {
    if (token.kind == Token::Kind::identifier) return token.text == "in" ? 3 : 0;
    if (token.kind != Token::Kind::symbol) return 0;
    if (token.text == "||") return 1;
    if (token.text == "&&") return 2;
    if (token.text == "==" || token.text == "!=" || token.text == "<" || token.text == "<=" || token.text == ">" || token.text == ">=") return 3;
    if (token.text == "+" || token.text == "-") return 4;
    if (token.text == "*" || token.text == "/" || token.text == "%") return 5;
    return 0;
}

struct MacroForm {
    std::string_view name;
    std::size_t arguments;  // beside the range
    std::size_t variables;
};
constexpr MacroForm macros[] = {{"all", 2, 1},           {"exists", 2, 1},        {"exists_one", 2, 1},   {"existsOne", 2, 1},
                                {"map", 2, 1},           {"map", 3, 1},           {"filter", 2, 1},       {"optMap", 2, 1},
                                {"optFlatMap", 2, 1},    {"all", 3, 2},           {"exists", 3, 2},       {"existsOne", 3, 2},
                                {"exists_one", 3, 2},    {"transformList", 3, 2}, {"transformList", 4, 2}, {"transformMap", 3, 2},
                                {"transformMap", 4, 2},  {"transformMapEntry", 3, 2}, {"transformMapEntry", 4, 2},
                                {"sortBy", 2, 1}};

class Parser {
  public:
    Parser(const std::string& source, std::vector<Token> tokens) : source_(source), tokens_(std::move(tokens)) {}

    Expression run() {
        Expression root = ternary();
        if (issues_.empty() && now().kind != Token::Kind::end) unexpected("<EOF>");
        return root;
    }
    // What was wrong and could be put right, and what ended the work, if anything did.
    std::vector<Issue> issues() const {
        std::vector<Issue> all = repaired_;
        all.insert(all.end(), issues_.begin(), issues_.end());
        return all;
    }

  private:
    const Token& now() const { return tokens_[at_]; }
    bool next_is(std::string_view text) const { return now().kind == Token::Kind::symbol && now().text == text; }
    bool take(std::string_view text) {
        if (!next_is(text)) return false;
        ++at_;
        return true;
    }
    void expect(std::string_view text) {
        if (!take(text)) unexpected(text);
    }
    std::string shown(const Token& token) const {
        return token.kind == Token::Kind::end ? "<EOF>" : source_.substr(token.offset, token.length);
    }
    void complain(std::string_view what, std::string_view wanted) {
        if (!issues_.empty()) return;
        issues_.push_back({now().offset, "Syntax error: " + std::string(what) + " input '" + shown(now()) + "' expecting " +
                                             std::string(wanted)});
    }
    // Goes on as if what was complained of were right.
    void repair() {
        repaired_.push_back(std::move(issues_.back()));
        issues_.clear();
    }
    // Another token than `wanted`, in ANTLR's words: it is too many when the next one fits, or `wanted` is missing at
    // the end.
    void unexpected(std::string_view wanted) {
        const bool end = now().kind == Token::Kind::end;
        const std::string quoted = wanted == "<EOF>" ? "<EOF>" : "'" + std::string(wanted) + "'";
        const Token* next = end ? nullptr : &tokens_[at_ + 1];
        const bool fits = next != nullptr && (next->kind == Token::Kind::end ? wanted == "<EOF>" : next->text == wanted);
        if (end && (wanted == ")" || (wanted == "]" && !in_list_))) {
            return fail(now().offset, "Syntax error: missing " + quoted + " at '<EOF>'");
        }
        if (!fits && wanted == ":" && begins_operand(now()) && issues_.empty()) {
            fail(now().offset, "Syntax error: missing ':' at '" + shown(now()) + "'");
            return repair();
        }
        const bool many = wanted == "}" || (wanted == "]" && in_list_);
        const bool first = issues_.empty();
        complain(fits ? "extraneous" : "mismatched", many ? "{" + quoted + ", ','}" : quoted);
        if (!fits || !first) return;
        repair();
        at_ += wanted == "<EOF>" ? 1 : 2;
    }
    static bool begins_operand(const Token& token) {
        if (token.kind == Token::Kind::end) return false;
        if (token.kind != Token::Kind::symbol) return token.kind != Token::Kind::identifier || token.text != "in";
        return token.text == "(" || token.text == "[" || token.text == "{" || token.text == "." || token.text == "-" ||
               token.text == "!";
    }
    // No operand where there must be one. True when there is one behind what does not belong there.
    bool no_operand() {
        const bool end = now().kind == Token::Kind::end, first = issues_.empty();
        const Token* next = end ? nullptr : &tokens_[at_ + 1];
        const bool closes = after_call_ && next != nullptr && next->kind == Token::Kind::symbol && next->text == ")";
        const bool too_many = end ? after_sign_ : begins_operand(*next) || closes;
        std::string wanted = "{'[', '{', '(', ";
        wanted += after_call_ ? "')', " : "";
        wanted += "'.', '-', '!', ";
        wanted += after_bracket_ ? "'?', " : "";
        complain(too_many ? "extraneous" : "mismatched",
                 wanted + "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}");
        if (!first || end || closes || !too_many) return false;
        repair();
        ++at_;
        return true;
    }
    // Behind a dot. False when there is another thing, which is then complained of.
    bool is_member_name() {
        const Token& token = now();
        if (token.kind == Token::Kind::symbol && token.text[0] == '`') {
            fail(token.offset, "unsupported syntax: '`'");
            return false;
        }
        if (token.kind != Token::Kind::identifier) {
            no_name();
            return false;
        }
        const bool reserved = token.text == "true" || token.text == "false" || token.text == "null" || token.text == "in";
        if (reserved) complain("mismatched", "IDENTIFIER");
        return !reserved;
    }
    void no_name() {
        if (now().kind == Token::Kind::end) return fail(now().offset, "Syntax error: no viable alternative at input '.'");
        fail(now().offset, "Syntax error: no viable alternative at input '." + shown(now()) + "'");
    }
    void fail(std::size_t offset, std::string message) {
        if (issues_.empty()) issues_.push_back({offset, std::move(message)});
    }

    static Expression make(Kind kind, std::size_t offset, std::string name = {}) {
        Expression made;
        made.kind = kind;
        made.offset = offset;
        made.name = std::move(name);
        return made;
    }

    Expression ternary() {
        if (++depth_ > depth_max) fail(now().offset, "expression recursion limit exceeded: " + std::to_string(depth_max));
        Expression condition = binary(1);
        if (issues_.empty() && next_is("?")) {
            Expression made = make(Kind::call, now().offset, "_?_:_");
            ++at_;
            made.args.push_back(std::move(condition));
            made.args.push_back(binary(1));
            expect(":");
            made.args.push_back(ternary());
            condition = std::move(made);
        }
        --depth_;
        return condition;
    }

    Expression binary(int least) {
        Expression left = unary();
        while (issues_.empty()) {
            const int precedence = precedence_of(now());
            if (precedence == 0 || precedence < least) return left;
            const Token operation = now();
            ++at_;
            const std::string name = operation.text == "in" ? "@in" : "_" + operation.text + "_";
            Expression made = make(Kind::call, operation.offset, name);
            made.args.push_back(std::move(left));
            made.args.push_back(binary(precedence + 1));
            left = std::move(made);
        }
        return left;
    }

    Expression unary() {
        if (next_is("!") || next_is("-")) {
            const Token operation = now();
            std::size_t count = 0;
            while (take(operation.text)) ++count;
            after_call_ = after_bracket_ = false;
            after_sign_ = true;
            const bool numeric = now().kind == Token::Kind::integer || now().kind == Token::Kind::real;
            if (operation.text == "-" && count % 2 == 1 && numeric) return member(number(operation.offset, true));
            if (++depth_ > depth_max) fail(now().offset, "expression recursion limit exceeded: " + std::to_string(depth_max));
            Expression operand = unary();
            --depth_;
            if (count % 2 == 0) return operand;
            Expression made = make(Kind::call, operation.offset, operation.text == "!" ? "!_" : "-_");
            made.args.push_back(std::move(operand));
            return made;
        }
        return member(primary());
    }

    Expression number(std::size_t offset, bool negative) {
        const Token token = now();
        ++at_;
        Expression made = make(Kind::literal, offset);
        if (token.kind == Token::Kind::real) {
            const double value = std::strtod(token.text.c_str(), nullptr);
            made.literal = Value::of(negative ? -value : value);
            return made;
        }
        const bool hex = token.text.substr(0, 2) == "0x";
        const std::string digits = hex ? token.text.substr(2) : token.text;
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
        const std::uint64_t most = token.kind == Token::Kind::unsigned_integer ? UINT64_MAX : static_cast<std::uint64_t>(INT64_MAX) + (negative ? 1 : 0);
        if (error != std::errc() || value > most) fail(token.offset, token.kind == Token::Kind::integer ? "invalid int literal" : "invalid uint literal");
        if (token.kind == Token::Kind::unsigned_integer) made.literal = Value::of(value);
        else made.literal = Value::of(static_cast<std::int64_t>(negative ? 0 - value : value));
        return made;
    }

    Expression member(Expression operand) {
        while (issues_.empty()) {
            const std::size_t offset = now().offset;
            if (next_is(".") || next_is(".?")) {
                const bool optional = now().text == ".?";
                ++at_;
                if (!is_member_name()) return operand;
                const std::string name = now().text;
                ++at_;
                if (!optional && next_is("(")) {
                    operand = method(std::move(operand), name);
                    continue;
                }
                Expression made = make(Kind::select, offset, name);
                made.optional = optional;
                made.args.push_back(std::move(operand));
                operand = std::move(made);
            } else if (next_is("[") || next_is("[?")) {
                Expression made = make(Kind::call, offset, now().text == "[" ? "_[_]" : "_[?_]");
                ++at_;
                made.args.push_back(std::move(operand));
                after_bracket_ = made.name == "_[_]";
                made.args.push_back(ternary());
                expect("]");
                operand = std::move(made);
            } else if ((next_is("{") || next_is("{?")) && !dotted(operand).empty()) {
                operand = message(dotted(operand));
            } else {
                return operand;
            }
        }
        return operand;
    }

    // "a.b" of a chain of names; empty for anything else.
    static std::string dotted(const Expression& e) {
        if (e.kind == Kind::identifier) return e.name;
        if (e.kind != Kind::select || e.optional) return {};
        const std::string left = dotted(e.args[0]);
        return left.empty() ? left : left + "." + e.name;
    }

    // An object stands where its brace opens, a field of it where its colon is.
    Expression message(std::string type) {
        Expression made = make(Kind::message, now().offset, std::move(type));
        bool mark = take("{?");
        if (!mark) expect("{");
        while (issues_.empty() && (mark || !next_is("}"))) {
            mark = take("?") || mark;
            if (now().kind != Token::Kind::identifier) {
                const bool first = made.fields.empty() && !mark;
                complain("mismatched", mark ? "{IDENTIFIER, ESC_IDENTIFIER}" : first ? "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"
                                                                                    : "{'}', '?', IDENTIFIER, ESC_IDENTIFIER}");
                break;
            }
            made.fields.push_back(now().text);
            ++at_;
            made.field_offsets.push_back(now().offset);
            expect(":");
            made.args.push_back(ternary());
            made.marks.push_back(mark);
            mark = false;
            if (!take(",")) break;
        }
        expect("}");
        return made;
    }

    std::vector<Expression> arguments() {
        std::vector<Expression> out;
        expect("(");
        if (take(")")) return out;
        after_call_ = true;
        do out.push_back(ternary());
        while (issues_.empty() && take(","));
        expect(")");
        return out;
    }

    // A call stands where its parenthesis opens.
    Expression method(Expression operand, const std::string& name) {
        const std::size_t offset = now().offset;
        std::vector<Expression> given = arguments();
        // ip.isCanonical and the like are functions whose names have a dot.
        const bool space = operand.kind == Kind::identifier && (operand.name == "ip" || operand.name == "format" || operand.name == "optional" ||
                                                                operand.name == "sets" || operand.name == "strings" || operand.name == "lists" ||
                                                                operand.name == "jsonpatch");
        if (space) {
            Expression made = make(Kind::call, offset, operand.name + "." + name);
            made.args = std::move(given);
            return made;
        }
        for (const MacroForm& form : macros) {
            if (form.name == name && form.arguments == given.size()) return macro(form, std::move(operand), std::move(given), offset);
        }
        Expression made = make(Kind::call, offset, name);
        made.method = true;
        made.args.push_back(std::move(operand));
        for (Expression& argument : given) made.args.push_back(std::move(argument));
        return made;
    }

    Expression macro(const MacroForm& form, Expression range, std::vector<Expression> given, std::size_t offset) {
        Expression made = make(Kind::macro, offset, std::string(form.name == "exists_one" ? "existsOne" : form.name));
        made.args.push_back(std::move(range));
        for (std::size_t i = 0; i < form.variables; ++i) {
            if (given[i].kind != Kind::identifier) fail(given[i].offset, "argument must be a simple name");
            (i == 0 ? made.variable : made.variable2) = given[i].name;
        }
        for (std::size_t i = form.variables; i < given.size(); ++i) made.args.push_back(std::move(given[i]));
        return made;
    }

    Expression primary() {
        const Token token = now();
        if (begins_operand(token)) after_call_ = after_bracket_ = after_sign_ = false;
        switch (token.kind) {
            case Token::Kind::integer:
            case Token::Kind::unsigned_integer:
            case Token::Kind::real:
                return number(token.offset, false);
            case Token::Kind::string:
            case Token::Kind::bytes: {
                ++at_;
                Expression made = make(Kind::literal, token.offset);
                made.literal = token.kind == Token::Kind::string ? Value::of(token.text) : Value::of_bytes(token.text);
                return made;
            }
            case Token::Kind::identifier:
                if (token.text == "in") break;
                return named();
            case Token::Kind::symbol:
                if (take("(")) {
                    Expression inner = ternary();
                    expect(")");
                    return inner;
                }
                if (next_is("[") || next_is("[?")) return list();
                if (next_is("{") || next_is("{?")) return map();
                if (next_is(".")) {
                    ++at_;
                    return named();
                }
                break;
            case Token::Kind::end:
                break;
        }
        if (no_operand()) return primary();
        return make(Kind::literal, token.offset);
    }

    Expression named() {
        const Token token = now();
        if (token.kind != Token::Kind::identifier) {
            no_name();
            return make(Kind::literal, token.offset);
        }
        ++at_;
        Expression literal = make(Kind::literal, token.offset);
        if (token.text == "true" || token.text == "false") {
            literal.literal = Value::of(token.text == "true");
            return literal;
        }
        if (token.text == "null") return literal;
        if (is_reserved(token.text)) fail(token.offset, "reserved identifier: " + token.text);
        if (!next_is("(")) return make(Kind::identifier, token.offset, token.text);
        const std::size_t opened = now().offset;
        std::vector<Expression> given = arguments();
        if (token.text == "has" && given.size() == 1) {
            if (given[0].kind != Kind::select) {
                fail(given[0].offset, "invalid argument to has() macro");
                return literal;
            }
            given[0].kind = Kind::has;
            given[0].offset = opened;
            return std::move(given[0]);
        }
        Expression made = make(Kind::call, opened, token.text);
        made.args = std::move(given);
        return made;
    }

    Expression list() {
        Expression made = make(Kind::list, now().offset);
        bool mark = take("[?");
        if (!mark) expect("[");
        bool after_comma = !mark && next_is(",");
        if (after_comma) ++at_;
        while (issues_.empty() && !next_is("]") && !(after_comma && !begins_operand(now()) && !next_is("?"))) {
            mark = take("?") || mark;
            made.args.push_back(ternary());
            made.marks.push_back(mark);
            mark = false;
            after_comma = take(",");
            if (!after_comma) break;
        }
        in_list_ = !after_comma;
        expect("]");
        in_list_ = false;
        return made;
    }

    Expression map() {
        Expression made = make(Kind::map, now().offset);
        bool mark = take("{?");
        if (!mark) expect("{");
        if (next_is(",") && tokens_[at_ + 1].text == "}") ++at_;
        while (issues_.empty() && !next_is("}")) {
            mark = take("?") || mark;
            made.args.push_back(ternary());
            expect(":");
            made.args.push_back(ternary());
            made.marks.push_back(mark);
            mark = false;
            if (!take(",")) break;
        }
        expect("}");
        return made;
    }

    const std::string& source_;
    std::vector<Token> tokens_;
    std::vector<Issue> issues_, repaired_;
    std::size_t at_ = 0;
    int depth_ = 0;
    // For the words of complaints: whether the last token was the '(' of a call, the '[' of an index, a sign; and whether
    // a list is to end.
    bool after_call_ = false, after_bracket_ = false, after_sign_ = false, in_list_ = false;
};

}  // namespace

std::unique_ptr<Expression> parse(const std::string& source, std::vector<Issue>& issues) {
    std::vector<Issue> all;
    Parser parser(source, tokenize(source, all));
    Expression root = parser.run();
    for (Issue& issue : parser.issues()) all.push_back(std::move(issue));
    if (all.empty()) return std::make_unique<Expression>(std::move(root));
    std::stable_sort(all.begin(), all.end(), [](const Issue& a, const Issue& b) { return a.offset < b.offset; });
    issues.insert(issues.end(), all.begin(), all.end());
    return nullptr;
}

std::string print_issues(const std::string& source, const std::vector<Issue>& issues) {
    // Nothing has no column, nor a line to show.
    if (source.empty() && !issues.empty()) return "ERROR: <input>:1:0: " + issues[0].message;
    std::string out;
    for (const Issue& issue : issues) {
        std::size_t line = 1, begin = 0;
        for (std::size_t i = 0; i < issue.offset && i < source.size(); ++i) {
            if (source[i] != '\n') continue;
            ++line;
            begin = i + 1;
        }
        std::string text = source.substr(begin, source.find('\n', begin) - begin);
        const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
        const auto is_wide = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
        std::size_t column = 0;
        std::string dots;
        for (std::size_t i = begin; i < issue.offset; ++i) {
            if (i < source.size() && !starts_character(source[i])) continue;
            ++column;
            dots += i < source.size() && is_wide(source[i]) ? "\xef\xbc\x8e" : ".";  // FULLWIDTH FULL STOP
        }
        const char* const mark = issue.offset < source.size() && is_wide(source[issue.offset]) ? "\xef\xbc\xbe" : "^";
        if (!out.empty()) out += '\n';
        out += "ERROR: <input>:" + std::to_string(line) + ":" + std::to_string(column + 1) + ": " + issue.message + "\n | " + text + "\n | " +
               dots + mark;
    }
    return out;
}

}  // namespace kubemu::api::cel

// One pass over the script: a tokenizer, and a recursive descent that emits instructions.
#include "controllers/kubelet/shell_parser.h"

#include <algorithm>
#include <cctype>

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr int depth_max = 60;
constexpr std::size_t script_bytes_max = 64 * 1024;

struct Token {
    enum class Kind { word, op, newline, redirect, end } kind = Kind::end;
    std::string text;  // of a word: raw, with its quotes
    Redirect redirect;
};

class Lexer {
  public:
    explicit Lexer(std::string_view text) : text_(text) {}

    std::vector<Token> run() {
        while (at_ < text_.size()) step();
        tokens_.push_back({Token::Kind::end, "", {}});
        return std::move(tokens_);
    }

  private:
    char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

    void step() {
        const char c = peek();
        if (c == ' ' || c == '\t' || c == '\r') {
            ++at_;
        } else if (c == '\\' && peek(1) == '\n') {
            at_ += 2;
        } else if (c == '#') {
            while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        } else if (c == '\n') {
            ++at_;
            tokens_.push_back({Token::Kind::newline, "\n", {}});
            read_here_documents();
        } else if (c == '>' || c == '<' || (c == '&' && peek(1) == '>') || (std::isdigit(c) && (peek(1) == '>' || peek(1) == '<'))) {
            redirect();
        } else if (c == ';' || c == '&' || c == '|' || c == '(' || c == ')') {
            const bool twice = peek(1) == c && c != '(' && c != ')';
            tokens_.push_back({Token::Kind::op, std::string(twice ? 2 : 1, c), {}});
            at_ += twice ? 2 : 1;
        } else {
            const std::size_t start = at_;
            if (!tokens_.empty() && tokens_.back().kind == Token::Kind::word && tokens_.back().text == "=~")
                skip_pattern();
            else skip_word();
            const std::string_view word = text_.substr(start, at_ - start);
            if (peek() == '(' && word.size() > 1 && word.back() == '=' &&
                is_name(word.substr(0, word.size() - 1)))
                skip_list();
            tokens_.push_back({Token::Kind::word, std::string(text_.substr(start, at_ - start)), {}});
        }
    }

    static bool is_name(std::string_view text) {
        return !std::isdigit(static_cast<unsigned char>(text[0])) &&
               std::all_of(text.begin(), text.end(),
                           [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    }

    // The right side of =~, in which parentheses are part of the pattern.
    void skip_pattern() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) == 0) skip_unit();
    }

    // The words of an array: name=(one two).
    void skip_list() {
        ++at_;
        while (at_ < text_.size() && text_[at_] != ')') skip_unit();
        at_ = std::min(at_ + 1, text_.size());
    }

    void redirect() {
        Redirect redirect;
        bool both = false;
        if (peek() == '&') both = true, ++at_;
        if (std::isdigit(static_cast<unsigned char>(peek()))) redirect.descriptor = text_[at_++] - '0';
        else redirect.descriptor = peek() == '<' ? 0 : 1;
        const bool input = peek() == '<';
        ++at_;
        if (input && peek() == '<') {
            ++at_;
            const bool strip = peek() == '-';
            if (strip) ++at_;
            redirect.kind = Redirect::Kind::text;
            while (peek() == ' ') ++at_;
            const std::size_t start = at_;
            skip_word();
            std::string mark(text_.substr(start, at_ - start));
            redirect.literal = mark.find_first_of("'\"\\") != std::string::npos;
            mark.erase(std::remove_if(mark.begin(), mark.end(), [](char c) { return c == '\'' || c == '"' || c == '\\'; }), mark.end());
            here_.push_back({tokens_.size(), mark, strip});
            tokens_.push_back({Token::Kind::redirect, "", redirect});
            return;
        }
        if (!input && peek() == '>') redirect.kind = Redirect::Kind::append, ++at_;
        else redirect.kind = input ? Redirect::Kind::read : Redirect::Kind::write;
        if (!input && peek() == '&') redirect.kind = Redirect::Kind::to_stdout, ++at_;
        while (peek() == ' ') ++at_;
        const std::size_t start = at_;
        skip_word();
        redirect.word = text_.substr(start, at_ - start);
        tokens_.push_back({Token::Kind::redirect, "", redirect});
        if (both) {
            Redirect errors;
            errors.kind = Redirect::Kind::to_stdout;
            errors.descriptor = 2;
            errors.word = "1";
            tokens_.push_back({Token::Kind::redirect, "", errors});
        }
    }

    void read_here_documents() {
        for (const Here& here : here_) {
            std::string body;
            while (at_ < text_.size()) {
                const auto end = std::min(text_.find('\n', at_), text_.size());
                std::string_view line = text_.substr(at_, end - at_);
                at_ = std::min(end + 1, text_.size());
                while (here.strip && !line.empty() && line[0] == '\t') line.remove_prefix(1);
                if (line == here.mark) break;
                body += std::string(line) + "\n";
            }
            tokens_[here.token].redirect.word = body;
        }
        here_.clear();
    }

    void skip_word() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (std::isspace(static_cast<unsigned char>(c)) || c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>') return;
            skip_unit();
        }
    }

    // One character, or a quoted or substituted part as a whole.
    void skip_unit() {
        const char c = text_[at_++];
        if (c == '\\') {
            ++at_;
        } else if (c == '\'') {
            at_ = std::min(text_.find('\'', at_), text_.size()) + 1;
        } else if (c == '"') {
            while (at_ < text_.size() && text_[at_] != '"') skip_unit();
            ++at_;
        } else if (c == '`') {
            at_ = std::min(text_.find('`', at_), text_.size()) + 1;
        } else if (c == '$' && (peek() == '(' || peek() == '{')) {
            const char open = text_[at_++], close = open == '(' ? ')' : '}';
            int depth = 1;
            while (at_ < text_.size() && depth > 0) {
                if (text_[at_] == open) ++depth, ++at_;
                else if (text_[at_] == close) --depth, ++at_;
                else skip_unit();
            }
        }
        at_ = std::min(at_, text_.size());
    }

    struct Here {
        std::size_t token;
        std::string mark;
        bool strip;
    };
    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
    std::vector<Here> here_;
};

class Parser {
  public:
    explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)), program_(std::make_shared<Program>()) {}

    std::shared_ptr<const Program> run() {
        list({});
        if (program_->error.empty() && tokens_[at_].kind != Token::Kind::end) fail();
        return program_;
    }

  private:
    using Op = Instruction::Op;
    using Words = std::vector<std::string_view>;

    const Token& token() const { return tokens_[at_]; }
    bool is_op(std::string_view text) const { return token().kind == Token::Kind::op && token().text == text; }
    bool is_word(std::string_view text) const { return token().kind == Token::Kind::word && token().text == text; }
    bool failed() const { return !program_->error.empty(); }
    void fail() {
        if (program_->error.empty()) program_->error = "syntax error: unexpected \"" + (token().text.empty() ? std::string("end of file") : token().text) + "\"";
        at_ = tokens_.size() - 1;
    }
    void expect_word(std::string_view text) {
        if (is_word(text)) ++at_;
        else fail();
    }
    std::size_t emit(Op op) {
        Instruction instruction;
        instruction.op = op;
        program_->code.push_back(std::move(instruction));
        return program_->code.size() - 1;
    }
    std::size_t here() const { return program_->code.size(); }
    void aim(std::size_t instruction) { program_->code[instruction].target = here(); }
    void skip_lines() {
        while (token().kind == Token::Kind::newline || is_op(";")) ++at_;
    }

    // Commands up to one of these reserved words, a closing parenthesis or ";;".
    void list(const Words& ends) {
        if (++depth_ > depth_max) fail();
        for (skip_lines(); !failed() && token().kind != Token::Kind::end; skip_lines()) {
            if (is_op(")") || is_op(";;")) break;
            if (token().kind == Token::Kind::word && std::find(ends.begin(), ends.end(), token().text) != ends.end()) break;
            and_or();
            if (is_op("&") || is_op(";")) ++at_;
            else if (token().kind != Token::Kind::newline) break;
        }
        --depth_;
    }

    void and_or() {
        const std::size_t start = here();
        pipeline();
        while (!failed() && (is_op("&&") || is_op("||"))) {
            const std::size_t skip = emit(token().text == "&&" ? Op::jump_if_fail : Op::jump_if_ok);
            ++at_;
            while (token().kind == Token::Kind::newline) ++at_;
            pipeline();
            aim(skip);
        }
        // A background job takes no time of its own.
        if (is_op("&"))
            for (std::size_t i = start; i < here(); ++i) program_->code[i].background = true;
    }

    void pipeline() {
        bool negate = false;
        while (is_word("!")) negate = !negate, ++at_;
        const std::size_t first = here();
        const int slots = program_->slots;
        command();
        if (is_op("|")) {
            std::vector<std::shared_ptr<const Program>> stages = {cut(first, slots)};
            while (!failed() && is_op("|")) {
                ++at_;
                while (token().kind == Token::Kind::newline) ++at_;
                const std::size_t start = here();
                command();
                stages.push_back(cut(start, program_->slots));
            }
            program_->code[emit(Op::pipeline)].stages = std::move(stages);
        }
        if (negate) emit(Op::negate);
    }

    // Takes the instructions from `start` out as a program of their own.
    std::shared_ptr<const Program> cut(std::size_t start, int) {
        auto part = std::make_shared<Program>();
        part->slots = program_->slots;
        part->code.assign(program_->code.begin() + static_cast<std::ptrdiff_t>(start), program_->code.end());
        program_->code.resize(start);
        for (Instruction& instruction : part->code) instruction.target -= std::min(instruction.target, start);
        return part;
    }

    void command() {
        if (++depth_ > depth_max) fail();
        const std::size_t start = here();
        bool compound = true;
        if (is_op("(")) {
            ++at_;
            const std::size_t body = here();
            list({});
            if (is_op(")")) ++at_;
            else fail();
            auto part = cut(body, 0);
            program_->code[emit(Op::subshell)].stages = {std::move(part)};
        } else if (is_word("{")) {
            ++at_;
            list({"}"});
            expect_word("}");
        } else if (is_word("if")) {
            if_command();
        } else if (is_word("while") || is_word("until")) {
            loop();
        } else if (is_word("for")) {
            for_loop();
        } else if (is_word("case")) {
            case_command();
        } else {
            compound = false;
            simple();
        }
        if (compound && token().kind == Token::Kind::redirect) {
            Instruction open;
            open.op = Op::redirect;
            while (token().kind == Token::Kind::redirect) open.redirects.push_back(tokens_[at_++].redirect);
            program_->code.insert(program_->code.begin() + static_cast<std::ptrdiff_t>(start), std::move(open));
            for (std::size_t i = start + 1; i < here(); ++i)
                if (program_->code[i].target >= start) ++program_->code[i].target;
            emit(Op::end_redirect);
        }
        --depth_;
    }

    void if_command() {
        std::vector<std::size_t> ends;
        ++at_;
        list({"then"});
        expect_word("then");
        std::size_t skip = emit(Op::jump_if_fail);
        list({"elif", "else", "fi"});
        while (!failed() && is_word("elif")) {
            ends.push_back(emit(Op::jump));
            aim(skip);
            ++at_;
            list({"then"});
            expect_word("then");
            skip = emit(Op::jump_if_fail);
            list({"elif", "else", "fi"});
        }
        ends.push_back(emit(Op::jump));
        aim(skip);
        if (is_word("else")) {
            ++at_;
            list({"fi"});
        } else {
            emit(Op::set_ok);
        }
        expect_word("fi");
        for (const std::size_t end : ends) aim(end);
    }

    void body(std::size_t start) {
        loops_.push_back({});
        expect_word("do");
        list({"done"});
        expect_word("done");
        const std::size_t next = emit(Op::jump);
        program_->code[next].target = start;
        for (const auto& [instruction, is_break] : loops_.back())
            program_->code[instruction].target = is_break ? here() : start;
        loops_.pop_back();
    }

    void loop() {
        const bool until = is_word("until");
        ++at_;
        const std::size_t start = here();
        list({"do"});
        const std::size_t out = emit(until ? Op::jump_if_ok : Op::jump_if_fail);
        body(start);
        aim(out);
        emit(Op::set_ok);
    }

    void for_loop() {
        ++at_;
        const std::string variable = token().text;
        ++at_;
        const int slot = program_->slots++;
        Instruction begin;
        begin.op = Op::for_start;
        begin.slot = slot;
        while (token().kind == Token::Kind::newline) ++at_;
        if (is_word("in")) {
            ++at_;
            while (token().kind == Token::Kind::word) begin.words.push_back(tokens_[at_++].text);
        }
        program_->code.push_back(std::move(begin));
        skip_lines();
        const std::size_t start = emit(Op::for_next);
        program_->code[start].words = {variable};
        program_->code[start].slot = slot;
        body(start);
        aim(start);
        emit(Op::set_ok);
    }

    void case_command() {
        ++at_;
        const std::string subject = token().text;
        ++at_;
        while (token().kind == Token::Kind::newline) ++at_;
        expect_word("in");
        std::vector<std::size_t> ends;
        for (skip_lines(); !failed() && !is_word("esac"); skip_lines()) {
            if (is_op("(")) ++at_;
            Instruction match;
            match.op = Op::case_match;
            match.words = {subject};
            while (token().kind == Token::Kind::word) {
                match.words.push_back(tokens_[at_++].text);
                if (is_op("|")) ++at_;
            }
            if (!is_op(")")) return fail();
            ++at_;
            program_->code.push_back(std::move(match));
            const std::size_t test = here() - 1;
            emit(Op::set_ok);
            list({"esac"});
            if (is_op(";;")) ++at_;
            ends.push_back(emit(Op::jump));
            aim(test);
        }
        emit(Op::set_ok);
        expect_word("esac");
        for (const std::size_t end : ends) aim(end);
    }

    void simple() {
        if ((is_word("break") || is_word("continue")) && !loops_.empty()) {
            const bool is_break = is_word("break");
            ++at_;
            std::size_t levels = 1;
            if (token().kind == Token::Kind::word) levels = static_cast<std::size_t>(std::max(1, std::atoi(tokens_[at_++].text.c_str())));
            const std::size_t index = loops_.size() - std::min(levels, loops_.size());
            loops_[index].emplace_back(emit(Op::jump), is_break);
            return;
        }
        Instruction run;
        while (token().kind == Token::Kind::word || token().kind == Token::Kind::redirect) {
            if (token().kind == Token::Kind::word) run.words.push_back(token().text);
            else run.redirects.push_back(token().redirect);
            ++at_;
        }
        if (run.words.empty() && run.redirects.empty()) return fail();
        program_->code.push_back(std::move(run));
    }

    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
    std::shared_ptr<Program> program_;
    std::vector<std::vector<std::pair<std::size_t, bool>>> loops_;  // jumps to be aimed: break or continue
};

}  // namespace

std::shared_ptr<const Program> parse(std::string_view script) {
    if (script.size() > script_bytes_max) {
        auto refused = std::make_shared<Program>();
        refused->error = "script too long";
        return refused;
    }
    return Parser(Lexer(script).run()).run();
}

}  // namespace kubemu::controllers::kubelet::shell

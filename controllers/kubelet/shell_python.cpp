// python -c of the scripts that Jobs of the documentation run: imports, assignments, if and else, print,
// sys.exit, time.sleep, os.environ. A script that needs more runs as a program does whose effect nobody sees.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <variant>

#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr int nesting_max = 30;

using Value = std::variant<std::monostate, std::int64_t, std::string>;  // None, numbers and truth, text

bool truth(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return *number != 0;
    if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
    return false;
}

std::string shown(const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return "None";
}

struct Line {
    std::size_t indent = 0;
    std::string_view text;
};

std::vector<Line> script_lines(std::string_view script) {
    std::vector<Line> lines;
    while (!script.empty()) {
        std::string_view raw = script.substr(0, script.find('\n'));
        script.remove_prefix(std::min(raw.size() + 1, script.size()));
        const std::size_t indent = std::min(raw.find_first_not_of(" \t"), raw.size());
        raw.remove_prefix(indent);
        while (!raw.empty() && std::isspace(static_cast<unsigned char>(raw.back())) != 0)
            raw.remove_suffix(1);
        if (raw.empty() || raw[0] == '#') continue;
        // "a; b" outside of text: two statements.
        char quote = 0;
        std::size_t from = 0;
        for (std::size_t i = 0; i <= raw.size(); ++i) {
            const char c = i < raw.size() ? raw[i] : ';';
            if (quote != 0)
                quote = c == quote && i < raw.size() ? 0 : quote;
            else if (c == '\'' || c == '"')
                quote = c;
            if ((c != ';' || quote != 0) && i < raw.size()) continue;
            std::string_view part = raw.substr(from, i - from);
            while (!part.empty() && part[0] == ' ') part.remove_prefix(1);
            if (!part.empty()) lines.push_back({indent, part});
            from = i + 1;
        }
    }
    return lines;
}

// What an expression is worth; `known` turns false at the first thing that is not understood.
class Expression {
  public:
    Expression(Machine& machine, std::map<std::string, Value>& names, std::string_view text)
        : machine_(machine), names_(names), text_(text) {}

    Value all() {
        Value value = either();
        blanks();
        if (at_ < text_.size()) known = false;
        return value;
    }
    std::vector<Value> list() {
        std::vector<Value> values;
        blanks();
        while (known && at_ < text_.size()) {
            values.push_back(either());
            if (!take(",")) break;
        }
        blanks();
        if (at_ < text_.size()) known = false;
        return values;
    }
    bool known = true;

  private:
    void blanks() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    }
    bool take(std::string_view what) {
        blanks();
        if (text_.substr(at_, what.size()) != what) return false;
        const bool word = std::isalpha(static_cast<unsigned char>(what.back())) != 0;
        const char next = at_ + what.size() < text_.size() ? text_[at_ + what.size()] : ' ';
        if (word && (std::isalnum(static_cast<unsigned char>(next)) != 0 || next == '_')) return false;
        at_ += what.size();
        return true;
    }
    Value fail() {
        known = false;
        return {};
    }

    Value either() {
        if (++depth_ > nesting_max) return fail();
        Value left = both();
        while (known && take("or")) {
            Value right = both();
            if (!truth(left)) left = std::move(right);
        }
        --depth_;
        return left;
    }
    Value both() {
        Value left = negation();
        while (known && take("and")) {
            Value right = negation();
            if (truth(left)) left = std::move(right);
        }
        return left;
    }
    Value negation() {
        bool negated = false;
        while (take("not")) negated = !negated;
        Value value = comparison();
        return negated ? Value(std::int64_t{!truth(value)}) : value;
    }
    Value comparison() {
        Value left = sum();
        for (const std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
            if (!known || !take(op)) continue;
            const Value right = sum();
            const bool hit = op == "=="   ? left == right
                             : op == "!=" ? left != right
                             : op == "<=" ? left <= right
                             : op == ">=" ? left >= right
                             : op == "<"  ? left < right
                                          : left > right;
            return std::int64_t{hit};
        }
        return left;
    }
    Value sum() {
        Value left = product();
        while (known) {
            const bool plus = take("+");
            if (!plus && !take("-")) return left;
            const Value right = product();
            if (plus && left.index() == 2 && right.index() == 2)
                left = std::get<std::string>(left) + std::get<std::string>(right);
            else
                left = numbers(plus ? '+' : '-', left, right);
        }
        return left;
    }
    Value product() {
        Value left = unary();
        while (known) {
            const char op = take("//") || take("/") ? '/' : take("*") ? '*' : take("%") ? '%' : '\0';
            if (op == '\0') return left;
            left = numbers(op, left, unary());
        }
        return left;
    }
    Value numbers(char op, const Value& left, const Value& right) {
        if (left.index() != 1 || right.index() != 1) return fail();
        const std::int64_t a = std::get<std::int64_t>(left), b = std::get<std::int64_t>(right);
        constexpr std::int64_t large = 1'000'000'000;
        if (a > large || a < -large || b > large || b < -large) return fail();
        if (op == '+') return a + b;
        if (op == '-') return a - b;
        if (op == '*') return a * b;
        if (b == 0) return fail();
        const std::int64_t rest = (a % b + b) % b;
        return op == '%' ? rest : (a - rest) / b;
    }
    Value unary() {
        if (take("-")) return numbers('-', std::int64_t{0}, unary());
        return atom();
    }

    Value atom() {
        blanks();
        if (at_ >= text_.size() || depth_ > nesting_max) return fail();
        const char c = text_[at_];
        if (c == '(') {
            ++at_;
            Value value = either();
            return take(")") ? value : fail();
        }
        if (c == '"' || c == '\'') return text(c);
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
            std::int64_t number = 0;
            at_ = static_cast<std::size_t>(
                std::from_chars(text_.data() + at_, text_.data() + text_.size(), number).ptr - text_.data());
            return number;
        }
        std::size_t end = at_;
        while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 ||
                                      text_[end] == '_' || text_[end] == '.'))
            ++end;
        const std::string name(text_.substr(at_, end - at_));
        at_ = end;
        if (name == "True" || name == "False") return std::int64_t{name == "True"};
        if (name == "None") return {};
        if (take("(")) return call(name);
        if (name == "os.environ" && take("[")) {
            const Value key = either();
            return take("]") ? variable(shown(key)) : fail();
        }
        const auto found = names_.find(name);
        return found == names_.end() ? fail() : found->second;
    }
    Value text(char quote) {
        std::string result;
        for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                const char c = text_[++at_];
                result += c == 'n' ? '\n' : c == 't' ? '\t' : c;
            } else {
                result += text_[at_];
            }
        }
        if (at_ >= text_.size()) return fail();
        ++at_;
        return result;
    }
    Value variable(const std::string& name) const {
        const auto found = machine_.variables.find(name);
        return found == machine_.variables.end() ? Value() : Value(found->second);
    }
    Value call(const std::string& name) {
        std::vector<Value> values;
        while (known && !take(")")) {
            values.push_back(either());
            take(",");
            if (at_ >= text_.size()) break;
        }
        if (values.empty() || !known) return fail();
        if (name == "os.environ.get" || name == "os.getenv") {
            Value value = variable(shown(values[0]));
            return value.index() == 0 && values.size() > 1 ? values[1] : value;
        }
        if (name == "str") return shown(values[0]);
        if (name == "len" && values[0].index() == 2)
            return static_cast<std::int64_t>(std::get<std::string>(values[0]).size());
        if (name != "int") return fail();
        if (values[0].index() == 1) return values[0];
        const std::string digits = shown(values[0]);
        std::int64_t number = 0;
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() ? Value(number)
                                                                                       : fail();
    }

    Machine& machine_;
    std::map<std::string, Value>& names_;
    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

class Script {
  public:
    Script(Machine& machine, Streams& streams, std::vector<Line> lines)
        : machine_(machine), streams_(streams), lines_(std::move(lines)) {}

    // False when there is a statement that it does not understand.
    bool run() {
        if (!lines_.empty()) block(lines_[0].indent, true);
        return known_;
    }

  private:
    // Every statement of this depth; without `runs` they are only passed over.
    void block(std::size_t indent, bool runs) {
        bool taken = false;  // a branch of the if that is open
        while (known_ && !exited_ && at_ < lines_.size() && lines_[at_].indent >= indent) {
            const std::string_view text = lines_[at_].text;
            ++at_;
            const bool alternative = text.substr(0, 5) == "elif " || text.substr(0, 5) == "else:";
            if (text.substr(0, 3) != "if " && !alternative) {
                if (runs) statement(text);
                continue;
            }
            if (!alternative) taken = false;
            const auto colon = text.rfind(':');
            if (colon == text.npos) known_ = false;
            bool enters = runs && !taken && known_;
            if (enters && text.substr(0, 5) != "else:") {
                const std::size_t from = text.find(' ');
                Expression condition(machine_, names_, text.substr(from, colon - from));
                enters = truth(condition.all());
                known_ = known_ && condition.known;
            }
            taken = taken || enters;
            if (const std::string_view same_line = text.substr(std::min(colon + 1, text.size()));
                same_line.size() > 1) {
                if (enters) statement(same_line.substr(same_line.find_first_not_of(' ')));
            } else if (at_ < lines_.size() && lines_[at_].indent > indent) {
                block(lines_[at_].indent, enters);
            }
        }
    }

    void statement(std::string_view text) {
        if (text.substr(0, 7) == "import " || text.substr(0, 5) == "from " || text == "pass") return;
        const auto open = text.find('(');
        const std::string name(text.substr(0, open));
        if (open != text.npos && text.back() == ')' &&
            (name == "print" || name == "sys.exit" || name == "exit" || name == "time.sleep")) {
            Expression arguments(machine_, names_, text.substr(open + 1, text.size() - open - 2));
            const std::vector<Value> values = arguments.list();
            known_ = known_ && arguments.known;
            if (known_) perform(name, values);
            return;
        }
        const auto equals = text.find('=');
        std::string target(text.substr(0, equals == text.npos ? 0 : equals));
        while (!target.empty() && target.back() == ' ') target.pop_back();
        const bool word = !target.empty() && std::all_of(target.begin(), target.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '_';
        });
        if (!word) {
            known_ = false;
            return;
        }
        Expression value(machine_, names_, text.substr(equals + 1));
        names_[target] = value.all();
        known_ = known_ && value.known;
    }

    void perform(const std::string& name, const std::vector<Value>& values) {
        if (name == "print") {
            for (std::size_t i = 0; i < values.size(); ++i)
                streams_.out += (i > 0 ? " " : "") + shown(values[i]);
            streams_.out += "\n";
        } else if (name == "time.sleep") {
            if (!values.empty() && values[0].index() == 1)
                machine_.time += std::chrono::seconds(
                    std::clamp<std::int64_t>(std::get<std::int64_t>(values[0]), 0, 1'000'000'000));
        } else {
            exited_ = true;
            if (!values.empty() && values[0].index() == 1)
                machine_.status = static_cast<int>(std::get<std::int64_t>(values[0]) & 0xff);
            if (!values.empty() && values[0].index() == 2)
                streams_.err += shown(values[0]) + "\n", machine_.status = 1;
        }
    }

    Machine& machine_;
    Streams& streams_;
    const std::vector<Line> lines_;
    std::map<std::string, Value> names_;
    std::size_t at_ = 0;
    bool known_ = true, exited_ = false;
};

}  // namespace

void python(Machine& machine, const Words& argv, Streams& streams) {
    if (argv.size() > 1 && (argv[1] == "--version" || argv[1] == "-V")) {
        streams.out += "Python 3.12.3\n";
        return;
    }
    if (argv.size() > 2 && argv[1] == "-m" && argv[2] == "http.server") return toil(machine, argv, streams);
    const auto script = std::find(argv.begin(), argv.end(), "-c");
    const bool given = script != argv.end() && script + 1 != argv.end();
    if (given) machine.time += std::chrono::milliseconds(100);
    if (given && Script(machine, streams, script_lines(*(script + 1))).run()) return;
    if (machine.unknown_runs_for_ever && machine.depth == 0)
        machine.endless = true;
    else
        machine.time += machine.unknown_duration;
}

}  // namespace kubemu::controllers::kubelet::shell

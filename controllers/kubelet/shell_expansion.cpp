// Word expansion: variables, command substitution, arithmetic, quotes, field splitting.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "controllers/kubelet/interpreter.h"
#include "controllers/kubelet/shell_commands.h"

namespace kubemu::controllers::kubelet::shell {
namespace {

constexpr std::size_t expansion_bytes_max = 64 * 1024;
constexpr int nesting_max = 40;

bool is_name(unsigned char c) { return std::isalnum(c) || c == '_'; }

// Where the part that was opened before `at` closes; the text's end when it does not.
std::size_t closing(std::string_view text, std::size_t at, char open, char close) {
    int depth = 1;
    char quote = 0;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\') ++at;
        else if (quote != 0) quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"') quote = c;
        else if (c == open) ++depth;
        else if (c == close && --depth == 0) return at;
    }
    return text.size();
}

std::string variable(const Machine& machine, std::string_view name) {
    if (name == "?") return std::to_string(machine.status);
    if (name == "$") return "1";
    if (name == "!") return machine.newest_job == std::optional(Time{}) ? "" : "7";  // there is one job, if any
    if (name == "#") return std::to_string(machine.arguments.empty() ? 0 : machine.arguments.size() - 1);
    if (name == "@" || name == "*") {
        std::string text;
        for (std::size_t i = 1; i < machine.arguments.size(); ++i) text += (i > 1 ? " " : "") + machine.arguments[i];
        return text;
    }
    if (name == "PWD") return machine.directory;
    if (name.size() < 4 && !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) {
        const auto index = static_cast<std::size_t>(std::atoi(std::string(name).c_str()));
        return index < machine.arguments.size() ? machine.arguments[index] : "";
    }
    if (name == "RANDOM") return std::to_string(machine.time.time_since_epoch().count() * 7919 % 32768);
    const auto found = machine.variables.find(std::string(name));
    return found == machine.variables.end() ? "" : found->second;
}

bool is_set(const Machine& machine, std::string_view name) {
    return machine.variables.count(std::string(name)) > 0 || !variable(machine, name).empty();
}

// Arrays live among the variables: the first element by its name, the others as name[1], name[2]...
std::vector<std::string> elements(const Machine& machine, std::string_view name) {
    std::vector<std::string> all;
    if (const auto first = machine.variables.find(std::string(name)); first != machine.variables.end())
        all.push_back(first->second);
    for (;;) {
        const auto next = machine.variables.find(std::string(name) + "[" + std::to_string(all.size()) + "]");
        if (all.empty() || next == machine.variables.end()) return all;
        all.push_back(next->second);
    }
}

std::string element(Machine& machine, std::string_view name, std::string_view index) {
    if (index == "@" || index == "*") {
        std::string text;
        for (const std::string& each : elements(machine, name)) text += (text.empty() ? "" : " ") + each;
        return text;
    }
    const std::int64_t number = arithmetic(machine, expand_text(machine, index));
    return variable(machine, number == 0 ? std::string(name) : std::string(name) + "[" + std::to_string(number) + "]");
}

// The inside of ${...}.
std::string parameter(Machine& machine, std::string_view body) {
    if (body.size() > 1 && body[0] == '#') {
        const auto bracket = body.find('[');
        if (bracket == body.npos) return std::to_string(variable(machine, body.substr(1)).size());
        return std::to_string(elements(machine, body.substr(1, bracket - 1)).size());
    }
    std::size_t end = 0;
    while (end < body.size() && (is_name(static_cast<unsigned char>(body[end])) || (end == 0 && std::string_view("?#@*!$").find(body[0]) != std::string_view::npos))) ++end;
    const std::string_view name = body.substr(0, end);
    std::string_view rest = body.substr(end);
    std::string value = variable(machine, name);
    if (!rest.empty() && rest[0] == '[') {
        const auto close = std::min(rest.find(']'), rest.size());
        value = element(machine, name, rest.substr(1, close - 1));
        rest.remove_prefix(std::min(close + 1, rest.size()));
    }
    if (rest.empty()) return value;
    const bool empty_counts = rest[0] == ':';
    if (empty_counts) rest.remove_prefix(1);
    if (rest.empty()) return value;
    const char op = rest[0];
    const bool there = empty_counts ? !value.empty() : is_set(machine, name);
    const auto word = [&](std::size_t from) { return expand_text(machine, rest.substr(from)); };
    if (op == '-') return there ? value : word(1);
    if (op == '+') return there ? word(1) : "";
    if (op == '=') {
        if (!there) machine.variables[std::string(name)] = word(1);
        return variable(machine, name);
    }
    if (op == '#' || op == '%') {
        const bool longest = rest.size() > 1 && rest[1] == op;
        const std::string pattern = word(longest ? 2 : 1);
        std::string best = value;
        for (std::size_t n = 0; n <= value.size(); ++n) {
            const std::size_t length = longest ? value.size() - n : n;
            const std::string part = op == '#' ? value.substr(0, length) : value.substr(value.size() - length);
            if (!glob_match(pattern, part)) continue;
            return op == '#' ? value.substr(length) : value.substr(0, value.size() - length);
        }
        return best;
    }
    if (empty_counts && std::isdigit(static_cast<unsigned char>(op))) {
        const auto colon = rest.find(':');
        const auto from = static_cast<std::size_t>(std::max<std::int64_t>(0, arithmetic(machine, rest.substr(0, colon))));
        if (from >= value.size()) return "";
        const auto count = colon == rest.npos ? value.size() : static_cast<std::size_t>(std::max<std::int64_t>(0, arithmetic(machine, rest.substr(colon + 1))));
        return value.substr(from, count);
    }
    return value;
}

std::string substitution(Machine& machine, std::string_view raw) {
    if (machine.depth >= nesting_max) return {};
    Input nothing;
    const std::string script = (raw.substr(0, 1) == "<" ? "cat " : "") + std::string(raw);  // $(<file)
    std::string text = Interpreter::capture(machine, parse(script), nothing, true, machine.errors);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(0, expansion_bytes_max);
}

// What stands at the '$' or '`' at `at`, which moves behind it.
std::string dollar(Machine& machine, std::string_view text, std::size_t& at) {
    if (text[at] == '`') {
        const auto end = std::min(text.find('`', at + 1), text.size());
        const std::string_view script = text.substr(at + 1, end - at - 1);
        at = std::min(end + 1, text.size());
        return substitution(machine, script);
    }
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next == '(') {
        const auto end = closing(text, at + 2, '(', ')');
        const std::string_view body = text.substr(at + 2, end - at - 2);
        at = std::min(end + 1, text.size());
        if (body.size() >= 2 && body.front() == '(' && body.back() == ')')
            return std::to_string(arithmetic(machine, expand_text(machine, body.substr(1, body.size() - 2))));
        return substitution(machine, body);
    }
    if (next == '{') {
        const auto end = closing(text, at + 2, '{', '}');
        const std::string_view body = text.substr(at + 2, end - at - 2);
        at = std::min(end + 1, text.size());
        return parameter(machine, body);
    }
    if (std::string_view("?#@*!$").find(next) != std::string_view::npos && next != '\0') {
        at += 2;
        return variable(machine, std::string_view(&next, 1));
    }
    std::size_t end = at + 1;
    if (std::isdigit(static_cast<unsigned char>(next))) ++end;
    else while (end < text.size() && is_name(static_cast<unsigned char>(text[end]))) ++end;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    at = end;
    return name.empty() ? "$" : variable(machine, name);
}

class Arithmetic {
  public:
    Arithmetic(Machine& machine, std::string_view text) : machine_(machine), text_(text) {}
    std::int64_t run() { return binary(0); }

  private:
    using Number = std::int64_t;
    void blanks() { while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_; }

    Number binary(std::size_t level) {
        // Wrapping arithmetic: a shell's overflow is no undefined behaviour here.
        static const std::vector<std::vector<std::string_view>> levels = {
            {"||"}, {"&&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}};
        if (level == levels.size() || depth_ > nesting_max) return unary();
        Number left = binary(level + 1);
        for (;;) {
            blanks();
            std::string_view found;
            for (std::string_view op : levels[level])
                if (found.empty() && text_.substr(at_, op.size()) == op) found = op;
            if (found.empty()) return left;
            at_ += found.size();
            const Number right = binary(level + 1);
            const auto wrap = [](std::uint64_t value) { return static_cast<Number>(value); };
            const auto a = static_cast<std::uint64_t>(left), b = static_cast<std::uint64_t>(right);
            if (found == "+") left = wrap(a + b);
            else if (found == "-") left = wrap(a - b);
            else if (found == "*") left = wrap(a * b);
            else if (found == "/") left = right == 0 || right == -1 ? (right == 0 ? 0 : wrap(0 - a)) : left / right;
            else if (found == "%") left = right == 0 || right == -1 ? 0 : left % right;
            else if (found == "==") left = left == right;
            else if (found == "!=") left = left != right;
            else if (found == "<=") left = left <= right;
            else if (found == ">=") left = left >= right;
            else if (found == "<") left = left < right;
            else if (found == ">") left = left > right;
            else if (found == "&&") left = left != 0 && right != 0;
            else left = left != 0 || right != 0;
        }
    }

    Number unary() {
        blanks();
        if (at_ >= text_.size() || ++depth_ > nesting_max) return 0;
        Number value = 0;
        const char c = text_[at_];
        if (c == '(') {
            ++at_;
            value = binary(0);
            blanks();
            if (at_ < text_.size() && text_[at_] == ')') ++at_;
        } else if (c == '-') {
            ++at_;
            value = static_cast<Number>(0 - static_cast<std::uint64_t>(unary()));
        } else if (c == '+') {
            ++at_;
            value = unary();
        } else if (c == '!') {
            ++at_;
            value = unary() == 0;
        } else if (std::isdigit(static_cast<unsigned char>(c))) {
            const auto result = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
            at_ = static_cast<std::size_t>(result.ptr - text_.data());
        } else if (is_name(static_cast<unsigned char>(c)) || c == '$') {
            if (c == '$') ++at_;
            const std::size_t start = at_;
            while (at_ < text_.size() && is_name(static_cast<unsigned char>(text_[at_]))) ++at_;
            const std::string name(text_.substr(start, at_ - start));
            const std::string text = variable(machine_, name);
            std::from_chars(text.data(), text.data() + text.size(), value);
            blanks();
            const std::string_view rest = text_.substr(at_);
            if (rest.substr(0, 2) == "++" || rest.substr(0, 2) == "--") {
                machine_.variables[name] = std::to_string(rest[0] == '+' ? value + 1 : value - 1);
                at_ += 2;
            } else if (!rest.empty() && rest[0] == '=' && rest.substr(0, 2) != "==") {
                ++at_;
                value = binary(0);
                machine_.variables[name] = std::to_string(value);
            } else if (rest.size() > 1 && rest[1] == '=' && (rest[0] == '+' || rest[0] == '-')) {
                at_ += 2;
                const auto step = static_cast<std::uint64_t>(binary(0)), old = static_cast<std::uint64_t>(value);
                value = static_cast<Number>(rest[0] == '+' ? old + step : old - step);
                machine_.variables[name] = std::to_string(value);
            }
        } else {
            at_ = text_.size();
        }
        --depth_;
        return value;
    }

    Machine& machine_;
    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

std::int64_t arithmetic(Machine& machine, std::string_view expression) { return Arithmetic(machine, expression).run(); }

std::string expand_text(Machine& machine, std::string_view raw) {
    std::string result;
    for (std::size_t at = 0; at < raw.size() && result.size() < expansion_bytes_max;) {
        const char c = raw[at];
        if (c == '\\' && at + 1 < raw.size() && std::string_view("$`\"\\\n").find(raw[at + 1]) != std::string_view::npos) {
            if (raw[at + 1] != '\n') result += raw[at + 1];
            at += 2;
        } else if (c == '$' || c == '`') {
            result += dollar(machine, raw, at);
        } else {
            result += c;
            ++at;
        }
    }
    return result;
}

std::vector<std::string> expand_word(Machine& machine, std::string_view raw, bool split) {
    std::vector<std::string> fields;
    std::string field, live;
    bool there = false;  // a field has begun, even an empty one in quotes
    const auto flush = [&] {
        live.resize(field.size(), '0');
        std::vector<std::string> names;
        if (split && machine.matches_names && has_wildcard(field, live)) names = path_names(machine, field, live);
        if (!names.empty()) fields.insert(fields.end(), names.begin(), names.end());
        else if (there) fields.push_back(std::move(field));
        field.clear();
        live.clear();
        there = false;
    };
    // What is not quoted may be a wildcard.
    const auto add_bare = [&](char c) {
        live.resize(field.size(), '0');
        field += c;
        live += '1';
        there = true;
    };
    for (std::size_t at = 0; at < raw.size();) {
        const char c = raw[at];
        if (c == '\'') {
            const auto end = std::min(raw.find('\'', at + 1), raw.size());
            field += raw.substr(at + 1, end - at - 1);
            there = true;
            at = std::min(end + 1, raw.size());
        } else if (c == '"') {
            std::size_t end = at + 1;
            while (end < raw.size() && raw[end] != '"') {
                if (raw[end] == '\\') end += 2;
                else if (raw[end] == '$' && end + 1 < raw.size() && (raw[end + 1] == '(' || raw[end + 1] == '{'))
                    end = closing(raw, end + 2, raw[end + 1], raw[end + 1] == '(' ? ')' : '}') + 1;
                else if (raw[end] == '`') end = std::min(raw.find('`', end + 1), raw.size() - 1) + 1;
                else ++end;
            }
            end = std::min(end, raw.size());
            field += expand_text(machine, raw.substr(at + 1, end - at - 1));
            there = true;
            at = std::min(end + 1, raw.size());
        } else if (c == '\\') {
            if (at + 1 < raw.size()) field += raw[at + 1];
            there = true;
            at += 2;
        } else if (c == '$' || c == '`') {
            const std::string value = dollar(machine, raw, at);
            for (const char part : value) {
                if (split && std::isspace(static_cast<unsigned char>(part))) flush();
                else add_bare(part);
            }
        } else if (split && c == '{' && field.empty() && raw.find("..", at) != raw.npos && raw.back() == '}') {
            // {1..5}
            const auto dots = raw.find("..", at);
            int from = 0, to = 0;
            const auto first = std::from_chars(raw.data() + at + 1, raw.data() + dots, from);
            const auto last = std::from_chars(raw.data() + dots + 2, raw.data() + raw.size() - 1, to);
            if (first.ec != std::errc() || last.ec != std::errc() || to - from > 10'000 || from - to > 10'000) {
                field += raw.substr(at);
                there = true;
            } else {
                for (int i = from; from <= to ? i <= to : i >= to; i += from <= to ? 1 : -1) fields.push_back(std::to_string(i));
            }
            at = raw.size();
        } else {
            add_bare(c);
            ++at;
        }
    }
    flush();
    if (!split && fields.empty()) fields.emplace_back();
    return fields;
}

bool glob_match(std::string_view pattern, std::string_view text) {
    // The last star takes one more character whenever the rest does not match.
    std::size_t p = 0, t = 0, star = pattern.npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
            ++p, ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace kubemu::controllers::kubelet::shell

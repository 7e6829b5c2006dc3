// One walk over the tree for each kind of literal, as the real validators make theirs.
#include "api/cel/literals.h"

#include "api/cel/times.h"
#include "api/values/regex.h"

namespace kubemu::api::cel {
namespace {

struct Rule {
    const char* function;
    std::size_t argument;  // among args: 1 for that of a method
    const char* what;
    bool (*broken)(const std::string& text);
};

constexpr Rule rules[] = {
    {"duration", 0, "duration", [](const std::string& text) { return parse_duration(text).is_error(); }},
    {"timestamp", 0, "timestamp", [](const std::string& text) { return parse_timestamp(text).is_error(); }},
    {"matches", 1, "matches", [](const std::string& text) { return !compiled_regex(text)->error().empty(); }},
};

void walk(const Expression& e, const Rule& rule, std::vector<Issue>& issues) {
    if (e.kind == Expression::Kind::call && e.name == rule.function && e.method == (rule.argument == 1) &&
        e.args.size() == rule.argument + 1) {
        const Expression& argument = e.args[rule.argument];
        const bool text = argument.kind == Expression::Kind::literal && argument.literal.kind == Kind::string;
        if (text && rule.broken(argument.literal.str())) {
            issues.push_back({argument.offset, std::string("invalid ") + rule.what + " argument"});
        }
    }
    for (const Expression& argument : e.args) walk(argument, rule, issues);
}

}  // namespace

void check_literals(const Expression& expression, std::vector<Issue>& issues) {
    for (const Rule& rule : rules) walk(expression, rule, issues);
}

std::string broken_pattern(const Expression& expression) {
    for (const Expression& argument : expression.args) {
        if (std::string wrong = broken_pattern(argument); !wrong.empty()) return wrong;
    }
    const bool searches = expression.name == "matches" || expression.name == "find" || expression.name == "findAll";
    if (expression.kind != Expression::Kind::call || !searches || expression.args.size() < 2) return {};
    const Expression& pattern = expression.args[1];
    if (pattern.kind != Expression::Kind::literal || pattern.literal.kind != Kind::string) return {};
    return compiled_regex(pattern.literal.str())->error();
}

}  // namespace kubemu::api::cel

// KWOK's functions become calls of functions of their own, whose first argument answers what they ask.
#include "api/cel/kwok.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cel/evaluator.h"

namespace kubemu::api::cel {
namespace {

constexpr std::uint64_t cost_max = 1'000'000;
constexpr const char* answers_variable = "kwok answers";  // no expression can spell it

// Whole parts and billionths apart, as neither fits the other's type.
double number_of(const Quantity& quantity) {
    const std::int64_t whole = quantity.value();
    Quantity rest = quantity;
    rest -= Quantity::from_value(whole);
    return static_cast<double>(whole) + static_cast<double>(rest.milli_value()) / 1000;
}

Expression literal(std::string text) {
    Expression made;
    made.literal = Value::of(std::move(text));
    return made;
}

bool one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// f(pod, "cpu") and pod.f("cpu") ask "pod.f" for "cpu".
void ask(Expression& e, std::string question) {
    std::size_t rest = 0;
    if (!e.args.empty() && e.args[0].kind == Expression::Kind::identifier && one_of(e.args[0].name, {"pod", "node"})) {
        question.insert(0, e.args[0].name + ".");
        rest = 1;
    }
    std::vector<Expression> arguments(2);
    arguments[0].kind = Expression::Kind::identifier;
    arguments[0].name = answers_variable;
    arguments[1] = literal(std::move(question));
    for (; rest < e.args.size(); ++rest) arguments.push_back(std::move(e.args[rest]));
    e.args = std::move(arguments);
    e.name = "kwok.ask";
    e.method = false;
}

void rewrite(Expression& e) {
    for (Expression& part : e.args) rewrite(part);
    if (e.kind != Expression::Kind::call) return;
    if (one_of(e.name, {"now", "Now"})) return ask(e, "Now");
    if (one_of(e.name, {"startedContainersTotal", "StartedContainersTotal"})) return ask(e, "StartedContainersTotal");
    if (one_of(e.name, {"Rand", "SinceSecond", "Usage", "CumulativeUsage"})) return ask(e, e.name);
    if (e.name == "Quantity") e.name = "kwok.quantity";
    if (e.name == "UnixSecond") e.name = "kwok.unixSecond";
    if (one_of(e.name, {"_+_", "_-_", "_*_", "_/_", "-_", "_<_", "_<=_", "_>_", "_>=_"})) e.name.insert(0, "kwok.");
}

Value run(const Expression& expression, const KwokScope& scope) {
    std::map<std::string, Value> variables;
    for (const auto& [name, document] : {std::pair{"node", scope.node}, {"pod", scope.pod}, {"container", scope.container}}) {
        if (document != nullptr) variables[name] = Value::from(*document, nullptr);
    }
    if (scope.answers != nullptr) variables[answers_variable] = Value::of(*scope.answers);
    return evaluate(expression, variables, cost_max).value;
}

}  // namespace

std::shared_ptr<const Expression> compile_kwok(const std::string& source) {
    std::vector<Issue> issues;
    std::unique_ptr<Expression> parsed = parse(source, issues);
    if (parsed == nullptr || !issues.empty()) return nullptr;
    rewrite(*parsed);
    return std::shared_ptr<const Expression>(std::move(parsed));
}

std::optional<double> kwok_number(const Expression& expression, const KwokScope& scope) {
    const Value value = run(expression, scope);
    switch (value.kind) {
        case Kind::boolean: return value.truth ? 1 : 0;
        case Kind::integer:
        case Kind::duration: return static_cast<double>(value.integer);
        case Kind::unsigned_integer: return static_cast<double>(value.unsigned_integer);
        case Kind::real: return value.real;
        case Kind::quantity: return number_of(value.as<Quantity>());
        case Kind::string:  // of a resource list
            if (const auto quantity = Quantity::parse(value.str())) return number_of(*quantity);
            return std::nullopt;
        default: return std::nullopt;
    }
}

std::optional<std::string> kwok_text(const Expression& expression, const KwokScope& scope) {
    const Value value = run(expression, scope);
    return value.kind == Kind::string ? std::optional(value.str()) : std::nullopt;
}

}  // namespace kubemu::api::cel

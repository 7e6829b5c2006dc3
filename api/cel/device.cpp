// The declared type of `device`, with the sizes that its parts can have, and cel.bind; and what a device is to it.
#include "api/cel/device.h"

#include <map>
#include <nlohmann/json.hpp>

#include "api/cel/checker.h"
#include "api/cel/cost.h"
#include "api/cel/evaluator.h"
#include "api/cel/functions.h"
#include "api/cel/literals.h"

namespace kubemu::api::cel {
namespace {

constexpr std::uint64_t driver_length_max = 63, domain_length_max = 63, id_length_max = 32, value_length_max = 64,
                        attributes_max = 32;
// CELSelectorExpressionMaxCost: what one comparison may cost.
constexpr std::uint64_t cost_max = 1'000'000;

TypePtr device_type() {
    const TypePtr text = simple_type("string");
    const TypePtr domain = sized(text, domain_length_max), id = sized(text, id_length_max);
    const auto by_domain = [&](const TypePtr& value) {
        return sized(map_of(domain, sized(map_of(id, value), attributes_max)), attributes_max);
    };
    return object_of("kubernetes.DRADevice",
                     {{"driver", sized(text, driver_length_max)},
                      {"allowMultipleAllocations", sized(simple_type("bool"), 1)},
                      {"attributes", by_domain(sized(any_type(), value_length_max))},
                      {"capacity", by_domain(simple_type("kubernetes.Quantity"))}});
}

bool calls_bind(const Expression& e) {
    return e.kind == Expression::Kind::call && e.method && e.name == "bind" && e.args.size() == 4 &&
           e.args[0].kind == Expression::Kind::identifier && e.args[0].name == "cel";
}

}  // namespace

void expand_bindings(Expression& expression, std::vector<Issue>& issues) {
    for (Expression& argument : expression.args) expand_bindings(argument, issues);
    if (!calls_bind(expression)) return;
    if (expression.args[1].kind != Expression::Kind::identifier) {
        issues.push_back({expression.args[1].offset, "cel.bind() variable names must be simple identifiers"});
        return;
    }
    Expression made;
    made.kind = Expression::Kind::macro;
    made.offset = expression.offset;
    made.name = "bind";
    made.variable = expression.args[1].name;
    made.args.push_back(std::move(expression.args[2]));
    made.args.push_back(std::move(expression.args[3]));
    expression = std::move(made);
}

DeviceSelector compile_device_selector(const std::string& source) {
    static const TypePtr device = device_type();
    DeviceSelector made;
    std::vector<Issue> issues;
    const std::unique_ptr<Expression> program = parse(source, issues);
    if (program != nullptr) expand_bindings(*program, issues);
    if (program != nullptr && issues.empty()) check(*program, {{"device", device}}, issues);
    if (!issues.empty()) {
        made.error = "compilation failed: " + print_issues(source, issues);
        return made;
    }
    const std::string type = declared_name(*program->type);
    if (type != "bool" && type != "google.protobuf.Any") {
        made.error = "must evaluate to bool or the unknown type, not " + type;
        return made;
    }
    if (const std::string wrong = broken_pattern(*program); !wrong.empty()) {
        made.error = "program instantiation failed: " + wrong;
        return made;
    }
    made.cost = worst_cost(*program, device);
    made.program = std::make_shared<const Expression>(std::move(*program));
    return made;
}

namespace {

// What is asked for by a domain: a domain of which the device says nothing is empty, not missing.
class ByDomain final : public LazyMembers {
  public:
    std::map<std::string, Value::Entries, std::less<>> domains;

    std::optional<Value> member(std::string_view name) const override {
        const auto found = domains.find(name);
        return Value::of(found == domains.end() ? Value::Entries() : found->second);
    }
    void put(const std::string& name, const std::string& driver, Value value) {
        const std::size_t slash = name.find('/');
        const bool plain = slash == name.npos;
        domains[plain ? driver : name.substr(0, slash)].emplace_back(Value::of(plain ? name : name.substr(slash + 1)), std::move(value));
    }
    Value value() const {
        Value::Entries entries;
        for (const auto& [domain, members] : domains) entries.emplace_back(Value::of(domain), Value::of(members));
        Value made = Value::of(std::move(entries));
        made.lazy = this;
        return made;
    }
};

Value attribute_value(const Json& attribute) {
    if (const Json* number = find(attribute, "int")) return Value::of(number->get<std::int64_t>());
    if (const Json* truth = find(attribute, "bool")) return Value::of(truth->get<bool>());
    if (const Json* text = find(attribute, "string")) return Value::of(text->get<std::string>());
    if (find(attribute, "version") != nullptr) {
        Value version = function_of("semver")({Value::of(std::string(string_at(attribute, {"version"})))});
        return version.is_error() ? Value::error("parse semantic version: " + version.str()) : version;
    }
    return Value::error("unsupported attribute value");
}

// cel-go's ConvertToNative of each kind, to Go's bool.
std::string not_a_bool(const Value& value) {
    static const std::map<Kind, std::string> complaints = {
        {Kind::string, "unsupported native conversion from string to 'bool'"},
        {Kind::integer, "unsupported type conversion from 'int' to bool"},
        {Kind::semver, "type conversion error from 'Semver' to 'bool'"}};
    const auto found = complaints.find(value.kind);
    return "CEL result of type " + value.type_name() + " could not be converted to bool: " +
           (found != complaints.end() ? found->second : "type conversion error from '" + value.type_name() + "' to 'bool'");
}

}  // namespace

DeviceMatch match_device(const DeviceSelector& selector, const std::string& driver, const Json& device) {
    if (selector.program == nullptr) return {false, selector.error};
    ByDomain attributes, capacity;
    for (const auto& [name, attribute] : object_at(device, {"attributes"}).items()) {
        Value value = attribute_value(attribute);
        if (value.is_error()) return {false, "attribute " + name + ": " + value.str()};
        attributes.put(name, driver, std::move(value));
    }
    for (const auto& [name, amount] : object_at(device, {"capacity"}).items())
        capacity.put(name, driver, function_of("quantity")({Value::of(std::string(string_at(amount, {"value"})))}));
    Value::Entries fields;
    fields.emplace_back(Value::of(std::string("driver")), Value::of(driver));
    fields.emplace_back(Value::of(std::string("allowMultipleAllocations")), Value::of(bool_at(device, {"allowMultipleAllocations"})));
    fields.emplace_back(Value::of(std::string("attributes")), attributes.value());
    fields.emplace_back(Value::of(std::string("capacity")), capacity.value());
    const Outcome outcome = evaluate(*selector.program, {{"device", Value::of(std::move(fields))}}, cost_max);
    if (outcome.value.is_error()) return {false, outcome.value.str()};
    if (outcome.value.kind != Kind::boolean) return {false, not_a_bool(outcome.value)};
    return {outcome.value.truth, {}};
}

}  // namespace kubemu::api::cel

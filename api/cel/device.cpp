// The declared type of `device`, with the sizes that its parts can have, and cel.bind.
#include "api/cel/device.h"

#include "api/cel/checker.h"
#include "api/cel/cost.h"

namespace kubemu::api::cel {
namespace {

constexpr std::uint64_t driver_length_max = 63, domain_length_max = 63, id_length_max = 32, value_length_max = 64,
                        attributes_max = 32;

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
    made.cost = worst_cost(*program, device);
    return made;
}

}  // namespace kubemu::api::cel

// Type checking by unification with the signatures of functions (cel-go/checker).
#include "api/cel/checker.h"

#include <algorithm>

#include "api/cel/literals.h"
#include "api/cel/signatures.h"

namespace kubemu::api::cel {
namespace {

using ExpressionKind = Expression::Kind;
using Bindings = std::map<std::string, TypePtr>;

const TypePtr dyn = simple_type("dyn"), boolean = simple_type("bool"), broken = simple_type("error");

bool is_dyn(const Type& type) { return type.is("dyn") || type.is("error") || type.is("parameter"); }

// The literals [] and {} fit lists and maps of anything.
bool unify(const TypePtr& wanted, const TypePtr& given, Bindings& bindings) {
    if (wanted->is("parameter")) {
        const auto [at, fresh] = bindings.emplace(wanted->path, given);
        if (fresh) return true;
        if (is_dyn(*given)) {
            at->second = dyn;
            return true;
        }
        const TypePtr bound = at->second;
        if (bound->is("parameter")) {
            at->second = given;
            return true;
        }
        return unify(bound, given, bindings);
    }
    if (is_dyn(*wanted) || is_dyn(*given)) return true;
    // null is a value of objects, times and all types of libraries (optional ones too), not of the rest.
    if (wanted->is("null_type") || given->is("null_type")) {
        const Type& other = wanted->is("null_type") ? *given : *wanted;
        static const std::vector<std::string> never = {"bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"};
        return std::find(never.begin(), never.end(), other.name) == never.end();
    }
    if (wanted->name != given->name || wanted->parameters.size() != given->parameters.size()) return false;
    if (wanted->is("object")) return wanted->schema == given->schema && (wanted->schema != nullptr || wanted->path == given->path);
    for (std::size_t i = 0; i < wanted->parameters.size(); ++i) {
        if (!unify(wanted->parameters[i], given->parameters[i], bindings)) return false;
    }
    return true;
}

TypePtr resolve(const TypePtr& type, const Bindings& bindings) {
    if (type->is("parameter")) {
        const auto at = bindings.find(type->path);
        return at == bindings.end() ? dyn : at->second;
    }
    if (type->parameters.empty()) return type;
    auto made = std::make_shared<Type>(*type);
    for (TypePtr& parameter : made->parameters) parameter = resolve(parameter, bindings);
    return made;
}

class Checker {
  public:
    Checker(std::map<std::string, TypePtr> variables, std::vector<Issue>& issues) : variables_(std::move(variables)), issues_(issues) {}

    TypePtr check(Expression& e) {
        e.type = type_of(e);
        return e.type;
    }

  private:
    TypePtr fail(const Expression& e, std::string message) {
        issues_.push_back({e.offset, std::move(message)});
        return broken;
    }

    TypePtr type_of(Expression& e) {
        switch (e.kind) {
            case ExpressionKind::literal:
                return literal(e.literal);
            case ExpressionKind::identifier:
                return identifier(e);
            case ExpressionKind::select:
                return select(e);
            case ExpressionKind::has:
                select(e);
                return boolean;
            case ExpressionKind::call:
                return call(e);
            case ExpressionKind::list:
                return list(e);
            case ExpressionKind::map:
                return map(e);
            case ExpressionKind::message:
                return message(e);
            case ExpressionKind::macro:
                return macro(e);
        }
        return broken;
    }

    static TypePtr literal(const Value& value) {
        const std::string name = value.type_name();
        return simple_type(name);
    }

    TypePtr identifier(const Expression& e) {
        if (const auto at = variables_.find(e.name); at != variables_.end()) return at->second;
        static const std::vector<std::string> types = {"bool", "int", "uint", "double", "string", "bytes", "list", "map", "type", "null_type"};
        if (std::find(types.begin(), types.end(), e.name) != types.end()) return simple_type("type");
        return fail(e, "undeclared reference to '" + e.name + "' (in container '')");
    }

    TypePtr select(Expression& e) {
        TypePtr operand = check(e.args[0]);
        const bool optional = operand->is("optional_type");
        if (optional) operand = operand->parameters[0];
        TypePtr found = dyn;
        if (operand->is("object")) {
            found = type_of_field(*operand, e.name);
            if (found == nullptr) return fail(e, "undefined field '" + e.name + "'");
        } else if (operand->is("map")) {
            found = operand->parameters[1];
        } else if (operand->is("kubernetes.authorization.Authorizer") && e.name == "requestResource") {
            found = simple_type("kubernetes.authorization.ResourceCheck");
        } else if (operand->name.find('.') != std::string::npos) {
            // Types of libraries are objects that nobody has described.
            return fail(e, "unexpected failed resolution of '" + print_type(*operand) + "'");
        } else if (!is_dyn(*operand)) {
            return fail(e, "type '" + print_type(*operand) + "' does not support field selection");
        }
        return optional || e.optional ? optional_of(found) : found;
    }

    TypePtr no_overload(const Expression& e, const std::string& name, const std::vector<TypePtr>& arguments, bool method) {
        std::string text;
        for (std::size_t i = method ? 1 : 0; i < arguments.size(); ++i) text += (text.empty() ? "" : ", ") + print_type(*arguments[i]);
        const std::string on = method ? print_type(*arguments[0]) + "." : "";
        return fail(e, "found no matching overload for '" + name + "' applied to '" + on + "(" + text + ")'");
    }

    TypePtr applied(const Expression& e, const std::string& name, const std::vector<TypePtr>& arguments, bool method) {
        if (std::any_of(arguments.begin(), arguments.end(), [](const TypePtr& type) { return type->is("error"); })) return broken;
        TypePtr result;
        for (const Signature& signature : signatures_of(name)) {
            if (signature.method != method || signature.arguments.size() != arguments.size()) continue;
            Bindings bindings;
            bool fits = true;
            for (std::size_t i = 0; fits && i < arguments.size(); ++i) fits = unify(signature.arguments[i], arguments[i], bindings);
            if (!fits) continue;
            TypePtr found = resolve(signature.result, bindings);
            // Several forms may fit what is only known when it runs.
            if (result != nullptr && print_type(*result) != print_type(*found)) return dyn;
            result = std::move(found);
        }
        return result != nullptr ? result : no_overload(e, name, arguments, method);
    }

    TypePtr call(Expression& e) {
        std::vector<TypePtr> arguments;
        for (Expression& argument : e.args) arguments.push_back(check(argument));
        if (e.name == "_&&_" || e.name == "_||_") {
            for (std::size_t i = 0; i < e.args.size(); ++i) wants_bool(e.args[i], arguments[i]);
            return boolean;
        }
        if (signatures_of(e.name).empty()) return fail(e, "undeclared reference to '" + e.name + "' (in container '')");
        return applied(e, e.name, arguments, e.method);
    }

    TypePtr joined(const TypePtr& a, const TypePtr& b) {
        if (a == nullptr) return b;
        Bindings bindings;
        if (unify(a, b, bindings)) return is_dyn(*b) ? b : a;  // the more general of the two
        return nullptr;
    }

    TypePtr list(Expression& e) {
        TypePtr item;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            TypePtr type = check(e.args[i]);
            if (e.marks[i] && type->is("optional_type")) type = type->parameters[0];
            const TypePtr together = joined(item, type);
            if (together == nullptr) {
                return fail(e.args[i], "expected type '" + print_type(*item) + "' but found '" + print_type(*type) + "'");
            }
            item = together;
        }
        return list_of(item == nullptr ? dyn : item);
    }

    TypePtr map(Expression& e) {
        TypePtr key, value;
        for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
            const TypePtr key_type = check(e.args[i]);
            TypePtr value_type = check(e.args[i + 1]);
            if (e.marks[i / 2] && value_type->is("optional_type")) value_type = value_type->parameters[0];
            for (const auto& [known, found, at] : {std::tuple{&key, key_type, i}, std::tuple{&value, value_type, i + 1}}) {
                const TypePtr together = joined(*known, found);
                if (together == nullptr) {
                    return fail(e.args[at], "expected type '" + print_type(**known) + "' but found '" + print_type(*found) + "'");
                }
                *known = together;
            }
        }
        return map_of(key == nullptr ? dyn : key, value == nullptr ? dyn : value);
    }

    // Objects of named types are declared by a variable of the name up to the first dot.
    TypePtr message(Expression& e) {
        const auto declared = variables_.find(e.name.substr(0, e.name.find('.')));
        if (declared == variables_.end() || !declared->second->is("message")) {
            for (Expression& argument : e.args) check(argument);
            return fail(e, "undeclared reference to '" + e.name + "' (in container '')");
        }
        const Type& type = *declared->second;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            TypePtr given = check(e.args[i]);
            if (e.marks[i] && given->is("optional_type")) given = given->parameters[0];
            if (type.fields == nullptr) continue;
            const auto field = type.fields->find(e.fields[i]);
            Bindings bindings;
            const bool known = field != type.fields->end();
            if (known && unify(field->second, given, bindings)) continue;
            issues_.push_back({e.field_offsets[i], "expected type of field '" + e.fields[i] + "' is '" +
                                                       (known ? print_type(*field->second) : std::string()) + "' but provided type is '" +
                                                       print_type(*given) + "'"});
        }
        auto made = std::make_shared<Type>();
        made->name = "object";
        made->path = e.name;
        made->fields = type.fields;
        return made;
    }

    // With `variable` of this type while `body` is checked.
    TypePtr within(Expression& body, const std::vector<std::pair<std::string, TypePtr>>& added) {
        const auto before = variables_;
        for (const auto& [name, type] : added) variables_[name] = type;
        TypePtr type = check(body);
        variables_ = before;
        return type;
    }

    void wants_bool(const Expression& e, const TypePtr& type) {
        if (!type->is("bool") && !is_dyn(*type)) fail(e, "expected type 'bool' but found '" + print_type(*type) + "'");
    }
    // Macros that choose by a condition: `made` is what they choose between.
    void wants_condition(const Expression& e, const TypePtr& type, const TypePtr& made) {
        if (!type->is("bool") && !is_dyn(*type)) no_overload(e, "_?_:_", {type, made, made}, false);
    }

    TypePtr macro(Expression& e) {
        TypePtr range = check(e.args[0]);
        if (e.name == "optMap" || e.name == "optFlatMap") {
            TypePtr inner = range->is("optional_type") ? range->parameters[0] : dyn;
            if (!range->is("optional_type") && !is_dyn(*range)) return no_overload(e, "hasValue", {range}, true);
            const TypePtr made = within(e.args[1], {{e.variable, inner}});
            return e.name == "optMap" ? optional_of(made) : made;
        }
        if (e.name == "bind") return within(e.args[1], {{e.variable, range}});
        TypePtr first = dyn, second = dyn;
        if (e.name == "sortBy") {
            if (!range->is("list") && !is_dyn(*range)) {
                return fail(e.args[0], "expression of type '" + print_type(*range) +
                                           "' cannot be range of a comprehension (must be list, map, or dynamic)");
            }
            const TypePtr key = within(e.args[1], {{e.variable, range->is("list") ? range->parameters[0] : dyn}});
            return applied(e, "@sortByAssociatedKeys", {range, list_of(key)}, true);
        }
        const bool two = !e.variable2.empty();
        if (range->is("list")) {
            first = two ? simple_type("int") : range->parameters[0];
            second = range->parameters[0];
        } else if (range->is("map")) {
            first = range->parameters[0];
            second = range->parameters[1];
        } else if (!is_dyn(*range)) {
            return fail(e.args[0], "expression of type '" + print_type(*range) +
                                       "' cannot be range of a comprehension (must be list, map, or dynamic)");
        }
        std::vector<std::pair<std::string, TypePtr>> variables = {{e.variable, first}};
        if (two) variables.emplace_back(e.variable2, second);
        std::vector<TypePtr> types;
        for (std::size_t i = 1; i < e.args.size(); ++i) types.push_back(within(e.args[i], variables));
        if (e.name == "all" || e.name == "exists" || e.name == "existsOne") {
            if (e.name == "existsOne") wants_condition(e, types[0], simple_type("int"));
            else wants_bool(e.args[1], types[0]);
            return boolean;
        }
        if (e.name == "filter" || types.size() == 2) wants_condition(e, types[0], list_of(e.name == "filter" ? first : types.back()));
        if (e.name == "filter") return list_of(first);
        if (e.name == "map" || e.name == "transformList") return list_of(types.back());
        if (e.name == "transformMap") return map_of(first, types.back());
        return types.back();  // transformMapEntry
    }

    std::map<std::string, TypePtr> variables_;
    std::vector<Issue>& issues_;
};

}  // namespace

void check(Expression& expression, const std::map<std::string, TypePtr>& variables, std::vector<Issue>& issues) {
    Checker(variables, issues).check(expression);
    if (issues.empty()) check_literals(expression, issues);
    std::stable_sort(issues.begin(), issues.end(), [](const Issue& a, const Issue& b) { return a.offset < b.offset; });
}

bool mentions(const Expression& expression, std::string_view variable) {
    if (expression.kind == ExpressionKind::identifier && expression.name == variable) return true;
    return std::any_of(expression.args.begin(), expression.args.end(),
                       [variable](const Expression& argument) { return mentions(argument, variable); });
}

}  // namespace kubemu::api::cel

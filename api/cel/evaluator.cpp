// The tree walk. Errors are values; logic absorbs them where the other side decides.
#include "api/cel/evaluator.h"

#include <algorithm>

#include "api/cel/authorization.h"
#include "api/cel/functions.h"

namespace kubemu::api::cel {
namespace {

using ExpressionKind = Expression::Kind;

class Evaluator {
  public:
    Evaluator(std::map<std::string, Value> variables, std::uint64_t cost_max) : variables_(std::move(variables)), cost_max_(cost_max) {}

    Outcome run(const Expression& e) {
        Value value = eval(e);
        if (cost_ > cost_max_) value = Value::error("operation cancelled: actual cost limit exceeded");
        return {std::move(value), cost_};
    }

  private:
    bool spent() const { return cost_ > cost_max_; }

    Value eval(const Expression& e) {
        if (spent()) return Value::error("operation cancelled: actual cost limit exceeded");
        switch (e.kind) {
            case ExpressionKind::literal:
                return e.literal;
            case ExpressionKind::identifier:
                return identifier(e);
            case ExpressionKind::select:
                return select(e, false);
            case ExpressionKind::has:
                return select(e, true);
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
        return Value::null();
    }

    Value identifier(const Expression& e) {
        ++cost_;
        const auto at = variables_.find(e.name);
        if (at != variables_.end()) return at->second;
        if (e.type != nullptr && e.type->is("type")) return Value::of_type(e.name);
        return Value::error("no such attribute(s): " + e.name);
    }

    Value select(const Expression& e, bool presence) {
        Value operand = eval(e.args[0]);
        if (operand.is_error()) return operand;
        bool optional = e.optional;
        if (operand.kind == Kind::optional) {
            if (!operand.has_value()) return presence ? Value::of(false) : operand;
            operand = operand.at(0);
            optional = true;
        }
        if (!presence) ++cost_;
        if (operand.kind == Kind::authorization) return request_resource(operand);
        if (operand.kind != Kind::map && operand.kind != Kind::object) {
            if (operand.kind == Kind::null && optional) return Value::none();
            return presence ? Value::of(false) : Value::error("no such key: " + e.name);
        }
        const auto found = operand.field(e.name);
        if (presence) return Value::of(found.has_value());
        if (optional) return found ? Value::some(*found) : Value::none();
        return found ? *found : Value::error("no such key: " + unescape_name(e.name));
    }

    Value call(const Expression& e) {
        if (e.name == "_&&_" || e.name == "_||_") return logic(e, e.name == "_||_");
        if (e.name == "_?_:_") {
            const Value condition = eval(e.args[0]);
            if (condition.is_error()) return condition;
            if (condition.kind != Kind::boolean) return no_overload();
            return eval(condition.truth ? e.args[1] : e.args[2]);
        }
        Arguments arguments;
        arguments.reserve(e.args.size());
        for (const Expression& argument : e.args) {
            arguments.push_back(eval(argument));
            if (arguments.back().is_error()) return arguments.back();
        }
        const Function function = function_of(e.name);
        if (function == nullptr) return no_overload();
        Value result = function(arguments);
        cost_ += call_cost(e.name, arguments, result);
        return result;
    }

    Value logic(const Expression& e, bool decides) {
        Value left = eval(e.args[0]);
        if (left.is(decides)) return left;
        Value right = eval(e.args[1]);
        if (right.is(decides)) return right;
        if (left.is_error()) return left;
        if (right.is_error()) return right;
        if (left.kind != Kind::boolean || right.kind != Kind::boolean) return no_overload();
        return Value::of(!decides);
    }

    Value list(const Expression& e) {
        cost_ += 10;
        Value::List items;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            Value item = eval(e.args[i]);
            if (item.is_error()) return item;
            if (e.marks[i]) {
                if (item.kind != Kind::optional) return no_overload();
                if (!item.has_value()) continue;
                item = item.at(0);
            }
            items.push_back(std::move(item));
        }
        return Value::of(std::move(items));
    }

    Value map(const Expression& e) {
        cost_ += 30;
        Value::Entries entries;
        for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
            Value key = eval(e.args[i]);
            if (key.is_error()) return key;
            Value value = eval(e.args[i + 1]);
            if (value.is_error()) return value;
            if (e.marks[i / 2]) {
                if (value.kind != Kind::optional) return no_overload();
                if (!value.has_value()) continue;
                value = value.at(0);
            }
            for (const auto& [known, ignored] : entries) {
                if (equal(known, key)) return Value::error("Failed with repeated key");
            }
            entries.emplace_back(std::move(key), std::move(value));
        }
        return Value::of(std::move(entries));
    }

    // A map that knows the name of its type.
    Value message(const Expression& e) {
        cost_ += 40;
        Value::Entries entries;
        for (std::size_t i = 0; i < e.args.size(); ++i) {
            Value value = eval(e.args[i]);
            if (value.is_error()) return value;
            if (e.marks[i]) {
                if (value.kind != Kind::optional) return no_overload();
                if (!value.has_value()) continue;
                value = value.at(0);
            }
            entries.emplace_back(Value::of(unescape_name(e.fields[i])), std::move(value));
        }
        Value made = Value::of(std::move(entries));
        made.text = std::make_shared<const std::string>(e.name);
        return made;
    }

    struct Row {
        Value first, second;
    };

    // What a macro's variables are, one after the other.
    std::vector<Row> rows_of(const Value& range, bool two) {
        std::vector<Row> rows;
        if (range.kind == Kind::list) {
            for (std::size_t i = 0; i < range.size(); ++i) {
                if (two) rows.push_back({Value::of(static_cast<std::int64_t>(i)), range.at(i)});
                else rows.push_back({range.at(i), {}});
            }
            return rows;
        }
        for (const Value& key : range.keys()) rows.push_back({key, two ? *range.member(key) : Value()});
        return rows;
    }

    void set(const Expression& e, const Row& row) {
        variables_[e.variable] = row.first;
        if (!e.variable2.empty()) variables_[e.variable2] = row.second;
    }

    Value macro(const Expression& e) {
        const Value range = eval(e.args[0]);
        if (e.name == "bind") return bind(e, range);
        if (range.is_error()) return range;
        const auto before = variables_;
        Value result = e.name == "optMap" || e.name == "optFlatMap" ? optional_macro(e, range) : loop(e, range);
        variables_ = before;
        return result;
    }

    // An error is one where the body looks at the variable. It costs what the loop over nothing costs that cel-go makes of it.
    Value bind(const Expression& e, const Value& value) {
        cost_ += 11;
        const auto before = variables_;
        variables_[e.variable] = value;
        Value result = eval(e.args[1]);
        variables_ = before;
        return result;
    }

    Value optional_macro(const Expression& e, const Value& range) {
        if (range.kind != Kind::optional) return no_overload();
        if (!range.has_value()) return range;
        variables_[e.variable] = range.at(0);
        Value made = eval(e.args[1]);
        if (made.is_error() || e.name == "optFlatMap") return made;
        return Value::some(std::move(made));
    }

    // The costs beside those of the parts are what the loop costs that cel-go expands the macro to.
    Value loop(const Expression& e, const Value& range) {
        if (range.kind != Kind::list && range.kind != Kind::map && range.kind != Kind::object) return no_overload();
        const std::vector<Row> rows = rows_of(range, !e.variable2.empty());
        ++cost_;
        if (e.name == "all") return quantifier(e, rows, false);
        if (e.name == "exists") return quantifier(e, rows, true);
        if (e.name == "existsOne") return exactly_one(e, rows);
        if (e.name == "sortBy") return sort_by(e, rows);
        return collect(e, rows);
    }

    Value quantifier(const Expression& e, const std::vector<Row>& rows, bool decides) {
        Value result = Value::of(!decides);
        for (const Row& row : rows) {
            cost_ += decides ? 4 : 3;
            set(e, row);
            const Value one = eval(e.args[1]);
            if (spent() || one.is(decides)) return one;
            if (one.is_error()) result = one;
            else if (one.kind != Kind::boolean) return no_overload();
        }
        return result;
    }

    Value exactly_one(const Expression& e, const std::vector<Row>& rows) {
        int count = 0;
        ++cost_;
        for (const Row& row : rows) {
            cost_ += 1;
            set(e, row);
            const Value one = eval(e.args[1]);
            if (one.is_error()) return one;
            if (one.kind != Kind::boolean) return no_overload();
            if (one.truth) {
                ++count;
                ++cost_;
            }
        }
        return Value::of(count == 1);
    }

    Value sort_by(const Expression& e, const std::vector<Row>& rows) {
        std::vector<std::pair<Value, Value>> keyed;
        cost_ += 32;  // the binding, the list of keys and the sorted list
        for (const Row& row : rows) {
            set(e, row);
            Value key = eval(e.args[1]);
            if (key.is_error()) return key;
            cost_ += 12;
            if (!keyed.empty() && key.kind != keyed[0].first.kind) return Value::error("list elements must have the same type");
            if (!compare(key, key)) return Value::error("list elements must be comparable");
            keyed.emplace_back(std::move(key), row.first);
        }
        cost_ += 2 * keyed.size() * keyed.size();
        if (spent()) return Value::null();
        std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return compare(a.first, b.first).value_or(0) < 0; });
        Value::List sorted;
        for (auto& [key, item] : keyed) sorted.push_back(std::move(item));
        return Value::of(std::move(sorted));
    }

    Value collect(const Expression& e, const std::vector<Row>& rows) {
        const bool filters = e.name == "filter" || e.args.size() > 2, maps = e.name.starts_with("transformMap");
        Value::List items;
        Value::Entries entries;
        cost_ += maps ? 30 : 10;
        for (const Row& row : rows) {
            set(e, row);
            if (filters) {
                const Value wanted = eval(e.args[1]);
                if (wanted.is_error()) return wanted;
                if (wanted.kind != Kind::boolean) return no_overload();
                if (!wanted.truth) {
                    ++cost_;
                    continue;
                }
            }
            cost_ += 12;
            if (e.name == "filter") {
                ++cost_;
                items.push_back(row.first);
                continue;
            }
            Value made = eval(e.args.back());
            if (made.is_error()) return made;
            if (!maps) {
                items.push_back(std::move(made));
            } else if (e.name == "transformMap") {
                entries.emplace_back(row.first, std::move(made));
            } else {
                for (const Value& key : made.keys()) entries.emplace_back(key, *made.member(key));
            }
        }
        return maps ? Value::of(std::move(entries)) : Value::of(std::move(items));
    }

    std::map<std::string, Value> variables_;
    const std::uint64_t cost_max_;
    std::uint64_t cost_ = 0;
};

std::uint64_t tenths(std::size_t size, std::uint64_t factor = 1) { return (static_cast<std::uint64_t>(size) * factor + 9) / 10; }

}  // namespace

Outcome evaluate(const Expression& expression, const std::map<std::string, Value>& variables, std::uint64_t cost_max) {
    return Evaluator(variables, cost_max).run(expression);
}

std::uint64_t call_cost(const std::string& function, const std::vector<Value>& a, const Value& result) {
    const auto any_of = [&function](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), function) != names.end();
    };
    if (a.empty() || result.is_error()) return 1;
    // library.AuthzLibrary: a question to the authorizer.
    if (function == "check" && a[0].kind == Kind::authorization) return 350'000;
    const bool text = a[0].kind == Kind::string || a[0].kind == Kind::bytes;
    if (any_of({"startsWith", "endsWith"})) return tenths(a[1].size());
    if (function == "@in") return a[1].kind == Kind::list ? a[1].size() : 1;
    if (any_of({"matches", "find", "findAll"})) return tenths(a[0].size() + 1) * ((a[1].size() + 3) / 4);
    if (function == "contains") return tenths(a[0].size()) * tenths(a[1].size());
    if (function == "_+_" && text) return tenths(a[0].size() + a[1].size());
    if (any_of({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})) return tenths(std::min(a[0].size(), a[1].size()));
    if (any_of({"isSorted", "sum", "min", "max", "indexOf", "lastIndexOf", "distinct", "reverse", "sort", "flatten"})) return std::max<std::size_t>(a[0].size(), 1);
    if (any_of({"url", "isURL", "lowerAscii", "upperAscii", "substring", "trim", "ip", "isIP", "cidr", "isCIDR", "quantity", "isQuantity",
                "semver", "isSemver", "strings.quote", "format"})) {
        return std::max<std::uint64_t>(tenths(a[0].size()), 1);
    }
    if (any_of({"replace", "split", "ip.isCanonical"})) return tenths(a[0].size(), 2);
    if (function == "join") return tenths(result.size(), 2);
    if (function == "validate") return tenths(a[1].size() + 1) * 25;
    if (any_of({"sets.contains", "sets.equivalent", "sets.intersects"})) return a[0].size() * a[1].size() + 1;
    if (any_of({"string", "bytes"}) && text) return tenths(a[0].size());
    return 1;
}

}  // namespace kubemu::api::cel

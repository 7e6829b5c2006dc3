// Runs a query: every node gives any number of results to whoever comes after it.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/stages/jq_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

constexpr int steps_max = 200'000;  // of one run: no query of a Stage comes near
constexpr int depth_max = 400;

int rank(const Json& value) {
    if (value.is_null()) return 0;
    if (value.is_boolean()) return value.get<bool>() ? 2 : 1;
    if (value.is_number()) return 3;
    if (value.is_string()) return 4;
    return value.is_array() ? 5 : 6;
}

Json number(double value) {
    if (value == std::floor(value) && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
    return value;
}

// Nothing: the operator has no meaning for these.
std::optional<Json> arithmetic(const std::string& op, const Json& a, const Json& b) {
    if (op == "+" && a.is_null()) return b;
    if (op == "+" && b.is_null()) return a;
    if (a.is_number() && b.is_number()) {
        const double x = a.get<double>(), y = b.get<double>();
        if (op == "+") return number(x + y);
        if (op == "-") return number(x - y);
        if (op == "*") return number(x * y);
        if (y == 0) return std::nullopt;
        if (op == "/") return number(x / y);
        const double z = std::trunc(y);
        return z == 0 ? std::nullopt : std::optional(number(std::fmod(std::trunc(x), z)));
    }
    if (op == "+" && a.is_string() && b.is_string()) return a.get<std::string>() + b.get<std::string>();
    if (op == "+" && a.is_array() && b.is_array()) {
        Json sum = a;
        sum.insert(sum.end(), b.begin(), b.end());
        return sum;
    }
    if ((op == "+" || op == "*") && a.is_object() && b.is_object()) {
        Json sum = a;
        sum.update(b, op == "*");
        return sum;
    }
    if (op == "-" && a.is_array() && b.is_array()) {
        Json rest = Json::array();
        for (const Json& item : a)
            if (std::find(b.begin(), b.end(), item) == b.end()) rest.push_back(item);
        return rest;
    }
    return std::nullopt;
}

std::optional<Json> indexed(const Json& value, const Json& index) {
    if (value.is_null()) return Json();
    if (value.is_object() && index.is_string()) {
        const auto found = value.find(index.get_ref<const std::string&>());
        return found == value.end() ? Json() : *found;
    }
    if (value.is_array() && index.is_number()) {
        auto at = static_cast<std::int64_t>(std::floor(index.get<double>()));
        if (at < 0) at += static_cast<std::int64_t>(value.size());
        return at < 0 || at >= static_cast<std::int64_t>(value.size()) ? Json()
                                                                       : value[static_cast<std::size_t>(at)];
    }
    return std::nullopt;
}

std::optional<Json> sliced(const Json& value, const Json& from, const Json& to) {
    if (value.is_null()) return Json();
    if (!value.is_array() && !value.is_string()) return std::nullopt;
    const std::string* text = value.is_string() ? &value.get_ref<const std::string&>() : nullptr;
    const auto size = static_cast<std::int64_t>(text != nullptr ? text->size() : value.size());
    const auto bound = [&](const Json& given, std::int64_t fallback) {
        if (!given.is_number()) return fallback;
        auto at = static_cast<std::int64_t>(given.get<double>());
        if (at < 0) at += size;
        return std::clamp<std::int64_t>(at, 0, size);
    };
    const std::int64_t first = bound(from, 0), last = std::max(bound(to, size), first);
    if (text != nullptr)
        return text->substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    return Json(Json::array_t(value.begin() + first, value.begin() + last));
}

}  // namespace

bool jq_truth(const Json& value) {
    return !value.is_null() && !(value.is_boolean() && !value.get<bool>());
}

int jq_compare(const Json& left, const Json& right) {
    const int a = rank(left), b = rank(right);
    if (a != b) return a < b ? -1 : 1;
    return left == right ? 0 : left < right ? -1 : 1;
}

bool JqRun::step() {
    return ++steps_ <= steps_max ? true : fail();
}

bool JqRun::run(const JqNode& node, const Json& input, const Variables& variables, const Emit& emit) {
    if (!step()) return false;
    if (depth_ >= depth_max) return fail();
    ++depth_;
    bool going = false;
    switch (node.kind) {
        case JqNode::Kind::identity:
            going = emit(input);
            break;
        case JqNode::Kind::literal:
            going = emit(*node.value);
            break;
        case JqNode::Kind::variable: {
            const auto found = std::find_if(variables.rbegin(), variables.rend(),
                                            [&](const auto& known) { return known.first == node.text; });
            going = found == variables.rend() ? fail() : emit(found->second);
            break;
        }
        case JqNode::Kind::recurse:
        case JqNode::Kind::index:
        case JqNode::Kind::slice:
        case JqNode::Kind::iterate:
            going = run_path(node, input, variables, emit);
            break;
        case JqNode::Kind::optional:
            going = run_guarded(node, input, variables, emit);
            break;
        case JqNode::Kind::array: {
            Json list = Json::array();
            going = true;
            if (!node.kids.empty()) {
                going = run(*node.kids[0], input, variables, [&](const Json& value) {
                    list.push_back(value);
                    return true;
                });
            }
            going = going && emit(list);
            break;
        }
        case JqNode::Kind::object:
            going = run_object(node, 0, Json::object(), input, variables, emit);
            break;
        case JqNode::Kind::call:
            going = call(node, input, variables, emit);
            break;
        default:
            going = run_operator(node, input, variables, emit);
            break;
    }
    --depth_;
    return going;
}

bool JqRun::run_path(const JqNode& node, const Json& input, const Variables& variables, const Emit& emit) {
    if (node.kind == JqNode::Kind::recurse) {
        if (!step() || !emit(input)) return false;
        if (!input.is_structured()) return true;
        for (const Json& item : input)
            if (!run_path(node, item, variables, emit)) return false;
        return true;
    }
    return run(*node.kids[0], input, variables, [&](const Json& value) {
        if (node.kind == JqNode::Kind::iterate) {
            if (!value.is_structured()) return fail();
            for (const Json& item : value)
                if (!emit(item)) return false;
            return true;
        }
        // Bounds and indexes are expressions over the input of the whole.
        return run(*node.kids[1], input, variables, [&](const Json& index) {
            if (node.kind == JqNode::Kind::index) {
                const auto found = indexed(value, index);
                return found ? emit(*found) : fail();
            }
            return run(*node.kids[2], input, variables, [&](const Json& to) {
                const auto found = sliced(value, index, to);
                return found ? emit(*found) : fail();
            });
        });
    });
}

// An error inside ends it without being one; with `catch` it goes on there.
bool JqRun::run_guarded(const JqNode& node, const Json& input, const Variables& variables, const Emit& emit) {
    bool ended = false;
    const bool fine = run(*node.kids[0], input, variables, [&](const Json& value) {
        if (emit(value)) return true;
        ended = true;
        return false;
    });
    if (fine || ended) return fine;
    failed_ = false;
    return node.kids.size() < 2 || run(*node.kids[1], "error", variables, emit);
}

bool JqRun::run_object(const JqNode& node, std::size_t kid, Json made, const Json& input,
                       const Variables& variables, const Emit& emit) {
    if (kid >= node.kids.size()) return emit(made);
    return run(*node.kids[kid], input, variables, [&](const Json& key) {
        if (!key.is_string()) return fail();
        return run(*node.kids[kid + 1], input, variables, [&](const Json& value) {
            Json next = made;
            next[key.get<std::string>()] = value;
            return run_object(node, kid + 2, std::move(next), input, variables, emit);
        });
    });
}

bool JqRun::run_operator(const JqNode& node, const Json& input, const Variables& variables,
                         const Emit& emit) {
    const auto kid = [&](std::size_t i, const Json& on, const Emit& then) {
        return run(*node.kids[i], on, variables, then);
    };
    switch (node.kind) {
        case JqNode::Kind::pipe:
            return kid(0, input, [&](const Json& value) { return kid(1, value, emit); });
        case JqNode::Kind::comma:
            return kid(0, input, emit) && kid(1, input, emit);
        case JqNode::Kind::alternative: {
            bool any = false, ended = false;
            const bool fine = kid(0, input, [&](const Json& value) {
                if (!jq_truth(value)) return true;
                any = true;
                ended = !emit(value);
                return !ended;
            });
            if (any || ended) {
                if (!ended) failed_ = false;
                return !ended;
            }
            if (!fine) failed_ = false;
            return kid(1, input, emit);
        }
        case JqNode::Kind::both:
        case JqNode::Kind::either: {
            const bool decides = node.kind == JqNode::Kind::either;
            return kid(0, input, [&](const Json& left) {
                if (jq_truth(left) == decides) return emit(decides);
                return kid(1, input, [&](const Json& right) { return emit(jq_truth(right)); });
            });
        }
        case JqNode::Kind::negate:
            return kid(0, input, [&](const Json& value) {
                return value.is_number() ? emit(number(-value.get<double>())) : fail();
            });
        case JqNode::Kind::binary:
            return kid(1, input, [&](const Json& right) {
                return kid(0, input, [&](const Json& left) {
                    const std::string& op = node.text;
                    const int order = jq_compare(left, right);
                    if (op == "==") return emit(order == 0);
                    if (op == "!=") return emit(order != 0);
                    if (op == "<") return emit(order < 0);
                    if (op == "<=") return emit(order <= 0);
                    if (op == ">") return emit(order > 0);
                    if (op == ">=") return emit(order >= 0);
                    const auto result = arithmetic(op, left, right);
                    return result ? emit(*result) : fail();
                });
            });
        case JqNode::Kind::condition:
            return kid(0, input,
                       [&](const Json& value) { return kid(jq_truth(value) ? 1 : 2, input, emit); });
        case JqNode::Kind::bind:
            return kid(0, input, [&](const Json& value) {
                Variables inner = variables;
                inner.emplace_back(node.text, value);
                return run(*node.kids[1], input, inner, emit);
            });
        case JqNode::Kind::reduce: {
            Json state;
            if (!kid(1, input, [&](const Json& value) {
                    state = value;
                    return true;
                })) {
                return false;
            }
            const bool fine = kid(0, input, [&](const Json& value) {
                Variables inner = variables;
                inner.emplace_back(node.text, value);
                Json next;
                const bool stepped = run(*node.kids[2], state, inner, [&](const Json& result) {
                    next = result;
                    return true;
                });
                state = std::move(next);
                return stepped;
            });
            return fine && emit(state);
        }
        default:
            return fail();
    }
}

JqQuery::JqQuery(std::unique_ptr<JqNode> root) : root_(std::move(root)) {}
JqQuery::JqQuery(JqQuery&&) noexcept = default;
JqQuery& JqQuery::operator=(JqQuery&&) noexcept = default;
JqQuery::~JqQuery() = default;

Result<JqQuery, std::string> JqQuery::parse(const std::string& text) {
    TRY_ASSIGN(JqNodePtr root, parse_jq(text));
    return JqQuery(std::move(root));
}

std::optional<std::vector<Json>> JqQuery::run(const Json& input) const {
    std::vector<Json> results;
    JqRun run;
    const bool fine = run.run(*root_, input, {}, [&](const Json& value) {
        if (!value.is_null()) results.push_back(value);
        return true;
    });
    if (!fine) return std::nullopt;
    return results;
}

}  // namespace kubemu::controllers::stages

// The grammar and the matching of label selectors.
#include "api/selector/label.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/values/names.h"
#include "api/values/text.h"

namespace kubemu::api {

LabelSpan labels_of(const Json& labels) {
    LabelSpan out;
    if (!labels.is_object()) return out;
    for (const auto& [key, value] : labels.items()) {
        if (value.is_string()) out.emplace_back(key, value.get<std::string>());
    }
    return out;
}

class SelectorParser {
  public:
    explicit SelectorParser(std::string_view text) : text_(text) { next(); }

    Result<LabelSelector, std::string> run() {
        LabelSelector selector;
        if (token_.empty()) return selector;
        for (;;) {
            if (auto problem = requirement(selector)) return *problem;
            if (token_.empty()) break;
            if (token_ != ",") return "found '" + token_ + "', expected: ',' or 'end of string'";
            next();
            if (!identifier() && token_ != "!") {
                return "found '" + token_ + "', expected: identifier after ','";
            }
        }
        selector.sort();
        return selector;
    }

  private:
    using Operator = LabelSelector::Operator;

    static bool special(char c) { return std::string_view("=!(),<>").find(c) != std::string_view::npos; }

    void next() {
        while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
        const std::size_t begin = at_;
        if (at_ >= text_.size()) {
            token_.clear();
            return;
        }
        if (special(text_[at_])) {
            // The longest operator, as the lexer of labels takes it.
            for (const std::string_view op : {"==", "!=", "=", "!", "(", ")", ",", "<", ">"}) {
                if (text_.substr(at_, op.size()) == op) {
                    at_ += op.size();
                    break;
                }
            }
        } else {
            while (at_ < text_.size() && !special(text_[at_]) && !std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
        }
        token_ = std::string(text_.substr(begin, at_ - begin));
    }

    bool identifier() const { return !token_.empty() && !special(token_[0]); }
    static std::string wrong(const std::string& detail) { return "unable to parse requirement: " + detail; }

    std::optional<std::string> requirement(LabelSelector& selector) {
        LabelSelector::Requirement r;
        const bool negated = token_ == "!";
        if (negated) next();
        if (!identifier()) {
            const bool first = !negated && selector.requirements_.empty();
            if (first) return "found '" + token_ + "', expected: !, identifier, or 'end of string'";
            return wrong("found '" + token_ + "', expected: identifier");
        }
        r.key = token_;
        next();
        for (const std::string& message : check_qualified_name(r.key)) {
            return wrong("<nil>: Invalid value: " + go_quote(r.key) + ": " + message);
        }
        if (negated || token_.empty() || token_ == ",") {
            r.op = negated ? Operator::absent : Operator::exists;
        } else if (token_ == "=" || token_ == "==" || token_ == "!=" || token_ == ">" || token_ == "<") {
            r.op = token_ == "!=" ? Operator::not_in : token_ == ">" ? Operator::greater : token_ == "<" ? Operator::less : Operator::in;
            r.equality = r.op == Operator::in || r.op == Operator::not_in;
            next();
            if (identifier()) {
                r.values.push_back(token_);
                next();
            } else if (!token_.empty() && token_ != ",") {
                return wrong("found '" + token_ + "', expected: identifier");
            } else {
                r.values.emplace_back();
            }
            if (auto problem = check_values(r)) return problem;
        } else if (token_ == "in" || token_ == "notin") {
            r.op = token_ == "in" ? Operator::in : Operator::not_in;
            next();
            if (token_ != "(") return wrong("found '" + token_ + "' expected: '('");
            next();
            for (;;) {
                if (identifier()) {
                    r.values.push_back(token_);
                    next();
                } else {
                    r.values.emplace_back();
                }
                if (token_ == ")") break;
                if (token_ != ",") return wrong("found '" + token_ + "', expected: ',' or ')'");
                next();
            }
            next();
            std::sort(r.values.begin(), r.values.end());
            r.values.erase(std::unique(r.values.begin(), r.values.end()), r.values.end());
            if (auto problem = check_values(r)) return problem;
        } else {
            return wrong("found '" + token_ + "', expected: in, notin, =, ==, !=, gt, lt");
        }
        selector.requirements_.push_back(std::move(r));
        return std::nullopt;
    }

    static std::optional<std::string> check_values(const LabelSelector::Requirement& r) {
        for (std::size_t i = 0; i < r.values.size(); ++i) {
            const std::string& value = r.values[i];
            const std::string where = "values[" + std::to_string(i) + "]";
            if (r.op == Operator::greater || r.op == Operator::less) {
                long long number = 0;
                const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
                if (error != std::errc() || end != value.data() + value.size()) {
                    return wrong(where + ": Invalid value: " + go_quote(value) +
                                 ": for 'Gt', 'Lt' operators, the value must be an integer");
                }
            }
            for (const std::string& message : check_label_value(value)) {
                return wrong(where + "[" + r.key + "]: Invalid value: " + go_quote(value) + ": " + message);
            }
        }
        return std::nullopt;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string token_;
};

Result<LabelSelector, std::string> LabelSelector::parse(std::string_view text) { return SelectorParser(text).run(); }

void LabelSelector::sort() {
    std::stable_sort(requirements_.begin(), requirements_.end(),
                     [](const Requirement& a, const Requirement& b) { return a.key < b.key; });
}

LabelSelector LabelSelector::from_map(const Json& labels) {
    LabelSelector selector;
    for (auto& [key, value] : labels_of(labels)) selector.requirements_.push_back({key, Operator::in, {value}, true});
    return selector;
}

LabelSelector LabelSelector::from_object(const Json& object) {
    if (!object.is_object()) {
        LabelSelector nothing;
        nothing.nothing_ = true;
        return nothing;
    }
    LabelSelector selector = from_map(object_at(object, {"matchLabels"}));
    for (const Json& expression : array_at(object, {"matchExpressions"})) {
        Requirement r;
        r.key = string_at(expression, {"key"});
        const std::string_view op = string_at(expression, {"operator"});
        r.op = op == "In" ? Operator::in : op == "NotIn" ? Operator::not_in : op == "Exists" ? Operator::exists : Operator::absent;
        for (const Json& value : array_at(expression, {"values"})) {
            if (value.is_string()) r.values.push_back(value.get<std::string>());
        }
        std::sort(r.values.begin(), r.values.end());
        selector.requirements_.push_back(std::move(r));
    }
    selector.sort();
    return selector;
}

bool LabelSelector::matches(const LabelSpan& labels) const {
    if (nothing_) return false;
    for (const Requirement& r : requirements_) {
        const auto found = std::lower_bound(labels.begin(), labels.end(), r.key,
                                            [](const auto& label, const std::string& key) { return label.first < key; });
        const std::string* value = found != labels.end() && found->first == r.key ? &found->second : nullptr;
        const auto listed = [&] { return std::find(r.values.begin(), r.values.end(), *value) != r.values.end(); };
        bool holds = false;
        switch (r.op) {
            case Operator::in: holds = value != nullptr && listed(); break;
            case Operator::not_in: holds = value == nullptr || !listed(); break;
            case Operator::exists: holds = value != nullptr; break;
            case Operator::absent: holds = value == nullptr; break;
            case Operator::greater:
            case Operator::less: {
                if (value == nullptr) break;
                const long long have = std::strtoll(value->c_str(), nullptr, 10);
                const long long limit = std::strtoll(r.values[0].c_str(), nullptr, 10);
                holds = r.op == Operator::greater ? have > limit : have < limit;
            }
        }
        if (!holds) return false;
    }
    return true;
}

std::string LabelSelector::text() const {
    std::string out;
    for (const Requirement& r : requirements_) {
        if (!out.empty()) out += ',';
        switch (r.op) {
            case Operator::absent: out += "!" + r.key; break;
            case Operator::exists: out += r.key; break;
            case Operator::greater: out += r.key + ">" + r.values[0]; break;
            case Operator::less: out += r.key + "<" + r.values[0]; break;
            case Operator::in:
            case Operator::not_in:
                if (r.equality) out += r.key + (r.op == Operator::in ? "=" : "!=") + r.values[0];
                else out += r.key + (r.op == Operator::in ? " in (" : " notin (") + join(r.values, ",") + ")";
        }
    }
    return out;
}

}  // namespace kubemu::api

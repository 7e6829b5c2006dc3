// Parsing and walking of JSONPath expressions.
#include "api/values/json_path.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

namespace kubemu::api {

struct JsonPath::Step {
    enum class Kind { member, wildcard, slice, set, filter, descend };
    Kind kind = Kind::member;
    std::string name;                            // member
    std::optional<long> begin, end, stride;      // slice
    bool single = false;                         // slice of one index
    std::vector<std::vector<std::shared_ptr<const Step>>> alternatives;  // set
    // filter: `left operation right`; no operation asks whether `left` finds anything
    std::vector<std::shared_ptr<const Step>> left, right;
    Json left_value, right_value;  // instead of a path when that has no steps
    bool left_is_path = false, right_is_path = false;
    std::string operation;
};

namespace {

using Step = JsonPath::Step;
using Steps = std::vector<std::shared_ptr<const Step>>;
using Found = std::vector<const Json*>;

constexpr int depth_max = 100;

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    // Up to the end of the text.
    std::optional<Steps> all() {
        auto steps = path();
        return steps && at_ == text_.size() ? std::move(steps) : std::nullopt;
    }

    std::optional<Steps> path() {
        Steps steps;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '@' || c == '$') {
                ++at_;
            } else if (text_.substr(at_, 2) == "..") {
                at_ += 2;
                add(steps, Step::Kind::descend);
                if (at_ < text_.size() && text_[at_] != '[' && !member(steps)) return std::nullopt;
            } else if (c == '.') {
                ++at_;
                if (at_ == text_.size() || text_[at_] == '[') continue;
                if (!member(steps)) return std::nullopt;
            } else if (c == '[') {
                if (!bracket(steps)) return std::nullopt;
            } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '*') {
                if (!member(steps)) return std::nullopt;
            } else {
                break;
            }
        }
        return steps;
    }

  private:
    static Step& add(Steps& steps, Step::Kind kind) {
        auto step = std::make_shared<Step>();
        step->kind = kind;
        Step& reference = *step;
        steps.push_back(std::move(step));
        return reference;
    }

    // Up to a character that ends a name; a backslash takes that meaning from the next one.
    bool member(Steps& steps) {
        std::string name;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '\\' && at_ + 1 < text_.size()) {
                name += text_[at_ + 1];
                at_ += 2;
                continue;
            }
            if (std::string_view(" .[]|,{}()=<>!\n\t\r").find(c) != std::string_view::npos) break;
            name += c;
            ++at_;
        }
        if (name.empty()) return false;
        if (name == "*") {
            add(steps, Step::Kind::wildcard);
        } else {
            add(steps, Step::Kind::member).name = std::move(name);
        }
        return true;
    }

    std::optional<std::string_view> bracketed() {
        std::size_t depth = 0;
        char quote = 0;
        for (std::size_t i = at_; i < text_.size(); ++i) {
            const char c = text_[i];
            if (quote != 0) {
                if (c == '\\') ++i;
                else if (c == quote) quote = 0;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '[') {
                ++depth;
            } else if (c == ']' && --depth == 0) {
                const std::string_view inside = text_.substr(at_ + 1, i - at_ - 1);
                at_ = i + 1;
                return inside;
            }
        }
        return std::nullopt;
    }

    bool bracket(Steps& steps) {
        const auto inside = bracketed();
        if (!inside) return false;
        if (inside->substr(0, 2) == "?(" && inside->back() == ')') {
            return filter(steps, inside->substr(2, inside->size() - 3));
        }
        std::vector<std::string_view> parts;
        char quote = 0;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < inside->size(); ++i) {
            const char c = (*inside)[i];
            if (quote != 0) {
                if (c == quote) quote = 0;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == ',') {
                parts.push_back(inside->substr(begin, i - begin));
                begin = i + 1;
            }
        }
        parts.push_back(inside->substr(begin));
        if (parts.size() == 1) return element(steps, parts[0]);
        std::vector<Steps> alternatives;
        for (const std::string_view part : parts) {
            Steps one;
            if (!element(one, part)) return false;
            alternatives.push_back(std::move(one));
        }
        add(steps, Step::Kind::set).alternatives = std::move(alternatives);
        return true;
    }

    static bool element(Steps& steps, std::string_view text) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        if (text.empty()) return false;
        if (text == "*") {
            add(steps, Step::Kind::wildcard);
            return true;
        }
        if (text.front() == '\'' || text.front() == '"') {
            const auto name = unquoted(text);
            if (!name) return false;
            add(steps, Step::Kind::member).name = *name;
            return true;
        }
        std::vector<std::optional<long>> numbers;
        std::size_t begin = 0;
        for (std::size_t i = 0; i <= text.size(); ++i) {
            if (i < text.size() && text[i] != ':') continue;
            const std::string part(text.substr(begin, i - begin));
            begin = i + 1;
            if (part.empty()) {
                numbers.emplace_back();
                continue;
            }
            const bool number = part.find_first_not_of("0123456789", part[0] == '-' || part[0] == '+' ? 1 : 0) == std::string::npos;
            if (!number || part.size() > 18) return false;
            numbers.emplace_back(std::atol(part.c_str()));
        }
        if (numbers.size() > 3) return false;
        Step& step = add(steps, Step::Kind::slice);
        step.begin = numbers[0];
        step.single = numbers.size() == 1;
        if (numbers.size() > 1) step.end = numbers[1];
        if (numbers.size() > 2) step.stride = numbers[2];
        return true;
    }

    static std::optional<std::string> unquoted(std::string_view text) {
        if (text.size() < 2 || text.back() != text.front()) return std::nullopt;
        std::string out;
        for (std::size_t i = 1; i + 1 < text.size(); ++i) {
            if (text[i] == '\\' && i + 2 < text.size()) ++i;
            out += text[i];
        }
        return out;
    }

    static bool filter(Steps& steps, std::string_view text) {
        static constexpr std::string_view operations[] = {"==", "!=", "<=", ">=", "<", ">"};
        std::string_view operation;
        std::size_t place = std::string_view::npos;
        char quote = 0;
        for (std::size_t i = 0; i < text.size() && operation.empty(); ++i) {
            if (quote != 0) {
                if (text[i] == quote) quote = 0;
                continue;
            }
            if (text[i] == '\'' || text[i] == '"') quote = text[i];
            for (const std::string_view candidate : operations) {
                if (quote == 0 && text.substr(i, candidate.size()) == candidate) {
                    operation = candidate;
                    place = i;
                    break;
                }
            }
        }
        auto step = std::make_shared<Step>();
        step->kind = Step::Kind::filter;
        step->operation = operation;
        if (!operand(text.substr(0, place), step->left, step->left_value, step->left_is_path)) return false;
        if (!operation.empty() &&
            !operand(text.substr(place + operation.size()), step->right, step->right_value, step->right_is_path)) {
            return false;
        }
        steps.push_back(std::move(step));
        return true;
    }

    static bool operand(std::string_view text, Steps& path, Json& value, bool& is_path) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        if (text.empty()) return false;
        if (text[0] == '@' || text[0] == '.' || text[0] == '$') {
            auto steps = Parser(text).all();
            if (!steps) return false;
            path = std::move(*steps);
            is_path = true;
            return true;
        }
        if (text[0] == '\'' || text[0] == '"') {
            const auto plain = unquoted(text);
            if (plain) value = *plain;
            return plain.has_value();
        }
        value = Json::parse(text, nullptr, false);
        return !value.is_discarded();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Found walk(const Steps& steps, const Json& root, int depth);

bool less(const Json& a, const Json& b) {
    if (a.is_number() && b.is_number()) return a.get<double>() < b.get<double>();
    if (a.is_string() && b.is_string()) return a.get_ref<const std::string&>() < b.get_ref<const std::string&>();
    return false;
}

bool comparable(const Json& a, const Json& b) { return a.type() == b.type() || (a.is_number() && b.is_number()); }

bool holds(const Step& step, const Json& item, int depth) {
    const auto operand = [&](const Steps& path, const Json& value, bool is_path) -> Found {
        return is_path ? walk(path, item, depth + 1) : Found{&value};
    };
    const Found left = operand(step.left, step.left_value, step.left_is_path);
    if (step.operation.empty()) return !left.empty();
    const Found right = operand(step.right, step.right_value, step.right_is_path);
    if (left.size() != 1 || right.size() != 1 || !comparable(*left[0], *right[0])) return false;
    const Json &a = *left[0], &b = *right[0];
    if (step.operation == "==") return a == b;
    if (step.operation == "!=") return a != b;
    if (step.operation == "<") return less(a, b);
    if (step.operation == ">") return less(b, a);
    if (step.operation == "<=") return less(a, b) || a == b;
    return less(b, a) || a == b;
}

void descend(const Json& value, Found& found, int depth) {
    if (depth > depth_max || !value.is_structured()) return;
    found.push_back(&value);
    for (const Json& child : value) descend(child, found, depth + 1);
}

void slice(const Step& step, const Json& value, Found& found) {
    if (!value.is_array()) return;
    const long size = static_cast<long>(value.size());
    long begin = step.begin.value_or(0);
    if (begin < 0) begin += size;
    if (step.single) {
        if (begin >= 0 && begin < size) found.push_back(&value[static_cast<std::size_t>(begin)]);
        return;
    }
    long end = step.end.value_or(size);
    if (end < 0) end += size;
    end = std::min(end, size);
    const long stride = step.stride.value_or(1);
    if (stride <= 0) return;
    for (long i = std::max(begin, 0L); i < end; i += stride) found.push_back(&value[static_cast<std::size_t>(i)]);
}

void take(const Step& step, const Json& value, Found& found, int depth) {
    switch (step.kind) {
        case Step::Kind::member:
            if (value.is_object()) {
                if (const auto at = value.find(step.name); at != value.end()) found.push_back(&*at);
            }
            return;
        case Step::Kind::wildcard:
            if (value.is_structured()) {
                for (const Json& child : value) found.push_back(&child);
            }
            return;
        case Step::Kind::slice:
            return slice(step, value, found);
        case Step::Kind::set:
            for (const Steps& alternative : step.alternatives) {
                const Found some = walk(alternative, value, depth + 1);
                found.insert(found.end(), some.begin(), some.end());
            }
            return;
        case Step::Kind::filter:
            if (!value.is_structured()) return;
            for (const Json& child : value) {
                if (holds(step, child, depth)) found.push_back(&child);
            }
            return;
        case Step::Kind::descend:
            return descend(value, found, depth);
    }
}

Found walk(const Steps& steps, const Json& root, int depth) {
    Found current{&root};
    if (depth > depth_max) return {};
    for (const auto& step : steps) {
        Found next;
        for (const Json* value : current) take(*step, *value, next, depth);
        current = std::move(next);
    }
    return current;
}

}  // namespace

std::optional<JsonPath> JsonPath::parse(std::string_view text) {
    auto steps = Parser(text).all();
    if (!steps) return std::nullopt;
    JsonPath path;
    path.steps_ = std::move(*steps);
    return path;
}

std::vector<const Json*> JsonPath::find(const Json& document) const { return walk(steps_, document, 0); }

}  // namespace kubemu::api

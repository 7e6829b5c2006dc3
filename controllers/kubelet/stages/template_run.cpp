// Renders a tree over a document.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "controllers/kubelet/stages/template_tree.h"

namespace kubemu::controllers::stages {

using api::Json;

namespace {

constexpr int steps_max = 200'000;
constexpr std::size_t text_max = 3 << 20;  // as large as a request may be

using Value = Result<Json, std::string>;

class Run {
  public:
    Run(const ParsedTemplate& parsed, const TemplateFunctions& functions, std::string& out)
        : parsed_(parsed), functions_(functions), out_(out) {}

    // Empty when all is well.
    std::string error;

    enum class Flow { on, leave, skip, failed };

    Flow list(const TemplateList& nodes, const Json& dot) {
        for (const TemplateNode& node : nodes) {
            const Flow flow = visit(node, dot);
            if (flow != Flow::on) return flow;
        }
        return Flow::on;
    }

    void declare(std::string name, Json value) { variables_.emplace_back(std::move(name), std::move(value)); }

  private:
    Flow fail(const TemplateNode& node, const std::string& what) {
        if (error.empty()) error = "template:" + std::to_string(node.line) + ": " + what;
        return Flow::failed;
    }

    Flow visit(const TemplateNode& node, const Json& dot) {
        if (++steps_ > steps_max || out_.size() > text_max) return fail(node, "the template makes too much");
        if (node.kind == TemplateNode::Kind::text) {
            out_ += node.text;
            return Flow::on;
        }
        if (node.kind == TemplateNode::Kind::leave) return Flow::leave;
        if (node.kind == TemplateNode::Kind::skip) return Flow::skip;
        const std::size_t scope = variables_.size();
        Json value;
        if (!node.pipeline.commands.empty()) {
            Value result = evaluate(node.pipeline, dot);
            if (!result) return fail(node, result.error());
            value = std::move(*result);
        }
        if (node.kind == TemplateNode::Kind::print) {
            if (node.pipeline.variables.empty())
                out_ += template_text(value);
            else if (const std::string wrong = assign(node.pipeline, 0, value); !wrong.empty())
                return fail(node, wrong);
            return Flow::on;
        }
        Flow flow = Flow::on;
        if (node.kind == TemplateNode::Kind::call) {
            const auto found = parsed_.defined.find(node.text);
            if (found == parsed_.defined.end())
                return fail(node, "template " + Json(node.text).dump() + " not defined");
            if (++depth_ > 50) return fail(node, "templates call each other too deeply");
            Run inner(parsed_, functions_, out_);
            inner.steps_ = steps_;
            inner.depth_ = depth_;
            inner.declare("", value);
            flow = inner.list(found->second, value);
            steps_ = inner.steps_;
            --depth_;
            if (flow == Flow::failed) error = inner.error;
        } else if (node.kind == TemplateNode::Kind::range) {
            flow = loop(node, value, dot);
        } else {
            if (!node.pipeline.variables.empty())
                if (const std::string wrong = assign(node.pipeline, 0, value); !wrong.empty())
                    return fail(node, wrong);
            const bool truth = template_truth(value);
            const Json& inside = node.kind == TemplateNode::Kind::with && truth ? value : dot;
            flow = list(truth ? node.body : node.otherwise, inside);
        }
        variables_.resize(std::min(scope, variables_.size()));
        return flow;
    }

    Flow loop(const TemplateNode& node, const Json& value, const Json& dot) {
        std::vector<std::pair<Json, Json>> items;
        if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) items.emplace_back(i, value[i]);
        } else if (value.is_object()) {
            for (const auto& [key, item] : value.items()) items.emplace_back(key, item);
        } else if (value.is_number_integer()) {
            const auto count = std::min<std::int64_t>(value.get<std::int64_t>(), steps_max);
            for (std::int64_t i = 0; i < count; ++i) items.emplace_back(i, i);
        } else if (!value.is_null() && !value.is_discarded()) {
            return fail(node, "range can't iterate over " + template_text(value));
        }
        if (items.empty()) return list(node.otherwise, dot);
        const std::size_t scope = variables_.size();
        for (const auto& [key, item] : items) {
            const std::size_t count = node.pipeline.variables.size();
            std::string wrong;
            if (count == 1) wrong = assign(node.pipeline, 0, item);
            if (count == 2) wrong = assign(node.pipeline, 0, key);
            if (count == 2 && wrong.empty()) wrong = assign(node.pipeline, 1, item);
            if (!wrong.empty()) return fail(node, wrong);
            const Flow flow = list(node.body, item);
            variables_.resize(std::min(scope, variables_.size()));
            if (flow == Flow::failed) return flow;
            if (flow == Flow::leave) break;
        }
        return Flow::on;
    }

    std::string assign(const TemplatePipeline& pipeline, std::size_t which, const Json& value) {
        const std::string& name = pipeline.variables[which];
        if (!pipeline.assigns) {
            declare(name, value);
            return {};
        }
        for (auto known = variables_.rbegin(); known != variables_.rend(); ++known) {
            if (known->first != name) continue;
            known->second = value;
            return {};
        }
        return "undefined variable \"$" + name + "\"";
    }

    Value evaluate(const TemplatePipeline& pipeline, const Json& dot) {
        Value value = Json();
        for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
            value = command(pipeline.commands[i], dot, i == 0 ? nullptr : &*value);
            if (!value) return value;
        }
        return value;
    }

    Value command(const TemplateCommand& command, const Json& dot, const Json* piped) {
        const TemplateOperand& first = command.front();
        if (first.kind != TemplateOperand::Kind::function) {
            if (command.size() > 1 || piped != nullptr)
                return std::string("can't give argument to non-function");
            return operand(first, dot);
        }
        Value result = call(first.name, command, dot, piped);
        if (!result) return result;
        return fields(std::move(*result), first.fields);
    }

    // and and or look no further than they have to.
    Value call(const std::string& name, const TemplateCommand& command, const Json& dot, const Json* piped) {
        const bool lazy = name == "and" || name == "or";
        std::vector<Json> arguments;
        for (std::size_t i = 1; i < command.size(); ++i) {
            Value argument = operand(command[i], dot);
            if (!argument) return argument;
            if (lazy && template_truth(*argument) == (name == "or")) return argument;
            arguments.push_back(std::move(*argument));
        }
        if (piped != nullptr) arguments.push_back(*piped);
        if (lazy)
            return arguments.empty() ? Value(std::string("wrong number of args for " + name))
                                     : Value(arguments.back());
        if (const auto own = functions_.find(name); own != functions_.end()) return own->second(arguments);
        const OrdinaryFunction function = ordinary_function(name);
        if (function == nullptr) return "function " + Json(name).dump() + " not defined";
        Value result = function(arguments);
        if (!result) return "error calling " + name + ": " + result.error();
        return result;
    }

    Value operand(const TemplateOperand& operand, const Json& dot) {
        switch (operand.kind) {
            case TemplateOperand::Kind::dot:
                return fields(dot, operand.fields);
            case TemplateOperand::Kind::literal:
                return operand.value == nullptr ? Json() : *operand.value;
            case TemplateOperand::Kind::variable: {
                for (auto known = variables_.rbegin(); known != variables_.rend(); ++known)
                    if (known->first == operand.name) return fields(known->second, operand.fields);
                return "undefined variable \"$" + operand.name + "\"";
            }
            case TemplateOperand::Kind::function: {
                TemplateCommand alone(1);
                alone[0].kind = operand.kind;
                alone[0].name = operand.name;
                Value result = call(operand.name, alone, dot, nullptr);
                return result ? fields(std::move(*result), operand.fields) : result;
            }
            case TemplateOperand::Kind::pipeline: {
                const std::size_t scope = variables_.size();
                Value result = evaluate(*operand.inner, dot);
                variables_.resize(std::min(scope, variables_.size()));
                return result ? fields(std::move(*result), operand.fields) : result;
            }
        }
        return Json();
    }

    static Value fields(Json value, const std::vector<std::string>& names) {
        for (const std::string& name : names) {
            if (value.is_null() || value.is_discarded()) return no_value();
            if (!value.is_object()) return "can't evaluate field " + name + " in " + template_text(value);
            const auto found = value.find(name);
            if (found == value.end()) return no_value();
            Json inner = *found;
            value = std::move(inner);
        }
        return value;
    }

    const ParsedTemplate& parsed_;
    const TemplateFunctions& functions_;
    std::string& out_;
    std::vector<std::pair<std::string, Json>> variables_;
    int steps_ = 0, depth_ = 0;
};

}  // namespace

Json no_value() {
    return Json(Json::value_t::discarded);
}

bool template_truth(const Json& value) {
    if (value.is_boolean()) return value.get<bool>();
    if (value.is_number()) return value.get<double>() != 0;
    if (value.is_string()) return !value.get_ref<const std::string&>().empty();
    return value.is_structured() && !value.empty();
}

std::string template_text(const Json& value) {
    if (value.is_discarded() || value.is_null()) return "<no value>";
    if (value.is_string()) return value.get<std::string>();
    if (value.is_array()) {
        std::string text = "[";
        for (const Json& item : value)
            text += (text.size() > 1 ? " " : "") + (item.is_null() ? "<nil>" : template_text(item));
        return text + "]";
    }
    if (value.is_object()) {
        std::string text = "map[";
        for (const auto& [key, item] : value.items())
            text +=
                (text.size() > 4 ? " " : "") + key + ":" + (item.is_null() ? "<nil>" : template_text(item));
        return text + "]";
    }
    return value.dump();
}

struct Template::Parts {
    ParsedTemplate parsed;
};

Template::Template(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Result<Template, std::string> Template::parse(const std::string& text, const TemplateFunctions& functions) {
    auto parts = std::make_unique<Parts>();
    TRY_ASSIGN(parts->parsed, parse_template(text, functions));
    return Template(std::move(parts));
}

Result<Rendered, std::string> Template::render(const Json& data, const TemplateFunctions& functions) const {
    std::string text;
    Run run(parts_->parsed, functions, text);
    run.declare("", data);
    if (run.list(parts_->parsed.root, data) == Run::Flow::failed) return run.error;
    return Rendered{std::move(text)};
}

}  // namespace kubemu::controllers::stages

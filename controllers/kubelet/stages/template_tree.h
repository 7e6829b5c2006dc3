// The tree of a template, its parser and its evaluator.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "controllers/kubelet/stages/template.h"

namespace kubemu::controllers::stages {

// A part of a pipeline: `.a.b`, `$x.a`, `(pipeline).a`, "text", 3, a function.
struct TemplateOperand {
    enum class Kind { dot, variable, literal, function, pipeline } kind = Kind::dot;
    std::string name;                        // of the variable or function
    std::shared_ptr<const api::Json> value;  // of the literal; null: nil
    std::vector<std::string> fields;         // after it
    std::unique_ptr<struct TemplatePipeline> inner;
};
using TemplateCommand = std::vector<TemplateOperand>;

struct TemplatePipeline {
    std::vector<std::string> variables;  // one, or two in a range
    bool assigns = false;                // = instead of :=
    std::vector<TemplateCommand> commands;
};

struct TemplateNode {
    enum class Kind { text, print, condition, range, with, call, leave, skip } kind = Kind::text;
    std::string text;  // of text; the name of a called template
    int line = 0;
    TemplatePipeline pipeline;
    std::vector<TemplateNode> body, otherwise;
};
using TemplateList = std::vector<TemplateNode>;

struct ParsedTemplate {
    TemplateList root;
    std::map<std::string, TemplateList, std::less<>> defined;
};
Result<ParsedTemplate, std::string> parse_template(const std::string& text,
                                                   const TemplateFunctions& functions);

// A member that is not there.
api::Json no_value();
// What if, and, or and not go by: false for what is missing, null, false, 0 and everything empty.
bool template_truth(const api::Json& value);
// As Go prints it.
std::string template_text(const api::Json& value);

// The functions of Go and sprig. Null when there is none of this name.
using OrdinaryFunction = Result<api::Json, std::string> (*)(const std::vector<api::Json>& arguments);
OrdinaryFunction ordinary_function(const std::string& name);

}  // namespace kubemu::controllers::stages

// Expression: the tree of a parsed CEL expression. Macros stay what they are written as.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/cel/type.h"
#include "api/cel/value.h"

namespace kubemu::api::cel {

struct Expression {
    enum class Kind {
        literal,
        identifier,  // name
        select,      // args[0].name; `optional` for .?name
        has,         // has(args[0].name)
        call,        // name(args...); of a method args[0] is what it is called on. Operators are named like _+_
        list,        // args; optional entries are marked in `marks`
        map,         // args: key, value, key, value...; `marks` by entry
        message,     // name{fields[0]: args[0], ...}: an object of a named type
        macro,       // name over args[0] with variables `variable` and `variable2`, and args[1...]
    };
    Kind kind = Kind::literal;
    std::size_t offset = 0;  // in the source
    std::string name;
    bool method = false, optional = false;
    std::string variable, variable2;
    std::vector<Expression> args;
    std::vector<bool> marks;
    std::vector<std::string> fields;  // of messages
    std::vector<std::size_t> field_offsets;  // of their colons
    Value literal;
    TypePtr type;  // the checker's
};

// What is wrong with an expression, and where.
struct Issue {
    std::size_t offset = 0;
    std::string message;
};
// "ERROR: <input>:1:6: undeclared reference to 'x' (in container '')\n | ...", as cel-go prints issues.
std::string print_issues(const std::string& source, const std::vector<Issue>& issues);

// cel.bind(name, value, body), where the environment has it: `body` with a variable (cel-go/ext/bindings.go). Makes macros
// of such calls in the tree.
void expand_bindings(Expression& expression, std::vector<Issue>& issues);
// Null after issues.
std::unique_ptr<Expression> parse(const std::string& source, std::vector<Issue>& issues);

}  // namespace kubemu::api::cel

// What the parser says of expressions that are none: in the words, and with the repairs, of cel-go's ANTLR parser.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "api/cel/expression.h"

using namespace kubemu::api;

namespace {

// One line an issue: its column and message, what else could stand there left out.
std::string wrong_with(const std::string& source) {
    std::vector<cel::Issue> issues;
    cel::parse(source, issues);
    std::string text;
    for (const cel::Issue& issue : issues) {
        std::string message = issue.message.substr(0, issue.message.find(" expecting {"));
        if (message.starts_with("Syntax error: ")) message = message.substr(14);
        text += (text.empty() ? "" : "; ") + std::to_string(issue.offset + 1) + " " + message;
    }
    return text;
}

}  // namespace

TEST_CASE("expressions that cannot be read") {
    struct Case {
        const char* source;
        const char* wrong;
    };
    const Case cases[] = {
        {"a.b == 'c'", ""},
        {"[,].size() == {,}.size()", ""},
        {"\"abc", "1 token recognition error at: '\"abc'; 5 mismatched input '<EOF>'"},
        {"'a' + \"b", "7 token recognition error at: '\"b'; 9 mismatched input '<EOF>'"},
        {"\"\"\"abc", "3 token recognition error at: '\"abc'"},
        {"r'a\\", "2 token recognition error at: ''a\\'"},
        {"'a\\q'",
         "1 token recognition error at: ''a\\q'; 5 token recognition error at: '''; 6 mismatched input '<EOF>'"},
        {"'\\x1'", "1 token recognition error at: ''\\x1''; 6 mismatched input '<EOF>'"},
        {"'\\812'", "1 token recognition error at: ''\\8'; 6 token recognition error at: '''"},
        {"a = b", "3 token recognition error at: '= '; 5 extraneous input 'b' expecting <EOF>"},
        {"a @ b @ c", "3 token recognition error at: '@'; 5 mismatched input 'b' expecting <EOF>; "
                      "7 token recognition error at: '@'"},
        {"/a/../b", "1 extraneous input '/'; 5 no viable alternative at input '..'"},
        {"{1 2}", "4 missing ':' at '2'"},
        {"a ? b c", "7 missing ':' at 'c'"},
        {"[1,,2]", "4 mismatched input ',' expecting ']'"},
        {"f(,)", "3 extraneous input ','"},
        {"'a' 'b'", "5 extraneous input ''b'' expecting <EOF>"},
        {"in x", "1 extraneous input 'in'"},
        {"a.true", "3 mismatched input 'true' expecting IDENTIFIER"},
        {"`a`", "1 mismatched input '`a`'"},
        {"a.`b c` == 1", "3 unsupported syntax: '`'"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.source);
        CHECK(wrong_with(one.source) == one.wrong);
    }
}

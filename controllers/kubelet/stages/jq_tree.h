// The tree of a jq query, its parser and its evaluator.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controllers/kubelet/stages/jq.h"

namespace kubemu::controllers::stages {

struct JqNode {
    enum class Kind {
        identity,  // .
        recurse,   // ..
        literal,   // value
        variable,  // $text
        index,     // kids[0] [ kids[1] ]
        slice,     // kids[0] [ kids[1] : kids[2] ], null literals where a bound is left out
        iterate,   // kids[0] []
        optional,  // kids[0] ?  and  try kids[0] catch kids[1]
        pipe,
        comma,
        alternative,  // //
        both,         // and
        either,       // or
        binary,       // text: == != < <= > >= + - * / %
        negate,
        condition,  // kids: if, then, else
        bind,       // kids[0] as $text | kids[1]
        reduce,     // reduce kids[0] as $text (kids[1]; kids[2])
        array,      // [ kids[0] ], without kids []
        object,     // kids: key, value, key, value...
        call,       // text(kids...)
    };
    Kind kind = Kind::identity;
    std::string text;
    std::shared_ptr<const api::Json> value;  // of a literal
    std::vector<std::unique_ptr<JqNode>> kids;
};
using JqNodePtr = std::unique_ptr<JqNode>;

Result<JqNodePtr, std::string> parse_jq(const std::string& text);

// One run; `failed` is set when it ended by an error.
class JqRun {
  public:
    // Called with each result; false ends the run early.
    using Emit = std::function<bool(const api::Json&)>;
    using Variables = std::vector<std::pair<std::string, api::Json>>;  // the newest last

    // False when it failed or was ended.
    bool run(const JqNode& node, const api::Json& input, const Variables& variables, const Emit& emit);
    // A call; null when there is no function of this name with so many arguments.
    bool call(const JqNode& node, const api::Json& input, const Variables& variables, const Emit& emit);
    bool fail() {
        failed_ = true;
        return false;
    }
    bool failed() const { return failed_; }

  private:
    bool step();
    bool run_operator(const JqNode& node, const api::Json& input, const Variables& variables,
                      const Emit& emit);
    bool run_path(const JqNode& node, const api::Json& input, const Variables& variables, const Emit& emit);
    bool run_object(const JqNode& node, std::size_t kid, api::Json made, const api::Json& input,
                    const Variables& variables, const Emit& emit);
    bool run_guarded(const JqNode& node, const api::Json& input, const Variables& variables,
                     const Emit& emit);

    bool failed_ = false;
    int steps_ = 0, depth_ = 0;
};

bool jq_truth(const api::Json& value);                          // all but false and null
int jq_compare(const api::Json& left, const api::Json& right);  // jq's order of all values
bool jq_knows(const std::string& function, std::size_t arguments);

}  // namespace kubemu::controllers::stages

// CEL: any text is either refused with issues or an expression that can be checked and, when it is well typed, run
// within its budget.
#include <nlohmann/json.hpp>

#include "api/cel/checker.h"
#include "api/cel/cost.h"
#include "api/cel/evaluator.h"
#include "tests/fuzz/fuzz.h"

using namespace kubemu::api;

namespace {

constexpr std::uint64_t budget = 100'000;

const structural::Schema& schema() {
    static const structural::Schema made = structural::parse_schema(Json::parse(R"({"type":"object","properties":{
        "n":{"type":"integer"},"s":{"type":"string"},"list":{"type":"array","items":{"type":"integer"}},
        "map":{"type":"object","additionalProperties":{"type":"string"}},"port":{"x-kubernetes-int-or-string":true},
        "when":{"type":"string","format":"date-time"}}})"));
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Json object = Json::parse(R"({"n":3,"s":"a","list":[1,2],"map":{"k":"v"},"port":"http","when":"2024-02-03T04:05:06Z"})");
    const std::string source(kubemu::fuzz::text_of(data, size));
    std::vector<cel::Issue> issues;
    const auto expression = cel::parse(source, issues);
    kubemu::fuzz::promise((expression == nullptr) == !issues.empty(), "there is an expression or an issue", source);
    if (expression) cel::check(*expression, {{"self", cel::type_of_schema(schema(), false, "selfType")}}, issues);
    if (!issues.empty()) {
        kubemu::fuzz::promise(!cel::print_issues(source, issues).empty(), "issues have a text", source);
        return 0;
    }
    (void)cel::worst_cost(*expression);
    const auto outcome = cel::evaluate(*expression, {{"self", cel::Value::from(object, &schema())}}, budget);
    const auto again = cel::evaluate(*expression, {{"self", cel::Value::from(object, &schema())}}, budget);
    kubemu::fuzz::promise(outcome.cost == again.cost, "the same costs the same", source);
    return 0;
}

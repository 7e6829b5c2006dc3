// Estimated costs are those of Kubernetes to the unit: which definitions are accepted depends on them. The numbers are
// what kube-apiserver's own tests expect (apiextensions-apiserver/pkg/apiserver/schema/cel/compilation_test.go), each
// without and with a limit on the number of items or characters.
#include "api/cel/cost.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/cel/checker.h"

using namespace kubemu::api;
using namespace kubemu::api::cel;

namespace {

std::uint64_t cost(const std::string& schema_text, const std::string& rule) {
    CAPTURE(schema_text);
    const structural::Schema schema = structural::parse_schema(Json::parse(schema_text));
    const TypePtr self = type_of_schema(schema, false, "selfType");
    REQUIRE(self != nullptr);
    std::vector<Issue> issues;
    auto expression = parse(rule, issues);
    REQUIRE(expression != nullptr);
    check(*expression, {{"self", self}, {"oldSelf", self}}, issues);
    if (!issues.empty()) FAIL(issues[0].message);
    return worst_cost(*expression, self);
}

// @L, @I and @P in a schema are where a limit can stand.
const std::string string_schema = R"({"type":"string"@L})", bytes_schema = R"({"type":"string","format":"byte"@L})";
std::string list_of_type(const std::string& type) {
    return R"({"type":"array"@I,"items":{)" + type + "}}";
}
std::string map_of_type(const std::string& type) {
    return R"({"type":"object"@P,"additionalProperties":{)" + type + "}}";
}
const std::string number = R"("type":"number")", text = R"("type":"string")", boolean = R"("type":"boolean")";
const std::string duration = R"("type":"string","format":"duration")", date = R"("type":"string","format":"date")";
const std::string date_time = R"("type":"string","format":"date-time")",
                  either = R"("x-kubernetes-int-or-string":true)";
const std::string object =
    R"("type":"object","required":["required"],"properties":{"required":{"type":"string"},"optional":{"type":"string"}})";

struct Row {
    std::string schema, rule;
    std::uint64_t open;
    std::int64_t limit;
    std::uint64_t limited;
};

void run(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        CAPTURE(row.rule);
        for (const bool limited : {false, true}) {
            std::string schema = row.schema;
            for (const auto& [mark, keyword] :
                 {std::pair{"@L", "maxLength"}, {"@I", "maxItems"}, {"@P", "maxProperties"}}) {
                const std::string limit =
                    limited ? ",\"" + std::string(keyword) + "\":" + std::to_string(row.limit) : "";
                for (std::size_t at = schema.find(mark); at != std::string::npos; at = schema.find(mark))
                    schema.replace(at, 2, limit);
            }
            CHECK(cost(schema, row.rule) == (limited ? row.limited : row.open));
        }
    }
}

}  // namespace

TEST_CASE("loops cost what as many items as fit into a request cost") {
    run({{list_of_type(number), "self.all(x, true)", 4718591, 10, 32},
         {list_of_type(text), "self.all(x, true)", 3145727, 20, 62},
         {list_of_type(boolean), "self.all(x, true)", 1887437, 5, 17},
         {list_of_type(R"("type":"array","items":{"type":"number"})"), "self.all(x, true)", 3145727, 100, 302},
         {list_of_type(object), "self.all(x, true)", 555128, 50, 152},
         {list_of_type(either), "self.all(x, true)", 4718591, 10, 32},
         {list_of_type(duration), "self.all(x, true)", 2359295, 5, 17},
         {list_of_type(date), "self.all(x, true)", 725936, 15, 47},
         {list_of_type(date_time), "self.all(x, true)", 428963, 25, 77},
         {list_of_type(number), "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826},
         {map_of_type(number), "self.all(x, true)", 1348169, 10, 32},
         {map_of_type(text), "self.all(x, true)", 1179647, 3, 11},
         {map_of_type(boolean), "self.all(x, true)", 943718, 100, 302},
         {map_of_type(either), "self.all(x, true)", 1348169, 15, 47},
         {map_of_type(object), "self.all(x, true)", 428963, 20, 62},
         {map_of_type(duration), "self.all(x, true)", 1048577, 5, 17},
         {map_of_type(date), "self.all(x, true)", 524288, 10, 32},
         {map_of_type(date_time), "self.all(x, true)", 349526, 25, 77}});
    CHECK(cost(R"({"type":"array","maxItems":10,"items":{"type":"number"}})",
               "self.all(x, self.all(y, self.all(z, true)))") == 3552);
    CHECK(cost(R"({"type":"array","items":{"type":"number"}})", "self.all(x, self.all(y, true))") > 10'000'000);
}

TEST_CASE("what is read from a document costs as its schema says, nothing where it has no length") {
    run({{list_of_type(number), "self[1] == 0.0", 2, 5000, 2},
         {list_of_type(text), "self[1] == self[1]", 314577, 8, 314577},
         {list_of_type(either), "self[0] == 5", 3, 10, 3},
         {list_of_type(boolean), "self[0] == false", 2, 25, 2},
         {list_of_type(object), "self[0] == null", 2, 422, 2},
         {list_of_type(R"("type":"array","items":{"type":"number"})"), "self[0][0] == -1.0", 3, 51, 3},
         {list_of_type(R"("type":"object","additionalProperties":{"type":"number"})"), "self.all(x, x.y == 25.2)",
          6291452, 12, 74},
         {list_of_type(R"("type":"object","additionalProperties":{"type":"number"})"), "self[0].x > 2.0", 4, 3000, 4},
         {list_of_type(duration), "self[0].getHours() == 2", 4, 525, 4},
         {list_of_type(date_time), "self[2].getMinutes() == 45", 4, 99, 4},
         {map_of_type(number), "self[\"x\"] == 0.0", 2, 0, 2},
         {map_of_type(date_time), "self[\"a\"] == self[\"b\"]", 8, 7, 8},
         {map_of_type(duration), "self[\"c\"] == self[\"d\"]", 8, 42, 8},
         {map_of_type(R"("type":"integer")"), "oldSelf.size() == self.size()", 5, 10, 5},
         {map_of_type("\"type\":\"string\"@L"), "self.all(x, x.contains(self[x]))", 2752507, 10, 72},
         {R"({"type":"array"@I,"items":{"type":"object"@P,"additionalProperties":{)" + object + "}}}",
          "self.all(x, x[\"y\"].required == \"z\")", 7340027, 10, 72}});
}

TEST_CASE("functions of strings cost what their lengths make them") {
    run({{string_schema, "self.contains('test')", 314574, 10, 5},
         {string_schema, "self.startsWith('test')", 2, 15, 2},
         {string_schema, "self.endsWith('test')", 2, 30, 2},
         {string_schema, "size(self + \"hello\") > size(\"hello\")", 314578, 4, 7},
         {string_schema, "self.matches(\"x\")", 314574, 50, 22},
         {string_schema, "\"\".matches(\"(((((((((())))))))))[0-9]\")", 7, 10, 7},
         {string_schema, "self.matches(\"\")", 1, 100, 1},
         {string_schema, "self == \"x\"", 2, 0, 1},
         {bytes_schema, "self == b\"x\"", 2, 0, 1},
         {string_schema, "self.find('[0-9]+') == ''", 629147, 10, 11},
         {R"({"type":"string","enum":["A","B","C","LongValue"]@L})", "self.contains('A')", 2, 1000, 401}});
}

TEST_CASE("what is computed has the size of what it is made of, keys of maps have none, other parts that of self") {
    const std::string labels = R"({"type":"object","maxProperties":16,"additionalProperties":{"type":"string"}})";
    CHECK(cost(labels, "self.all(k, k.matches('^[a-z]+$'))") == 1 + 1 + 16 * (3 + 1 + 2));
    CHECK(cost(labels, "self.all(k, k.split('/')[0].size() < 253)") == 1 + 1 + 16 * (3 + 1 + 0 + 1 + 1 + 1));
    // The parts of a string count as long as the string.
    const std::string reference = R"({"type":"string","maxLength":100})";
    CHECK(cost(reference, "self.split('@')[0].matches('[a-f]')") == 1 + 80 + 1 + 41 * 2);
    CHECK(cost(reference, "self.split('@', 2).all(p, p.matches('[a-f]'))") == 1 + 80 + 1 + 2 * (3 + 1 + 41 * 2));
    CHECK(cost(reference, "matches(self, '[a-f]')") == 2);
    CHECK(cost(reference, "quantity(self).isLessThan(quantity('5'))") == 1 + 40 + 1 + 1);
    CHECK(cost(reference, "format.dns1123Label().validate(self) == null") == 1 + 1 + 40 * 32 + 1);
    CHECK(cost(R"({"type":"array","maxItems":4,"items":{"type":"integer"}})", "self.sortBy(x, -x) == [1]") ==
          1 + 11 + 12 + 4 * (12 + 2) + (2 * 16 + 11) + 10 + 1);
}

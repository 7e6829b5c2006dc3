// Expressions: what they parse to, whether they type-check, what they give and what they cost.
#include "api/cel/evaluator.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/cel/checker.h"
#include "api/cel/cost.h"
#include "api/cel/functions.h"

using namespace kubemu::api;
using namespace kubemu::api::cel;

namespace {

const structural::Schema& schema() {
    static const structural::Schema made = structural::parse_schema(Json::parse(R"({"type":"object","properties":{
        "n":{"type":"integer"},"f":{"type":"number"},"s":{"type":"string","maxLength":10},"b":{"type":"boolean"},
        "list":{"type":"array","maxItems":5,"items":{"type":"integer"}},
        "names":{"type":"array","maxItems":3,"items":{"type":"string","maxLength":5}},
        "map":{"type":"object","additionalProperties":{"type":"string"}},
        "obj":{"type":"object","properties":{"x":{"type":"integer"},"a.b":{"type":"string"},"for":{"type":"string"}}},
        "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
        "port":{"x-kubernetes-int-or-string":true},
        "when":{"type":"string","format":"date-time"},"for":{"type":"string","format":"duration"},"opt":{"type":"string"}}})"));
    return made;
}

const Json object = Json::parse(R"({"n":3,"f":1.5,"s":"hello","b":true,"list":[3,1,2],"names":["a","b"],"map":{"k":"v","l":"w"},
    "obj":{"x":7,"a.b":"dotted","for":"word"},"set":["x","y"],"port":80,"when":"2024-02-03T04:05:06.7Z","for":"90m"})");

// The value as text, or what went wrong.
std::string result(const std::string& source) {
    std::vector<Issue> issues;
    auto expression = parse(source, issues);
    if (expression) check(*expression, {{"self", type_of_schema(schema(), false, "selfType")}}, issues);
    if (!issues.empty()) return "! " + issues[0].message;
    const Outcome outcome = evaluate(*expression, {{"self", Value::from(object, &schema())}}, 1'000'000);
    const Value& value = outcome.value;
    if (value.is_error()) return "error: " + value.str();
    return format_text(value);
}

std::uint64_t worst(const std::string& source) {
    std::vector<Issue> issues;
    auto expression = parse(source, issues);
    REQUIRE(expression);
    const TypePtr self = type_of_schema(schema(), false, "selfType");
    check(*expression, {{"self", self}}, issues);
    REQUIRE(issues.empty());
    return worst_cost(*expression, self);
}

struct Row {
    const char *source, *expected;
};

void run(std::initializer_list<Row> rows) {
    for (const Row& row : rows) {
        CAPTURE(row.source);
        CHECK(result(row.source) == row.expected);
    }
}

}  // namespace

TEST_CASE("operators and their precedence") {
    run({{"1 + 2 * 3", "7"},
         {"(1 + 2) * 3", "9"},
         {"7 / 2", "3"},
         {"-7 % 3", "-1"},
         {"1.5 + 1.5", "3"},
         {"'a' + 'b'", "ab"},
         {"[1] + [2]", "[1, 2]"},
         {"1 < 2 && 2 < 3 || false", "true"},
         {"true ? 1 : 2", "1"},
         {"!true || !!true", "true"},
         {"1 == 1.0", "! found no matching overload for '_==_' applied to '(int, double)'"},
         {"2 in [1, 2]", "true"},
         {"'k' in {'k': 1}", "true"},
         {"[1, 2][1]", "2"},
         {"{'a': 1}.a", "1"},
         {"{'a': 1}['b']", "error: no such key: b"},
         {"[1][3]", "error: index out of bounds: 3"},
         {"1 / 0", "error: division by zero"},
         {"9223372036854775807 + 1", "error: integer overflow"},
         {"0x10 + 1", "17"},
         {"3u - 4u", "error: unsigned integer overflow"},
         {"r'\\d' + \"\\n\" == '\\\\d\\n'", "true"},
         {"'''a'b'''", "a'b"},
         {"size('äöü')", "3"},
         {"null == null", "true"},
         {"type(1) == int", "true"},
         {"b'ab' == bytes('ab')", "true"}});
}

TEST_CASE("errors are absorbed by the side that decides") {
    run({{"true || 1 / 0 == 1", "true"},
         {"1 / 0 == 1 || true", "true"},
         {"false && 1 / 0 == 1", "false"},
         {"1 / 0 == 1 && true", "error: division by zero"},
         {"[1, 0].exists(x, 1 / x == 1)", "true"},
         {"[0, 1].all(x, 1 / x == 2)", "false"}});
}

TEST_CASE("fields, their presence and their names") {
    run({{"self.n + 1", "4"},
         {"self.obj.x", "7"},
         {"self.obj.a__dot__b", "dotted"},
         {"self.obj.__for__", "word"},
         {"has(self.opt)", "false"},
         {"has(self.obj.x)", "true"},
         {"has(self.map.k)", "true"},
         {"self.opt", "error: no such key: opt"},
         {"self.nothing", "! undefined field 'nothing'"},
         {"other", "! undeclared reference to 'other' (in container '')"},
         {"self.map['l']", "w"},
         {"type(self.port) == int && self.port > 79", "true"},
         {"self.when.getFullYear() == 2024 && self.when.getMonth() == 1 && self.when.getMilliseconds() == 700", "true"},
         {"self.__for__ > duration('1h')", "true"},
         {"self.set == ['y', 'x']", "true"},
         {"self.n + 'a'", "! found no matching overload for '_+_' applied to '(int, string)'"},
         {"self.s.startsWith(1)", "! found no matching overload for 'startsWith' applied to 'string.(int)'"}});
}

TEST_CASE("macros") {
    run({{"self.list.all(x, x > 0)", "true"},
         {"self.list.exists(x, x == 2)", "true"},
         {"self.list.exists_one(x, x > 1)", "false"},
         {"self.list.map(x, x * 2)", "[6, 2, 4]"},
         {"self.list.map(x, x > 1, x * 2)", "[6, 4]"},
         {"self.list.filter(x, x > 1)", "[3, 2]"},
         {"self.map.all(k, self.map[k] != '')", "true"},
         {"self.list.all(i, v, v > i)", "false"},
         {"self.list.transformList(i, v, i * v)", "[0, 1, 4]"},
         {"self.map.transformMap(k, v, v + k)['k']", "vk"},
         {"self.n.all(x, true)", "! expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"},
         {"self.list.all(x, x)", "! expected type 'bool' but found 'int'"},
         {"has(self)", "! invalid argument to has() macro"}});
}

TEST_CASE("optional values") {
    run({{"self.?opt.orValue('none')", "none"},
         {"self.?s.orValue('none')", "hello"},
         {"self.?obj.?x.hasValue()", "true"},
         {"self.map[?'zz'].hasValue()", "false"},
         {"optional.of(1).value()", "1"},
         {"optional.none().orValue(3)", "3"},
         {"optional.of(2).optMap(x, x + 1).value()", "3"},
         {"optional.ofNonZeroValue('').hasValue()", "false"},
         {"[?optional.none(), 1].size()", "1"},
         {"{?'a': optional.of(1), ?'b': optional.none()}.size()", "1"},
         {"optional.none().value()", "error: optional.none() dereference"}});
}

TEST_CASE("strings and regular expressions") {
    run({{"'hello'.contains('ell')", "true"},
         {"'abc'.matches('^[a-c]+$')", "true"},
         {"'abc 123'.find('[0-9]+')", "123"},
         {"'a1b2'.findAll('[0-9]')", "[\"1\", \"2\"]"},
         {"'hello'.charAt(1)", "e"},
         {"'hello'.indexOf('l')", "2"},
         {"'hello'.lastIndexOf('l')", "3"},
         {"'hello'.substring(1, 3)", "el"},
         {"'a,b,c'.split(',')", "[\"a\", \"b\", \"c\"]"},
         {"['a', 'b'].join('-')", "a-b"},
         {"'aXbX'.replace('X', 'y', 1)", "aybX"},
         {"' a '.trim()", "a"},
         {"'Ab'.lowerAscii() + 'Ab'.upperAscii()", "abAB"},
         {"'%s is %d and %.2f'.format([dyn('x'), 3, 1.5])", "x is 3 and 1.50"},
         {"'%s'.format([1, 'a'])", "! expected type 'int' but found 'string'"},
         {"'hello'.substring(9)", "error: index out of range: 9"}});
}

TEST_CASE("lists and sets") {
    run({{"self.list.isSorted()", "false"},
         {"self.list.sum()", "6"},
         {"self.list.min() + self.list.max()", "4"},
         {"self.list.indexOf(1)", "1"},
         {"[1, dyn('a')].exists(x, x == 'a')", "true"},  // a list of anything, for that is the more general
         {"[1, 1, 2].distinct()", "[1, 2]"},
         {"[3, 1].sort()", "[1, 3]"},
         {"[1, 2, 3].slice(1, 3)", "[2, 3]"},
         {"[[1], [2]].flatten()", "[1, 2]"},
         {"sets.contains([1, 2], [2])", "true"},
         {"sets.equivalent([1, 2], [2, 1, 1])", "true"},
         {"sets.intersects([1], [2])", "false"}});
}

TEST_CASE("what Kubernetes adds") {
    run({{"url('https://a.example:80/p?q=1&q=2').getHostname()", "a.example"},
         {"url('https://a.example:80/p?q=1&q=2').getQuery()['q']", "[\"1\", \"2\"]"},
         {"isURL('nothing')", "false"},
         {"ip('10.0.0.1').family()", "4"},
         {"ip('::1').isLoopback()", "true"},
         {"ip.isCanonical('::0001')", "false"},
         {"cidr('10.0.0.0/8').containsIP('10.1.2.3')", "true"},
         {"cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16'))", "true"},
         {"cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')", "true"},
         {"quantity('1Gi').isGreaterThan(quantity('1G'))", "true"},
         {"quantity('1500m').add(quantity('500m')).asInteger()", "2"},
         {"isQuantity('1x')", "false"},
         {"semver('1.2.3').isLessThan(semver('1.10.0'))", "true"},
         {"format.dns1123Label().validate('A').hasValue()", "true"},
         {"!format.named('uuid').value().validate('123e4567-e89b-12d3-a456-426614174000').hasValue()", "true"},
         {"timestamp('2024-01-01T00:00:00Z') + duration('24h') == timestamp('2024-01-02T00:00:00Z')", "true"},
         {"int('12') + int(1.9)", "13"},
         {"string(duration('90s'))", "90s"}});
}

TEST_CASE("lists are sorted by keys, opened at both ends and rid of what is missing") {
    run({{"[3, 1, 2].sortBy(x, -x)", "[3, 2, 1]"},
         {"[{'n': 'b'}, {'n': 'a'}].sortBy(e, e.n).map(e, e.n)", "[\"a\", \"b\"]"},
         {"[].sortBy(e, e)", "[]"},
         {"[1, 2].sortBy(x, {'k': x})",
          "! found no matching overload for '@sortByAssociatedKeys' applied to 'list(int).(list(map(string, int)))'"},
         {"'ab'.sortBy(x, x)", "! expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)"},
         {"self.list.first().value()", "3"},
         {"self.list.last().orValue(0)", "2"},
         {"[].first().hasValue()", "false"},
         {"[optional.of(1), optional.none(), optional.of(3)].unwrapOpt()", "[1, 3]"},
         {"optional.unwrap([optional.none(), optional.of('x')])", "[\"x\"]"},
         {"lists.range(-1)", "[]"},
         {"optional.none() == null", "false"},
         {"format.dns1123Label().validate('a') == null", "false"},
         {"format.dns1123Label().validate('a') == optional.none()", "true"}});
}

TEST_CASE("what is no expression says where it ends being one") {
    std::vector<Issue> issues;
    CHECK(parse("self.x +", issues) == nullptr);
    CHECK(print_issues("self.x +", issues) ==
          "ERROR: <input>:1:9: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', "
          "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self.x +\n | ........^");
    struct Case {
        const char *source, *said;
    };
    for (const Case& c : {
             Case{"a b", "extraneous input 'b' expecting <EOF>"},
             Case{"a b c", "mismatched input 'b' expecting <EOF>"},
             Case{"(1", "missing ')' at '<EOF>'"},
             Case{"a[1", "missing ']' at '<EOF>'"},
             Case{"[1,2", "mismatched input '<EOF>' expecting {']', ','}"},
             Case{"{1:2", "mismatched input '<EOF>' expecting {'}', ','}"},
             Case{"a ? b", "mismatched input '<EOF>' expecting ':'"},
             Case{"a.", "no viable alternative at input '.'"},
             Case{"]", "mismatched input ']' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, "
                       "NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
         }) {
        CAPTURE(c.source);
        issues.clear();
        CHECK(parse(c.source, issues) == nullptr);
        REQUIRE(issues.size() == 1);
        CHECK(issues[0].message == std::string("Syntax error: ") + c.said);
    }
    issues.clear();
    CHECK(parse("", issues) == nullptr);
    CHECK(print_issues("", issues).starts_with("ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting "));
}

TEST_CASE("costs grow with what is declared, and are cut off while running") {
    CHECK(worst("self.n > 1") == 3);
    CHECK(worst("self.list.all(x, x > 0)") == 2 + 1 + 5 * (3 + 2));
    CHECK(worst("self.s.matches('[a-z]+')") == 2 + 5 * 2);
    CHECK(worst("self.names.all(x, self.names.all(y, x == y))") < 200);
    CHECK(worst("self.map.all(k, self.map.all(l, self.map.all(m, k == l)))") > 10'000'000);
    std::vector<Issue> issues;
    auto expression = parse("[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, a + b > 0))", issues);
    check(*expression, {}, issues);
    const Outcome outcome = evaluate(*expression, {}, 100);
    CHECK(outcome.value.is_error());
    CHECK(outcome.value.str() == "operation cancelled: actual cost limit exceeded");
}

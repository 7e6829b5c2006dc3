// Expressions of admission: what they may name, of which type they must be, and how they are complained of.
#include "api/cel/admission.h"

#include <doctest/doctest.h>

using namespace kubemu::api::cel;

namespace {

std::string complaint(const std::string& source, std::initializer_list<std::string_view> types, bool params = false,
                      AdmissionScope scope = AdmissionScope::authorizer) {
    AdmissionEnvironment environment;
    environment.params = params;
    return compile_admission(source, environment, scope, types).error;
}

}  // namespace

TEST_CASE("expressions see the request, and parameters where there are some") {
    CHECK(complaint("object.spec.replicas <= 5 && request.namespace == 'x' && request.userInfo.groups.exists(g, g == 'a')", {"bool"}).empty());
    CHECK(complaint("params.max > 1", {"bool"}, true).empty());
    CHECK(complaint("params.max > 1", {"bool"}) ==
          "compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.max > 1\n | ^");
    CHECK(complaint("request.nam == 'x'", {"bool"}) ==
          "compilation failed: ERROR: <input>:1:8: undefined field 'nam'\n | request.nam == 'x'\n | .......^");
    CHECK(complaint("authorizer.group('').resource('pods').namespace('x').check('get').allowed()", {"bool"}).empty());
    CHECK(complaint("authorizer.requestResource.check('get').allowed()", {"bool"}).empty());
    CHECK_FALSE(complaint("authorizer.requestResource.check('get').allowed()", {"bool"}, false, AdmissionScope::plain).empty());
}

TEST_CASE("the type of an expression is the one that is asked for") {
    CHECK(complaint("object.spec.enabled", {"bool"}) == "must evaluate to bool but got dyn");
    CHECK(complaint("[1]", {"string", "null_type"}) == "must evaluate to one of [string null_type] but got list(int)");
    CHECK(complaint("[JSONPatch{op: 'add', path: '/a', value: Object.spec{b: 1}}]", {"list(JSONPatch)"}, false, AdmissionScope::patches).empty());
    CHECK(complaint("Object{spec: Object.spec{replicas: 2}}", {"Object"}, false, AdmissionScope::patches).empty());
    CHECK(complaint("JSONPatch{op: 1}", {}, false, AdmissionScope::patches) ==
          "compilation failed: ERROR: <input>:1:13: expected type of field 'op' is 'string' but provided type is 'int'\n | JSONPatch{op: 1}\n | "
          "............^");
    CHECK(complaint("[JSONPatch{foo: 1}]", {}, false, AdmissionScope::patches).find("1:15: expected type of field 'foo' is '' but provided") !=
          std::string::npos);
    CHECK(complaint("Object{spec: Object.spec{?replicas: optional.of(1)}}", {"Object"}, false, AdmissionScope::patches).empty());
    CHECK(complaint("Object{", {}, false, AdmissionScope::patches).find("1:8: Syntax error: mismatched input '<EOF>' expecting {'}', ',', "
                                                                         "'?', IDENTIFIER, ESC_IDENTIFIER}") != std::string::npos);
    CHECK(complaint("Foo{}", {}).find("1:4: undeclared reference to 'Foo'") != std::string::npos);
    CHECK(complaint("authorizer.x", {}).find("1:11: unexpected failed resolution of 'kubernetes.authorization.Authorizer'") !=
          std::string::npos);
    CHECK_FALSE(complaint("Object{}", {}).empty());
}

TEST_CASE("variables are typed, and known to what follows") {
    AdmissionEnvironment environment;
    CHECK(compile_variable("n", "1 + 2", environment).error.empty());
    CHECK(compile_admission("variables.n > 2", environment, AdmissionScope::authorizer, {"bool"}).error.empty());
    CHECK_FALSE(compile_admission("variables.n == 'x'", environment, AdmissionScope::authorizer, {"bool"}).error.empty());
    CHECK_FALSE(compile_admission("variables.m", environment, AdmissionScope::authorizer, {}).error.empty());
}

TEST_CASE("a call stands where its parenthesis opens") {
    const auto where = [](const std::string& source) {
        const std::string text = complaint(source, {});
        const std::size_t begin = text.find("<input>:1:");
        return text.substr(begin + 10, text.find('\n') - begin - 10);
    };
    CHECK(where("size(1)") == "5: found no matching overload for 'size' applied to '(int)'");
    CHECK(where("'a'.foo()") == "8: undeclared reference to 'foo' (in container '')");
    CHECK(where("ip.isCanonical(1)") == "15: found no matching overload for 'ip.isCanonical' applied to '(int)'");
    CHECK(where("has(request.nam)") == "4: undefined field 'nam'");
    CHECK(where("has(object)") == "5: invalid argument to has() macro");
    CHECK(where("\xc3\xa9 + 1").starts_with("1: Syntax error"));
    CHECK(complaint("'\xc3\xa9' + 1", {}).ends_with("1:5: found no matching overload for '_+_' applied to '(string, int)'\n | '\xc3\xa9' + 1\n | "
                                                    ".\xef\xbc\x8e..^"));
    CHECK(where("if(true)") == "1: reserved identifier: if");
    CHECK(where("has(object.a, true)") == "4: undeclared reference to 'has' (in container '')");
}

TEST_CASE("what has to be a condition is complained of where it stands") {
    const auto issues = [](const std::string& source) { return complaint(source, {}); };
    CHECK(issues("true && 1 && 'a'") ==
          "compilation failed: ERROR: <input>:1:9: expected type 'bool' but found 'int'\n | true && 1 && 'a'\n | ........^\n"
          "ERROR: <input>:1:14: expected type 'bool' but found 'string'\n | true && 1 && 'a'\n | .............^");
    CHECK(issues("[1].all(x, x)").find("1:12: expected type 'bool' but found 'int'") != std::string::npos);
    CHECK(issues("[1].exists_one(x, x)").find("1:15: found no matching overload for '_?_:_' applied to '(int, int, int)'") != std::string::npos);
    CHECK(issues("[1].filter(x, x)").find("1:11: found no matching overload for '_?_:_' applied to '(int, list(int), list(int))'") !=
          std::string::npos);
}

TEST_CASE("literals are read before they are used") {
    CHECK(complaint("duration('1y') == duration('1h')", {}).find("1:10: invalid duration argument") != std::string::npos);
    CHECK(complaint("timestamp('x') == null", {}).find("1:11: invalid timestamp argument") != std::string::npos);
    CHECK(complaint("'a'.matches('[')", {}).find("1:13: invalid matches argument") != std::string::npos);
    CHECK(complaint("matches('a', '[')", {"bool"}) == "program instantiation failed: error parsing regexp: missing closing ]: `[`");
    CHECK(complaint("'a'.find('(') == ''", {"bool"}) == "program instantiation failed: error parsing regexp: missing closing ): `(`");
    CHECK(complaint("'a'.matches('[a]') && duration('1s') == duration('1000ms')", {}).empty());
}

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
          "compilation failed: ERROR: <input>:1:15: expected type of field 'op' is 'string' but provided type is 'int'\n | JSONPatch{op: 1}\n | "
          "..............^");
    CHECK_FALSE(complaint("Object{}", {}).empty());
}

TEST_CASE("variables are typed, and known to what follows") {
    AdmissionEnvironment environment;
    CHECK(compile_variable("n", "1 + 2", environment).error.empty());
    CHECK(compile_admission("variables.n > 2", environment, AdmissionScope::authorizer, {"bool"}).error.empty());
    CHECK_FALSE(compile_admission("variables.n == 'x'", environment, AdmissionScope::authorizer, {"bool"}).error.empty());
    CHECK_FALSE(compile_admission("variables.m", environment, AdmissionScope::authorizer, {}).error.empty());
}

// Queries as KWOK's Stages and their users write them.
#include "controllers/kubelet/stages/jq.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using controllers::stages::JqQuery;
using api::Json;

namespace {

const Json pod = Json::parse(R"({"metadata":{"name":"web","labels":{"a.b/c":"x","n":"3"},"ownerReferences":[{"kind":"Job"}]},
    "spec":{"replicas":3,"containers":[{"name":"a","ports":[{"p":1},{"p":2}]},{"name":"b"}]},
    "status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"Initialized","status":"False"}],"none":null}})");

// The results as a list, "error" when it fails, the complaint when it cannot be read.
std::string run(const std::string& text, const Json& input = pod) {
    const auto query = JqQuery::parse(text);
    if (!query) return query.error();
    const auto found = query->run(input);
    return found ? Json(*found).dump() : "error";
}

}  // namespace

TEST_CASE("paths: names, quoted names, indexes, iterations, with and without a dot between") {
    CHECK(run(".status.phase") == R"(["Running"])");
    CHECK(run(".metadata.labels[\"a.b/c\"]") == R"(["x"])");
    CHECK(run(".metadata.labels.\"a.b/c\"") == R"(["x"])");
    CHECK(run(".metadata.annotations[\"x\"]") == "[]");
    CHECK(run(".metadata.ownerReferences.[].kind") == R"(["Job"])");
    CHECK(run(".spec.containers[].name") == R"(["a","b"])");
    CHECK(run(".spec.containers[0].ports[-1].p") == "[2]");
    CHECK(run(".spec.containers[1:][0].name") == R"(["b"])");
    CHECK(run(".status.none") == "[]");
    CHECK(run(".missing.[]") == "error");
    CHECK(run(".missing[]?") == "[]");
    CHECK(run(".status.phase.x") == "error");
    CHECK(run("[.. | .p? // empty]") == "[[1,2]]");
}

TEST_CASE("select, comparisons, logic, alternatives") {
    CHECK(run(".status.conditions.[] | select( .type == \"Ready\" ) | .status") == R"(["True"])");
    CHECK(run(".status.conditions[] | select(.type == \"Ready\" and .status == \"True\") | .type") == R"(["Ready"])");
    CHECK(run(".status.conditions[] | select(.type == \"x\" or (.status != \"True\")) | .type") == R"(["Initialized"])");
    CHECK(run(".metadata.annotations.x // \"fallback\"") == R"(["fallback"])");
    CHECK(run(".status.phase // \"fallback\"") == R"(["Running"])");
    CHECK(run(".spec.replicas > 2, .spec.replicas >= 4") == "[true,false]");
    CHECK(run("(.spec.containers | length) * 2 + 1") == "[5]");
    CHECK(run("if .spec.replicas == 3 then \"three\" elif false then 1 else 2 end") == R"(["three"])");
    CHECK(run(".spec.replicas as $n | [$n, $n - 1]") == "[[3,2]]");
    CHECK(run("reduce .spec.containers[] as $c (\"\"; . + $c.name)") == R"(["ab"])");
    CHECK(run("{name: .metadata.name, \"n\": 1, (.status.phase): true}") == R"([{"Running":true,"n":1,"name":"web"}])");
    CHECK(run("7 / 2, 7 % 3, -1") == "[3.5,1,-1]");
}

TEST_CASE("functions") {
    CHECK(run("[.spec.containers[].name] | contains([\"a\"]), index(\"x\")?, length") == "[true,2]");
    CHECK(run(".metadata.name | startswith(\"w\"), endswith(\"x\"), test(\"^w.b$\"), ascii_upcase, length") == R"([true,false,true,"WEB",3])");
    CHECK(run(".spec.containers | map(.name) | join(\",\")") == R"(["a,b"])");
    CHECK(run(".spec.containers | any(.name == \"b\"), all(.name == \"b\")") == "[true,false]");
    CHECK(run(".metadata.labels | keys, has(\"n\"), (.n | tonumber)") == R"([["a.b/c","n"],true,3])");
    CHECK(run(".metadata.labels | to_entries[] | select(.key == \"n\") | .value") == R"(["3"])");
    CHECK(run("[3,1,2,1] | sort, unique, max, add, first, (.[1:] | length)") == "[[1,1,2,3],[1,2,3],3,7,3,3]");
    CHECK(run("[{\"a\":2},{\"a\":1}] | sort_by(.a) | .[0].a") == "[1]");
    CHECK(run("first(.spec.containers[].name), isempty(empty)") == R"(["a",true])");
    CHECK(run("try error catch \"caught\"") == R"(["caught"])");
    CHECK(run("\"x\" | tonumber") == "error");
    CHECK(run(".spec | type, (.containers | not)") == R"(["object",false])");
}

TEST_CASE("what is no query is refused, and a run has an end") {
    CHECK(run("") == "unexpected end at position 0");
    CHECK(run(".a |") == "unexpected end at position 4");
    CHECK(run(".a[") == "unexpected end at position 3");
    CHECK(run("nosuch") == "function not defined: nosuch/0 at position 6");
    CHECK(run(".a)") == "unexpected \")\" at position 2");
    CHECK(run("\"open") == "malformed text at position 0");
    CHECK(run("select(.a") == "expected \")\" at position 9");
    CHECK(run(std::string(1000, '(')).find("too deep") != std::string::npos);
    CHECK(run("1 / 0") == "error");
}

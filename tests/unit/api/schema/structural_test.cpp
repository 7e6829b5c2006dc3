// Structural schemas: their rules, and what pruning, defaulting and validation make of objects.
#include "api/schema/structural.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "api/schema/prune.h"
#include "api/schema/validate_schema.h"

using namespace kubemu::api;
using structural::Schema;

namespace {

Schema schema_of(const char* text) { return structural::parse_schema(Json::parse(text)); }

std::string lines(const FieldErrors& errors) {
    std::string out;
    for (const FieldError& error : errors.all()) out += error.field + ": " + error.message + "\n";
    return out;
}

std::string structural_errors(const char* text) {
    FieldErrors errors;
    structural::validate_structural(schema_of(text), FieldPath("s"), errors);
    return lines(errors);
}

std::string complaints(const char* schema_text, const char* value, const char* old = nullptr) {
    const Schema schema = schema_of(schema_text);
    const Json object = Json::parse(value);
    const Json before = old == nullptr ? Json() : Json::parse(old);
    FieldErrors errors;
    structural::validate_value(object, schema, FieldPath(), errors, old == nullptr ? nullptr : &before);
    return lines(errors);
}

}  // namespace

TEST_CASE("a schema must say the type of everything, outside of junctors") {
    CHECK(structural_errors(R"({"type":"object","properties":{"a":{"type":"string"},"b":{"x-kubernetes-int-or-string":true}}})").empty());
    CHECK(structural_errors(R"({"properties":{"a":{}}})") ==
          "s.properties[a].type: Required value: must not be empty for specified object fields\n"
          "s.type: Required value: must not be empty at the root\n");
    CHECK(structural_errors(R"({"type":"object","properties":{"a":{"type":"array"}}})") ==
          "s.properties[a].items: Required value: must be specified\n");
    CHECK(structural_errors(R"({"type":"object","anyOf":[{"properties":{"a":{"minimum":1}}}],"properties":{"b":{"type":"integer"}}})") ==
          "s.properties[a]: Required value: because it is defined in s.anyOf[0].properties[a]\n");
    CHECK(structural_errors(R"({"type":"object","properties":{"a":{"type":"string","allOf":[{"type":"string"}]}}})") ==
          "s.properties[a].allOf[0].type: Forbidden: must be empty to be structural\n");
    CHECK(structural_errors(R"({"type":"object","properties":{"p":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}})").empty());
    CHECK(structural_errors(R"({"type":"object","properties":{"metadata":{"type":"object","properties":{"labels":{"type":"object"}}}}})") ==
          "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified\n");
    CHECK(structural_errors(R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})").find("must be a valid regular expression") !=
          std::string::npos);
}

TEST_CASE("pruning takes what is not specified, and says where it was") {
    const Schema schema = schema_of(R"({"type":"object","properties":{"spec":{"type":"object","properties":{
        "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"known":{"type":"object"}}},
        "list":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}}}},
        "map":{"type":"object","additionalProperties":{"type":"object","properties":{"a":{"type":"integer"}}}}}}}})");
    Json object = Json::parse(R"({"kind":"K","apiVersion":"g/v1","metadata":{"name":"x"},"other":1,"spec":{"zzz":1,
        "free":{"any":{"thing":1},"known":{"gone":1}},"list":[{"name":"a"},{"name":"b","zz":1}],"map":{"k":{"a":1,"b":2}}}})");
    const auto unknown = structural::prune(object, schema, true);
    CHECK(unknown == std::vector<std::string>{"other", "spec.free.known.gone", "spec.list[1].zz", "spec.map.k.b", "spec.zzz"});
    CHECK(object == Json::parse(R"({"kind":"K","apiVersion":"g/v1","metadata":{"name":"x"},"spec":{
        "free":{"any":{"thing":1},"known":{}},"list":[{"name":"a"},{"name":"b"}],"map":{"k":{"a":1}}}})"));
}

TEST_CASE("defaults fill what is absent, and nulls that are not nullable") {
    const Schema schema = schema_of(R"({"type":"object","properties":{
        "a":{"type":"string","default":"x"},"b":{"type":"string","default":"y","nullable":true},"c":{"type":"string"},
        "d":{"type":"object","default":{},"properties":{"on":{"type":"boolean","default":true}}},
        "l":{"type":"array","items":{"type":"object","properties":{"v":{"type":"integer","default":5}}}}}})");
    Json object = Json::parse(R"({"a":null,"b":null,"c":null,"l":[{},{"v":9}]})");
    structural::prune_nulls(object, schema);
    structural::set_defaults(object, schema);
    CHECK(object == Json::parse(R"({"a":"x","b":null,"d":{"on":true},"l":[{"v":5},{"v":9}]})"));
}

TEST_CASE("embedded resources get typed metadata") {
    const Schema schema = schema_of(R"({"type":"object","properties":{"t":{"type":"object","x-kubernetes-embedded-resource":true,
        "x-kubernetes-preserve-unknown-fields":true}}})");
    Json object = Json::parse(R"({"metadata":{"name":"x","bogus":1},"t":{"kind":"P","apiVersion":"v1","metadata":{"labels":{"a":"b"},"junk":1},"spec":1}})");
    std::vector<std::string> unknown;
    REQUIRE(structural::coerce(object, schema, unknown).has_value());
    CHECK(unknown == std::vector<std::string>{"unknown field \"metadata.bogus\"", "unknown field \"t.metadata.junk\""});
    CHECK(object["t"] == Json::parse(R"({"kind":"P","apiVersion":"v1","metadata":{"labels":{"a":"b"}},"spec":1})"));
    Json wrong = Json::parse(R"({"metadata":{"labels":"x"}})");
    const auto refused = structural::coerce(wrong, schema, unknown);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message == "json: cannot unmarshal string into Go struct field ObjectMeta.labels of type map[string]string");
}

TEST_CASE("values are checked by every keyword, in kube-openapi's words") {
    struct Row {
        const char *schema, *value, *complaint;
    };
    const Row rows[] = {
        {R"({"type":"string"})", "5", R"(a: Invalid value: "integer": a in body must be of type string: "integer")"},
        {R"({"type":"integer"})", "1.5", R"(a: Invalid value: "number": a in body must be of type integer: "number")"},
        {R"({"type":"integer"})", "2.0", ""},
        {R"({"type":"number"})", "2", ""},
        {R"({"x-kubernetes-int-or-string":true})", "true",
         R"(a: Invalid value: "boolean": a in body must be of type integer,string: "boolean")"},
        {R"({"type":"string","nullable":true})", "null", ""},
        {R"({"type":"string","enum":["x","y"]})", R"("z")", R"(a: Unsupported value: "z": supported values: "x", "y")"},
        {R"({"type":"integer","enum":[1,2]})", "3", R"(a: Unsupported value: 3: supported values: "1", "2")"},
        {R"({"type":"string","pattern":"^[a-z]+$"})", R"("A")", "a: Invalid value: \"A\": a in body should match '^[a-z]+$'"},
        {R"({"type":"string","maxLength":2})", R"("äöü")", "a: Too long: must have at most 2 bytes"},
        {R"({"type":"string","minLength":2})", R"("a")", R"(a: Invalid value: "a": a in body should be at least 2 chars long)"},
        {R"({"type":"integer","maximum":3,"exclusiveMaximum":true})", "3", "a: Invalid value: 3: a in body should be less than 3"},
        {R"({"type":"number","minimum":1.5})", "1.25", "a: Invalid value: 1.25: a in body should be greater than or equal to 1.5"},
        {R"({"type":"integer","multipleOf":2})", "3", "a: Invalid value: 3: a in body should be a multiple of 2"},
        {R"({"type":"integer","format":"int32"})", "3000000000",
         R"(<nil>: Invalid value: "": Checked value must be of type integer with format int32 in a)"},
        {R"({"type":"array","items":{"type":"string"},"maxItems":1})", R"(["x","y"])", "a: Too many: 2: must have at most 1 items"},
        {R"({"type":"array","items":{"type":"string"},"minItems":1})", "[]", "a: Invalid value: 0: a in body should have at least 1 items"},
        {R"({"type":"array","items":{"type":"integer"}})", R"([1,"x"])",
         R"(a[1]: Invalid value: "string": a[1] in body must be of type integer: "string")"},
        {R"({"type":"object","required":["b"]})", "{}", "a.b: Required value"},
        {R"({"type":"object","maxProperties":1})", R"({"x":1,"y":2})", "a: Too many: 2: must have at most 1 items"},
        {R"({"type":"object","additionalProperties":{"type":"integer"}})", R"({"k":"x"})",
         R"(a.k: Invalid value: "string": a.k in body must be of type integer: "string")"},
        {R"({"type":"string","format":"ipv4"})", R"("x")", R"(a: Invalid value: "x": a in body must be of type ipv4: "x")"},
        {R"({"type":"string","format":"whatever"})", R"("x")", ""},
        {R"({"type":"integer","not":{"minimum":3}})", "4", R"(<nil>: Invalid value: "": "a" must not validate the schema (not))"},
        {R"({"type":"integer","oneOf":[{"minimum":1},{"minimum":2}]})", "3",
         R"(<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives)"},
        {R"({"type":"integer","anyOf":[{"minimum":5},{"maximum":1}]})", "6", ""},
    };
    for (const Row& row : rows) {
        CAPTURE(row.schema);
        CAPTURE(row.value);
        const std::string schema = R"({"type":"object","properties":{"a":)" + std::string(row.schema) + "}}";
        const std::string value = R"({"a":)" + std::string(row.value) + "}";
        const std::string expected = *row.complaint == '\0' ? "" : std::string(row.complaint) + "\n";
        CHECK(complaints(schema.c_str(), value.c_str()) == expected);
    }
}

TEST_CASE("junctors complain of themselves and of their nearest alternative") {
    CHECK(complaints(R"({"type":"object","properties":{"a":{"type":"integer","anyOf":[{"minimum":5},{"maximum":1}]}}})", R"({"a":3})") ==
          "<nil>: Invalid value: \"\": \"a\" must validate at least one schema (anyOf)\n"
          "a: Invalid value: 3: a in body should be greater than or equal to 5\n");
}

TEST_CASE("what was wrong before and has not changed is let be") {
    const char* schema = R"({"type":"object","properties":{"a":{"type":"string","maxLength":1},"b":{"type":"string","maxLength":1},
        "l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object",
        "properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":1}}}}}})";
    CHECK(complaints(schema, R"({"a":"xx","b":"y","l":[{"k":"1","v":"zz"}]})", R"({"a":"xx","b":"x","l":[{"k":"2"},{"k":"1","v":"zz"}]})").empty());
    CHECK(complaints(schema, R"({"a":"xx","b":"yy"})", R"({"a":"xx","b":"x"})") == "b: Too long: must have at most 1 bytes\n");
}

TEST_CASE("sets and maps hold each item once") {
    const Schema schema = schema_of(R"({"type":"object","properties":{
        "set":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}},
        "map":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["a","b"],"items":{"type":"object"}}}})");
    FieldErrors errors;
    structural::validate_list_types(Json::parse(R"({"set":["x","y","x","x"],"map":[{"a":1,"b":2},{"a":1},{"a":1,"b":2,"c":3}]})"), schema,
                                    FieldPath(), errors);
    CHECK(lines(errors) == "map[2]: Duplicate value: map[string]interface {}{\"a\":1, \"b\":2}\nset[2]: Duplicate value: \"x\"\n");
}

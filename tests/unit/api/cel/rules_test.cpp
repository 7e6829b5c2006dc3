// x-kubernetes-validations: which rules hold, what is said of those that don't, and which are refused at once.
#include "api/cel/rules.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

std::string lines(const FieldErrors& errors) {
    std::string out;
    for (const FieldError& error : errors.all()) out += error.field + ": " + error.message + "\n";
    return out;
}

std::string validated(const char* schema_text, const char* value, const char* old = nullptr) {
    structural::Schema schema = structural::parse_schema(Json::parse(schema_text));
    cel::compile_rules(schema);
    const Json object = Json::parse(value), before = old == nullptr ? Json() : Json::parse(old);
    FieldErrors errors;
    cel::validate_rules(object, old == nullptr ? nullptr : &before, schema, FieldPath(), errors);
    return lines(errors);
}

std::string checked(const char* schema_text) {
    FieldErrors errors;
    cel::check_rules(structural::parse_schema(Json::parse(schema_text)), FieldPath("s"), errors);
    return lines(errors);
}

// A schema whose spec has these rules.
std::string with_rules(const std::string& rules) {
    return R"({"type":"object","properties":{"spec":{"type":"object","x-kubernetes-validations":)" + rules +
           R"(,"properties":{"min":{"type":"integer"},"max":{"type":"integer"},"name":{"type":"string","maxLength":20}}}}})";
}

}  // namespace

TEST_CASE("a rule that does not hold is complained of with its message, reason and place") {
    CHECK(validated(with_rules(R"([{"rule":"self.min <= self.max"}])").c_str(), R"({"spec":{"min":1,"max":2}})").empty());
    CHECK(validated(with_rules(R"([{"rule":"self.min <= self.max"}])").c_str(), R"({"spec":{"min":3,"max":2}})") ==
          "spec: Invalid value: \"object\": failed rule: self.min <= self.max\n");
    CHECK(validated(with_rules(R"([{"rule":"self.min <= self.max","message":"too small","fieldPath":".max","reason":"FieldValueForbidden"}])").c_str(),
                    R"({"spec":{"min":3,"max":2}})") == "spec.max: Forbidden: too small\n");
    CHECK(validated(with_rules(R"j([{"rule":"self.min <= self.max","messageExpression":"'%d > %d'.format([self.min, self.max])"}])j").c_str(),
                    R"({"spec":{"min":3,"max":2}})") == "spec: Invalid value: \"object\": 3 > 2\n");
    CHECK(validated(with_rules(R"([{"rule":"self.min > 0"}])").c_str(), R"({"spec":{}})") ==
          "spec: Invalid value: \"object\": no such key: min evaluating rule: self.min > 0\n");
}

TEST_CASE("the root knows kind, apiVersion and metadata") {
    CHECK(validated(R"({"type":"object","x-kubernetes-validations":[{"rule":"self.metadata.name.startsWith('a') && self.kind == 'K'"}]})",
                    R"({"kind":"K","apiVersion":"g/v1","metadata":{"name":"b"}})") ==
          "<nil>: Invalid value: \"object\": failed rule: self.metadata.name.startsWith('a') && self.kind == 'K'\n");
}

TEST_CASE("transition rules run when there is something to compare with") {
    const std::string schema = with_rules(R"([{"rule":"self.min >= oldSelf.min","message":"may not shrink"}])");
    CHECK(validated(schema.c_str(), R"({"spec":{"min":1}})").empty());
    CHECK(validated(schema.c_str(), R"({"spec":{"min":1}})", R"({"spec":{"min":2}})") == "spec: Invalid value: \"object\": may not shrink\n");
    const std::string optional = with_rules(R"([{"rule":"oldSelf.hasValue() || self.min == 0","optionalOldSelf":true,"message":"starts at 0"}])");
    CHECK(validated(optional.c_str(), R"({"spec":{"min":1}})") == "spec: Invalid value: \"object\": starts at 0\n");
    CHECK(validated(optional.c_str(), R"({"spec":{"min":1}})", R"({"spec":{"min":2}})").empty());
}

TEST_CASE("what was broken before and has not changed is let be") {
    const std::string schema = with_rules(R"([{"rule":"self.min > 0","message":"positive"}])");
    CHECK(validated(schema.c_str(), R"({"spec":{"min":0}})", R"({"spec":{"min":0}})").empty());
    CHECK(validated(schema.c_str(), R"({"spec":{"min":-1}})", R"({"spec":{"min":0}})") == "spec: Invalid value: \"object\": positive\n");
}

TEST_CASE("rules of items and values run for each of them") {
    CHECK(validated(R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"integer","x-kubernetes-validations":[{"rule":"self > 0"}]}},
        "m":{"type":"object","additionalProperties":{"type":"string","x-kubernetes-validations":[{"rule":"self != ''"}]}}}})",
                    R"({"l":[1,0],"m":{"k":""}})") ==
          "l[1]: Invalid value: \"integer\": failed rule: self > 0\nm[k]: Invalid value: \"string\": failed rule: self != ''\n");
}

TEST_CASE("rules that do not compile, or may cost too much, are refused with the definition") {
    CHECK(checked(with_rules(R"([{"rule":"self.min <= self.max"}])").c_str()).empty());
    CHECK(checked(with_rules(R"([{"rule":"self.min + 1"}])").c_str()).find("cel expression must evaluate to a bool") != std::string::npos);
    const std::string undeclared = checked(with_rules(R"([{"rule":"self.nothing > 1"}])").c_str());
    CHECK(undeclared.find("s.properties[spec].x-kubernetes-validations[0].rule: Invalid value: apiextensions.ValidationRule{Rule:\"self.nothing > 1\"") == 0);
    CHECK(undeclared.find("compilation failed: ERROR: <input>:1:5: undefined field 'nothing'\n | self.nothing > 1\n | ....^") != std::string::npos);
    const std::string costly = checked(R"j({"type":"object","properties":{"l":{"type":"array","items":{"type":"string"},
        "x-kubernetes-validations":[{"rule":"self.all(x, self.all(y, x == y))"}]}}})j");
    CHECK(costly.find("s.properties[l].x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x") == 0);
    CHECK(checked(R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}},
        "x-kubernetes-validations":[{"rule":"self.a == oldSelf.a"}]}}}})") ==
          "s.properties[l].items.x-kubernetes-validations[0].rule: Invalid value: \"self.a == oldSelf.a\": oldSelf cannot be used on the "
          "uncorrelatable portion of the schema within s.properties[l]\n");
    CHECK(checked(with_rules(R"([{"rule":"self.min > 1","optionalOldSelf":true}])").c_str()) ==
          "s.properties[spec].x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule\n");
}

// Label selectors: grammar, messages, matching, printing.
#include "api/selector/label.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

bool matches(const char* selector, const LabelSpan& labels) {
    const auto parsed = LabelSelector::parse(selector);
    REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error()));
    return parsed->matches(labels);
}

}  // namespace

TEST_CASE("requirements match what they say") {
    const LabelSpan web = {{"app", "web"}, {"n", "5"}, {"tier", ""}};
    CHECK(matches("app=web", web));
    CHECK(matches("app==web,n=5", web));
    CHECK_FALSE(matches("app!=web", web));
    CHECK(matches("other!=web", web));
    CHECK(matches("app in (api, web)", web));
    CHECK_FALSE(matches("app notin (api,web)", web));
    CHECK(matches("other notin (x)", web));
    CHECK(matches("app", web));
    CHECK_FALSE(matches("!app", web));
    CHECK(matches("!other", web));
    CHECK(matches("n>4,n<6", web));
    CHECK_FALSE(matches("n>5", web));
    CHECK_FALSE(matches("app>5", web));
    CHECK(matches("tier=", web));
    CHECK(matches("tier in ()", web));
    CHECK(matches("", web));
    CHECK(matches("  app  =  web  ", web));
}

TEST_CASE("what is no selector is refused in the library's words") {
    struct Case {
        const char* text;
        const char* message;
    };
    const Case cases[] = {
        {"a=b,", "found '', expected: identifier after ','"},
        {"a in b", "unable to parse requirement: found 'b' expected: '('"},
        {"a in (b", "unable to parse requirement: found '', expected: ',' or ')'"},
        {"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"},
        {"=b", "found '=', expected: !, identifier, or 'end of string'"},
        {"a,)", "found ')', expected: identifier after ','"},
        {"a,!", "unable to parse requirement: found '', expected: identifier"},
        {"a>b", "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.text);
        const auto parsed = LabelSelector::parse(one.text);
        REQUIRE(!parsed);
        CHECK(parsed.error() == one.message);
    }
    CHECK_FALSE(LabelSelector::parse("bad key=x"));
    CHECK_FALSE(LabelSelector::parse("a=bad value!"));
    CHECK(LabelSelector::parse("(a").error() == "found '(', expected: !, identifier, or 'end of string'");
    CHECK(LabelSelector::parse("!(a").error() == "unable to parse requirement: found '(', expected: identifier");
}

TEST_CASE("selectors of objects, and their text") {
    const auto selector = LabelSelector::from_object(
        Json::parse(R"({"matchLabels":{"b":"1"},"matchExpressions":[{"key":"a","operator":"In","values":["y","x"]},
                        {"key":"c","operator":"Exists"},{"key":"d","operator":"DoesNotExist"}]})"));
    CHECK(selector.text() == "a in (x,y),b=1,c,!d");
    CHECK(selector.matches({{"a", "x"}, {"b", "1"}, {"c", ""}}));
    CHECK_FALSE(selector.matches({{"a", "x"}, {"b", "1"}, {"c", ""}, {"d", ""}}));
    CHECK(LabelSelector::from_object(Json::object()).matches({}));
    CHECK_FALSE(LabelSelector::from_object(Json()).matches({}));
    CHECK(LabelSelector::from_map(Json::parse(R"({"a":"1"})")).matches({{"a", "1"}, {"b", "2"}}));
}

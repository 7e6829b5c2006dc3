// Stages read from documents: who they are for, how likely, and how soon.
#include "controllers/kubelet/stages/stage.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu;
using namespace kubemu::controllers::stages;
using namespace std::chrono_literals;
using api::Json;

namespace {

Stage stage(const char* spec) {
    auto made = Stage::read(Json{{"metadata", {{"name", "s"}}}, {"spec", Json::parse(spec)}}, {});
    REQUIRE_MESSAGE(made, made.error());
    return std::move(*made);
}
Json object(const char* text) { return Json::parse(text); }

}  // namespace

TEST_CASE("selectors: labels, annotations and expressions must all hold; none at all is for nobody") {
    const Stage all = stage(R"({"resourceRef":{"kind":"Pod"},"selector":{"matchLabels":{"a":"1"},"matchAnnotations":{"b":"2"},"matchExpressions":[
        {"key":".n","operator":"In","values":["3","true"]},{"jq":{"key":".gone","operator":"DoesNotExist"}},{"cel":{"expression":"self.n == 3 || self.n == true"}}]}})");
    CHECK(all.matches(object(R"({"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}},"n":3})")));
    CHECK(all.matches(object(R"({"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}},"n":true})")));
    CHECK(!all.matches(object(R"({"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}},"n":4})")));
    CHECK(!all.matches(object(R"({"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}},"n":3,"gone":1})")));
    CHECK(!all.matches(object(R"({"metadata":{"labels":{"a":"1"}},"n":3})")));
    CHECK(!all.matches(object("{}")));
    CHECK(stage(R"({"resourceRef":{"kind":"Pod"},"selector":{}})").matches(object("{}")));
    CHECK(!stage(R"({"resourceRef":{"kind":"Pod"}})").matches(object("{}")));
    const Stage absent = stage(R"({"resourceRef":{"kind":"Pod"},"selector":{"matchExpressions":[{"key":".list.[].x","operator":"NotIn","values":["1"]}]}})");
    CHECK(absent.matches(object("{}")));  // a query that fails has no value
    CHECK(!absent.matches(object(R"({"list":[{"x":"1"}]})")));
}

TEST_CASE("weights and delays, from the Stage or from the object") {
    const Time now = Time(1'767'225'600s);
    const Stage plain = stage(R"({"resourceRef":{"kind":"Pod"},"weight":7,"delay":{"durationMilliseconds":1000,"jitterDurationMilliseconds":5000}})");
    CHECK(plain.weight({}) == 7);
    CHECK(plain.delay({}, now).least == 1s);
    CHECK(plain.delay({}, now).most == 5s);
    const Stage shorter = stage(R"({"resourceRef":{"kind":"Pod"},"delay":{"durationMilliseconds":9000,"jitterDurationMilliseconds":5000}})");
    CHECK(shorter.delay({}, now).least == 5s);
    const Stage from = stage(R"({"resourceRef":{"kind":"Pod"},"weight":1,"weightFrom":{"expressionFrom":".w"},"delay":{"durationMilliseconds":1000,
        "durationFrom":{"expressionFrom":".d"},"jitterDurationFrom":{"jq":{"expression":".j"}}}})");
    CHECK(from.weight(object(R"({"w":"12"})")) == 12);
    CHECK(from.weight(object(R"({"w":3})")) == 3);
    CHECK(from.weight({}) == 1);
    CHECK(!from.weight(object(R"({"w":"many"})")));
    CHECK(from.delay(object(R"({"d":"1m2.5s"})"), now).least == 62500ms);
    CHECK(from.delay(object(R"({"d":"2026-01-01T00:00:30Z"})"), now).least == 30s);
    CHECK(from.delay(object(R"({"d":"2s","j":"8s"})"), now).most == 8s);
    CHECK(from.delay({}, now).least == 1s);
}

TEST_CASE("durations as Go writes them") {
    CHECK(parse_go_duration("1h2m3.5s") == 3723500ms);
    CHECK(parse_go_duration("-90ms") == -90ms);
    CHECK(parse_go_duration("0") == 0ms);
    for (const char* bad : {"", "1", "s", "1x", "1s2", "--1s", "1.s.s"}) CHECK_MESSAGE(!parse_go_duration(bad), bad);
}

TEST_CASE("next is read as steps: event, finalizers, patches or the status, delete") {
    const Stage made = stage(R"({"resourceRef":{"kind":"Pod"},"next":{"delete":true,"statusTemplate":"phase: X","statusPatchAs":{"username":"u"},
        "event":{"type":"Warning","reason":"R","message":"M"},"finalizers":{"add":[{"value":"f"}],"remove":[{"value":"g"}]}}})");
    REQUIRE(made.steps.size() == 4);
    CHECK(made.steps[0].event->warning);
    CHECK(made.steps[1].finalizers->remove == std::vector<std::string>{"g"});
    CHECK(made.steps[2].patch->subresource == "status");
    CHECK(made.steps[2].patch->root == "status");
    CHECK(made.steps[2].patch->user == "u");
    CHECK(made.steps[3].remove);
    const auto refused = [](const char* spec) { return Stage::read(Json{{"spec", Json::parse(spec)}}, {}).error(); };
    CHECK(refused(R"({"selector":{"matchExpressions":[{"key":".a","operator":"Like"}]}})") == "matchExpressions: operator \"Like\" is not supported");
    CHECK(refused(R"({"selector":{"matchExpressions":[{}]}})") == "matchExpressions: an entry has neither key nor jq nor cel");
    CHECK(refused(R"({"selector":{"matchExpressions":[{"cel":{"expression":"self."}}]}})").find("ERROR") == 0);
}

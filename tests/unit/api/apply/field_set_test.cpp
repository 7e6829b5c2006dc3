// Sets of paths: what the operations leave, with members that lie above others.
#include "api/apply/field_set.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

FieldSet set(const char* text) { return FieldSet(Json::parse(text)); }

}  // namespace

TEST_CASE("a union has the members of both, also where one lies above the other's") {
    FieldSet both = set(R"({"f:a":{},"f:b":{"f:x":{}}})");
    both.add(set(R"({"f:a":{"f:y":{}},"f:b":{},"f:c":{"f:z":{}}})"));
    CHECK(both.tree() == Json::parse(R"({"f:a":{".":{},"f:y":{}},"f:b":{".":{},"f:x":{}},"f:c":{"f:z":{}}})"));
    FieldSet none;
    none.add(set(R"({"f:a":{}})"));
    CHECK(none.has({"f:a"}));
    none.add(FieldSet());
    CHECK(none.tree() == Json::parse(R"({"f:a":{}})"));
}

TEST_CASE("what lies below a removed member stays, or goes with it") {
    const FieldSet from = set(R"({"f:a":{".":{},"f:x":{}},"f:b":{},"f:c":{"f:z":{}}})");
    const FieldSet what = set(R"({"f:a":{},"f:c":{"f:z":{}},"f:d":{}})");
    CHECK(from.subtract(what).tree() == Json::parse(R"({"f:a":{"f:x":{}},"f:b":{}})"));
    FieldSet below = from;
    below.remove_below(what);
    CHECK(below.tree() == Json::parse(R"({"f:b":{}})"));
    FieldSet all = from;
    all.remove(from);
    CHECK(all.empty());
}

TEST_CASE("a set covers another when it has all its members") {
    const FieldSet large = set(R"({"f:a":{".":{},"f:x":{}},"f:b":{"f:y":{}}})");
    CHECK(large.covers(set(R"({"f:a":{},"f:b":{"f:y":{}}})")));
    CHECK(large.covers(FieldSet()));
    CHECK(FieldSet().covers(FieldSet()));
    CHECK(!large.covers(set(R"({"f:b":{}})")));
    CHECK(!large.covers(set(R"({"f:a":{"f:z":{}}})")));
    CHECK(!FieldSet().covers(large));
}

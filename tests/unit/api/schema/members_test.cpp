// Members of a document stand at the places of their fields.
#include "api/schema/members.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace kubemu::api;

TEST_CASE("each field finds its member, whatever else the document holds") {
    const TypeInfo& type = *find_type("core/v1.PodSpec");
    const Json object = Json::parse(R"({"aaa":1,"containers":[],"nodeName":"n","priority":null,"volumes":[1],"zzz":2})");
    const Members members(object, type);
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
        CAPTURE(std::string(type.fields[i].name));
        CHECK(members[i] == find(object, type.fields[i].name));
    }
    const Json list = Json::array();
    const Members nothing(list, type);
    CHECK(nothing[0] == nullptr);
}

TEST_CASE("a type with more fields than are indexed is searched") {
    std::vector<std::string> names;
    for (int i = 0; i < 70; ++i) names.push_back("f" + std::to_string(100 + i));
    std::vector<FieldInfo> fields(names.size());
    std::vector<std::uint16_t> order;
    for (std::size_t i = 0; i < names.size(); ++i) {
        fields[i].name = names[i];
        order.push_back(static_cast<std::uint16_t>(i));
    }
    const TypeInfo type{.name = "x/v1.Wide", .fields = fields, .fields_by_name = order};
    const Json object = Json::parse(R"({"f103":1,"f169":2})");
    const Members members(object, type);
    CHECK(*members[3] == 1);
    CHECK(*members[69] == 2);
    CHECK(members[4] == nullptr);
}

TEST_CASE("a walk finds the fields whose names come in order, and nothing else") {
    const TypeInfo& type = *find_type("meta/v1.ObjectMeta");
    FieldWalk walk(type);
    CHECK(walk.next("") == FieldWalk::none);
    CHECK(type.fields[walk.next("annotations")].name == "annotations");
    CHECK(walk.next("annotationz") == FieldWalk::none);
    CHECK(type.fields[walk.next("name")].name == "name");
    CHECK(type.fields[walk.next("namespace")].name == "namespace");
    CHECK(type.fields[walk.next("uid")].name == "uid");
    CHECK(walk.next("zone") == FieldWalk::none);
}

TEST_CASE("a walk through any built-in type finds each of its fields, and no name beside them") {
    for (const TypeInfo* type : all_types()) {
        CAPTURE(std::string(type->name));
        FieldWalk walk(*type);
        for (const std::uint16_t field : type->fields_by_name) {
            const std::string name(type->fields[field].name);
            CAPTURE(name);
            // What comes right before: a name of the same beginning.
            if (type->field(name.substr(0, name.size() - 1)) == nullptr) CHECK(walk.next(name.substr(0, name.size() - 1)) == FieldWalk::none);
            CHECK(walk.next(name) == field);
            if (type->field(name + "!") == nullptr) CHECK(walk.next(name + "!") == FieldWalk::none);
        }
    }
}

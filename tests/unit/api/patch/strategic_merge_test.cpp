// Strategic merge patches of Deployments and ConfigMaps: what merges by key, in which order, and what is refused how.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/patch/patch.h"
#include "api/schema/type.h"

using namespace kubemu::api;

namespace {

struct Case {
    const char* what;
    const char* before;
    const char* patch;
    const char* after;
};

struct Refusal {
    const char* what;
    const char* before;
    const char* patch;
    int code;
    const char* message;
};

const TypeInfo& pod_spec() { return *find_type("core/v1.PodSpec"); }

Json parse(const char* text) { return Json::parse(text); }

void check(const TypeInfo& type, const Case& one) {
    CAPTURE(one.what);
    Json document = parse(one.before), patch = parse(one.patch);
    const auto applied = apply_strategic_merge_patch(document, patch, type);
    REQUIRE_MESSAGE(applied, (applied ? "" : applied.error()->message));
    CHECK(document == parse(one.after));
}

}  // namespace

TEST_CASE("lists of objects merge by key, and the patch's items come first where nothing says otherwise") {
    const Case cases[] = {
        {"a known item is merged in place", R"({"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]})",
         R"({"containers":[{"name":"b","image":"3"}]})",
         R"({"containers":[{"name":"a","image":"1"},{"name":"b","image":"3"}]})"},
        {"a new item goes before those it is not compared with", R"({"containers":[{"name":"a"},{"name":"b"}]})",
         R"({"containers":[{"name":"z"}]})", R"({"containers":[{"name":"z"},{"name":"a"},{"name":"b"}]})"},
        {"an item between a new and a known one", R"({"containers":[{"name":"a"},{"name":"b"}]})",
         R"({"containers":[{"name":"b"},{"name":"z"}]})", R"({"containers":[{"name":"a"},{"name":"b"},{"name":"z"}]})"},
        {"a deletion by key", R"({"containers":[{"name":"a"},{"name":"b"},{"name":"a","image":"x"}]})",
         R"({"containers":[{"name":"a","$patch":"delete"}]})", R"({"containers":[{"name":"b"}]})"},
        {"a replacement of the list", R"({"containers":[{"name":"a"},{"name":"b"}]})",
         R"({"containers":[{"name":"c"},{"$patch":"replace"}]})", R"({"containers":[{"name":"c"}]})"},
        {"a replacement by nothing", R"({"containers":[{"name":"a"}]})", R"({"containers":[{"name":"a","$patch":"replace"}]})",
         R"({"containers":[]})"},
        {"inner lists merge too", R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y","value":"2"}]}]})",
         R"({"containers":[{"name":"a","env":[{"name":"Y","value":null}]}]})",
         R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"Y"}]}]})"},
        {"lists without a strategy are replaced", R"({"containers":[{"name":"a","args":["x","y"]}]})",
         R"({"containers":[{"name":"a","args":["z"]}]})", R"({"containers":[{"name":"a","args":["z"]}]})"},
    };
    for (const Case& one : cases) check(pod_spec(), one);
}

TEST_CASE("$setElementOrder decides the order, and items that only the server has keep their neighbours") {
    const Case cases[] = {
        {"an order without a change", R"({"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]})",
         R"({"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"b"}]})",
         R"({"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]})"},
        {"a new item in its place", R"({"containers":[{"name":"a"},{"name":"b"}]})",
         R"({"$setElementOrder/containers":[{"name":"a"},{"name":"n"},{"name":"b"}],"containers":[{"name":"n","image":"i"}]})",
         R"({"containers":[{"name":"a"},{"name":"n","image":"i"},{"name":"b"}]})"},
        {"a server's item before the one it preceded", R"({"containers":[{"name":"s"},{"name":"a"},{"name":"b"}]})",
         R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]})",
         R"({"containers":[{"name":"s"},{"name":"b"},{"name":"a"}]})"},
        {"a deletion beside an order", R"({"containers":[{"name":"a"},{"name":"b"}]})",
         R"({"$setElementOrder/containers":[{"name":"b"}],"containers":[{"name":"a","$patch":"delete"}]})",
         R"({"containers":[{"name":"b"}]})"},
    };
    for (const Case& one : cases) check(pod_spec(), one);
    const TypeInfo& meta = *find_type("meta/v1.ObjectMeta");
    check(meta, {"lists of words", R"({"finalizers":["a","b"]})",
                 R"({"$setElementOrder/finalizers":["c","b","a"],"finalizers":["c"]})", R"({"finalizers":["c","b","a"]})"});
    check(meta, {"words are merged without repeating them", R"({"finalizers":["a","b"]})", R"({"finalizers":["b","c"]})",
                 R"({"finalizers":["a","b","c"]})"});
    check(meta, {"words are deleted by a list of their own", R"({"finalizers":["a","b"]})",
                 R"({"$deleteFromPrimitiveList/finalizers":["a"]})", R"({"finalizers":["b"]})"});
    check(meta, {"a deletion from nothing", R"({})", R"({"$deleteFromPrimitiveList/finalizers":["a"]})", R"({})"});
}

TEST_CASE("maps merge, are emptied, are replaced, or keep what they are told to keep") {
    const TypeInfo& deployment = *find_type("apps/v1.DeploymentSpec");
    const Case cases[] = {
        {"null removes", R"({"template":{"metadata":{"labels":{"a":"1","b":"2"}}}})",
         R"({"template":{"metadata":{"labels":{"a":null,"c":"3"}}}})", R"({"template":{"metadata":{"labels":{"b":"2","c":"3"}}}})"},
        {"nulls of what is not there leave nothing", R"({})", R"({"template":{"metadata":{"labels":{"a":null}}}})",
         R"({"template":{"metadata":{"labels":{}}}})"},
        {"replace", R"({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}})",
         R"({"strategy":{"$patch":"replace","type":"Recreate"}})", R"({"strategy":{"type":"Recreate"}})"},
        {"delete", R"({"strategy":{"type":"Recreate"}})", R"({"strategy":{"$patch":"delete"}})", R"({"strategy":{}})"},
        {"retain keys", R"({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}})",
         R"({"strategy":{"$retainKeys":["type"],"type":"Recreate"}})", R"({"strategy":{"type":"Recreate"}})"},
    };
    for (const Case& one : cases) check(deployment, one);
}

TEST_CASE("what cannot be merged is refused in the library's words, and nothing has changed") {
    const char* const one_container = R"({"containers":[{"name":"a"}]})";
    const Refusal refusals[] = {
        {"an item without its key", one_container, R"({"containers":[{"image":"x"}]})", 500,
         "map: map[image:x] does not contain declared merge key: name"},
        {"a deletion without its key", one_container, R"({"containers":[{"$patch":"delete"}]})", 500,
         "map: map[$patch:delete] does not contain declared merge key: name"},
        {"an unknown directive", one_container, R"({"$patch":"explode"})", 500,
         "unknown patch type: explode in map: map[$patch:explode]"},
        {"a merge directive in a list", one_container, R"({"containers":[{"name":"a","$patch":"merge"}]})", 500,
         "merging lists cannot yet be specified in the patch"},
        {"keys that are no list", one_container, R"({"$retainKeys":"containers"})", 400, "invalid patch format of retainKeys"},
        {"a member that is not retained", one_container, R"({"$retainKeys":["volumes"],"containers":[{"name":"b"}]})", 400,
         "invalid patch format of retainKeys"},
        {"an order that is no list", one_container, R"({"$setElementOrder/containers":"a"})", 500,
         "expected a []interface {}, but received a string"},
        {"an order of nothing", one_container, R"({"$setElementOrder":[]})", 400, "invalid patch format of setElementOrder list"},
        {"an order without an item of the patch", one_container,
         R"({"$setElementOrder/containers":[{"name":"z"}],"containers":[{"name":"a","image":"x"}]})", 500,
         "The order in patch list:\n[map[image:x name:a]]\n doesn't match $setElementOrder list:\n[map[name:z]]\n"},
        {"items of several types", one_container, R"({"containers":[{"name":"a"},"b"]})", 500,
         "list element types are not identical: [[map[name:a]] [map[name:a] b]]"},
        {"a list beside a map", one_container, R"({"containers":[["a"]]})", 500,
         "list element types are not identical: [[map[name:a]] [[a]]]"},
        {"lists of lists", R"({"containers":[]})", R"({"containers":[["a"]]})", 422,
         "the server rejected our request due to an error in our request"},
    };
    for (const Refusal& one : refusals) {
        CAPTURE(one.what);
        Json document = parse(one.before), patch = parse(one.patch);
        const auto applied = apply_strategic_merge_patch(document, patch, pod_spec());
        REQUIRE(!applied);
        CHECK(applied.error().code() == one.code);
        CHECK(applied.error()->message == one.message);
    }
}

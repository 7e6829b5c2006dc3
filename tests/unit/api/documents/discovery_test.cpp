// Discovery: order of groups and versions, storage hashes, custom resources.
#include "api/documents/discovery.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/crd/custom_resource.h"
#include "api/values/object.h"

using namespace kubemu::api;

namespace {

Kinds builtin() {
    Kinds kinds;
    for (const KindSpec& kind : builtin_kinds()) kinds.push_back(&kind);
    return kinds;
}

KindSpec custom(std::string_view group, std::string_view version) {
    KindSpec kind;
    kind.group = group;
    kind.version = version;
    kind.kind = "Thing";
    kind.plural = "things";
    kind.singular = "thing";
    kind.resource = "things.x";
    kind.verbs = 0xff;
    static const CustomResource resource;
    static CustomVersion some;
    some.resource = &resource;
    kind.custom = &some;
    return kind;
}

Json resource_named(const Json& list, std::string_view name) {
    for (const Json& resource : list.at("resources")) {
        if (resource.at("name") == name) return resource;
    }
    return nullptr;
}

}  // namespace

TEST_CASE("storage version hashes are kube-apiserver's") {
    const Json core = Json::parse(api_resource_list(builtin(), "", "v1"));
    CHECK(resource_named(core, "pods")["storageVersionHash"] == "xPOwRZ+Yhw8=");
    CHECK(resource_named(core, "services")["storageVersionHash"] == "0/CO1lhkEBI=");
    const Json apps = Json::parse(api_resource_list(builtin(), "apps", "v1"));
    CHECK(resource_named(apps, "deployments")["storageVersionHash"] == "8aSe+NMegvE=");
    CHECK(!resource_named(core, "bindings").contains("storageVersionHash"));
}

TEST_CASE("resources come in alphabetical order of their paths") {
    for (const GroupVersionSpec& version : builtin_group_versions()) {
        std::vector<std::string> names;
        for (const Json& resource :
             Json::parse(api_resource_list(builtin(), version.group, version.version)).at("resources")) {
            names.push_back(resource.at("name"));
        }
        CHECK(std::is_sorted(names.begin(), names.end()));
    }
}

TEST_CASE("custom groups follow the built-in ones; stable versions come first") {
    const KindSpec kinds[] = {custom("b.example", "v1alpha1"), custom("b.example", "v2"),
                              custom("b.example", "v1beta1"),  custom("a.example", "v1beta1"),
                              custom("b.example", "v10"),      custom("b.example", "foo")};
    Kinds all = builtin();
    for (const KindSpec& kind : kinds) all.push_back(&kind);
    const Json groups = Json::parse(api_group_list(all)).at("groups");
    CHECK(groups[groups.size() - 2].at("name") ==
          "b.example");  // "foo.b.example" sorts before "v1beta1.a.example"
    CHECK(groups[groups.size() - 1].at("name") == "a.example");
    std::vector<std::string> versions;
    for (const Json& version : groups[groups.size() - 2].at("versions"))
        versions.push_back(version.at("version"));
    CHECK(versions == std::vector<std::string>{"v10", "v2", "v1beta1", "v1alpha1", "foo"});
    const Json list = Json::parse(api_resource_list(all, "a.example", "v1beta1"));
    CHECK(list["resources"][0]["verbs"] ==
          Json({"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"}));
    const Json aggregated = Json::parse(aggregated_discovery(all, false, "v2"));
    CHECK(aggregated["items"].back()["versions"][0]["resources"][0]["responseKind"] ==
          Json({{"group", "a.example"}, {"version", "v1beta1"}, {"kind", "Thing"}}));
}

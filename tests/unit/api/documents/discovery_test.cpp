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
    // Metrics are another server's, with a priority below that of custom resources.
    for (const KindSpec& kind : builtin_kinds()) {
        if (kind.group != "metrics.k8s.io") kinds.push_back(&kind);
    }
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
    const Json extensions = Json::parse(api_resource_list(builtin(), "apiextensions.k8s.io", "v1"));
    CHECK(resource_named(extensions, "customresourcedefinitions")["storageVersionHash"] == "jfWCUB31mvA=");
    CHECK(!resource_named(core, "bindings").contains("storageVersionHash"));
}

TEST_CASE("resources come in alphabetical order of their paths") {
    for (const GroupVersionSpec& version : builtin_group_versions()) {
        if (version.group == "metrics.k8s.io") continue;
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
    // There the names of groups decide among equals.
    CHECK(aggregated["items"].back()["metadata"]["name"] == "b.example");
    CHECK(aggregated["items"][aggregated["items"].size() - 2]["versions"][0]["resources"][0]["responseKind"] ==
          Json({{"group", "a.example"}, {"version", "v1beta1"}, {"kind", "Thing"}}));
}

namespace {

AggregatedServicePtr service(const std::string& group, const std::string& version, int group_priority, int version_priority) {
    auto made = std::make_shared<AggregatedService>();
    made->group = group;
    made->version = version;
    made->group_priority = group_priority;
    made->version_priority = version_priority;
    made->available = true;
    made->resources = std::make_shared<const Json>(Json{{"resources", {{{"name", "flunders"}, {"kind", "Flunder"}, {"namespaced", true}, {"verbs", {"get"}}}}}});
    return made;
}

std::vector<std::string> names_of(const Json& groups, bool aggregated) {
    std::vector<std::string> names;
    for (const Json& group : groups) names.push_back(aggregated ? group["metadata"]["name"] : group["name"]);
    return names;
}

}  // namespace

TEST_CASE("what other servers answer for stands where its priorities put it") {
    const KindSpec kinds[] = {custom("b.example", "v1"), custom("m.example", "v2")};
    Kinds all = builtin();
    for (const KindSpec& kind : kinds) all.push_back(&kind);
    const Elsewhere elsewhere = {service("first.example", "v1", 17850, 1), service("last.example", "v1", 100, 1),
                                 service("c.example", "v1", 1000, 1),      service("c.example", "v9", 1000, 1),
                                 service("c.example", "v3", 1000, 20),     service("m.example", "v1", 1000, 200),
                                 service("apps", "v9", 17800, 1)};
    const Json plain = Json::parse(api_group_list(all, elsewhere))["groups"], aggregated = Json::parse(aggregated_discovery(all, false, "v2", elsewhere))["items"];
    for (const bool form : {false, true}) {
        const std::vector<std::string> names = names_of(form ? aggregated : plain, form);
        CHECK(names[1] == "first.example");
        CHECK(names[2] == "apps");
        const std::vector<std::string> end(names.end() - 4, names.end());
        CHECK(end == std::vector<std::string>{"b.example", "c.example", "m.example", "last.example"});
    }
    const auto versions = [&](std::size_t from_end) {
        std::vector<std::string> found;
        for (const Json& version : plain[plain.size() - from_end]["versions"]) found.push_back(version["version"]);
        return found;
    };
    CHECK(versions(3) == std::vector<std::string>{"v3", "v9", "v1"});
    CHECK(versions(2) == std::vector<std::string>{"v1", "v2"});  // one of each
    CHECK(Json::parse(api_group(all, "m.example", elsewhere))["preferredVersion"]["version"] == "v1");
    CHECK(Json::parse(api_group(all, "apps", elsewhere))["versions"].size() == 2);
    CHECK(aggregated[aggregated.size() - 1]["versions"][0]["resources"][0]["resource"] == "flunders");
    CHECK(aggregated[2]["versions"][1]["resources"][0]["resource"] == "flunders");
}

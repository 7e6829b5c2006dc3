// CustomResourceDefinitions from creation to deletion, and their instances.
#include "controllers/apiextensions/controller.h"

#include <atomic>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/handlers.h"
#include "controllers/garbage_collector/controller.h"
#include "controllers/namespace/controller.h"
#include "controllers/resource_quota/controller.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using api::Json;

namespace {

constexpr const char* definitions = "customresourcedefinitions.apiextensions.k8s.io";

Json definition(const std::string& plural, const std::string& kind, const std::string& group = "example.com") {
    return Json{{"apiVersion", "apiextensions.k8s.io/v1"},
                {"kind", "CustomResourceDefinition"},
                {"metadata", {{"name", plural + "." + group}}},
                {"spec",
                 {{"group", group},
                  {"scope", "Namespaced"},
                  {"names", {{"plural", plural}, {"kind", kind}}},
                  {"versions",
                   {{{"name", "v1"},
                     {"served", true},
                     {"storage", true},
                     {"subresources", {{"status", Json::object()}}},
                     {"schema",
                      {{"openAPIV3Schema",
                        {{"type", "object"},
                         {"properties",
                          {{"spec", {{"type", "object"}, {"properties", {{"size", {{"type", "integer"}, {"default", 1}}}}}}},
                           {"status", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}}}}}}}}}};
}

struct Fixture {
    tests::TestCluster cluster;
    DefinitionInstaller installer{cluster.kinds()};

    Fixture() {
        cluster.add<CustomResourceDefinitionController>(cluster.kinds(), installer);
        cluster.add<NamespaceController>();
        cluster.add<GarbageCollectorController>();
    }
    Json condition(const std::string& name, std::string_view type) {
        const Json found = cluster.get(definitions, name, "");
        for (const Json& condition : api::array_at(found, {"status", "conditions"})) {
            if (api::string_at(condition, {"type"}) == type) return condition;
        }
        return nullptr;
    }
    Json instance(const std::string& name, Json spec = Json::object()) {
        return cluster.create("widgets.example.com", Json{{"apiVersion", "example.com/v1"},
                                                          {"kind", "Widget"},
                                                          {"metadata", {{"name", name}, {"namespace", "default"}}},
                                                          {"spec", std::move(spec)}});
    }
};

}  // namespace

TEST_CASE("a definition is established, served and discovered, and its instances are defaulted") {
    Fixture f;
    f.cluster.create(definitions, definition("widgets", "Widget"));
    CHECK(f.cluster.registry().kinds().by_plural("example.com", "v1", "widgets") == nullptr);
    f.cluster.settle();
    CHECK(f.condition("widgets.example.com", "NamesAccepted")["reason"] == "NoConflicts");
    CHECK(f.condition("widgets.example.com", "Established")["status"] == "True");
    const api::KindSpec* kind = f.cluster.registry().kinds().by_plural("example.com", "v1", "widgets");
    REQUIRE(kind != nullptr);
    CHECK(kind->list_kind == "WidgetList");
    CHECK(f.instance("a")["spec"] == Json{{"size", 1}});
    CHECK(f.instance("b", {{"size", 4}})["metadata"]["generation"] == 1);
}

TEST_CASE("names that are taken are not accepted until they are free") {
    Fixture f;
    f.cluster.create(definitions, definition("widgets", "Widget"));
    f.cluster.settle();
    f.cluster.create(definitions, definition("gadgets", "Widget"));
    f.cluster.settle();
    CHECK(f.condition("gadgets.example.com", "NamesAccepted")["reason"] == "ListKindConflict");
    CHECK(f.condition("gadgets.example.com", "NamesAccepted")["message"] == "\"WidgetList\" is already in use");
    CHECK(f.condition("gadgets.example.com", "Established")["reason"] == "NotAccepted");
    CHECK(f.cluster.registry().kinds().by_plural("example.com", "v1", "gadgets") == nullptr);
    f.cluster.remove(definitions, "widgets.example.com", {}, "");
    f.cluster.settle();
    CHECK(f.condition("gadgets.example.com", "Established")["status"] == "True");
    CHECK(f.cluster.registry().kinds().by_plural("example.com", "v1", "gadgets") != nullptr);
}

TEST_CASE("instances go with their definition, those with finalizers last") {
    Fixture f;
    f.cluster.create(definitions, definition("widgets", "Widget"));
    f.cluster.settle();
    f.instance("a");
    f.instance("b");
    f.cluster.patch("widgets.example.com", "b", R"({"metadata":{"finalizers":["example.com/hold"]}})");
    f.cluster.remove(definitions, "widgets.example.com", {}, "");
    f.cluster.settle();
    CHECK(f.condition("widgets.example.com", "Terminating")["reason"] == "InstanceDeletionInProgress");
    CHECK_FALSE(f.cluster.exists("widgets.example.com", "a"));
    f.cluster.patch("widgets.example.com", "b", R"({"metadata":{"finalizers":null}})");
    f.cluster.advance(std::chrono::seconds(2));
    CHECK_FALSE(f.cluster.exists(definitions, "widgets.example.com", ""));
    CHECK(f.cluster.registry().kinds().by_plural("example.com", "v1", "widgets") == nullptr);
    CHECK(f.cluster.store().list("widgets.example.com", "").records.empty());
}

TEST_CASE("deleting a namespace takes its custom resources, deleting an owner its custom dependents") {
    Fixture f;
    f.cluster.create(definitions, definition("widgets", "Widget"));
    f.cluster.settle();
    const Json owner = f.instance("owner");
    Json dependent = Json{{"apiVersion", "example.com/v1"},
                          {"kind", "Widget"},
                          {"metadata",
                           {{"name", "dependent"},
                            {"namespace", "default"},
                            {"ownerReferences",
                             {{{"apiVersion", "example.com/v1"}, {"kind", "Widget"}, {"name", "owner"}, {"uid", owner["metadata"]["uid"]}}}}}}};
    f.cluster.create("widgets.example.com", dependent);
    f.cluster.settle();
    f.cluster.remove("widgets.example.com", "owner");
    f.cluster.settle();
    CHECK_FALSE(f.cluster.exists("widgets.example.com", "dependent"));
    f.cluster.create("namespaces", Json{{"metadata", {{"name", "team"}}}});
    f.cluster.settle();
    f.cluster.create("widgets.example.com", Json{{"apiVersion", "example.com/v1"}, {"kind", "Widget"}, {"metadata", {{"name", "left"}, {"namespace", "team"}}}});
    f.cluster.settle();
    f.cluster.remove("namespaces", "team", {}, "");
    f.cluster.settle();
    CHECK_FALSE(f.cluster.exists("widgets.example.com", "left", "team"));
    CHECK_FALSE(f.cluster.exists("namespaces", "team", ""));
}

TEST_CASE("kinds that change while requests use them stay valid for those requests") {
    Fixture f;
    f.cluster.create(definitions, definition("widgets", "Widget"));
    f.cluster.settle();
    const Json document = f.cluster.get(definitions, "widgets.example.com", "");
    tests::OpenAccess access(f.cluster);
    api::Handlers handlers({f.cluster.registry(), access.get()});
    std::atomic<bool> stop{false};
    std::atomic<int> answered{0}, wrong{0};
    std::thread reader([&] {
        while (!stop) {
            api::Request request;
            request.method = "GET";
            request.path = "/apis/example.com/v1/namespaces/default/widgets";
            handlers.handle(std::move(request), [&](api::Response response) {
                ++answered;
                if (response.code != 200 && response.code != 404) ++wrong;
            });
        }
    });
    for (int i = 0; i < 300 || answered < 100; ++i) {
        f.cluster.kinds().set_custom("widgets.example.com", i % 3 == 0 ? nullptr : api::CustomResource::make(document, 1));
    }
    stop = true;
    reader.join();
    CHECK(wrong == 0);
    f.cluster.kinds().set_custom("widgets.example.com", api::CustomResource::make(document, 1));
    CHECK(f.cluster.registry().kinds().by_plural("example.com", "v1", "widgets") != nullptr);
}

TEST_CASE("instances are counted by quotas as long as their kind is there, made before it or after") {
    Fixture fixture;
    tests::TestCluster& cluster = fixture.cluster;
    cluster.add<ResourceQuotaController>();
    const auto used = [&cluster] {
        return std::string(api::string_at(cluster.get("resourcequotas", "q"), {"status", "used", "count/widgets.example.com"}));
    };
    cluster.create("resourcequotas", R"({"metadata":{"name":"q"},"spec":{"hard":{"count/widgets.example.com":"3"}}})");
    cluster.settle();
    CHECK(used().empty());
    cluster.create(definitions, definition("widgets", "Widget"));
    cluster.settle();
    CHECK(used() == "0");
    cluster.create("widgets.example.com", R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"a"}})");
    cluster.create("widgets.example.com", R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"b"}})");
    cluster.settle();
    CHECK(used() == "2");
    cluster.remove("widgets.example.com", "a");
    cluster.settle();
    CHECK(used() == "1");
    cluster.remove(definitions, "widgets.example.com", {}, "");
    cluster.settle();
    CHECK(used().empty());
}

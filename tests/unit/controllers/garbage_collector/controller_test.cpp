// Owners and dependents.
#include "controllers/garbage_collector/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

// Takes the references off the object "b" as soon as anything goes: in the same turn of the loop in which others hear of
// that, and before they act.
class Releaser final : public controllers::Controller {
  public:
    explicit Releaser(controllers::Manager& manager) : Controller(manager, "releaser", "releaser") {
        manager.informer("configmaps").subscribe([this](const api::Informer::Change& change) {
            if (change.after == nullptr) enqueue("b");
        });
    }
    api::ApiResult<controllers::Requeue> reconcile(const std::string& name) override {
        TRY(client().modify(kind("configmaps"), "default", name, {}, [](api::Json& object) {
            object["metadata"].erase("ownerReferences");
            return true;
        }));
        return controllers::Requeue{};
    }
};

struct Cluster : tests::TestCluster {
    explicit Cluster(bool with_releaser = false) {
        if (with_releaser) add<Releaser>();
        add<controllers::GarbageCollectorController>();
    }
    // A ConfigMap that belongs to others; "!" before an owner's name: it must not go before this one.
    void map(const char* name, std::initializer_list<std::string> owners = {}) {
        api::Json object = {{"metadata", {{"name", name}}}};
        for (const std::string& owner : owners) {
            const bool blocks = owner.front() == '!';
            const std::string owner_name = blocks ? owner.substr(1) : owner;
            object["metadata"]["ownerReferences"].push_back({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", owner_name},
                {"uid", api::uid_of(get("configmaps", owner_name))}, {"blockOwnerDeletion", blocks}});
        }
        create("configmaps", object);
        settle();
    }
    void drop(const char* name, const char* policy) {
        api::DeleteOptions options;
        options.propagation_policy = policy;
        remove("configmaps", name, options);
        settle();
    }
    bool there(const char* name) { return exists("configmaps", name); }
    std::size_t owners(const char* name) { return api::array_at(get("configmaps", name), {"metadata", "ownerReferences"}).size(); }
};

}  // namespace

TEST_CASE("background deletion takes the whole tree, and who has another owner stays") {
    Cluster cluster;
    cluster.map("a");
    cluster.map("other");
    cluster.map("b", {"a"});
    cluster.map("c", {"b"});
    cluster.map("shared", {"a", "other"});
    cluster.drop("a", "Background");
    CHECK_FALSE(cluster.there("b"));
    CHECK_FALSE(cluster.there("c"));
    REQUIRE(cluster.there("shared"));
    CHECK(cluster.owners("shared") == 1);
}

TEST_CASE("what its owner let go before it went lives on, though the news of that come late") {
    Cluster cluster(true);
    cluster.map("a");
    cluster.map("b", {"a"});
    cluster.drop("a", "Background");
    REQUIRE(cluster.there("b"));
    CHECK(cluster.owners("b") == 0);
}

TEST_CASE("orphans live on without the reference") {
    Cluster cluster;
    cluster.map("a");
    cluster.map("b", {"a"});
    cluster.drop("a", "Orphan");
    CHECK_FALSE(cluster.there("a"));
    REQUIRE(cluster.there("b"));
    CHECK(cluster.owners("b") == 0);
}

TEST_CASE("foreground deletion waits for those that block it, not for others") {
    for (const bool blocks : {true, false}) {
        Cluster cluster;
        cluster.map("a");
        cluster.map("b", {blocks ? "!a" : "a"});
        cluster.patch("configmaps", "b", R"({"metadata":{"finalizers":["example.com/hold"]}})");
        cluster.drop("a", "Foreground");
        CHECK(cluster.there("a") == blocks);
        REQUIRE(cluster.there("b"));
        CHECK(api::find(cluster.get("configmaps", "b"), {"metadata", "deletionTimestamp"}) != nullptr);
        cluster.patch("configmaps", "b", R"({"metadata":{"finalizers":null}})");
        cluster.settle();
        CHECK_FALSE(cluster.there("a"));
        CHECK_FALSE(cluster.there("b"));
    }
}

TEST_CASE("a circle of owners goes as a whole") {
    Cluster cluster;
    cluster.map("a");
    cluster.map("b", {"!a"});
    const api::Json reference = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "b"},
                                 {"uid", api::uid_of(cluster.get("configmaps", "b"))}, {"blockOwnerDeletion", true}};
    cluster.patch("configmaps", "a", api::Json{{"metadata", {{"ownerReferences", api::Json::array({reference})}}}}.dump());
    cluster.settle();
    CHECK(cluster.there("a"));
    cluster.drop("a", "Foreground");
    CHECK_FALSE(cluster.there("a"));
    CHECK_FALSE(cluster.there("b"));
}

TEST_CASE("an object whose owner never was, or is another of the same name, goes") {
    Cluster cluster;
    cluster.map("owner");
    for (const char* uid : {"00000000-0000-0000-0000-000000000001"}) {
        cluster.create("configmaps", api::Json{{"metadata", {{"name", "stray"}, {"ownerReferences", api::Json::array({{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", uid}}})}}}});
        cluster.settle();
        CHECK(cluster.there("stray"));  // its owner is looked for first
        cluster.advance(std::chrono::seconds(1));
        CHECK_FALSE(cluster.there("stray"));
    }
}

TEST_CASE("an owner of a kind that nobody knows keeps what refers to it, until the kind is there") {
    Cluster cluster;
    const auto owned_by = [](const char* name, const char* version, const char* kind) {
        return api::Json{{"metadata", {{"name", name}, {"ownerReferences", api::Json::array({{{"apiVersion", version}, {"kind", kind}, {"name", "x"},
                                                                                           {"uid", "00000000-0000-0000-0000-000000000001"}}})}}}};
    };
    cluster.create("configmaps", owned_by("custom", "example.com/v1", "Thing"));
    cluster.create("configmaps", owned_by("elsewhere", "example.com/v1", "ConfigMap"));
    cluster.create("configmaps", owned_by("known", "apps/v1", "Deployment"));
    cluster.settle();
    cluster.advance(std::chrono::minutes(5));
    CHECK(cluster.there("custom"));
    CHECK(cluster.there("elsewhere"));
    CHECK_FALSE(cluster.there("known"));
}

TEST_CASE("an owner in another namespace is told of once, and counts as absent") {
    Cluster cluster;
    cluster.map("owner");
    cluster.create("namespaces", R"({"metadata":{"name":"other"}})");
    api::Json dependent = {{"metadata", {{"name", "far"}, {"namespace", "other"}}}};
    dependent["metadata"]["ownerReferences"] = api::Json::array(
        {{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", api::uid_of(cluster.get("configmaps", "owner"))}}});
    cluster.create("configmaps", dependent);
    cluster.settle();
    cluster.advance(std::chrono::seconds(1));
    CHECK_FALSE(cluster.exists("configmaps", "far", "other"));
    const auto told = cluster.list("events", "other");
    REQUIRE(told.size() == 1);
    CHECK(api::string_at(told[0], {"reason"}) == "OwnerRefInvalidNamespace");
    CHECK(api::string_at(told[0], {"source", "component"}) == "garbage-collector-controller");
    CHECK(api::int_at(told[0], {"count"}) == 1);
}

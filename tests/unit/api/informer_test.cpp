// The cache behind controllers: what it holds, what its indexes find, and when it looks at the store at all.
#include "api/informer.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

using tests::TestCluster;

std::string names(const std::vector<storage::RecordPtr>& records) {
    std::string text;
    for (const storage::RecordPtr& record : records) text += (text.empty() ? "" : " ") + record->key;
    return text;
}

std::string pod(const std::string& name, const std::string& node = {}, const std::string& owner = {}) {
    std::string text = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name + "\"";
    if (!owner.empty())
        text += R"(,"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":")" + owner + "\"}]";
    text += R"(},"spec":{"containers":[{"name":"c","image":"nginx"}])";
    if (!node.empty()) text += R"(,"nodeName":")" + node + "\"";
    return text + "}}";
}

void create(TestCluster& cluster, std::string_view resource, const std::string& text) {
    cluster.create(resource, std::string_view(text));
}

// What a manager does with its informers in a turn.
bool turn(TestCluster& cluster, Informer& informer) {
    cluster.store().flush();
    return informer.refresh(cluster.store().announced_revision());
}

TEST_CASE("indexes follow their objects") {
    TestCluster cluster;
    Informer informer(cluster.store(), "pods", [] {});
    create(cluster, "pods", pod("a", "one", "owner"));
    create(cluster, "pods", pod("b", {}, "owner"));
    CHECK(turn(cluster, informer));
    create(cluster, "pods", pod("c", "one"));
    CHECK(turn(cluster, informer));
    CHECK(names(informer.list()) == "default/a default/b default/c");
    CHECK(names(informer.list("default")) == "default/a default/b default/c");
    CHECK(informer.list("defaul").empty());
    CHECK(names(informer.owned_by("owner")) == "default/a default/b");
    CHECK(names(informer.on_node("one")) == "default/a default/c");
    CHECK(names(informer.on_node("")) == "default/b");
    cluster.patch("pods", "a", R"({"metadata":{"ownerReferences":null,"labels":{"x":"y"}}})");
    CHECK(turn(cluster, informer));
    CHECK(names(informer.owned_by("owner")) == "default/b");
    CHECK(*view_of(*informer.get("default", "a")).label("x") == "y");
    CHECK(informer.on_node("one").front() == informer.get("default/a"));
    DeleteOptions at_once;
    at_once.grace_period_seconds = 0;
    cluster.remove("pods", "a", at_once);
    CHECK(turn(cluster, informer));
    CHECK(names(informer.on_node("one")) == "default/c");
    CHECK(informer.size() == 2);
    CHECK(informer.get("default/a") == nullptr);
}

TEST_CASE("an informer of what nobody writes keeps up with the store, and misses nothing afterwards") {
    TestCluster cluster;
    int woken = 0;
    Informer pods(cluster.store(), "pods", [&woken] { ++woken; });
    turn(cluster, pods);
    const int before = woken;
    for (int i = 0; i < 3; ++i) {
        create(cluster, "configmaps", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c)" + std::to_string(i) + "\"}}");
        CHECK(!turn(cluster, pods));
        CHECK(pods.position() == cluster.store().current_revision());
    }
    CHECK(woken == before);
    for (int i = 0; i < 3; ++i) {
        create(cluster, "pods", pod("p" + std::to_string(i)));
        CHECK(turn(cluster, pods));
        CHECK(pods.size() == static_cast<std::size_t>(i + 1));
        CHECK(pods.position() == cluster.store().current_revision());
        CHECK(!turn(cluster, pods));
    }
    CHECK(woken == before + 3);
}

TEST_CASE("an informer that is far behind sees what there is now, as the store holds it") {
    TestCluster cluster;
    Informer pods(cluster.store(), "pods", [] {});
    create(cluster, "pods", pod("again"));
    create(cluster, "pods", pod("changed"));
    create(cluster, "pods", pod("gone"));
    create(cluster, "pods", pod("same"));
    turn(cluster, pods);
    const storage::RecordPtr same = pods.get("default/same");
    std::string seen;
    pods.subscribe([&](const Informer::Change& change) {
        const storage::RecordPtr& record = change.after ? change.after : change.before;
        seen += (change.before == nullptr ? "+" : change.after == nullptr ? "-" : "~") + record->key + " ";
    });
    DeleteOptions at_once;
    at_once.grace_period_seconds = 0;
    for (const char* name : {"again", "gone"}) cluster.remove("pods", name, at_once);
    create(cluster, "pods", pod("z"));
    create(cluster, "pods", pod("again"));
    for (int i = 0; i < 1100; ++i)
        cluster.patch("pods", "changed", R"({"metadata":{"labels":{"n":")" + std::to_string(i) + "\"}}}");
    create(cluster, "pods", pod("b"));
    CHECK(turn(cluster, pods));
    CHECK(seen == "-default/again -default/gone +default/z +default/again ~default/changed +default/b ");
    CHECK(pods.position() == cluster.store().current_revision());
    for (const storage::RecordPtr& record : pods.list()) CHECK(record == cluster.store().get("pods", record->key));
    CHECK(pods.get("default/same") == same);
    CHECK(!turn(cluster, pods));
}

TEST_CASE("an informer that fell behind compaction lists again") {
    TestCluster cluster;
    Informer pods(cluster.store(), "pods", [] {});
    create(cluster, "pods", pod("old"));
    turn(cluster, pods);
    for (int i = 0; i < 1100; ++i)
        cluster.patch("pods", "old", R"({"metadata":{"labels":{"n":")" + std::to_string(i) + "\"}}}");
    create(cluster, "pods", pod("new"));
    cluster.store().flush();
    REQUIRE(cluster.store().compact(cluster.store().current_revision()).has_value());
    CHECK(turn(cluster, pods));
    turn(cluster, pods);
    CHECK(names(pods.list()) == "default/new default/old");
    CHECK(*view_of(*pods.get("default/old")).label("n") == "1099");
    CHECK(pods.position() == cluster.store().current_revision());
}

}  // namespace
}  // namespace kubemu::api

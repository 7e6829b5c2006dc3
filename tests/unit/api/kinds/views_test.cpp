// What views say, and what they share.
#include "api/kinds/views.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

std::shared_ptr<const storage::View> view(const tests::TestCluster& cluster, std::string_view resource, std::string_view text) {
    return make_view(cluster.kind(resource), Json::parse(text));
}

TEST_CASE("objects alike share their labels and owners") {
    const tests::TestCluster cluster;
    const auto pod = [&](const std::string& name, const std::string& app) {
        return view(cluster, "pods", R"({"metadata":{"name":")" + name + R"(","labels":{"app":")" + app + R"(","b":"c"},
            "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":")" + app + R"(","controller":true}]}})");
    };
    const auto first = pod("a", "web"), second = pod("b", "web"), third = pod("c", "db");
    const auto of = [](const auto& made) -> const ObjectView& { return static_cast<const ObjectView&>(*made); };
    CHECK(&*of(first).labels == &*of(second).labels);
    CHECK(&*of(first).owners == &*of(second).owners);
    CHECK(of(first).labels == of(second).labels);
    CHECK(of(first).labels != of(third).labels);
    CHECK(*of(third).labels == Labels{{"app", "db"}, {"b", "c"}});
    CHECK(of(third).controller()->uid == "db");
    CHECK(*of(first).label("app") == "web");
    CHECK(of(first).label("none") == nullptr);
    const auto bare = view(cluster, "pods", R"({"metadata":{"name":"d"}})");
    CHECK(of(bare).labels.empty());
    CHECK(of(bare).owners.empty());
    CHECK(of(bare).controller() == nullptr);
}

TEST_CASE("fields are found by their names, whatever they hold") {
    const tests::TestCluster cluster;
    const std::string longer(300, 'n');
    const auto pod = view(cluster, "pods",
                          R"({"metadata":{"name":"a"},"spec":{"nodeName":")" + longer + R"(","schedulerName":"x\u0000y"},"status":{"podIP":"10.0.0.7"}})");
    const FieldValues& fields = static_cast<const ObjectView&>(*pod).fields;
    CHECK(fields.find("spec.nodeName") == longer);
    CHECK(fields.find("spec.schedulerName") == std::string_view("x\0y", 3));
    CHECK(fields.find("status.podIP") == "10.0.0.7");
    CHECK(fields.find("status.nominatedNodeName") == "");
    CHECK(!fields.find("spec.node"));
    CHECK(!FieldValues().find("spec.nodeName"));
}

}  // namespace
}  // namespace kubemu::api

// What controllers remove goes without being decoded, where nobody has a say in it; otherwise as ever.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

namespace kubemu::api {
namespace {

constexpr const char* config_maps = "configmaps";

struct Cluster : tests::TestCluster {
    ApiResult<bool> remove_map(const DeleteOptions& options = {}) {
        const auto removed = client().remove(kind(config_maps), "default", "a", options);
        store().flush();
        return removed;
    }
};

TEST_CASE("what waits for nobody is gone, and its last state is what was stored") {
    Cluster cluster;
    const Json made = cluster.create(config_maps, R"({"metadata":{"name":"a","labels":{"x":"y"}},"data":{"k":"v"}})");
    cluster.store().flush();
    const auto before = cluster.store().current_revision();
    auto cursor = cluster.store().watch(config_maps, "default/", before, {});
    CHECK(cluster.remove_map().value());
    CHECK(!cluster.exists(config_maps, "a"));
    const auto events = (*cursor)->next(10).events;
    REQUIRE(events.size() == 1);
    CHECK(events[0].record->deleted);
    CHECK(events[0].record->revision == before + 1);
    Json last = cluster.registry().document(*events[0].record);
    CHECK(last["metadata"]["resourceVersion"] == std::to_string(before + 1));
    last["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"];
    CHECK(last == made);
    CHECK(cluster.remove_map().error().code() == 404);
}

TEST_CASE("preconditions hold") {
    Cluster cluster;
    cluster.create(config_maps, R"({"metadata":{"name":"a"}})");
    DeleteOptions other_revision, other_uid;
    other_revision.precondition_revision = "1";
    other_uid.precondition_uid = "b";
    CHECK(cluster.remove_map(other_revision).error().code() == 409);
    CHECK(cluster.remove_map(other_uid).error().code() == 409);
    CHECK(cluster.exists(config_maps, "a"));
}

TEST_CASE("finalizers, and dependents that are asked for, hold it up") {
    Cluster cluster;
    cluster.create(config_maps, R"({"metadata":{"name":"a","finalizers":["example.com/wait"]}})");
    CHECK(!cluster.remove_map().value());
    CHECK(cluster.get(config_maps, "a")["metadata"].contains("deletionTimestamp"));
    cluster.patch(config_maps, "a", R"({"metadata":{"finalizers":null}})");
    CHECK(!cluster.exists(config_maps, "a"));
    cluster.create(config_maps, R"({"metadata":{"name":"a"}})");
    DeleteOptions foreground;
    foreground.propagation_policy = "Foreground";
    CHECK(!cluster.remove_map(foreground).value());
    CHECK(cluster.exists(config_maps, "a"));
}

TEST_CASE("policies are asked") {
    Cluster cluster;
    cluster.create(config_maps, R"({"metadata":{"name":"a"}})");
    cluster.create("validatingadmissionpolicies.admissionregistration.k8s.io", R"({"metadata":{"name":"kept"},"spec":{
        "matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["DELETE"],
        "resources":["configmaps"]}]},"validations":[{"expression":"false","message":"it is kept"}]}})");
    cluster.create("validatingadmissionpolicybindings.admissionregistration.k8s.io",
                   R"({"metadata":{"name":"kept"},"spec":{"policyName":"kept","validationActions":["Deny"]}})");
    cluster.store().flush();
    CHECK(cluster.remove_map().error()->message.find("it is kept") != std::string::npos);
    CHECK(cluster.exists(config_maps, "a"));
}

}  // namespace
}  // namespace kubemu::api

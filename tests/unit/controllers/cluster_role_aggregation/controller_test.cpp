// Aggregated ClusterRoles follow the roles that they select.
#include "controllers/cluster_role_aggregation/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

constexpr const char* resource = "clusterroles.rbac.authorization.k8s.io";

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::ClusterRoleAggregationController>();
        create(resource, R"({"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[
            {"matchLabels":{"to":"all"}}]}})");
    }
    void role(const char* name, const char* what) {
        api::Json object = {{"metadata", {{"name", name}, {"labels", {{"to", "all"}}}}}};
        object["rules"] = api::Json::array({{{"verbs", {"get"}}, {"apiGroups", {""}}, {"resources", {what}}}});
        create(resource, object);
        settle();
    }
    std::string resources() {
        std::string text;
        const api::Json all = get(resource, "all");
        for (const api::Json& rule : api::array_at(all, {"rules"})) {
            text += rule.at("resources")[0].get<std::string>() + " ";
        }
        return text;
    }
};

}  // namespace

TEST_CASE("rules are gathered by name, each once, and go with their role") {
    Cluster cluster;
    cluster.role("b", "pods");
    cluster.role("a", "secrets");
    cluster.role("c", "pods");
    CHECK(cluster.resources() == "secrets pods ");
    cluster.remove(resource, "a");
    cluster.settle();
    CHECK(cluster.resources() == "pods ");
    cluster.patch(resource, "b", R"({"metadata":{"labels":{"to":null}}})");
    cluster.patch(resource, "c", R"({"metadata":{"labels":{"to":null}}})");
    cluster.settle();
    CHECK(cluster.resources() == "");
}

TEST_CASE("its own name stands beside the rules") {
    Cluster cluster;
    cluster.role("a", "secrets");
    const api::Json object = cluster.get(resource, "all");
    bool found = false;
    for (const api::Json& entry : object.at("metadata").at("managedFields")) {
        if (entry.at("manager") != "clusterrole-aggregation-controller") continue;
        found = true;
        CHECK(entry.at("operation") == "Apply");
        CHECK(entry.at("fieldsV1") == api::Json::parse(R"({"f:rules":{}})"));
    }
    CHECK(found);
}

// Who may write what of a ResourceClaim's status.
#include "api/authorization/claim_status.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/authorization/authorizer.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

constexpr const char* claims = "resourceclaims.resource.k8s.io";

// A registry that asks an authorizer, and a service account at node n that may write the status of claims.
struct Cluster : tests::TestCluster {
    api::Authorizer authorizer{store(), {api::Authorizer::Mode::rbac}};
    api::Registry guarded{{store(), registry().kinds(), clock(), random(), &authorizer}};
    api::User user{"system:serviceaccount:default:driver", {}, {"system:authenticated"},
                   {{"authentication.kubernetes.io/node-name", {"n"}}}};

    Cluster() {
        create(claims, R"({"metadata":{"name":"c"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"d"}}]}}})");
    }
    void grant(const char* name, const Json& rule) {
        create("clusterroles.rbac.authorization.k8s.io", Json{{"metadata", {{"name", name}}}, {"rules", {rule}}});
        create("clusterrolebindings.rbac.authorization.k8s.io",
               Json{{"metadata", {{"name", name}}},
                    {"roleRef", {{"kind", "ClusterRole"}, {"name", name}, {"apiGroup", "rbac.authorization.k8s.io"}}},
                    {"subjects", {{{"kind", "User"}, {"name", user.name}, {"apiGroup", "rbac.authorization.k8s.io"}}}}});
    }
    // "" when the status was written, else the message.
    std::string write(const char* patch) {
        api::WriteContext context;
        context.user = user;
        const auto change = [&](Json& claim, bool) -> api::ApiResult<bool> {
            claim.merge_patch(Json::parse(patch));
            return true;
        };
        const auto written = guarded.update(kind(claims), "default", "c", "status", change, context);
        store().flush();
        return written ? "" : written.error()->message;
    }
};

constexpr const char* allocation =
    R"({"status":{"allocation":{"devices":{"results":[{"request":"r","driver":"e.com","pool":"p","device":"d"}]},
    "nodeSelector":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]}}}})";
constexpr const char* devices = R"({"status":{"devices":[{"driver":"e.com","pool":"p","device":"d"}]}})";

}  // namespace

TEST_CASE("claims are allocated by those who bind them") {
    Cluster cluster;
    CHECK(cluster.write(allocation) ==
          "ResourceClaim.resource.k8s.io \"c\" is invalid: status.allocation: Forbidden: changing status.allocation or "
          "status.reservedFor requires resource=\"resourceclaims/binding\", verb=\"update\" permission: "
          "resourceclaims.resource.k8s.io is forbidden: User \"system:serviceaccount:default:driver\" cannot update resource "
          "\"resourceclaims/binding\" in API group \"resource.k8s.io\" at the cluster scope");
    CHECK(cluster.write(R"({"metadata":{"labels":{"a":"b"}}})") == "");
    cluster.grant("binds", {{"verbs", {"update"}}, {"apiGroups", {"resource.k8s.io"}}, {"resources", {"resourceclaims/binding"}}});
    CHECK(cluster.write(allocation) == "");
}

TEST_CASE("the status of devices is written by their drivers, at their node or at any") {
    Cluster cluster;
    REQUIRE(cluster.client().modify(cluster.kind(claims), "default", "c", "status", [](Json& claim) {
        claim.merge_patch(Json::parse(allocation));
        return true;
    }));
    const std::string refused = cluster.write(devices);
    CHECK(refused.find("status.devices: Forbidden: changing status.devices requires resource=\"resourceclaims/driver\", "
                       "verb=\"[associated-node:update arbitrary-node:update]\" permission: resourceclaims.resource.k8s.io "
                       "\"e.com\" is forbidden: User \"system:serviceaccount:default:driver\" cannot associated-node:update "
                       "resource \"resourceclaims/driver\" in API group \"resource.k8s.io\" in the namespace \"default\"") !=
          std::string::npos);
    cluster.grant("drives", {{"verbs", {"associated-node:update"}},
                             {"apiGroups", {"resource.k8s.io"}},
                             {"resources", {"resourceclaims/driver"}},
                             {"resourceNames", {"e.com"}}});
    CHECK(cluster.write(devices) == "");
    cluster.user.extra["authentication.kubernetes.io/node-name"] = {"m"};
    CHECK(cluster.write(R"({"status":{"devices":null}})").find("verb=\"[arbitrary-node:update]\"") != std::string::npos);
}

// The default roles and bindings: made, mended, and left alone where an administrator says so.
#include "controllers/bootstrap/rbac_policy.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/authorization/authorizer.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

constexpr const char* roles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* bindings = "clusterrolebindings.rbac.authorization.k8s.io";

struct Cluster : tests::TestCluster {
    Cluster() {
        create("namespaces", R"({"metadata":{"name":"kube-public"}})");
        reconcile();
    }
    void reconcile() {
        controllers::reconcile_rbac_policy(registry());
        store().flush();
    }
};

}  // namespace

TEST_CASE("every default rule is well formed, every role that a binding names exists") {
    Cluster cluster;
    const auto count = [&](const char* resource) { return cluster.registry().list(resource, "").size(); };
    CHECK(count(roles) == controllers::bootstrap_cluster_roles().size() + controllers::bootstrap_controller_roles().size());
    CHECK(count("roles.rbac.authorization.k8s.io") == controllers::bootstrap_namespace_roles().size());
    CHECK(count(bindings) + count("rolebindings.rbac.authorization.k8s.io") ==
          controllers::bootstrap_bindings().size() + controllers::bootstrap_controller_roles().size());
    const api::Rbac rbac(cluster.store());
    for (const char* account : {"deployment-controller", "clusterrole-aggregation-controller", "namespace-controller"}) {
        const auto grants = rbac.grants_of({"system:serviceaccount:kube-system:" + std::string(account), {}, {}, {}}, "default");
        CHECK_FALSE(grants.rules.empty());
        CHECK(grants.error == "");
    }
}

TEST_CASE("what everybody may") {
    Cluster cluster;
    const api::Authorizer authorizer(cluster.store(), {api::Authorizer::Mode::rbac});
    const auto may = [&](const char* group, const char* path) {
        api::Attributes attributes;
        attributes.verb = "get";
        attributes.path = path;
        return authorizer.authorize({"x", {}, {group}, {}}, attributes).allowed;
    };
    CHECK(may("system:unauthenticated", "/version"));
    CHECK_FALSE(may("system:unauthenticated", "/apis"));
    CHECK(may("system:authenticated", "/apis/apps/v1"));
    CHECK_FALSE(may("system:authenticated", "/metrics"));
    CHECK(may("system:monitoring", "/metrics"));
    CHECK(may("system:serviceaccounts", "/openid/v1/jwks"));
}

TEST_CASE("a later start mends what is missing and keeps what was added") {
    Cluster cluster;
    cluster.patch(roles, "system:kube-dns", R"({"metadata":{"labels":{"mine":"1","kubernetes.io/bootstrapping":null}},
        "rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]})");
    cluster.patch(bindings, "system:discovery", R"({"subjects":[{"kind":"User","name":"ann"}]})");
    cluster.remove(roles, "view");
    cluster.patch(bindings, "system:basic-user",
                  R"({"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}},"subjects":[]})");
    cluster.reconcile();
    const api::Json dns = cluster.get(roles, "system:kube-dns");
    CHECK(dns.at("metadata").at("labels") == api::Json::parse(R"({"mine":"1","kubernetes.io/bootstrapping":"rbac-defaults"})"));
    CHECK(dns.at("rules").size() == 5);  // its own, and two verbs of two resources, taken apart
    CHECK(cluster.get(bindings, "system:discovery").at("subjects").size() == 2);
    CHECK(cluster.exists(roles, "view"));
    CHECK(api::array_at(cluster.get(bindings, "system:basic-user"), {"subjects"}).empty());
    const auto revision = cluster.store().current_revision();
    cluster.reconcile();
    CHECK(cluster.store().current_revision() == revision);
}

TEST_CASE("who makes them may grant what they grant") {
    tests::TestCluster cluster;
    cluster.create("namespaces", R"({"metadata":{"name":"kube-public"}})");
    const api::Authorizer authorizer(cluster.store(), {api::Authorizer::Mode::rbac});
    api::Registry registry({.store = cluster.store(), .kinds = cluster.kinds(), .clock = cluster.clock(),
                            .random = cluster.random(), .authorizer = &authorizer});
    controllers::reconcile_rbac_policy(registry);
    cluster.store().flush();
    CHECK(registry.list(roles, "").size() ==
          controllers::bootstrap_cluster_roles().size() + controllers::bootstrap_controller_roles().size());
    CHECK(cluster.exists(bindings, "cluster-admin", ""));
}

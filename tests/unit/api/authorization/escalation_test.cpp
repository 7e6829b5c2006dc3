// Nobody grants what they do not hold, unless they may escalate or bind.
#include "api/authorization/escalation.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/authorization/authorizer.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

constexpr const char* roles = "roles.rbac.authorization.k8s.io";
constexpr const char* cluster_roles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* role_bindings = "rolebindings.rbac.authorization.k8s.io";

// A registry that asks an authorizer, and a user who may read configmaps and nothing else.
struct Cluster : tests::TestCluster {
    api::Authorizer authorizer{store(), {api::Authorizer::Mode::rbac}};
    api::Registry guarded{{store(), registry().kinds(), clock(), random(), &authorizer}};

    Cluster() {
        create(roles, R"({"metadata":{"name":"held"},"rules":[
            {"verbs":["get","list"],"apiGroups":[""],"resources":["configmaps"]}]})");
        bind("held", "held");
        create(cluster_roles, R"({"metadata":{"name":"secrets"},"rules":[
            {"verbs":["get"],"apiGroups":[""],"resources":["secrets"]}]})");
    }

    void bind(const char* name, const char* role) {
        api::Json binding = {{"metadata", {{"name", name}}}, {"roleRef", {{"kind", "Role"}, {"name", role}}}};
        binding["subjects"] = api::Json::array({{{"kind", "User"}, {"name", "ann"}}});
        create(role_bindings, binding);
    }

    // "" when it was made, else the message.
    std::string made(const char* resource, const char* json) {
        api::WriteContext context;
        context.user = {"ann", {}, {"system:authenticated"}, {}};
        const auto& spec = kind(resource);
        const auto written = guarded.create(spec, spec.namespaced ? "default" : "", api::Json::parse(json), context);
        store().flush();
        return written ? "" : written.error()->message;
    }
};

constexpr const char* more = R"({"metadata":{"name":"more"},"rules":[
    {"verbs":["get"],"apiGroups":[""],"resources":["secrets","configmaps"]}]})";
constexpr const char* bind_secrets = R"({"metadata":{"name":"s"},"roleRef":{"kind":"ClusterRole","name":"secrets",
    "apiGroup":"rbac.authorization.k8s.io"},"subjects":[{"kind":"User","name":"ann"}]})";

}  // namespace

TEST_CASE("roles grant no more than their author holds") {
    Cluster cluster;
    CHECK(cluster.made(roles, R"({"metadata":{"name":"same"},"rules":[
        {"verbs":["get"],"apiGroups":[""],"resources":["configmaps"]}]})") == "");
    CHECK(cluster.made(roles, more) ==
          "roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"ann\" (groups=[\"system:authenticated\"]) is "
          "attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\"], "
          "Verbs:[\"get\"]}");
    cluster.create(roles, R"({"metadata":{"name":"escalator"},"rules":[
        {"verbs":["escalate"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles"]}]})");
    cluster.bind("escalator", "escalator");
    CHECK(cluster.made(roles, more) == "");
}

TEST_CASE("what is held in a namespace grants nothing in the whole cluster") {
    Cluster cluster;
    CHECK(cluster.made(cluster_roles, R"({"metadata":{"name":"same"},"rules":[
        {"verbs":["get"],"apiGroups":[""],"resources":["configmaps"]}]})")
              .find("not currently held") != std::string::npos);
    CHECK(cluster.made(cluster_roles, R"({"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{}]}})") ==
          "clusterroles.rbac.authorization.k8s.io \"all\" is forbidden: must have cluster-admin privileges to use the "
          "aggregationRule");
}

TEST_CASE("bindings too, unless their author may bind the role") {
    Cluster cluster;
    CHECK(cluster.made(role_bindings, bind_secrets).find("rolebindings.rbac.authorization.k8s.io \"s\" is forbidden") == 0);
    CHECK(cluster.made(role_bindings, R"({"metadata":{"name":"n"},"roleRef":{"kind":"ClusterRole","name":"none"}})") ==
          "clusterroles.rbac.authorization.k8s.io \"none\" not found");
    cluster.create(roles, R"({"metadata":{"name":"binder"},"rules":[{"verbs":["bind"],
        "apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"resourceNames":["secrets"]}]})");
    cluster.bind("binder", "binder");
    CHECK(cluster.made(role_bindings, bind_secrets) == "");
}

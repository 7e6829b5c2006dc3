// Who may do what: bindings of every kind of subject, in a namespace and cluster-wide, with the reasons.
#include "api/authorization/authorizer.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Attributes;
using api::Authorizer;
using api::User;

namespace {

constexpr const char* roles = "roles.rbac.authorization.k8s.io";
constexpr const char* cluster_roles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* role_bindings = "rolebindings.rbac.authorization.k8s.io";
constexpr const char* cluster_role_bindings = "clusterrolebindings.rbac.authorization.k8s.io";

struct Cluster : tests::TestCluster {
    Authorizer authorizer{store(), {Authorizer::Mode::rbac}};

    Cluster() {
        create(cluster_roles, R"({"metadata":{"name":"reader"},"rules":[
            {"verbs":["get","list"],"apiGroups":[""],"resources":["pods","pods/log"]},
            {"verbs":["get"],"nonResourceURLs":["/metrics*"]}]})");
        create(roles, R"({"metadata":{"name":"writer"},"rules":[
            {"verbs":["update"],"apiGroups":["apps"],"resources":["deployments"],"resourceNames":["web"]}]})");
        create(cluster_role_bindings, R"({"metadata":{"name":"ops-read"},
            "roleRef":{"kind":"ClusterRole","name":"reader"},"subjects":[{"kind":"Group","name":"ops"}]})");
        create(role_bindings, R"({"metadata":{"name":"read"},"roleRef":{"kind":"ClusterRole","name":"reader"},
            "subjects":[{"kind":"User","name":"ann"},{"kind":"ServiceAccount","name":"bot"}]})");
        create(role_bindings, R"({"metadata":{"name":"write"},"roleRef":{"kind":"Role","name":"writer"},
            "subjects":[{"kind":"ServiceAccount","name":"deployer","namespace":"kube-system"}]})");
        create(role_bindings, R"({"metadata":{"name":"broken"},"roleRef":{"kind":"Role","name":"gone"},
            "subjects":[{"kind":"User","name":"eve"}]})");
    }
};

Attributes wish(const char* verb, const char* group, const char* resource, const char* space, const char* name = "",
                const char* subresource = "") {
    Attributes attributes;
    attributes.verb = verb;
    attributes.resource_request = true;
    attributes.group = group;
    attributes.resource = resource;
    attributes.subresource = subresource;
    attributes.namespace_name = space;
    attributes.name = name;
    return attributes;
}

User user(const char* name, std::vector<std::string> groups = {}) { return {name, {}, std::move(groups), {}}; }

}  // namespace

TEST_CASE("a binding allows its subjects what its role says, where it is") {
    Cluster cluster;
    struct Case {
        User who;
        Attributes what;
        bool allowed;
        const char* reason;
    };
    const Case cases[] = {
        {user("ann"), wish("list", "", "pods", "default"), true,
         "RBAC: allowed by RoleBinding \"read/default\" of ClusterRole \"reader\" to User \"ann\""},
        {user("ann"), wish("get", "", "pods", "default", "p", "log"), true,
         "RBAC: allowed by RoleBinding \"read/default\" of ClusterRole \"reader\" to User \"ann\""},
        {user("ann"), wish("list", "", "pods", "kube-system"), false, ""},
        {user("ann"), wish("list", "", "pods", ""), false, ""},
        {user("ann"), wish("delete", "", "pods", "default", "p"), false, ""},
        {user("bob", {"ops"}), wish("list", "", "pods", ""), true,
         "RBAC: allowed by ClusterRoleBinding \"ops-read\" of ClusterRole \"reader\" to Group \"ops\""},
        {user("bob", {"ops"}), wish("get", "", "pods", "anywhere", "p"), true,
         "RBAC: allowed by ClusterRoleBinding \"ops-read\" of ClusterRole \"reader\" to Group \"ops\""},
        // An account without a namespace is one of the binding's own.
        {user("system:serviceaccount:default:bot"), wish("get", "", "pods", "default", "p"), true,
         "RBAC: allowed by RoleBinding \"read/default\" of ClusterRole \"reader\" to ServiceAccount \"bot/default\""},
        {user("system:serviceaccount:kube-system:bot"), wish("get", "", "pods", "default", "p"), false, ""},
        {user("system:serviceaccount:kube-system:deployer"), wish("update", "apps", "deployments", "default", "web"), true,
         "RBAC: allowed by RoleBinding \"write/default\" of Role \"writer\" to ServiceAccount \"deployer/kube-system\""},
        {user("system:serviceaccount:kube-system:deployer"), wish("update", "apps", "deployments", "default", "db"), false, ""},
        {user("eve"), wish("get", "", "pods", "default"), false,
         "RBAC: role.rbac.authorization.k8s.io \"gone\" not found"},
        {user("root", {"system:masters"}), wish("anything", "x", "y", ""), true, ""},
    };
    for (const Case& test : cases) {
        CAPTURE(test.who.name);
        CAPTURE(test.what.verb);
        CAPTURE(test.what.namespace_name);
        const auto answer = cluster.authorizer.authorize(test.who, test.what);
        CHECK(answer.allowed == test.allowed);
        CHECK(answer.reason == test.reason);
    }
}

TEST_CASE("paths are granted by cluster-wide bindings alone") {
    Cluster cluster;
    Attributes metrics;
    metrics.verb = "get";
    metrics.path = "/metrics/slis";
    CHECK(cluster.authorizer.authorize(user("bob", {"ops"}), metrics).allowed);
    CHECK_FALSE(cluster.authorizer.authorize(user("ann"), metrics).allowed);
}

TEST_CASE("a grant ends with its binding") {
    Cluster cluster;
    const auto list = wish("list", "", "pods", "default");
    CHECK(cluster.authorizer.authorize(user("ann"), list).allowed);
    cluster.remove(role_bindings, "read");
    CHECK_FALSE(cluster.authorizer.authorize(user("ann"), list).allowed);
}

TEST_CASE("modes are asked in order") {
    Cluster cluster;
    using Mode = Authorizer::Mode;
    const auto list = wish("list", "", "nodes", "");
    CHECK(Authorizer(cluster.store(), {Mode::rbac, Mode::always_allow}).authorize(user("ann"), list).allowed);
    const auto denied = Authorizer(cluster.store(), {Mode::always_deny}).authorize(user("ann"), list);
    CHECK_FALSE(denied.allowed);
    CHECK(denied.reason == "Everything is forbidden.");
}

TEST_CASE("a request is described by its path, and refused in those words") {
    const auto refusal = [](const char* method, const char* path, const char* query = "") {
        api::Request request;
        request.method = method;
        request.path = path;
        request.query = query;
        const auto attributes = api::attributes_of(request, api::parse_request_info(path, query));
        return api::forbidden(user("ann"), attributes, {})->message;
    };
    CHECK(refusal("GET", "/api/v1/namespaces/a/pods") ==
          "pods is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"a\"");
    CHECK(refusal("GET", "/api/v1/pods", "watch=1") ==
          "pods is forbidden: User \"ann\" cannot watch resource \"pods\" in API group \"\" at the cluster scope");
    CHECK(refusal("GET", "/api/v1/namespaces/a/pods", "fieldSelector=metadata.name%3Dp") ==
          "pods \"p\" is forbidden: User \"ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"a\"");
    CHECK(refusal("PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale") ==
          "deployments.apps \"d\" is forbidden: User \"ann\" cannot patch resource \"deployments/scale\" in API group \"apps\" "
          "in the namespace \"a\"");
    CHECK(refusal("DELETE", "/api/v1/namespaces/a") ==
          "namespaces \"a\" is forbidden: User \"ann\" cannot delete resource \"namespaces\" in API group \"\" in the namespace "
          "\"a\"");
    CHECK(refusal("POST", "/metrics") == "forbidden: User \"ann\" cannot post path \"/metrics\"");
}

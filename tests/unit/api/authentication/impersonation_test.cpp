// Acting as somebody else: who that becomes, and who may.
#include "api/authentication/impersonation.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "api/values/text.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::User;

namespace {

struct Cluster : tests::TestCluster {
    api::Authorizer authorizer{store(), {api::Authorizer::Mode::rbac}};

    // "name groups uid extra", or the message.
    std::string become(const api::ImpersonationHeaders& headers, const User& user = api::administrator()) {
        const auto other = api::impersonate(authorizer, user, headers);
        if (!other) return other.error()->message;
        if (!*other) return "nobody else";
        std::string text = (*other)->name + " " + api::go_quote_list((*other)->groups) + " " + (*other)->uid;
        for (const auto& [key, values] : (*other)->extra) text += " " + key + "=" + api::go_quote_list(values);
        return text;
    }
};

}  // namespace

TEST_CASE("headers make a user") {
    Cluster cluster;
    CHECK(cluster.become({}) == "nobody else");
    CHECK(cluster.become({{"impersonate-user", "ann"}}) == "ann [\"system:authenticated\"] ");
    CHECK(cluster.become({{"impersonate-user", "ann"}, {"impersonate-group", "dev"}, {"impersonate-uid", "7"}}) ==
          "ann [\"dev\" \"system:authenticated\"] 7");
    CHECK(cluster.become({{"impersonate-user", "system:serviceaccount:a:b"}}) ==
          "system:serviceaccount:a:b [\"system:serviceaccounts\" \"system:serviceaccounts:a\" \"system:authenticated\"] ");
    CHECK(cluster.become({{"impersonate-user", "system:anonymous"}}) == "system:anonymous [\"system:unauthenticated\"] ");
    CHECK(cluster.become({{"impersonate-user", "ann"}, {"impersonate-extra-acme.com%2fproject", "x"}}) ==
          "ann [\"system:authenticated\"]  acme.com/project=[\"x\"]");
    CHECK(cluster.become({{"impersonate-group", "dev"}, {"impersonate-uid", "7"}}) ==
          "requested [{Group  dev    } {UID  7  authentication.k8s.io/v1  }] without impersonating a user");
}

TEST_CASE("each thing must be allowed") {
    Cluster cluster;
    const User bob{"bob", {}, {"system:authenticated"}, {}};
    const api::ImpersonationHeaders headers = {{"impersonate-user", "ann"}, {"impersonate-group", "dev"}};
    CHECK(cluster.become(headers, bob) ==
          "users \"ann\" is forbidden: User \"bob\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope");
    cluster.create("clusterroles.rbac.authorization.k8s.io", R"({"metadata":{"name":"i"},"rules":[
        {"verbs":["impersonate"],"apiGroups":[""],"resources":["users"],"resourceNames":["ann"]}]})");
    cluster.create("clusterrolebindings.rbac.authorization.k8s.io", R"({"metadata":{"name":"i"},
        "roleRef":{"kind":"ClusterRole","name":"i"},"subjects":[{"kind":"User","name":"bob"}]})");
    CHECK(cluster.become({{"impersonate-user", "ann"}}, bob) == "ann [\"system:authenticated\"] ");
    CHECK(cluster.become(headers, bob) ==
          "groups \"dev\" is forbidden: User \"bob\" cannot impersonate resource \"groups\" in API group \"\" at the cluster scope");
    CHECK(cluster.become({{"impersonate-user", "system:serviceaccount:a:b"}}, bob) ==
          "serviceaccounts \"b\" is forbidden: User \"bob\" cannot impersonate resource \"serviceaccounts\" in API group \"\" in the "
          "namespace \"a\"");
}

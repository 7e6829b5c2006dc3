// Reviews of access: what is asked wrongly, and what is answered.
#include "api/authorization/access_reviews.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    api::Authorizer authorizer{store(), {api::Authorizer::Mode::rbac}};
    api::User user{"ann", {}, {"system:authenticated"}, {}};

    Cluster() {
        create("clusterroles.rbac.authorization.k8s.io", R"({"metadata":{"name":"r"},"rules":[
            {"verbs":["get"],"apiGroups":[""],"resources":["pods"]},{"verbs":["get"],"nonResourceURLs":["/a"]}]})");
        create("clusterrolebindings.rbac.authorization.k8s.io", R"({"metadata":{"name":"b"},
            "roleRef":{"kind":"ClusterRole","name":"r"},"subjects":[{"kind":"User","name":"ann"}]})");
    }

    api::ApiResult<api::Json> ask(const char* kind, const char* json, const char* space = "") {
        return api::answer_access_review(authorizer, user, kind, space, api::Json::parse(json));
    }
    std::string status(const char* kind, const char* json, const char* space = "") {
        const auto answer = ask(kind, json, space);
        return answer ? answer->at("status").dump() : answer.error()->message;
    }
};

}  // namespace

TEST_CASE("reviews say whether, and by what") {
    Cluster cluster;
    CHECK(cluster.status("SelfSubjectAccessReview", R"({"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})") ==
          R"({"allowed":true,"reason":"RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to User \"ann\""})");
    CHECK(cluster.status("SubjectAccessReview", R"({"spec":{"user":"bob","nonResourceAttributes":{"verb":"get","path":"/a"}}})") ==
          R"({"allowed":false})");
    CHECK(cluster.status("LocalSubjectAccessReview", R"({"metadata":{"namespace":"default"},"spec":{"groups":["system:masters"],
          "resourceAttributes":{"verb":"get","resource":"pods","namespace":"default"}}})", "default") == R"({"allowed":true})");
    CHECK(cluster.status("SelfSubjectAccessReview", R"({"spec":{"resourceAttributes":{"verb":"list","resource":"pods",
          "fieldSelector":{"requirements":[{"key":"a","operator":"In","values":["b"]},{"key":"c","operator":"Exists"}]}}}})") ==
          R"({"allowed":false,"evaluationError":"spec.resourceAttributes.fieldSelector partially ignored due to parse error"})");
}

TEST_CASE("rules reviews list what is held") {
    Cluster cluster;
    CHECK(cluster.status("SelfSubjectRulesReview", R"({"spec":{"namespace":"default"}})") ==
          R"({"incomplete":false,"nonResourceRules":[{"nonResourceURLs":["/a"],"verbs":["get"]}],)"
          R"("resourceRules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]})");
    CHECK(cluster.status("SelfSubjectRulesReview", R"({"spec":{}})") == "no namespace on request");
}

TEST_CASE("reviews are validated") {
    Cluster cluster;
    CHECK(cluster.status("SubjectAccessReview", R"({"spec":{}})") ==
          ".authorization.k8s.io \"\" is invalid: [spec.resourceAttributes: Invalid value: \"null\": exactly one of "
          "nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: \"\": at least one of user or "
          "group must be specified]");
    CHECK(cluster.status("LocalSubjectAccessReview", R"({"metadata":{"namespace":"a"},"spec":{"user":"x",
          "resourceAttributes":{"namespace":"b"}}})", "a") ==
          ".authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid value: \"b\": must match "
          "metadata.namespace");
    CHECK(cluster.status("SelfSubjectAccessReview", R"({"spec":{"resourceAttributes":{"labelSelector":{}}}})") ==
          ".authorization.k8s.io \"\" is invalid: spec.resourceAttributes.labelSelector.requirements: Required value: when "
          "spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required");
}

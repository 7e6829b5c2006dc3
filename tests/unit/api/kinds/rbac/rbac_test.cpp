// Roles and bindings: what is refused, in which words.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "rbac.authorization.k8s.io";
}

TEST_CASE("ClusterRole: URLs, resources and aggregation") {
    RulesUnderTest role(group, "v1", "ClusterRole");
    struct Case {
        const char *object, *complaint;
    };
    const Case cases[] = {
        {R"({"rules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]})", ""},
        {R"({"rules":[{"verbs":["get"],"nonResourceURLs":["/x","/y"],"resources":["pods"]}]})",
         "rules[0].nonResourceURLs: Invalid value: []string{\"/x\", \"/y\"}: rules cannot apply to both "
         "regular resources and "
         "non-resource URLs"},
        {R"({"aggregationRule":{}})",
         "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if "
         "aggregationRule is non-nil"},
        {R"({"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}})", ""},
    };
    for (const Case& item : cases) CHECK(role.creating(item.object) == item.complaint);
}

TEST_CASE("bindings: subjects of each kind, and a reference that stays") {
    RulesUnderTest binding(group, "v1", "ClusterRoleBinding");
    const std::string reference = R"("roleRef":{"kind":"ClusterRole","name":"r"})";
    CHECK(
        binding.creating(
            "{" + reference +
            R"(,"subjects":[{"kind":"ServiceAccount","name":"a"},{"kind":"User","name":"u","apiGroup":"x"}]})") ==
        "subjects[0].namespace: Required value\n"
        "subjects[1].apiGroup: Unsupported value: \"x\": supported values: \"rbac.authorization.k8s.io\"");
    CHECK(binding.creating(R"({"roleRef":{"kind":"Role","name":"r"}})") ==
          "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"");
    CHECK(binding.creating("{" + reference + R"(,"subjects":[{"kind":"Group","name":"g"}]})").empty());
    CHECK(binding.updating("{" + reference + "}", R"({"roleRef":{"kind":"ClusterRole","name":"s"}})") ==
          "roleRef: Invalid value: rbac.RoleRef{APIGroup:\"rbac.authorization.k8s.io\", "
          "Kind:\"ClusterRole\", Name:\"s\"}: cannot "
          "change roleRef");
}

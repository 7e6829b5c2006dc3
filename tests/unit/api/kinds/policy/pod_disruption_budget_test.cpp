// PodDisruptionBudget: validation, and the empty selector that means everything in v1 and nothing in v1beta1.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

TEST_CASE("PodDisruptionBudget: amounts and status") {
    RulesUnderTest budget("policy", "v1", "PodDisruptionBudget");
    CHECK(budget.creating(R"({"spec":{"maxUnavailable":"101%"}})") ==
          "spec.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"101%\"}: must "
          "not be greater than 100%");
    CHECK(budget.creating(R"({"spec":{"minAvailable":-1}})") ==
          "spec.minAvailable: Invalid value: -1: must be greater than or equal to 0");
    CHECK(budget.creating(R"({"spec":{"minAvailable":"50%","unhealthyPodEvictionPolicy":"AlwaysAllow"}})")
              .empty());
    CHECK(budget.updating_status(
              "{}", R"({"status":{"expectedPods":-1,"conditions":[{"type":"A b","status":"Maybe"}]}})")
              .starts_with("status.conditions[0].type: Invalid value: \"A b\": "));
    CHECK(budget.updating_status(
              "{}", R"({"status":{"expectedPods":-1,"conditions":[{"type":"A","status":"Maybe"}]}})") ==
          "status.conditions[0].status: Unsupported value: \"Maybe\": supported values: \"False\", \"True\", "
          "\"Unknown\"\n"
          "status.conditions[0].lastTransitionTime: Required value\nstatus.conditions[0].reason: Required "
          "value\n"
          "status.expectedPods: Invalid value: -1: must be greater than or equal to 0");
    RulesUnderTest beta("policy", "v1beta1", "PodDisruptionBudget");
    CHECK(beta.updating_status("{}", R"({"status":{"expectedPods":-1}})").empty());
}

TEST_CASE("PodDisruptionBudget v1beta1: an empty selector selects nothing") {
    const char* label = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";
    const Json stored =
        stored_form("policy", "v1beta1", "PodDisruptionBudget", R"({"spec":{"selector":{}}})");
    CHECK(stored["spec"]["selector"] ==
          Json{{"matchExpressions", Json::array({{{"key", label}, {"operator", "Exists"}}})}});
    CHECK(version_form("policy", "v1beta1", "PodDisruptionBudget", stored)["spec"]["selector"] ==
          Json::object());
    const Json all =
        version_form("policy", "v1beta1", "PodDisruptionBudget", Json::parse(R"({"spec":{"selector":{}}})"));
    CHECK(all["spec"]["selector"] ==
          Json{{"matchExpressions", Json::array({{{"key", label}, {"operator", "DoesNotExist"}}})}});
    const Json given = stored_form("policy", "v1beta1", "PodDisruptionBudget",
                                   R"({"spec":{"selector":{"matchLabels":{"a":"b"}}}})");
    CHECK(given["spec"]["selector"] == Json::parse(R"({"matchLabels":{"a":"b"}})"));
}

// What is said of the expressions of a policy once it is stored.
#include "controllers/validating_admission_policy/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;

TEST_CASE("expressions that do not fit the kinds they are about are told of") {
    tests::TestCluster cluster;
    cluster.add<ValidatingAdmissionPolicyStatusController>(cluster.kinds());
    const auto policy = [](const char* name, const char* expression) {
        return api::Json{{"metadata", {{"name", name}}},
                         {"spec",
                          {{"matchConstraints",
                            {{"resourceRules", {{{"apiGroups", {"apps"}}, {"apiVersions", {"v1"}}, {"operations", {"*"}}, {"resources", {"deployments"}}}}}}},
                           {"validations", {{{"expression", expression}}}}}}};
    };
    const char* policies = "validatingadmissionpolicies.admissionregistration.k8s.io";
    cluster.create(policies, policy("good", "object.spec.template.spec.containers.all(c, c.image.startsWith('x'))"));
    cluster.create(policies, policy("bad", "object.replicas > 1"));
    cluster.settle();
    CHECK(cluster.get(policies, "good", "")["status"]["observedGeneration"] == 1);
    CHECK_FALSE(cluster.get(policies, "good", "")["status"]["typeChecking"].contains("expressionWarnings"));
    const api::Json warnings = cluster.get(policies, "bad", "")["status"]["typeChecking"]["expressionWarnings"];
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0]["fieldRef"] == "spec.validations[0].expression");
    CHECK(warnings[0]["warning"] ==
          "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n");
}

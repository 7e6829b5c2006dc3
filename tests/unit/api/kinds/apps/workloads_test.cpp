// Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers: what is refused and how it is said.
#include <doctest/doctest.h>

#include "../rules_fixture.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

#define POD R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}})"
#define SELECTOR R"("selector":{"matchLabels":{"a":"b"}})"

std::string with(const char* more) { return std::string(R"({"metadata":{"name":"n"},"spec":{)") + more + "," SELECTOR "," POD "}}"; }

struct Case {
    const char* given;
    const char* said;
};

}  // namespace

TEST_CASE("selectors and templates of Deployments and ReplicaSets") {
    RulesFixture deployments("apps", "v1", "deployments"), sets("apps", "v1", "replicasets");
    CHECK(deployments.refused(with(R"("replicas":1)").c_str()) == "");
    CHECK(deployments.refused(R"({"spec":{}})") ==
          "spec.selector: Required value\n"
          "spec.template.metadata.labels: Invalid value: map[string]string(nil): `selector` does not match template `labels`\n"
          "spec.template.spec.containers: Required value");
    CHECK(sets.refused(R"({"spec":{"selector":{},)" POD "}}") ==
          "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
          "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment");
    CHECK(deployments.refused(R"({"spec":{"selector":{"matchExpressions":[{"key":"a","operator":"Like"}]},)" POD "}}") ==
          "spec.selector.matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator\n"
          "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
          "MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:\"a\", Operator:\"Like\", "
          "Values:[]string(nil)}}}: invalid label selector");
    CHECK(sets.refused(R"({"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","activeDeadlineSeconds":5,"containers":[{"name":"c","image":"i"}]}}}})") ==
          "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"\n"
          "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported");
}

TEST_CASE("strategies of Deployments") {
    RulesFixture deployments("apps", "v1", "deployments");
    for (const Case& c : {
             Case{R"("strategy":{"type":"Recreate","rollingUpdate":{}})",
                  "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"},
             Case{R"("strategy":{"type":"Blue"})",
                  "spec.strategy: Unsupported value: apps.DeploymentStrategy{Type:\"Blue\", "
                  "RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported values: \"Recreate\", \"RollingUpdate\""},
             Case{R"("strategy":{"rollingUpdate":{"maxUnavailable":0,"maxSurge":"0%"}})",
                  "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}: may "
                  "not be 0 when `maxSurge` is 0"},
             Case{R"("progressDeadlineSeconds":5,"minReadySeconds":5)",
                  "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds"},
             Case{R"("replicas":-1,"revisionHistoryLimit":-2)",
                  "spec.replicas: Invalid value: -1: must be greater than or equal to 0\n"
                  "spec.revisionHistoryLimit: Invalid value: -2: must be greater than or equal to 0"},
         }) {
        CAPTURE(c.given);
        CHECK(deployments.refused(with(c.given).c_str()) == c.said);
    }
}

TEST_CASE("a selector never changes; counters of a status fit together") {
    RulesFixture deployments("apps", "v1", "deployments");
    const Json old = deployments.made(with(R"("replicas":1)").c_str());
    Json other = old;
    other["spec"]["selector"]["matchLabels"]["a"] = "c";
    CHECK(deployments.refused_update(other, old) ==
          "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\"a\":\"c\"}, "
          "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable");
    Json before = old;
    before["status"]["collisionCount"] = 2;
    Json status = old;
    status["status"] = {{"replicas", 1}, {"availableReplicas", 2}, {"readyReplicas", 1}, {"collisionCount", 1}};
    CHECK(deployments.refused_status(status, before) ==
          "status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas\n"
          "status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas\n"
          "status.collisionCount: Invalid value: 1: cannot be decremented");
}

TEST_CASE("StatefulSets: strategies, and what may change") {
    RulesFixture sets("apps", "v1", "statefulsets");
    CHECK(sets.made(R"({"spec":{}})")["spec"]["updateStrategy"] == Json::parse(R"({"type":"RollingUpdate","rollingUpdate":{"partition":0}})"));
    CHECK(sets.made(R"({"spec":{"updateStrategy":{"type":"RollingUpdate"}}})")["spec"]["updateStrategy"] == Json{{"type", "RollingUpdate"}});
    CHECK(sets.refused(with(R"("updateStrategy":{"type":"OnDelete","rollingUpdate":{"partition":1}})").c_str()) ==
          "spec.updateStrategy.rollingUpdate: Invalid value: apps.RollingUpdateStatefulSetStrategy{Partition:1, "
          "MaxUnavailable:(*intstr.IntOrString)(nil)}: only allowed for updateStrategy 'RollingUpdate'");
    CHECK(sets.refused(with(R"("updateStrategy":{"type":"X"})").c_str()) ==
          "spec.updateStrategy: Invalid value: apps.StatefulSetUpdateStrategy{Type:\"X\", "
          "RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be 'RollingUpdate' or 'OnDelete'");
    CHECK(sets.refused(with(R"("updateStrategy":{"rollingUpdate":{"maxUnavailable":"0%"}})").c_str()) ==
          "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:\"0%\"}: cannot be 0");
    const Json old = sets.made(with(R"("serviceName":"s")").c_str());
    Json scaled = old;
    scaled["spec"]["replicas"] = 5;
    scaled["spec"]["template"]["spec"]["containers"][0]["image"] = "j";
    CHECK(sets.refused_update(scaled, old) == "");
    Json renamed = old;
    renamed["spec"]["serviceName"] = "t";
    CHECK(sets.refused_update(renamed, old) ==
          "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
          "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    renamed["spec"].erase("serviceName");
    CHECK(sets.refused_update(renamed, old) != "");
}

TEST_CASE("StatefulSets: templates are checked as the pods that are made of them") {
    RulesFixture sets("apps", "v1", "statefulsets");
    CHECK(sets.refused(with(R"("serviceName":"a.b")").c_str()).find("spec.serviceName: Invalid value: \"a.b\"") == 0);
    CHECK(sets.refused(with(R"("volumeClaimTemplates":[{"metadata":{"name":"v"},"spec":{}}])").c_str()).find(
              "spec.volumeClaimTemplates[0].spec.accessModes: Required value") == 0);
    Json mounting = sets.made(with(R"("volumeClaimTemplates":[{"metadata":{"name":"v"},"spec":{"accessModes":["ReadWriteOnce"],
        "resources":{"requests":{"storage":"1Gi"}}}}])").c_str());
    mounting["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = {{{"name", "v"}, {"mountPath", "/v"}}};
    CHECK(sets.refused(mounting) == "");
    Json lost = mounting;
    lost["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0]["name"] = "w";
    CHECK(sets.refused(lost) == "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"w\"");
    // Such a one from earlier may still be scaled.
    Json scaled = lost;
    scaled["spec"]["replicas"] = 3;
    CHECK(sets.refused_update(scaled, lost) == "");
    CHECK(sets.refused_update(lost, mounting) != "");
}

TEST_CASE("DaemonSets: one of surge and unavailability") {
    RulesFixture sets("apps", "v1", "daemonsets");
    CHECK(sets.refused(with(R"("updateStrategy":{"rollingUpdate":{"maxUnavailable":0}})").c_str()) ==
          "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0");
    CHECK(sets.refused(with(R"("updateStrategy":{"rollingUpdate":{"maxSurge":1}})").c_str()) ==
          "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: intstr.IntOrString{Type:0, IntVal:1, StrVal:\"\"}: may not be set "
          "when maxUnavailable is non-zero");
    CHECK(sets.refused(with(R"("updateStrategy":{"type":"Odd"})").c_str()).find(
              "spec.updateStrategy: Unsupported value: apps.DaemonSetUpdateStrategy{Type:\"Odd\"") == 0);
}

TEST_CASE("ReplicationControllers and ControllerRevisions") {
    RulesFixture controllers("", "v1", "replicationcontrollers"), revisions("apps", "v1", "controllerrevisions");
    CHECK(controllers.refused(R"({"spec":{"replicas":1}})") == "spec.selector: Required value\nspec.template: Required value");
    CHECK(controllers.made(R"({"spec":{)" POD "}}")["spec"]["selector"] == Json{{"a", "b"}});
    CHECK(revisions.refused(R"({"revision":-1})") ==
          "revision: Invalid value: -1: must be greater than or equal to 0\ndata: Required value: data is mandatory");
    CHECK(revisions.refused_update(Json{{"data", 1}}, Json{{"data", 2}}) == "data: Invalid value: 1: field is immutable");
}

TEST_CASE("warnings of templates") {
    RulesFixture deployments("apps", "v1", "deployments");
    CHECK(deployments.warned(Json::parse(R"({"metadata":{"name":"a.b"},"spec":{"template":{"spec":{"nodeSelector":{"beta.kubernetes.io/os":"x"}}}}})")) ==
          "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is "
          "recommended: [must not contain dots]\n"
          "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead");
}

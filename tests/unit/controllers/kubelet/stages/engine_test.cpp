// Objects that Stages drive, on a simulated clock.
#include "controllers/kubelet/stages/engine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec/yaml.h"
#include "controllers/apiextensions/controller.h"
#include "controllers/kubelet/controller.h"
#include "controllers/kubelet/stages/definition.h"
#include "controllers/persistent_volume/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using namespace std::chrono_literals;
using api::Json;
using api::string_at;

namespace {

const char* pod_ready = R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-ready}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - {key: .metadata.deletionTimestamp, operator: DoesNotExist}
    - {key: .status.podIP, operator: DoesNotExist}
  next:
    event: {type: Normal, reason: Played, message: it plays}
    statusTemplate: |
      {{ $now := Now }}
      conditions:
      - {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
      containerStatuses:
      {{ range .spec.containers }}
      - image: {{ .image | Quote }}
        name: {{ .name | Quote }}
        ready: true
        restartCount: 0
        state: {running: {startedAt: {{ $now | Quote }}}}
      {{ end }}
      hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
      podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
      phase: Running
)";
const char* pod_fails = R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-fails}
spec:
  resourceRef: {kind: Pod}
  selector:
    matchLabels: {fails: "yes"}
    matchExpressions:
    - {key: .status.phase, operator: In, values: [Running]}
  delay:
    durationMilliseconds: 60000
    durationFrom: {expressionFrom: '.metadata.annotations["fails-after"]'}
  next:
    statusTemplate: |
      phase: Failed
      reason: {{ index .metadata.labels "fails" | Quote }}
)";
const char* pod_delete = R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-delete}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchExpressions:
    - cel: {expression: has(self.metadata.deletionTimestamp)}
  delay: {durationMilliseconds: 5000}
  steps:
  - finalizers: {empty: true}
  - delete: true
)";

struct Cluster : tests::TestCluster {
    Cluster() {
        add<CustomResourceDefinitionController>(kinds(), installer);
        add<KubeletController>(NodeOptions{.count = 2});
        stages::bootstrap_stage_definition(registry());
        settle();
    }
    void stage(const char* yaml) {
        const auto document = api::parse_yaml(yaml);
        REQUIRE(document);
        create(stages::stage_resource, *document);
        settle();
    }
    void pod(const std::string& name, const char* labels = "{}", const char* annotations = "{}") {
        create("pods", Json{{"metadata", {{"name", name}, {"labels", Json::parse(labels)}, {"annotations", Json::parse(annotations)}}},
                            {"spec", {{"nodeName", "kubemu-worker"}, {"containers", Json::array({{{"name", "c"}, {"image", "busybox"}, {"command", {"false"}}}})}}}});
        settle();
    }
    std::string phase(const std::string& name) { return std::string(string_at(get("pods", name), {"status", "phase"})); }
    bool event(std::string_view part) {
        const auto all = events();
        return std::any_of(all.begin(), all.end(), [&](const std::string& line) { return line.find(part) != std::string::npos; });
    }
    DefinitionInstaller installer{kinds()};
};

}  // namespace

TEST_CASE("pods that a Stage matches are driven by Stages and by nothing else") {
    Cluster cluster;
    cluster.stage(pod_ready);
    cluster.stage(pod_fails);
    cluster.stage(pod_delete);
    cluster.pod("web");
    CHECK(cluster.phase("web") == "Running");
    const Json pod = cluster.get("pods", "web");
    CHECK(string_at(pod, {"status", "podIP"}).substr(0, 9) == "10.244.1.");
    CHECK(string_at(pod, {"status", "hostIP"}) == "172.18.0.3");
    CHECK(pod["status"]["containerStatuses"][0]["image"] == "busybox");
    CHECK(cluster.event("Normal Played Pod/web: it plays"));
    cluster.advance(120s);
    CHECK(cluster.phase("web") == "Running");  // though its command fails at once
    cluster.patch("pods", "web", R"({"metadata":{"finalizers":["example.com/wait"]}})");
    cluster.remove("pods", "web");
    cluster.advance(4s);
    CHECK(cluster.exists("pods", "web"));
    cluster.advance(2s);
    CHECK(!cluster.exists("pods", "web"));
}

TEST_CASE("the delay comes from the Stage or from the object") {
    Cluster cluster;
    cluster.stage(pod_ready);
    cluster.stage(pod_fails);
    cluster.pod("late", R"({"fails":"yes"})");
    cluster.pod("soon", R"({"fails":"yes"})", R"({"fails-after":"1m30s"})");
    cluster.pod("never");
    cluster.advance(59s);
    CHECK(cluster.phase("late") == "Running");
    cluster.advance(2s);
    CHECK(cluster.phase("late") == "Failed");
    CHECK(string_at(cluster.get("pods", "late"), {"status", "reason"}) == "yes");
    CHECK(cluster.phase("soon") == "Running");
    cluster.advance(30s);
    CHECK(cluster.phase("soon") == "Failed");
    CHECK(cluster.phase("never") == "Running");
}

TEST_CASE("pods that no Stage matches live as ever, and so do all when the Stages go") {
    Cluster cluster;
    cluster.stage(pod_fails);
    cluster.create("pods", R"({"metadata":{"name":"web","labels":{"fails":"yes"}},"spec":{"nodeName":"kubemu-worker","containers":[{"name":"c","image":"nginx"}]}})");
    cluster.advance(5s);
    CHECK(cluster.phase("web") == "Running");
    cluster.advance(61s);
    CHECK(cluster.phase("web") == "Failed");
    cluster.remove(stages::stage_resource, "pod-fails", {}, "");
    cluster.settle();
    cluster.create("pods", R"({"metadata":{"name":"next","labels":{"fails":"yes"}},"spec":{"nodeName":"kubemu-worker","containers":[{"name":"c","image":"nginx"}]}})");
    cluster.advance(120s);
    CHECK(cluster.phase("next") == "Running");
}

TEST_CASE("among several Stages one is drawn by weight, which may come from the object") {
    Cluster cluster;
    const auto stage = [](const char* name, int weight) {
        return Json{{"metadata", {{"name", name}}},
                    {"spec",
                     {{"resourceRef", {{"kind", "Pod"}}},
                      {"weight", weight},
                      {"weightFrom", {{"expressionFrom", std::string(".metadata.annotations[\"") + name + "\"]"}}},
                      {"selector", {{"matchExpressions", Json::array({{{"key", ".status.reason"}, {"operator", "DoesNotExist"}}})}}},
                      {"next", {{"statusTemplate", std::string("reason: ") + name + "\npodIP: {{ PodIP }}"}}}}}};
    };
    cluster.create(stages::stage_resource, stage("heads", 1));
    cluster.create(stages::stage_resource, stage("tails", 3));
    cluster.create(stages::stage_resource, stage("edge", 0));
    cluster.settle();
    std::map<std::string, int> drawn;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "p" + std::to_string(i);
        cluster.pod(name);
        ++drawn[std::string(string_at(cluster.get("pods", name), {"status", "reason"}))];
    }
    CHECK(drawn["heads"] > 10);
    CHECK(drawn["tails"] > drawn["heads"] * 3 / 2);
    CHECK(drawn["edge"] == 0);
    cluster.pod("sure", "{}", R"({"edge":"1000000","heads":"0","tails":"0"})");
    CHECK(string_at(cluster.get("pods", "sure"), {"status", "reason"}) == "edge");
}

TEST_CASE("nodes report what their Stages say") {
    Cluster cluster;
    cluster.stage(R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: node-initialize}
spec:
  resourceRef: {apiGroup: v1, kind: Node}
  selector:
    matchExpressions:
    - {key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: NotIn, values: ["True"]}
  next:
    statusTemplate: |
      conditions:
      {{ range NodeConditions }}
      - {type: {{ .type | Quote }}, status: {{ .status | Quote }}, reason: Staged}
      {{ end }}
      addresses: [{type: Hostname, address: {{ NodeName | Quote }}}, {type: InternalIP, address: {{ NodeIP | Quote }}}]
      allocatable: {cpu: 1k}
      phase: Running
)");
    cluster.stage(R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: node-fails}
spec:
  resourceRef: {apiGroup: v1, kind: Node}
  selector:
    matchLabels: {fails: "true"}
    matchExpressions:
    - {jq: {key: .status.phase, operator: In, values: [Running]}}
  weight: 10000
  delay: {durationMilliseconds: 1000}
  next:
    statusTemplate: |
      conditions: [{type: Ready, status: "False", reason: Broken}]
      phase: Broken
)");
    const auto reason = [&](const char* node) {
        const Json object = cluster.get("nodes", node, "");
        for (const Json& one : api::array_at(object, {"status", "conditions"}))
            if (string_at(one, {"type"}) == "Ready") return std::string(string_at(one, {"reason"}));
        return std::string();
    };
    cluster.create("nodes", R"({"metadata":{"name":"fake","annotations":{"kwok.x-k8s.io/node":"fake"}}})");
    cluster.settle();
    CHECK(reason("fake") == "Staged");
    CHECK(string_at(cluster.get("nodes", "fake", ""), {"status", "allocatable", "cpu"}) == "1k");
    CHECK(cluster.get("nodes", "kubemu-worker", "")["status"]["phase"] == "Running");
    cluster.patch("nodes", "kubemu-worker", R"({"metadata":{"labels":{"fails":"true"}}})", {}, "");
    cluster.advance(900ms);
    CHECK(reason("kubemu-worker") == "KubeletReady");
    cluster.advance(200ms);
    CHECK(reason("kubemu-worker") != "KubeletReady");
}

TEST_CASE("other kinds: objects are made, patched and removed") {
    Cluster cluster;
    cluster.create("configmaps", R"({"metadata":{"name":"early","labels":{"a":"b"}},"data":{"x":"1"}})");
    cluster.settle();
    cluster.stage(R"(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: copy}
spec:
  resourceRef: {apiGroup: v1, kind: ConfigMap}
  selector:
    matchLabels: {a: b}
    matchExpressions: [{key: .data.done, operator: DoesNotExist}]
  steps:
  - apply:
      template: |
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: {{ .metadata.name }}-copy}
        data: {x: {{ .data.x | Quote }}}
  - patch: {root: data, type: merge, template: 'done: "yes"'}
  - patch: {root: metadata, type: json, template: '[{op: add, path: /annotations, value: {seen: "{{ .metadata.name }}"}}]'}
)");
    CHECK(cluster.get("configmaps", "early-copy")["data"]["x"] == "1");
    CHECK(cluster.get("configmaps", "early")["data"]["done"] == "yes");
    CHECK(cluster.get("configmaps", "early")["metadata"]["annotations"]["seen"] == "early");
    cluster.create("configmaps", R"({"metadata":{"name":"late","labels":{"a":"b"}},"data":{"x":"2"}})");
    cluster.settle();
    CHECK(cluster.get("configmaps", "late-copy")["data"]["x"] == "2");
}

TEST_CASE("a Stage that cannot be used says why, and harms nobody") {
    Cluster cluster;
    const auto broken = [&](const char* name, const Json& spec) {
        Json whole = {{"metadata", {{"name", name}}}, {"spec", {{"resourceRef", {{"kind", "Pod"}}}, {"selector", Json::object()}}}};
        whole["spec"].update(spec);
        cluster.create(stages::stage_resource, whole);
        cluster.settle();
    };
    broken("template", {{"next", {{"statusTemplate", "{{ nosuch }}"}}}});
    broken("query", {{"selector", {{"matchExpressions", Json::array({{{"key", ".a["}, {"operator", "Exists"}}})}}}});
    broken("kind", {{"resourceRef", {{"apiGroup", "v1"}, {"kind", "Nothing"}}}});
    CHECK(cluster.event("InvalidStage Stage/template: template:1: function \"nosuch\" not defined"));
    CHECK(cluster.event("InvalidStage Stage/query: \".a[\": unexpected end at position 3"));
    CHECK(cluster.event("InvalidStage Stage/kind: no matches for kind \"Nothing\" in version \"v1\""));
    cluster.create("pods", R"({"metadata":{"name":"web"},"spec":{"nodeName":"kubemu-worker","containers":[{"name":"c","image":"nginx"}]}})");
    cluster.advance(5s);
    CHECK(cluster.phase("web") == "Running");
}

TEST_CASE("Stages that provision volumes take the place of the built-in provisioner") {
    Cluster cluster;
    cluster.add<PersistentVolumeController>();
    cluster.create("storageclasses.storage.k8s.io", R"({"metadata":{"name":"staged"},"provisioner":"example.com/staged","reclaimPolicy":"Delete"})");
    cluster.stage(R"yaml(
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: claim-gets-volume}
spec:
  resourceRef: {apiGroup: v1, kind: PersistentVolumeClaim}
  selector:
    matchExpressions:
    - {cel: {expression: "self.spec.storageClassName == 'staged' && !has(self.spec.volumeName)"}}
    - {cel: {expression: "!has(self.metadata.deletionTimestamp) && self.status.phase != 'Bound'"}}
  steps:
  - apply:
      template: |
        apiVersion: v1
        kind: PersistentVolume
        metadata: {name: made-for-{{ .metadata.name }}}
        spec:
          accessModes:
          {{ YAML .spec.accessModes 2 }}
          capacity:
          {{ YAML .spec.resources.requests 2 }}
          persistentVolumeReclaimPolicy: {{ default "Delete" .spec.reclaimPolicy | Quote }}
          storageClassName: {{ .spec.storageClassName | Quote }}
          claimRef: {apiVersion: v1, kind: PersistentVolumeClaim, name: {{ .metadata.name | Quote }}, namespace: {{ .metadata.namespace | Quote }}, uid: {{ .metadata.uid | Quote }}}
          hostPath: {path: /staged}
  - patch: {root: metadata, template: 'annotations: {pv.kubernetes.io/bind-completed: "yes"}'}
  - patch: {root: spec, template: 'volumeName: made-for-{{ .metadata.name }}'}
  - patch:
      root: status
      subresource: status
      template: |
        phase: Bound
        accessModes:
        {{ YAML .spec.accessModes 1 }}
        capacity:
        {{ YAML .spec.resources.requests 1 }}
)yaml");
    cluster.create("persistentvolumeclaims", R"({"metadata":{"name":"data"},"spec":{"storageClassName":"staged","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})");
    cluster.settle();
    CHECK(string_at(cluster.get("persistentvolumeclaims", "data"), {"status", "phase"}) == "Bound");
    CHECK(string_at(cluster.get("persistentvolumeclaims", "data"), {"spec", "volumeName"}) == "made-for-data");
    REQUIRE(cluster.list("persistentvolumes", "").size() == 1);
    CHECK(cluster.list("persistentvolumes", "")[0]["spec"]["hostPath"]["path"] == "/staged");
    CHECK(cluster.event("ExternalProvisioning PersistentVolumeClaim/data"));
    CHECK(!cluster.event("ProvisioningSucceeded"));
}

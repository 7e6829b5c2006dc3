// What the cluster adds to, or refuses of, new objects: accounts, priorities, tolerations, classes, limits, protection.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

std::string pod(const std::string& rest = "", const std::string& container = "") {
    return R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i")" + container + "}]" + rest + "}}";
}

using Cluster = tests::TestCluster;

}  // namespace

TEST_CASE("nothing is created where there is no namespace, or one that is going") {
    Cluster cluster;
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"c"}})", nullptr, "ghost") ==
          "namespaces \"ghost\" not found");
    created(cluster, "namespaces", R"({"metadata":{"name":"going"}})");
    cluster.remove("namespaces", "going", {}, "");
    CHECK(create_refused(cluster, "configmaps", R"({"metadata":{"name":"c"}})", nullptr, "going") ==
          "configmaps \"c\" is forbidden: unable to create new content in namespace going because it is being "
          "terminated");
}

TEST_CASE("a pod runs as an account, with its token and credentials") {
    Cluster cluster;
    CHECK(
        create_refused(cluster, "pods", pod(R"(,"serviceAccountName":"ghost")")) ==
        "pods \"p\" is forbidden: error looking up service account default/ghost: serviceaccount \"ghost\" not found");
    created(cluster, "serviceaccounts", R"({"metadata":{"name":"bot"},"imagePullSecrets":[{"name":"reg"}]})");
    const Json made = created(cluster, "pods", pod(R"(,"serviceAccount":"bot")"));
    CHECK(made["spec"]["serviceAccountName"] == "bot");
    CHECK(made["spec"]["imagePullSecrets"] == Json::parse(R"([{"name":"reg"}])"));
    CHECK(made["spec"]["volumes"][0]["name"] == made["spec"]["containers"][0]["volumeMounts"][0]["name"]);
    CHECK(made["spec"]["tolerations"].size() == 2);
}

TEST_CASE("an account may keep its token to itself, and its pods to its Secrets") {
    Cluster cluster;
    created(cluster, "serviceaccounts",
            R"({"metadata":{"name":"quiet","annotations":{"kubernetes.io/enforce-mountable-secrets":"true"}},)"
            R"("automountServiceAccountToken":false,"secrets":[{"name":"mine"}]})");
    const std::string foreign = R"(,"env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"other","key":"k"}}}])";
    CHECK(create_refused(cluster, "pods", pod(R"(,"serviceAccountName":"quiet")", foreign)) ==
          "pods \"p\" is forbidden: container c with envVar X referencing secret.secretName=\"other\" is not allowed "
          "because service "
          "account quiet does not reference that secret");
    const std::string own = R"(,"env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"mine","key":"k"}}}])";
    CHECK(create_refused(cluster, "pods", pod(R"(,"serviceAccountName":"quiet")", own)) == "");
    CHECK_FALSE(cluster.get("pods", "p")["spec"].contains("volumes"));
}

TEST_CASE("a priority comes from its class alone") {
    Cluster cluster;
    CHECK(create_refused(cluster, "pods", pod(R"(,"priorityClassName":"ghost")")) ==
          "pods \"p\" is forbidden: no PriorityClass with name ghost was found");
    CHECK(create_refused(cluster, "pods", pod(R"(,"priority":5)")) ==
          "pods \"p\" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority "
          "admission controller "
          "computed 0 from the given PriorityClass name");
    created(cluster, "priorityclasses.scheduling.k8s.io",
            R"({"metadata":{"name":"low"},"value":7,"globalDefault":true,"preemptionPolicy":"Never"})");
    cluster.settle();
    CHECK(create_refused(cluster, "priorityclasses.scheduling.k8s.io",
                         R"({"metadata":{"name":"two"},"value":8,"globalDefault":true})") ==
          "priorityclasses.scheduling.k8s.io \"two\" is forbidden: PriorityClass low is already marked as default. "
          "Only one default can "
          "exist");
    const Json made = created(cluster, "pods", pod());
    CHECK(made["spec"]["priority"] == 7);
    CHECK(made["spec"]["priorityClassName"] == "low");
    CHECK(made["spec"]["preemptionPolicy"] == "Never");
}

TEST_CASE("the newest default class wins") {
    using namespace std::chrono_literals;
    Cluster cluster;
    const auto add = [&](const std::string& name) {
        created(cluster, "storageclasses.storage.k8s.io",
                R"({"metadata":{"name":")" + name +
                    R"(","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},)"
                    R"("provisioner":"p"})");
        created(cluster, "ingressclasses.networking.k8s.io",
                R"({"metadata":{"name":")" + name +
                    R"(","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},)"
                    R"("spec":{"controller":"a.example/b"}})");
        cluster.settle();
        cluster.advance(1min);
    };
    add("zebra");
    add("ant");
    const Json claim = created(cluster, "persistentvolumeclaims",
                               R"({"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],)"
                               R"("resources":{"requests":{"storage":"1Gi"}}}})");
    CHECK(claim["spec"]["storageClassName"] == "ant");
    CHECK(claim["metadata"]["finalizers"] == Json::array({"kubernetes.io/pvc-protection"}));
    const Json none =
        created(cluster, "persistentvolumeclaims",
                R"({"metadata":{"name":"d"},"spec":{"accessModes":["ReadWriteOnce"],"storageClassName":"",)"
                R"("resources":{"requests":{"storage":"1Gi"}}}})");
    CHECK(none["spec"]["storageClassName"] == "");
    const Json ingress = created(cluster, "ingresses.networking.k8s.io",
                                 R"({"metadata":{"name":"i"},"spec":{"defaultBackend":)"
                                 R"({"service":{"name":"s","port":{"number":80}}}}})");
    CHECK(ingress["spec"]["ingressClassName"] == "ant");
}

TEST_CASE("limit ranges fill in and bound") {
    Cluster cluster;
    created(cluster, "limitranges",
            R"({"metadata":{"name":"lr"},"spec":{"limits":[{"type":"Container","max":{"cpu":"1","memory":"1Gi"},)"
            R"("min":{"cpu":"100m"},"maxLimitRequestRatio":{"cpu":"2"}},{"type":"Pod","max":{"cpu":"1500m"}},)"
            R"({"type":"PersistentVolumeClaim","max":{"storage":"1Gi"}}]}})");
    cluster.settle();
    CHECK(create_refused(cluster, "pods", pod("", R"(,"resources":{"limits":{"cpu":"2","memory":"2Gi"}})")) ==
          "pods \"p\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per "
          "Container is 1Gi, "
          "but limit is 2Gi, maximum cpu usage per Pod is 1500m, but limit is 2]");
    CHECK(create_refused(cluster, "pods",
                         pod("", R"(,"resources":{"limits":{"cpu":"500m"},"requests":{"cpu":"10m"}})")) ==
          "pods \"p\" is forbidden: [minimum cpu usage per Container is 100m, but request is 10m, cpu max limit to "
          "request ratio per "
          "Container is 2, but provided ratio is 50.000000]");
    CHECK(
        create_refused(
            cluster, "persistentvolumeclaims",
            R"({"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"2Gi"}}}})") ==
        "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but "
        "request is 2Gi");
    const Json made = created(cluster, "pods", pod());
    CHECK(made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] ==
          "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c");
    CHECK(made["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1");
}

TEST_CASE("a runtime class brings its overhead") {
    Cluster cluster;
    CHECK(create_refused(cluster, "pods", pod(R"(,"runtimeClassName":"ghost")")) ==
          "pods \"p\" is forbidden: pod rejected: RuntimeClass \"ghost\" not found");
    CHECK(
        create_refused(cluster, "pods", pod(R"(,"overhead":{"cpu":"1"})")) ==
        "pods \"p\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    created(cluster, "runtimeclasses.node.k8s.io",
            R"({"metadata":{"name":"vm"},"handler":"vm","overhead":{"podFixed":{"cpu":"1"}}})");
    CHECK(create_refused(cluster, "pods", pod(R"(,"runtimeClassName":"vm","overhead":{"cpu":"2"})")) ==
          "pods \"p\" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    CHECK(created(cluster, "pods", pod(R"(,"runtimeClassName":"vm")"))["spec"]["overhead"]["cpu"] == "1");
}

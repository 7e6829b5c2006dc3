// Empty lists that are refused where none at all is not.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using tests::create_refused;
using tests::patch_refused;

namespace {

std::string pod(const std::string& rest) {
    return R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}],)" + rest + "}}";
}

}  // namespace

TEST_CASE("empty lists in pods that are refused") {
    tests::TestCluster cluster;
    CHECK(create_refused(cluster, "pods", pod(R"("resources":{"claims":[]})")) ==
          "Pod \"p\" is invalid: spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level");
    CHECK(create_refused(cluster, "pods", pod(R"("overhead":{})")) ==
          "pods \"p\" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    CHECK(create_refused(cluster, "pods",
                         pod(R"("volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{"finalizers":[]},)"
                             R"("spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}}}])")) ==
          "Pod \"p\" is invalid: spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.finalizers: Forbidden: cannot be set");
    // A template is not asked for its overhead; where it is said to a pod that exists, it is no change.
    CHECK(create_refused(cluster, "podtemplates", R"({"metadata":{"name":"t"},"template":)" + pod(R"("overhead":{})") + "}") ==
          "");
    CHECK(cluster.get("podtemplates", "t").dump().find("overhead") == std::string::npos);
    CHECK(create_refused(cluster, "pods", pod(R"("resources":{"requests":{"cpu":"1"}})")) == "");
    CHECK(patch_refused(cluster, "pods", "p", R"({"spec":{"overhead":{}}})") == "");
    CHECK(cluster.get("pods", "p").dump().find("overhead") == std::string::npos);
    CHECK(patch_refused(cluster, "pods", "p", R"({"spec":{"resources":{"claims":[]}}})") ==
          "Pod \"p\" is invalid: spec.resources.claims: Forbidden: claims may not be set for Resources at pod-level");
}

TEST_CASE("empty lists of resources for devices that are refused") {
    tests::TestCluster cluster;
    CHECK(create_refused(cluster, "resourceclaimtemplates.resource.k8s.io",
                         R"({"metadata":{"name":"t"},"spec":{"metadata":{"ownerReferences":[]},"spec":{}}})") ==
          "ResourceClaimTemplate.resource.k8s.io \"t\" is invalid: spec.metadata.ownerReferences: Forbidden: cannot be set");
    const auto slice = [](const std::string& lists) {
        return R"({"metadata":{"name":"s"},"spec":{"driver":"d","nodeName":"n","pool":{"name":"p","resourceSliceCount":1})" +
               lists + "}}";
    };
    CHECK(create_refused(cluster, "resourceslices.resource.k8s.io", slice(R"(,"devices":[],"sharedCounters":[])")) ==
          "ResourceSlice.resource.k8s.io \"s\" is invalid: spec: Invalid value: \"\": only one of `sharedCounters` or "
          "`devices` is allowed");
    CHECK(create_refused(cluster, "resourceslices.resource.k8s.io", slice(R"(,"sharedCounters":[])")) == "");
    CHECK(cluster.get("resourceslices.resource.k8s.io", "s").dump().find("sharedCounters") == std::string::npos);
}

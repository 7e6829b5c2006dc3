// What creation derives from a pod's labels and annotations.
#include <doctest/doctest.h>

#include "../complaints.h"
#include "api/kinds/core/pod_spec.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

Json settled(const char* text, std::vector<std::string>* warnings = nullptr) {
    Json pod = Json::parse(text);
    settle_new_pod(pod, warnings);
    return pod;
}

}  // namespace

TEST_CASE("the pod's own labels join the selectors that ask for them") {
    const Json pod = settled(R"({"metadata":{"labels":{"app":"a","hash":"h"}},"spec":{
        "topologySpreadConstraints":[{"labelSelector":{"matchLabels":{"app":"a"}},"matchLabelKeys":["hash","none"]},{"matchLabelKeys":["hash"]}],
        "affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"podAffinityTerm":{"labelSelector":{},"matchLabelKeys":["app"],"mismatchLabelKeys":["hash"]}}]}}}})");
    CHECK(pod["spec"]["topologySpreadConstraints"][0]["labelSelector"] ==
          Json::parse(R"({"matchLabels":{"app":"a"},"matchExpressions":[{"key":"hash","operator":"In","values":["h"]}]})"));
    CHECK(!pod["spec"]["topologySpreadConstraints"][1].contains("labelSelector"));
    const Json& term = pod["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"];
    CHECK(term["labelSelector"]["matchExpressions"] ==
          Json::parse(R"([{"key":"app","operator":"In","values":["a"]},{"key":"hash","operator":"NotIn","values":["h"]}])"));
}

TEST_CASE("AppArmor annotations become fields") {
    std::vector<std::string> warnings;
    const Json pod = settled(R"({"metadata":{"annotations":{
        "container.apparmor.security.beta.kubernetes.io/a":"localhost/x","container.apparmor.security.beta.kubernetes.io/b":"runtime/default",
        "container.apparmor.security.beta.kubernetes.io/c":"unconfined","container.apparmor.security.beta.kubernetes.io/d":"localhost/"}},
        "spec":{"securityContext":{"appArmorProfile":{"type":"RuntimeDefault"}},"containers":[{"name":"a"},{"name":"b"},
        {"name":"c","securityContext":{"appArmorProfile":{"type":"RuntimeDefault"}}},{"name":"d"}]}})", &warnings);
    const Json& containers = pod["spec"]["containers"];
    CHECK(containers[0]["securityContext"] == Json::parse(R"({"appArmorProfile":{"type":"Localhost","localhostProfile":"x"}})"));
    CHECK(!containers[1].contains("securityContext"));  // as the whole pod
    CHECK(containers[2]["securityContext"]["appArmorProfile"]["type"] == "RuntimeDefault");
    CHECK(!containers[3].contains("securityContext"));
    CHECK(lines(warnings) ==
          "metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the \"appArmorProfile\" field "
          "instead\nmetadata.annotations[container.apparmor.security.beta.kubernetes.io/d]: deprecated since v1.30; use the \"appArmorProfile\" "
          "field instead");
    const Json windows = settled(R"({"metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/a":"unconfined"}},
        "spec":{"os":{"name":"windows"},"containers":[{"name":"a"}]}})");
    CHECK(!windows["spec"]["containers"][0].contains("securityContext"));
}

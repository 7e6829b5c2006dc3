// Warnings of pods.
#include <doctest/doctest.h>

#include "../complaints.h"
#include "api/kinds/core/pod_spec.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

std::string warned(const std::string& spec, const std::string& metadata = R"("name":"p")") {
    const Json pod = defaulted("core/v1.Pod", ("{\"metadata\":{" + metadata + "},\"spec\":{" + spec + "}}").c_str());
    std::vector<std::string> warnings;
    warn_of_pod(pod, warnings);
    return lines(warnings);
}

}  // namespace

TEST_CASE("old labels, annotations and volumes") {
    CHECK(warned(R"("containers":[{"name":"a"}])") == "");
    CHECK(warned(R"("nodeSelector":{"beta.kubernetes.io/os":"linux"})") ==
          "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead");
    CHECK(warned(R"("volumes":[{"name":"v","gitRepo":{}},{"name":"w","rbd":{}}])") ==
          "spec.volumes[0].gitRepo: deprecated in v1.11\nspec.volumes[1].rbd: deprecated in v1.28, non-functional in v1.31+");
    CHECK(warned("", R"("name":"p","annotations":{"seccomp.security.alpha.kubernetes.io/pod":"unconfined"})") ==
          "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the \"seccompProfile\" field instead");
    CHECK(warned("", R"("name":"a.b")") ==
          "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: "
          "[must not contain dots]");
}

TEST_CASE("environment, ports, quantities, selectors") {
    CHECK(warned(R"("containers":[{"name":"a","env":[{"name":"X","value":"1"},{"name":"X","value":"a$(X)b"},{"name":"X","value":"2"}]}])") ==
          "spec.containers[0].env[2]: hides previous definition of \"X\"");
    CHECK(warned(R"("containers":[{"name":"a","ports":[{"containerPort":1},{"containerPort":1},{"containerPort":1,"hostPort":5}]}])") ==
          "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]\n"
          "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]\n"
          "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]");
    CHECK(warned(R"("containers":[{"name":"a","resources":{"limits":{"memory":"100m"}}}])") ==
          "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer");
    CHECK(warned(R"("topologySpreadConstraints":[{"topologyKey":"z"}],"terminationGracePeriodSeconds":-1)") ==
          "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod\n"
          "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1");
    CHECK(warned(R"("imagePullSecrets":[{"name":"a"},{"name":"a"},{"name":""}])") ==
          "spec.imagePullSecrets[1].name: duplicate name \"a\"\nspec.imagePullSecrets[2].name: invalid empty name \"\"");
}

TEST_CASE("templates say where they stand") {
    std::vector<std::string> warnings;
    warn_of_pod_template(Json{{"spec", {{"nodeSelector", {{"beta.kubernetes.io/arch", "x"}}}}}}, FieldPath("spec.template"), warnings);
    CHECK(lines(warnings) ==
          "spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use \"kubernetes.io/arch\" instead");
}

TEST_CASE("files of a volume that overwrite each other") {
    CHECK(warned(R"("volumes":[{"name":"v","configMap":{"name":"m","items":[{"key":"a","path":"x/"},{"key":"b","path":"x/y"},{"key":"c","path":"xy"}]}}])") ==
          "volume \"v\" (ConfigMap \"m\"): overlapping paths: \"x/y\" with \"x\"");
    CHECK(warned(R"("volumes":[{"name":"v","secret":{"secretName":"s","items":[{"key":"a","path":"p"},{"key":"b","path":"p"}]}}])") ==
          "volume \"v\" (Secret \"s\"): overlapping paths: \"p\" with \"p\"");
    CHECK(warned(R"("volumes":[{"name":"v","projected":{"sources":[{"serviceAccountToken":{"path":"t"}},{},
                  {"downwardAPI":{"items":[{"path":"t/a"}]}},{"secret":{"name":"s","items":[{"key":"k","path":"t"}]}},{"configMap":{"name":"m"}}]}}])") ==
          "volume \"v\" (Projected) has no sources provided\n"
          "volume \"v\" (Projected): overlapping paths: \"t/a\" (DownwardAPI) with \"t\" (ServiceAccountToken)\n"
          "volume \"v\" (Projected): overlapping paths: \"t\" (Secret \"s\") with \"t\" (ServiceAccountToken)\n"
          "volume \"v\" (Projected): overlapping paths: \"t\" (Secret \"s\") with \"t/a\" (DownwardAPI)");
}

TEST_CASE("names of ports, forms of addresses, claims of ephemeral volumes") {
    CHECK(warned(R"("containers":[{"name":"a","ports":[{"containerPort":1,"name":"web"}]},{"name":"b","ports":[{"containerPort":2,"name":"web"}]}])") ==
          "spec.containers[1].ports[0]: duplicate port name \"web\" with spec.containers[0].ports[0], services and probes that select "
          "ports by name will use spec.containers[0].ports[0]");
    CHECK(warned(R"("dnsConfig":{"nameservers":["010.0.0.1","::ffff:1.2.3.4","10.0.0.1"]},"hostAliases":[{"ip":"FE80::0:1"},{"ip":"fe80::1"}])") ==
          "spec.dnsConfig.nameservers[0]: non-standard IP address \"010.0.0.1\" is invalid: use \"10.0.0.1\"\n"
          "spec.dnsConfig.nameservers[1]: non-standard IP address \"::ffff:1.2.3.4\" is invalid: use \"1.2.3.4\"\n"
          "spec.hostAliases[0].ip: IPv6 address \"FE80::0:1\" should be in RFC 5952 canonical format (\"fe80::1\")");
    CHECK(warned(R"("volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"spec":{"resources":{"requests":{"storage":"100m"}}}}}}])") ==
          "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value \"100m\" is invalid, must "
          "be an integer");
}

TEST_CASE("AppArmor annotations of templates, unless the pod's profile says the same") {
    const auto warned_of = [](const char* spec) {
        std::vector<std::string> warnings;
        const Json pod_template = {
            {"metadata", {{"annotations", {{"container.apparmor.security.beta.kubernetes.io/a", "localhost/x"}}}}}, {"spec", Json::parse(spec)}};
        warn_of_pod_template(pod_template, FieldPath("template"), warnings);
        return lines(warnings);
    };
    CHECK(warned_of(R"({"containers":[{"name":"a"}]})") ==
          "template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: deprecated since v1.30; use the "
          "\"appArmorProfile\" field instead");
    CHECK(warned_of(R"({"containers":[{"name":"a"}],"securityContext":{"appArmorProfile":{"type":"Localhost","localhostProfile":"x"}}})") == "");
    CHECK(warned_of(R"({"containers":[{"name":"a","securityContext":{"appArmorProfile":{"type":"Unconfined"}}}]})") == "");
}

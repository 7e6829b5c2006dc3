// PodSecurity: standards of namespaces, held to by pods, told to those who write their controllers.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/admission/pod_security_checks.h"
#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

// All violations of a pod's spec, as a message shows them.
std::string violations(api::PodSecurityLevel level, const char* spec, const char* metadata = "{}", int minor = -1) {
    std::string text;
    for (const auto& [reason, detail] :
         api::pod_security_violations({level, minor}, Json::parse(metadata), Json::parse(spec))) {
        text += (text.empty() ? "" : ", ") + reason + " (" + detail + ")";
    }
    return text;
}

const char* const hardened =
    R"({"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},)"
    R"("containers":[{"name":"c","image":"i","securityContext":{"allowPrivilegeEscalation":false,)"
    R"("capabilities":{"drop":["ALL"]}}}]})";

}  // namespace

TEST_CASE("what the baseline standard forbids") {
    struct Case {
        const char* spec;
        const char* message;
    };
    const Case cases[] = {
        {R"({"containers":[{"name":"c"}]})", ""},
        {R"({"hostNetwork":true,"hostIPC":true,"containers":[]})", "host namespaces (hostNetwork=true, hostIPC=true)"},
        {R"({"volumes":[{"name":"a","hostPath":{"path":"/"}}],"containers":[]})", "hostPath volumes (volume \"a\")"},
        {R"({"containers":[{"name":"a","ports":[{"hostPort":80},{"hostPort":81}]},{"name":"b","ports":[{"hostPort":80}]}]})",
         "hostPort (containers \"a\", \"b\" use hostPorts 80, 81)"},
        {R"({"initContainers":[{"name":"i","securityContext":{"privileged":true}}]})",
         "privileged (container \"i\" must not set securityContext.privileged=true)"},
        {R"({"containers":[{"name":"c","securityContext":{"capabilities":{"add":["NET_ADMIN","CHOWN"]}}}]})",
         "non-default capabilities (container \"c\" must not include \"NET_ADMIN\" in "
         "securityContext.capabilities.add)"},
        {R"({"securityContext":{"seccompProfile":{"type":"Unconfined"}},"containers":[]})",
         "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")"},
        {R"({"securityContext":{"sysctls":[{"name":"kernel.msgmax"},{"name":"net.ipv4.tcp_rmem"}]},"containers":[]})",
         "forbidden sysctls (kernel.msgmax)"},
        {R"({"securityContext":{"seLinuxOptions":{"type":"x","user":"u"}},"containers":[]})",
         "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"x\"; user may not be set)"},
        {R"({"containers":[{"name":"c","securityContext":{"procMount":"Unmasked"}}]})",
         "procMount (container \"c\" must not set securityContext.procMount to \"Unmasked\")"},
        {R"({"containers":[{"name":"c","livenessProbe":{"httpGet":{"host":"h"}}}]})",
         "probe or lifecycle host (container \"c\" uses probe or lifecycle host \"h\")"},
        {R"({"containers":[{"name":"c","securityContext":{"windowsOptions":{"hostProcess":true}}}]})",
         "hostProcess (container \"c\" must not set securityContext.windowsOptions.hostProcess=true)"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.spec);
        CHECK(violations(api::PodSecurityLevel::baseline, each.spec) == each.message);
        CHECK(violations(api::PodSecurityLevel::privileged, each.spec) == "");
    }
    CHECK(violations(api::PodSecurityLevel::baseline, R"({"containers":[]})",
                     R"({"annotations":{"container.apparmor.security.beta.kubernetes.io/c":"unconfined"}})") ==
          "forbidden AppArmor profile (annotation must not set AppArmor profile type to "
          "\"container.apparmor.security.beta.kubernetes.io/c=\"unconfined\"\")");
}

TEST_CASE("what the restricted standard asks for") {
    CHECK(violations(api::PodSecurityLevel::restricted, hardened) == "");
    CHECK(
        violations(api::PodSecurityLevel::restricted, R"({"containers":[{"name":"c"}]})") ==
        "allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), "
        "unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), "
        "runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), "
        "seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or "
        "\"Localhost\")");
    Json root = Json::parse(hardened);
    root["securityContext"]["runAsUser"] = 0;
    root["volumes"] = Json::parse(R"([{"name":"v","nfs":{}},{"name":"w","emptyDir":{}}])");
    CHECK(violations(api::PodSecurityLevel::restricted, root.dump().c_str()) ==
          "restricted volume types (volume \"v\" uses restricted volume type \"nfs\"), runAsUser=0 (pod must not set "
          "runAsUser=0)");
}

TEST_CASE("a standard of an older release asks for less") {
    CHECK(violations(api::PodSecurityLevel::restricted,
                     R"({"securityContext":{"runAsNonRoot":true},"containers":[{"name":"c"}]})", "{}", 7) == "");
    CHECK(violations(api::PodSecurityLevel::baseline,
                     R"({"containers":[{"name":"c","livenessProbe":{"httpGet":{"host":"h"}}}]})", "{}", 33) == "");
}

TEST_CASE("labels of a namespace") {
    tests::TestCluster cluster;
    CHECK(
        create_refused(
            cluster, "namespaces",
            R"({"metadata":{"name":"n","labels":{"pod-security.kubernetes.io/enforce":"odd","pod-security.kubernetes.io/warn-version":"1.2"}}})") ==
        "Namespace \"n\" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"odd\": "
        "must be one of "
        "privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "
        "\"1.2\": must be "
        "\"latest\" or \"v1.x\"]");
}

TEST_CASE("pods are refused, controllers warned, and a stricter namespace tells of its pods") {
    tests::TestCluster cluster;
    created(cluster, "namespaces",
            R"({"metadata":{"name":"n","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}})");
    created(cluster, "serviceaccounts", R"({"metadata":{"name":"default","namespace":"n"}})");
    const char* pod = R"({"metadata":{"name":"p"},"spec":{"hostPID":true,"containers":[{"name":"c","image":"i"}]}})";
    CHECK(create_refused(cluster, "pods", pod, nullptr, "n") ==
          "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true)");
    const char* deployment =
        R"({"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":)"
        R"({"labels":{"a":"b"}},"spec":{"hostPID":true,"containers":[{"name":"c","image":"i"}]}}}})";
    std::vector<std::string> warnings;
    CHECK(create_refused(cluster, "deployments.apps", deployment, &warnings, "n") == "");
    CHECK(warnings ==
          std::vector<std::string>{"would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"});
    for (const char* name : {"one", "two"}) {
        const std::string plain =
            R"({"metadata":{"name":")" + std::string(name) + R"("},"spec":{"containers":[{"name":"c","image":"i"}]}})";
        CHECK(create_refused(cluster, "pods", plain, nullptr, "n") == "");
    }
    cluster.settle();
    warnings.clear();
    CHECK(patch_refused(cluster, "namespaces", "n",
                        R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}})", {},
                        &warnings) == "");
    CHECK(warnings ==
          std::vector<std::string>{
              "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"restricted:latest\"",
              "one (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot "
              "!= true, seccompProfile"});
}

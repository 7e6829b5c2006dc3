// Pods that are refused: what is said of them, where, and in which order.
#include "api/kinds/core/pod_spec.h"

#include <doctest/doctest.h>

#include "../complaints.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

Json pod_of(const std::string& spec, const std::string& metadata = R"("name":"p")") {
    Json pod = defaulted("core/v1.Pod", ("{\"metadata\":{" + metadata + "},\"spec\":{" + spec + "}}").c_str());
    default_pod_spec(pod["spec"]);
    default_pod(pod);
    return pod;
}

std::string refused(const std::string& spec, const std::string& metadata = R"("name":"p")") {
    const Json pod = pod_of(spec, metadata);
    return complaints([&](FieldErrors& errors) {
        validate_pod(pod, errors);
        validate_new_pod(pod, errors);
    });
}

std::string refused_container(const std::string& members, const std::string& spec = "") {
    return refused(R"("containers":[{"name":"a","image":"i",)" + members + "}]" + (spec.empty() ? "" : "," + spec));
}

struct Case {
    const char* given;
    const char* said;
};

}  // namespace

TEST_CASE("a plain pod is fine, and one of every part of it too") {
    CHECK(refused(R"("containers":[{"name":"a","image":"i"}])") == "");
    CHECK(refused(R"(
        "containers":[{"name":"a","image":"i:1","command":["x"],"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['a/b']"}}},
            {"name":"B","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}},
            {"name":"C","valueFrom":{"configMapKeyRef":{"name":"c","key":"k"}}}],"envFrom":[{"prefix":"P_","secretRef":{"name":"s"}}],
            "ports":[{"name":"http","containerPort":80,"hostPort":8080}],"resources":{"limits":{"cpu":"1","memory":"1Gi","example.com/gpu":"1"}},
            "livenessProbe":{"httpGet":{"port":"http","path":"/"}},"readinessProbe":{"grpc":{"port":5}},"lifecycle":{"preStop":{"sleep":{"seconds":5}}},
            "volumeMounts":[{"name":"v","mountPath":"/v","subPath":"a/b"},{"name":"all","mountPath":"/all"}],
            "securityContext":{"runAsUser":0,"capabilities":{"add":["NET_ADMIN"]},"seccompProfile":{"type":"RuntimeDefault"}}}],
        "initContainers":[{"name":"side","image":"i","restartPolicy":"Always","startupProbe":{"tcpSocket":{"port":1}}},{"name":"init","image":"i"}],
        "volumes":[{"name":"v"},{"name":"all","projected":{"sources":[{"secret":{"name":"s","items":[{"key":"k","path":"p"}]}},
            {"downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}}],
        "affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}]}}},
        "tolerations":[{"operator":"Exists"},{"key":"k","operator":"Equal","value":"v","effect":"NoExecute","tolerationSeconds":3}],
        "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{},"minDomains":2}],
        "dnsConfig":{"nameservers":["1.1.1.1"],"searches":["example.com."],"options":[{"name":"ndots"}]},"hostAliases":[{"ip":"::1","hostnames":["a.b"]}],
        "securityContext":{"sysctls":[{"name":"net.core.somaxconn","value":"1"},{"name":"kernel/shm_rmid_forced","value":"1"}],"fsGroup":5},
        "readinessGates":[{"conditionType":"example.com/ready"}],"overhead":{"cpu":"100m"},"activeDeadlineSeconds":5)") == "");
}

TEST_CASE("containers: names, images, ports") {
    CHECK(refused("") == "spec.containers: Required value");
    CHECK(refused(R"("containers":[{}])") ==
          "spec.containers[0].name: Required value\nspec.containers[0].image: Required value");
    CHECK(refused(R"("containers":[{"name":"a","image":" i"},{"name":"a","image":"i"}])") ==
          "spec.containers[1].name: Duplicate value: \"a\"\n"
          "spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing whitespace");
    CHECK(refused(R"("containers":[{"name":"a.b","image":"i"}])") ==
          "spec.containers[0].name: Invalid value: \"a.b\": must not contain dots");
    for (const Case& c : {
             Case{R"("ports":[{"containerPort":0}])", "spec.containers[0].ports[0].containerPort: Required value"},
             Case{R"("ports":[{"containerPort":1,"protocol":"ICMP"}])",
                  "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\""},
             Case{R"("ports":[{"containerPort":1,"hostPort":5},{"containerPort":2,"hostPort":5}])",
                  "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//5\""},
             Case{R"("ports":[{"containerPort":1,"name":"a-"}])",
                  "spec.containers[0].ports[0].name: Invalid value: \"a-\": must not begin or end with a hyphen"},
             Case{R"("terminationMessagePolicy":"X")",
                  "spec.containers[0].terminationMessagePolicy: Unsupported value: \"X\": supported values: \"File\", "
                  "\"FallbackToLogsOnError\""},
             Case{R"("restartPolicyRules":[{"action":"Restart","exitCodes":{"operator":"In","values":[1]}}])",
                  "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
}

TEST_CASE("init containers: only sidecars have probes; names are shared with containers") {
    const std::string main = R"("containers":[{"name":"a","image":"i"}],)";
    CHECK(refused(main + R"("initContainers":[{"name":"a","image":"i"},{"name":"b","image":"i","lifecycle":{"preStop":{"exec":{"command":["x"]}}}}])") ==
          "spec.initContainers[0].name: Duplicate value: \"a\"\n"
          "spec.initContainers[1].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always");
    CHECK(refused(main + R"("ephemeralContainers":[{"name":"b","image":"i"}])") ==
          "spec.ephemeralContainers: Forbidden: cannot be set on create");
}

TEST_CASE("environment") {
    for (const Case& c : {
             Case{R"("env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"status.phase"}}}])",
                  "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: "
                  "\"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", "
                  "\"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\""},
             Case{R"("env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name['a']"}}}])",
                  "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name['a']\": error converting "
                  "fieldPath: field label does not support subscript: metadata.name['a']"},
             Case{R"("env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"limits.gpu"}}}])",
                  "spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.gpu\": supported "
                  "values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", "
                  "\"requests.ephemeral-storage\", \"requests.memory\""},
             Case{R"("env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"2"}}}])",
                  "spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's "
                  "values 1m and 1 are supported with the cpu resource"},
             Case{R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s"},"configMapKeyRef":{"name":"c","key":"k"}}}])",
                  "spec.containers[0].env[0].valueFrom.secretKeyRef.key: Required value\n"
                  "spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not have more than one field specified at a time"},
             Case{R"("envFrom":[{"prefix":"x"}])",
                  "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
}

TEST_CASE("volumes and mounts") {
    const std::string main = R"("containers":[{"name":"a","image":"i"}],"volumes":[)";
    for (const Case& c : {
             Case{R"({"name":"v","hostPath":{"path":"/a/../b","type":"Odd"}})",
                  "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'\n"
                  "spec.volumes[0].hostPath.type: Unsupported value: \"Odd\": supported values: \"\", \"BlockDevice\", "
                  "\"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\""},
             Case{R"({"name":"v","emptyDir":{"sizeLimit":"-1"}})",
                  "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"},
             Case{R"({"name":"v","nfs":{"path":"x"}})",
                  "spec.volumes[0].nfs.server: Required value\n"
                  "spec.volumes[0].nfs.path: Invalid value: \"x\": must be an absolute path"},
             Case{R"({"name":"v","secret":{"secretName":"s","defaultMode":1000,"items":[{"key":"k","path":"../x"}]}})",
                  "spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive\n"
                  "spec.volumes[0].secret.items[0].path: Invalid value: \"../x\": must not contain '..'"},
             Case{R"({"name":"v","projected":{"sources":[{"configMap":{"name":"a","items":[{"key":"k","path":"p"}]}},{"secret":{"name":"b","items":[{"key":"k","path":"p"}]}}]}})",
                  "spec.volumes[0].projected: Invalid value: \"b\": conflicting duplicate paths"},
             Case{R"({"name":"v","downwardAPI":{"items":[{"path":"x"}]}})",
                  "spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"},
             Case{R"({"name":"v","iscsi":{"targetPortal":"t","iqn":"iqn.2001-04.com.example","lun":256}})",
                  "spec.volumes[0].iscsi.iqn: Invalid value: \"iqn.2001-04.com.example\": must be valid format\n"
                  "spec.volumes[0].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive"},
             Case{R"({"name":"v","fc":{"targetWWNs":["a"]}})",
                  "spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified"},
             Case{R"({"name":"v","csi":{"driver":"Bad_Driver"}})",
                  "spec.volumes[0].csi.driver: Invalid value: \"Bad_Driver\": a lowercase RFC 1123 subdomain must consist of lower "
                  "case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
                  "'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
             Case{R"({"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}})", "spec.volumes[1].name: Duplicate value: \"v\""},
         }) {
        CAPTURE(c.given);
        CHECK(refused(main + c.given + "]") == c.said);
    }
    const std::string volume = R"("volumes":[{"name":"v","emptyDir":{}}])";
    for (const Case& c : {
             Case{R"("volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a"}])",
                  "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"},
             Case{R"("volumeMounts":[{"name":"v","mountPath":"/a","subPath":"/x","subPathExpr":"$(A)x"}])",
                  "spec.containers[0].volumeMounts.subPath: Invalid value: \"/x\": must be a relative path\n"
                  "spec.containers[0].volumeMounts[0].subPathExpr: Invalid value: \"$(A)x\": subPathExpr and subPath are mutually exclusive"},
             Case{R"("volumeMounts":[{"name":"v","mountPath":"/a","mountPropagation":"Bidirectional"}])",
                  "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to "
                  "privileged containers"},
             Case{R"("volumeDevices":[{"name":"v","devicePath":"/d"}])",
                  "spec.containers[0].volumeDevices[0].name: Invalid value: \"v\": can only use volume source type of "
                  "PersistentVolumeClaim or Ephemeral for block mode"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given, volume) == c.said);
    }
}

TEST_CASE("probes and hooks") {
    for (const Case& c : {
             Case{R"("livenessProbe":{"httpGet":{"port":"much-too-long-name"},"periodSeconds":-1})",
                  "spec.containers[0].livenessProbe.httpGet.port: Invalid value: \"much-too-long-name\": must be no more than 15 characters\n"
                  "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"},
             Case{R"("readinessProbe":{"exec":{"command":["x"]},"terminationGracePeriodSeconds":5})",
                  "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"},
             Case{R"("startupProbe":{"grpc":{"port":0},"successThreshold":2})",
                  "spec.containers[0].startupProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive\n"
                  "spec.containers[0].startupProbe.successThreshold: Invalid value: 2: must be 1"},
             Case{R"("lifecycle":{"preStop":{"sleep":{"seconds":31}},"postStart":{}})",
                  "spec.containers[0].lifecycle.postStart: Required value: must specify a handler type\n"
                  "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than "
                  "terminationGracePeriodSeconds (30)"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
}

TEST_CASE("restart policies of containers, and values that are given but empty") {
    for (const Case& c : {
             Case{R"("restartPolicy":"")",
                  "spec.containers[0].restartPolicy: Unsupported value: \"\": supported values: \"Always\", \"Never\", "
                  "\"OnFailure\""},
             Case{R"("restartPolicy":"Never","restartPolicyRules":[{"action":"Odd","exitCodes":{"operator":"In"}}])",
                  "spec.containers[0].restartPolicyRules[0].action: Unsupported value: \"Odd\": supported values: "
                  "\"Restart\", \"RestartAllContainers\""},
             Case{R"("restartPolicyRules":[{"action":"Restart"}])",
                  "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used\n"
                  "spec.containers[0].restartPolicyRules[0].exitCodes: Required value: must be specified"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
    // An init container without a policy is told of that alone.
    CHECK(refused(R"("containers":[{"name":"a","image":"i"}],
                     "initContainers":[{"name":"b","image":"i","restartPolicyRules":[{"action":"Odd"}]}])") ==
          "spec.initContainers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used");
    const std::string main = R"("containers":[{"name":"a","image":"i"}],)";
    for (const Case& c : {
             Case{R"("securityContext":{"fsGroupChangePolicy":"","seLinuxChangePolicy":"MountOption"})",
                  "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"\": supported values: \"Always\", "
                  "\"OnRootMismatch\"\n"
                  "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: "
                  "\"Recursive\""},
             Case{R"("dnsConfig":{"searches":["_tcp.example.com.",".","a_b"]})", ""},
             Case{R"("topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule","matchLabelKeys":["!"]}])",
                  "spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is "
                  "not set"},
             Case{R"("volumes":[{"name":"v","azureDisk":{"diskName":"d","diskURI":"/subscriptions/x","kind":"Managed","cachingMode":""}}])",
                  "spec.volumes[0].azureDisk.cachingMode: Unsupported value: \"\": supported values: \"None\", "
                  "\"ReadOnly\", \"ReadWrite\""},
         }) {
        CAPTURE(c.given);
        CHECK(refused(main + c.given) == c.said);
    }
}

TEST_CASE("what is waited for is never less than nothing, and odd images are not pulled always") {
    const Json pod = pod_of(R"("containers":[{"name":"a","image":"Odd"},{"name":"b","image":"even"}],"terminationGracePeriodSeconds":-5)");
    CHECK(pod["spec"]["terminationGracePeriodSeconds"] == 1);
    CHECK(pod["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent");
    CHECK(pod["spec"]["containers"][1]["imagePullPolicy"] == "Always");
}

TEST_CASE("resources") {
    for (const Case& c : {
             Case{R"("resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}})",
                  "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"},
             Case{R"("resources":{"requests":{"example.com/gpu":"1"}})",
                  "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources"},
             Case{R"("resources":{"limits":{"hugepages-2Mi":"3Mi"}})",
                  "spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi\n"
                  "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi\n"
                  "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"},
             Case{R"("resources":{"requests":{"hugepages-2Mi":"1Mi"}})",
                  "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources\n"
                  "spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: \"1Mi\": 1Mi is not positive integer multiple of hugepages-2Mi\n"
                  "spec.containers[0].resources: Forbidden: HugePages require cpu or memory"},
             Case{R"("resources":{"claims":[{"name":"x"}]})",
                  "spec.containers[0].resources.claims[0]: Not found: \"x\": must be one of the names in pod.spec.resourceClaims which is empty"},
             Case{R"("resizePolicy":[{"resourceName":"disk","restartPolicy":"NotRequired"}])",
                  "spec.containers[0].resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\""},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
    CHECK(refused_container(R"("resources":{"requests":{"cpu":"2"}})", R"("resources":{"requests":{"cpu":"1"}})") ==
          "spec.resources.requests[cpu]: Invalid value: \"1\": must be greater than or equal to aggregate container requests of 2");
}

TEST_CASE("security, operating systems, user namespaces") {
    for (const Case& c : {
             Case{R"("securityContext":{"seccompProfile":{"type":"Localhost"}})",
                  "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost"},
             Case{R"("securityContext":{"seccompProfile":{"type":"Unconfined","localhostProfile":"x"}})",
                  "spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "
                  "core.SeccompProfile{Type:\"Unconfined\", LocalhostProfile:(*string)(0xc000a1b2c8)}: can only be set when seccomp type is Localhost"},
             Case{R"("securityContext":{"windowsOptions":{"runAsUserName":"a\\b\\c"}})",
                  "spec.containers[0].securityContext.windowsOptions.runAsUserName: Invalid value: \"a\\\\b\\\\c\": runAsUserName cannot "
                  "contain more than one backslash"},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(c.given) == c.said);
    }
    CHECK(refused_container(R"("securityContext":{"windowsOptions":{}})", R"("os":{"name":"linux"})") ==
          "spec.containers[0].securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod");
    CHECK(refused_container(R"("stdin":true)", R"("os":{"name":"beos"})") ==
          "spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\"");
    CHECK(refused_container(R"("stdin":true)", R"("hostUsers":false,"hostPID":true)") ==
          "spec.HostPID: Forbidden: when `hostUsers` is false");
    CHECK(refused_container(R"("stdin":true)", R"("hostNetwork":true,"securityContext":{"sysctls":[{"name":"net.core.somaxconn","value":"1"}]})") ==
          "spec.securityContext.sysctls[0].name: Invalid value: \"net.core.somaxconn\": may not be specified when 'hostNetwork' is true");
}

TEST_CASE("scheduling, names, addresses") {
    for (const Case& c : {
             Case{R"("tolerations":[{"key":"k","operator":"Exists","tolerationSeconds":1}])",
                  "spec.tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"},
             Case{R"("tolerations":[{"key":"k","operator":"Like"}])",
                  "spec.tolerations[0].operator: Unsupported value: \"Like\": supported values: \"Equal\", \"Exists\""},
             Case{R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"a","operator":"Gt","values":["1","2"]}],"matchFields":[{"key":"spec.x","operator":"In","values":["a"]}]}]}}})",
                  "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: "
                  "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'\n"
                  "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: "
                  "Invalid value: \"spec.x\": not a valid field selector key"},
             Case{R"("affinity":{"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":101,"podAffinityTerm":{"topologyKey":"a"}}]}})",
                  "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100"},
             Case{R"("topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule"},{"maxSkew":2,"topologyKey":"z","whenUnsatisfiable":"DoNotSchedule"}])",
                  "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, DoNotSchedule}\""},
             Case{R"("topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"z","whenUnsatisfiable":"ScheduleAnyway","minDomains":0}])",
                  "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero\n"
                  "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: can only use minDomains if "
                  "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"},
             Case{R"("schedulingGates":[{"name":"a"},{"name":"a"}])", "spec.schedulingGates[1]: Duplicate value: \"a\""},
             Case{R"("schedulingGates":[{"name":"a"}],"nodeName":"n")",
                  "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"},
             Case{R"("dnsPolicy":"None")", "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"},
             Case{R"("dnsConfig":{"nameservers":["1.1.1.1","a","2.2.2.2","3.3.3.3"]})",
                  "spec.dnsConfig.nameservers: Invalid value: []string{\"1.1.1.1\", \"a\", \"2.2.2.2\", \"3.3.3.3\"}: must not have more than 3 nameservers\n"
                  "spec.dnsConfig.nameservers[1]: Invalid value: \"a\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
             Case{R"("hostAliases":[{"ip":"x"}])",
                  "spec.hostAliases[0].ip: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"},
             Case{R"("preemptionPolicy":"Maybe")",
                  "spec.preemptionPolicy: Unsupported value: \"Maybe\": supported values: \"PreemptLowerPriority\", \"Never\""},
         }) {
        CAPTURE(c.given);
        CHECK(refused_container(R"("tty":true)", c.given) == c.said);
    }
}

TEST_CASE("annotations that mean something") {
    const std::string spec = R"("containers":[{"name":"a","image":"i"}])";
    const auto with = [&](const std::string& annotations) { return refused(spec, R"("name":"p","annotations":{)" + annotations + "}"); };
    CHECK(with(R"("controller.kubernetes.io/pod-deletion-cost":"+5")") ==
          "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+5\": must be a 32bit integer");
    CHECK(with(R"("kubernetes.io/config.mirror":"x")") ==
          "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod annotation is set");
    CHECK(with(R"("container.apparmor.security.beta.kubernetes.io/b":"odd")") ==
          "metadata.annotations[container.apparmor.security.beta.kubernetes.io/b]: Invalid value: \"b\": container not found\n"
          "metadata.annotations[container.apparmor.security.beta.kubernetes.io/b]: Invalid value: \"odd\": invalid AppArmor profile name: \"odd\"");
}

TEST_CASE("templates: their own paths, host ports left to the pod") {
    const auto refused_template = [](const char* text) {
        Json object = defaulted("core/v1.PodTemplateSpec", text);
        default_pod_spec(object["spec"]);
        return complaints([&](FieldErrors& errors) { validate_pod_template(object, FieldPath("spec.template"), errors); });
    };
    CHECK(refused_template(R"({"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"i","ports":[{"containerPort":1}]}]}})") == "");
    CHECK(refused_template(R"({"metadata":{"labels":{"a b":"c"}},"spec":{"containers":[{"name":"a","image":"i"}],"ephemeralContainers":[{"name":"e","image":"i"}]}})") ==
          "spec.template.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must "
          "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
          "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')\n"
          "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template");
}

TEST_CASE("defaults that only pods get") {
    const Json pod = pod_of(R"("hostNetwork":true,"containers":[{"name":"a","image":"i","ports":[{"containerPort":7}],"resources":{"limits":{"cpu":"1"}}}])");
    CHECK(pod["spec"]["containers"][0]["ports"][0]["hostPort"] == 7);
    CHECK(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "1");
    CHECK(pod["spec"]["enableServiceLinks"] == true);
    Json only_template = defaulted("core/v1.PodTemplateSpec",
                                   R"({"spec":{"hostNetwork":true,"containers":[{"name":"a","image":"i","ports":[{"containerPort":7}],"resources":{"limits":{"cpu":"1"}}}]}})");
    default_pod_spec(only_template["spec"]);
    CHECK_FALSE(only_template["spec"]["containers"][0]["ports"][0].contains("hostPort"));
    CHECK_FALSE(only_template["spec"]["containers"][0]["resources"].contains("requests"));
    const Json whole = pod_of(R"("resources":{"limits":{"cpu":"2","memory":"1Gi"}},"containers":[{"name":"a","image":"i","resources":{"requests":{"cpu":"1"}}}])");
    CHECK(whole["spec"]["resources"]["requests"] == Json{{"cpu", "1"}, {"memory", "1Gi"}});
}

// What may change of a pod, and what is said when something else does.
#include <doctest/doctest.h>

#include "../complaints.h"
#include "api/kinds/core/pod_diff.h"
#include "api/kinds/core/pod_spec.h"

using namespace kubemu::api;
using namespace kubemu::api::test;

namespace {

Json base() {
    Json pod = defaulted("core/v1.Pod",
                         R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"i","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}],"tolerations":[{"key":"k","operator":"Exists"}]},"status":{"qosClass":"Guaranteed"}})");
    default_pod_spec(pod["spec"]);
    default_pod(pod);
    return pod;
}

std::string refused(const std::function<void(Json& spec)>& change, const std::function<void(Json& spec)>& before = {}) {
    Json old = base();
    if (before) before(old["spec"]);
    Json pod = old;
    change(pod["spec"]);
    return complaints([&](FieldErrors& errors) { validate_pod_update(pod, old, errors); });
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

constexpr const char* only_these =
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)";

}  // namespace

TEST_CASE("images, deadlines, tolerations may change, each within its limits") {
    CHECK(refused([](Json& spec) { spec["containers"][0]["image"] = "j"; }) == "");
    CHECK(refused([](Json& spec) { spec["activeDeadlineSeconds"] = 5; }) == "");
    CHECK(refused([](Json& spec) { spec["tolerations"].push_back({{"operator", "Exists"}}); }) == "");
    CHECK(refused([](Json& spec) { spec.erase("tolerations"); }) ==
          "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds");
    CHECK(refused([](Json& spec) { spec["activeDeadlineSeconds"] = 9; }, [](Json& spec) { spec["activeDeadlineSeconds"] = 5; }) ==
          "spec.activeDeadlineSeconds: Invalid value: 9: must be less than or equal to previous value");
    CHECK(refused([](Json& spec) { spec["containers"].push_back({{"name", "b"}, {"image", "i"}}); }) ==
          "spec.containers: Forbidden: pod updates may not add or remove containers");
    CHECK(first_line(refused([](Json& spec) { spec["nodeName"] = "n"; })) == only_these);
    CHECK(refused([](Json& spec) { spec["terminationGracePeriodSeconds"] = 1; },
                  [](Json& spec) { spec["terminationGracePeriodSeconds"] = -1; }) == "");
}

TEST_CASE("gates only go; while there are any, where the pod may run may be narrowed") {
    const auto gated = [](Json& spec) {
        spec["schedulingGates"] = {{{"name", "g"}}};
        spec["nodeSelector"] = {{"a", "b"}};
    };
    CHECK(refused([](Json& spec) { spec.erase("schedulingGates"); }, gated) == "");
    CHECK(refused([](Json& spec) { spec["schedulingGates"] = {{{"name", "h"}}}; }) ==
          "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'");
    CHECK(refused([](Json& spec) { spec["nodeSelector"]["c"] = "d"; }, gated) == "");
    CHECK(refused([](Json& spec) { spec["nodeSelector"] = {{"c", "d"}}; }, gated) ==
          "spec.nodeSelector: Invalid value: map[string]string{\"c\":\"d\"}: only additions to spec.nodeSelector are allowed (no "
          "mutations or deletions)");
    CHECK(first_line(refused([](Json& spec) { spec["nodeSelector"]["c"] = "d"; })) == only_these);
}

TEST_CASE("ephemeral containers are added, never changed") {
    Json old = base();
    old["spec"]["ephemeralContainers"] = {{{"name", "e"}, {"image", "i"}}};
    const auto refused_change = [&](const std::function<void(Json& list)>& change) {
        Json pod = old;
        change(pod["spec"]["ephemeralContainers"]);
        return complaints([&](FieldErrors& errors) { validate_ephemeral_containers_update(pod, old, errors); });
    };
    CHECK(refused_change([](Json& list) { list.push_back({{"name", "f"}, {"image", "i"}}); }) == "");
    CHECK(refused_change([](Json& list) { list = Json::array(); }) ==
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be removed\n");
    CHECK(first_line(refused_change([](Json& list) { list[0]["image"] = "j"; })) ==
          "spec.ephemeralContainers: Forbidden: existing ephemeral containers \"e\" may not be changed");
}

TEST_CASE("resize: cpu and memory alone, within the quality of service") {
    const Json old = base();
    const auto refused_change = [&](const std::function<void(Json& container)>& change) {
        Json pod = old;
        change(pod["spec"]["containers"][0]);
        return complaints([&](FieldErrors& errors) { validate_pod_resize(pod, old, errors); });
    };
    CHECK(refused_change([](Json& container) {
              container["resources"]["limits"]["cpu"] = "2";
              container["resources"]["requests"]["cpu"] = "2";
          }) == "");
    CHECK(refused_change([](Json& container) { container["resources"]["limits"]["cpu"] = "2"; }) ==
          "spec: Invalid value: \"Guaranteed\": Pod QOS Class may not change as a result of resizing");
    CHECK(refused_change([](Json& container) { container["image"] = "j"; }) == "spec: Forbidden: only cpu and memory resources are mutable");
    CHECK(refused_change([](Json& container) { container["name"] = "b"; }) ==
          "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize");
    // What starts a pod can be resized too, but not by a restart.
    Json with_init = old;
    with_init["spec"]["initContainers"] = {{{"name", "i"}, {"image", "i"}, {"resources", old["spec"]["containers"][0]["resources"]}}};
    Json pod = with_init;
    Json& init = pod["spec"]["initContainers"][0];
    const auto refused_init = [&] { return complaints([&](FieldErrors& errors) { validate_pod_resize(pod, with_init, errors); }); };
    init["resources"]["limits"]["cpu"] = "2";
    init["resources"]["requests"]["cpu"] = "2";
    CHECK(refused_init() == "");
    init["resizePolicy"] = {{{"resourceName", "cpu"}, {"restartPolicy", "RestartContainer"}}};
    CHECK(refused_init() ==
          "spec.initContainers[0]: Forbidden: only cpu and memory resources for init or sidecar containers are mutable\n"
          "spec.initContainers[0]: Forbidden: non-sidecar init containers with a resize policy of RestartContainer cannot be "
          "resized");
}

TEST_CASE("status: what has ended stays ended; the quality of service stays") {
    Json old = base();
    old["spec"]["restartPolicy"] = "OnFailure";
    old["status"]["containerStatuses"] = {{{"name", "a"}, {"state", {{"terminated", {{"exitCode", 0}}}}}}};
    Json pod = old;
    pod["status"]["containerStatuses"][0]["state"] = {{"running", Json::object()}};
    const auto refused_status = [&] { return complaints([&](FieldErrors& errors) { validate_pod_status_update(pod, old, errors); }); };
    CHECK(refused_status() == "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state");
    old["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] = 1;
    CHECK(refused_status() == "");
    pod["status"]["qosClass"] = "Burstable";
    pod["status"]["conditions"] = {{{"type", "a b"}}};
    pod["status"]["podIPs"] = {{{"ip", "10.0.0.1"}}, {{"ip", "10.0.0.2"}}};
    CHECK(refused_status().find("status.conditions[0].Type: Invalid value: \"a b\"") == 0);
    CHECK(refused_status().find("status.qosClass: Invalid value: \"Burstable\": field is immutable") != std::string::npos);
    CHECK(refused_status().find("status.podIPs: Invalid value: []core.PodIP{core.PodIP{IP:\"10.0.0.1\"}, core.PodIP{IP:\"10.0.0.2\"}}: "
                                "may specify no more than one IP for each IP family") != std::string::npos);
}

TEST_CASE("status: claims for extended resources, users, health of devices, nominations") {
    Json old = base();
    old["spec"]["nodeName"] = "n";
    struct {
        const char* status;
        const char* said;
    } const cases[] = {
        {R"({"extendedResourceClaimStatus":{}})",
         "status.extendedResourceClaimStatus.requestMappings: Required value: at least one request mapping is required\n"
         "status.extendedResourceClaimStatus.resourceClaimName: Required value"},
        {R"({"extendedResourceClaimStatus":{"resourceClaimName":"c","requestMappings":[
            {"containerName":"x","resourceName":"e.com/r","requestName":"q"},
            {"containerName":"x","resourceName":"e.com/r","requestName":"q"}]}})",
         "status.extendedResourceClaimStatus.requestMappings[0].containerName: Invalid value: \"x\": must match the name of an "
         "entry in spec.initContainers.name or spec.containers.name\n"
         "status.extendedResourceClaimStatus.requestMappings[1].containerName: Invalid value: \"x\": must match the name of an "
         "entry in spec.initContainers.name or spec.containers.name\n"
         "status.extendedResourceClaimStatus.requestMappings[1].containerName: Duplicate value: \"x\"\n"
         "status.extendedResourceClaimStatus.requestMappings[1].resourceName: Duplicate value: \"e.com/r\"\n"
         "status.extendedResourceClaimStatus.requestMappings[1].requestName: Duplicate value: \"q\""},
        {R"({"extendedResourceClaimStatus":{"resourceClaimName":"c","requestMappings":[{"containerName":"a","resourceName":"cpu","requestName":"q"}]}})",
         ""},
        {R"({"containerStatuses":[{"name":"a","user":{"linux":{"uid":0,"gid":0,"supplementalGroups":[1,-1]}}}]})",
         "status.containerStatuses[0].user.linux.supplementalGroups[1]: Invalid value: -1: must be between 0 and 2147483647, "
         "inclusive"},
        {R"({"containerStatuses":[{"name":"z","allocatedResourcesStatus":[{"name":"r","resources":[{"resourceID":"i","health":"Healthy","message":""}]}]}]})",
         "status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].message: Required value: must be non-empty if "
         "specified"},
        {R"({"nominatedNodeName":"m"})",
         "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a node"},
    };
    for (const auto& one : cases) {
        Json pod = old;
        pod["status"].update(Json::parse(one.status));
        CAPTURE(one.status);
        CHECK(complaints([&](FieldErrors& errors) { validate_pod_status_update(pod, old, errors); }) == one.said);
    }
}

TEST_CASE("a diff shows what differs and counts the rest") {
    Json before = base()["spec"], after = before;
    after["nodeName"] = "n";
    after["containers"][0]["command"] = {"x"};
    const std::string text = diff_of("core/v1.PodSpec", before, after);
    CHECK(text.find("  core.PodSpec{\n") == 0);
    CHECK(text.find("\n- \tNodeName: \"\",\n+ \tNodeName: \"n\",\n") != std::string::npos);
    CHECK(text.find("\n+ \t\t\tCommand: []string{\"x\"},\n") != std::string::npos);
    CHECK(text.find("identical field") != std::string::npos);
    CHECK(text.substr(text.size() - 4) == "  }\n");
}

// Fields behind gates that are off do not get into objects, and stay where they are.
#include "api/kinds/gates.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

namespace {

Json dropped(const char* resource, const char* text, const char* old = nullptr) {
    KindSpec kind;
    kind.resource = resource;
    Json object = Json::parse(text);
    const Json before = old == nullptr ? Json() : Json::parse(old);
    drop_gated_fields(kind, object, old == nullptr ? nullptr : &before);
    return object;
}

}  // namespace

TEST_CASE("specs of pods, wherever they stand") {
    const char* spec = R"({"schedulingGroup":{"podGroupName":"g"},"containers":[{"name":"a","lifecycle":{"stopSignal":"SIGINT"}},
        {"name":"b","lifecycle":{"stopSignal":"SIGINT","preStop":{}}}],"volumes":[{"name":"v","projected":{"sources":
        [{"podCertificate":{}},{"clusterTrustBundle":{},"secret":{}}]}},{"name":"w"}]})";
    const Json left = Json::parse(R"({"containers":[{"name":"a"},{"name":"b","lifecycle":{"preStop":{}}}],"volumes":[{"name":"v",
        "projected":{"sources":[{},{"secret":{}}]}},{"name":"w"}]})");
    const std::string text(spec);
    CHECK(dropped("pods", ("{\"spec\":" + text + "}").c_str())["spec"] == left);
    CHECK(dropped("cronjobs.batch", ("{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":" + text + "}}}}}").c_str())
              ["spec"]["jobTemplate"]["spec"]["template"]["spec"] == left);
    CHECK(dropped("podtemplates", ("{\"template\":{\"spec\":" + text + "}}").c_str())["template"]["spec"] == left);
    const std::string pod = "{\"spec\":" + text + "}";
    CHECK(dropped("pods", pod.c_str(), pod.c_str()) == Json::parse(pod));
}

TEST_CASE("each kind's own") {
    CHECK(dropped("persistentvolumeclaims", R"({"spec":{"dataSourceRef":{"name":"a","namespace":"n"}}})") == Json::parse(R"({"spec":{}})"));
    CHECK(dropped("persistentvolumeclaims", R"({"spec":{"dataSourceRef":{"name":"a"}}})")["spec"].contains("dataSourceRef"));
    CHECK(dropped("leases.coordination.k8s.io", R"({"spec":{"strategy":"s","preferredHolder":"h"}})", R"({"spec":{"strategy":"s"}})") ==
          Json::parse(R"({"spec":{"strategy":"s"}})"));
    CHECK(dropped("csidrivers.storage.k8s.io", R"({"spec":{"preventPodSchedulingIfMissing":true}})") == Json::parse(R"({"spec":{}})"));
    CHECK(dropped("resourceslices.resource.k8s.io",
                  R"({"spec":{"devices":[{"name":"d","nodeAllocatableResourceMappings":{},"attributes":{"a":{"ints":[1]},"b":{"int":1}}}]}})") ==
          Json::parse(R"({"spec":{"devices":[{"name":"d","attributes":{"a":{},"b":{"int":1}}}]}})"));
}

TEST_CASE("what a kubelet may not say of a pod yet") {
    KindSpec kind;
    kind.resource = "pods";
    const char* text = R"({"status":{"nodeAllocatableResourceClaimStatuses":[{}],"containerStatuses":[{"volumeMounts":[{"name":"v","volumeStatus":{}}]}]}})";
    Json pod = Json::parse(text);
    drop_gated_status_fields(kind, pod, Json::object());
    CHECK(pod == Json::parse(R"({"status":{"containerStatuses":[{"volumeMounts":[{"name":"v"}]}]}})"));
    pod = Json::parse(text);
    drop_gated_status_fields(kind, pod, Json::parse(text));
    CHECK(pod == Json::parse(text));
}

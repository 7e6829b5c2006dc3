// Documents that mean the same object are equal once their zero values are dropped.
#include "api/schema/zero.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace kubemu::api;

TEST_CASE("what is encoded the same when it is absent is dropped") {
    struct Case {
        const char* type;
        const char* given;
        const char* left;
    };
    for (const Case& c : {
             Case{"core/v1.PodSpec", R"({"hostNetwork":false,"nodeName":"","volumes":[],"nodeSelector":{}})",
                  "{}"},
             // Pointers tell zero from absent.
             Case{"apps/v1.DeploymentSpec", R"({"replicas":0,"paused":false})", R"({"replicas":0})"},
             Case{"core/v1.PodSpec", R"({"securityContext":{},"priority":0})",
                  R"({"securityContext":{},"priority":0})"},
             // Structs that are no pointers, in lists and in one another.
             Case{"core/v1.PodSpec", R"({"containers":[{"name":"a","resources":{}}]})",
                  R"({"containers":[{"name":"a"}]})"},
             Case{"apps/v1.DeploymentSpec",
                  R"({"template":{"metadata":{"creationTimestamp":null},"spec":{}}})", "{}"},
             Case{"core/v1.Volume", R"({"name":"v","emptyDir":{}})", R"({"name":"v","emptyDir":{}})"},
             // Contents that are the user's own stay.
             Case{"core/v1.ConfigMap", R"({"data":{"empty":""}})", R"({"data":{"empty":""}})"},
             Case{"apps/v1.ControllerRevision", R"({"data":{}})", R"({"data":{}})"},
             Case{"apps/v1.ControllerRevision", R"({"data":null})", "{}"},
             // The rules refuse these when they are there at all.
             Case{"core/v1.EphemeralContainer", R"({"ports":[],"env":[]})", R"({"ports":[]})"},
             Case{"apiextensions/v1.JSONSchemaProps", R"({"dependencies":{},"required":[]})", R"({"dependencies":{}})"},
             Case{"core/v1.EphemeralContainer", R"({"resources":{"claims":[],"limits":{}}})",
                  R"({"resources":{"claims":[],"limits":{}}})"},
             Case{"core/v1.Container", R"({"resources":{"claims":[],"limits":{}}})", "{}"},
             Case{"core/v1.PodSpec", R"({"resources":{"claims":[],"limits":{}},"overhead":{}})", R"({"resources":{"claims":[]}})"},
             Case{"core/v1.Pod", R"({"spec":{"overhead":{}}})", R"({"spec":{"overhead":{}}})"},
             // Written even when it is zero.
             Case{"autoscaling/v1.HorizontalPodAutoscalerSpec", R"({"maxReplicas":0})",
                  R"({"maxReplicas":0})"},
         }) {
        CAPTURE(c.given);
        Json object = Json::parse(c.given);
        const TypeInfo* type = find_type(c.type);
        REQUIRE(type != nullptr);
        drop_zero_values(object, *type);
        CHECK(object == Json::parse(c.left));
    }
}

TEST_CASE("an empty list that is refused is no change") {
    Json object = Json::parse(R"({"spec":{"overhead":{},"resources":{"claims":[],"limits":{}},"hostname":"h"}})");
    drop_all_zero_values(object, *find_type("core/v1.Pod"));
    CHECK(object == Json::parse(R"({"spec":{"resources":{},"hostname":"h"}})"));
}

TEST_CASE("empty lists, maps and bytes are found at any depth, empty structs are none") {
    const auto holds = [](const char* type, const char* member, const char* text) {
        const TypeInfo* info = find_type(type);
        REQUIRE(info != nullptr);
        const FieldInfo* field = info->field(member);
        REQUIRE(field != nullptr);
        return holds_empty_containers(Json::parse(text), *field);
    };
    CHECK(holds("networking/v1.NetworkPolicy", "spec", R"({"podSelector":{},"ingress":[]})"));
    CHECK(holds("networking/v1.NetworkPolicy", "spec", R"({"podSelector":{"matchLabels":{}}})"));
    CHECK_FALSE(holds("networking/v1.NetworkPolicy", "spec", R"({"podSelector":{},"ingress":[{}]})"));
    CHECK(holds("admissionregistration/v1.ValidatingWebhookConfiguration", "webhooks",
                R"([{"name":"a"},{"clientConfig":{"caBundle":""}}])"));
}

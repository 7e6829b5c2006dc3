// Defaults that the tables declare: where they apply and where not.
#include "api/schema/defaults.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>


using namespace kubemu::api;

namespace {

Json defaulted(std::string_view type_name, const char* text) {
    const TypeInfo* type = find_type(type_name);
    REQUIRE(type != nullptr);
    Json object = Json::parse(text);
    apply_defaults(object, *type);
    return object;
}

}  // namespace

TEST_CASE("structs that were not sent get the defaults of their members") {
    const Json object = defaulted("apps/v1.Deployment", R"({"metadata":{"name":"d"}})");
    CHECK(object["spec"]["replicas"] == 1);
    CHECK(object["spec"]["revisionHistoryLimit"] == 10);
    CHECK(object["spec"]["strategy"]["type"] == "RollingUpdate");
    CHECK(object["spec"]["template"]["spec"]["restartPolicy"] == "Always");
    CHECK(object["spec"]["template"]["spec"]["securityContext"] == Json::object());
    // Whether there is a rollingUpdate depends on the type of the strategy.
    CHECK(!object["spec"]["strategy"].contains("rollingUpdate"));
    CHECK(!object["metadata"].contains("labels"));
}

TEST_CASE("pointers keep a zero that was sent, other fields do not") {
    CHECK(defaulted("apps/v1.Deployment", R"({"spec":{"replicas":0}})")["spec"]["replicas"] == 0);
    CHECK(defaulted("apps/v1.Deployment", R"({"spec":{"replicas":null}})")["spec"]["replicas"] == 1);
    CHECK(
        defaulted("core/v1.Probe", R"({"periodSeconds":0,"timeoutSeconds":4})") ==
        Json::parse(R"({"periodSeconds":10,"timeoutSeconds":4,"successThreshold":1,"failureThreshold":3})"));
    CHECK(defaulted("core/v1.PodSpec", R"({"restartPolicy":"","dnsPolicy":"Default"})")["dnsPolicy"] ==
          "Default");
    CHECK(defaulted("core/v1.PodSpec", R"({"restartPolicy":""})")["restartPolicy"] == "Always");
}

TEST_CASE("absent pointers stay absent; items of lists are reached") {
    const Json pod = defaulted(
        "core/v1.PodSpec",
        R"({"containers":[{"name":"a","ports":[{"containerPort":1},{"containerPort":2,"protocol":"UDP"}]}],
        "volumes":[{"name":"v","secret":{"secretName":"s"}}]})");
    CHECK(pod["containers"][0]["ports"][0]["protocol"] == "TCP");
    CHECK(pod["containers"][0]["ports"][1]["protocol"] == "UDP");
    CHECK(pod["containers"][0]["terminationMessagePath"] == "/dev/termination-log");
    CHECK(!pod["containers"][0].contains("livenessProbe"));
    CHECK(pod["volumes"][0]["secret"]["defaultMode"] == 420);
    CHECK(!pod["volumes"][0].contains("configMap"));
}

TEST_CASE("a job inside of a cron job is left to the cron job") {
    const Json object =
        defaulted("batch/v1.CronJob", R"({"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{}}}})");
    CHECK(object["spec"]["concurrencyPolicy"] == "Allow");
    CHECK(!object["spec"]["jobTemplate"]["spec"].contains("completionMode"));
    CHECK(object["spec"]["jobTemplate"]["spec"]["template"]["spec"]["schedulerName"] == "default-scheduler");
}

TEST_CASE("applying defaults twice changes nothing more") {
    for (const char* name :
         {"core/v1.Pod", "core/v1.Service", "apps/v1.StatefulSet", "apps/v1.DaemonSet", "batch/v1.CronJob",
          "core/v1.PersistentVolumeClaim", "admissionregistration/v1.ValidatingWebhookConfiguration"}) {
        Json once = defaulted(name, "{}");
        Json twice = once;
        apply_defaults(twice, *find_type(name));
        CHECK(once == twice);
    }
}

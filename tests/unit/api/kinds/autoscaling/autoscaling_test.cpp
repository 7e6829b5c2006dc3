// HorizontalPodAutoscaler: defaults, validation, and what becomes of one version's fields in another.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

namespace {
constexpr const char* group = "autoscaling";
constexpr const char* kind = "HorizontalPodAutoscaler";
const std::string target = R"("scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"})";

std::string with(const std::string& members) {
    return R"({"spec":{"maxReplicas":3,)" + target + (members.empty() ? "" : "," + members) + "}}";
}
}  // namespace

TEST_CASE("autoscaler v2: metrics and behavior by default") {
    RulesUnderTest v2(group, "v2", kind);
    const Json metrics = Json::parse(
        R"([{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}])");
    CHECK(v2.defaulted(with(""))["spec"]["metrics"] == metrics);
    const Json behavior =
        v2.defaulted(with(R"("behavior":{"scaleDown":{"selectPolicy":"Min"}})"))["spec"]["behavior"];
    CHECK(behavior["scaleDown"] ==
          Json::parse(
              R"({"selectPolicy":"Min","policies":[{"type":"Percent","value":100,"periodSeconds":15}]})"));
    CHECK(behavior["scaleUp"] == Json::parse(R"({"stabilizationWindowSeconds":0,"selectPolicy":"Max",
        "policies":[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]})"));
}

TEST_CASE("autoscaler v2: what is refused") {
    RulesUnderTest v2(group, "v2", kind);
    const auto metric = [](const std::string& metric) { return with(R"("metrics":[)" + metric + "]"); };
    const std::string at = "spec.metrics[0]", down = "spec.behavior.scaleDown";
    struct Case {
        std::string object, complaint;
    };
    const Case cases[] = {
        {metric(
             R"({"type":"Pods","pods":{"metric":{"name":""},"target":{"type":"AverageValue","averageValue":"0"}}})"),
         at + ".pods.metric.name: Required value: must specify a metric name\n" + at +
             ".pods.target.averageValue: Invalid value: \"0\": must be positive"},
        {metric(
             R"({"type":"External","external":{"metric":{"name":"q"},"target":{"type":"Value","value":"1","averageValue":"1"}}})"),
         at + ".external.target.value: Forbidden: may not set both a target value for metric and a per-pod "
              "target"},
        {metric(
             R"({"type":"Object","object":{"describedObject":{"kind":"Service","name":"s"},"metric":{"name":"m"},"target":{"type":"Odd"}}})"),
         at +
             ".object.target.type: Invalid value: \"Odd\": must be either Utilization, Value, or "
             "AverageValue\n" +
             at +
             ".object.target.averageValue: Required value: must set either a target value or averageValue"},
        {metric(
             R"({"type":"ContainerResource","containerResource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":0}}})"),
         at + ".containerResource.container: Required value: must specify a container\n" + at +
             ".containerResource.target.averageUtilization: Invalid value: 0: must be greater than 0"},
        {metric(
             R"({"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":1}},
                    "pods":{"metric":{"name":"m"},"target":{"type":"AverageValue","averageValue":"1"}}})"),
         at + ".pods: Forbidden: must populate the given metric source only"},
        {with(
             R"("behavior":{"scaleDown":{"stabilizationWindowSeconds":3601,"selectPolicy":"Most","policies":[{"type":"Nodes","value":0,"periodSeconds":1801}]}})"),
         down + ".stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600\n" +
             down +
             ".selectPolicy: Unsupported value: \"Most\": supported values: \"Disabled\", \"Max\", "
             "\"Min\"\n" +
             down +
             ".policies[0].type: Unsupported value: \"Nodes\": supported values: \"Percent\", \"Pods\"\n" +
             down + ".policies[0].value: Invalid value: 0: must be greater than zero\n" + down +
             ".policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800"},
        {with(""), ""},
    };
    for (const Case& item : cases) CHECK(v2.creating(item.object) == item.complaint);
    CHECK(v2.updating_status("{}", R"({"status":{"currentReplicas":-1,"desiredReplicas":0}})") ==
          "status.currentReplicas: Invalid value: -1: must be greater than or equal to 0");
}

TEST_CASE("autoscaler v1: what v2 says and v1 has no field for is kept in annotations") {
    const std::string stored_text = R"({"spec":{"maxReplicas":3,"metrics":[
        {"type":"Pods","pods":{"metric":{"name":"rps","selector":{"matchLabels":{"a":"b"}}},"target":{"type":"AverageValue","averageValue":"1k"}}},
        {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":60}}}],
        "behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"policies":[{"type":"Pods","value":4,"periodSeconds":15}]}}},
        "status":{"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":7,"averageValue":"5m"}}}],
                  "conditions":[{"type":"AbleToScale","status":"True","lastTransitionTime":"2024-01-02T03:04:05Z","reason":"R"}]}})";
    const Json stored = Json::parse(stored_text);
    const Json v1 = version_form(group, "v1", kind, stored);
    CHECK(v1["spec"] == Json::parse(R"({"maxReplicas":3,"targetCPUUtilizationPercentage":60})"));
    CHECK(v1["status"] == Json::parse(R"({"currentCPUUtilizationPercentage":7})"));
    const Json& annotations = v1["metadata"]["annotations"];
    CHECK(
        annotations["autoscaling.alpha.kubernetes.io/metrics"] ==
        R"([{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"1k","selector":{"matchLabels":{"a":"b"}}}}])");
    CHECK(
        annotations["autoscaling.alpha.kubernetes.io/current-metrics"] ==
        R"([{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":7,"currentAverageValue":"5m"}}])");
    CHECK(
        annotations["autoscaling.alpha.kubernetes.io/conditions"] ==
        R"([{"type":"AbleToScale","status":"True","lastTransitionTime":"2024-01-02T03:04:05Z","reason":"R"}])");
    CHECK(
        annotations["autoscaling.alpha.kubernetes.io/behavior"] ==
        R"({"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":null,"Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}]},"ScaleDown":null})");
    Json back = v1;
    RulesUnderTest(group, "v1", kind).rules.to_storage(back);
    CHECK(back["spec"] == stored["spec"]);
    CHECK(back["status"] == stored["status"]);
    CHECK(find(back, {"metadata", "annotations"}) == nullptr);
}

TEST_CASE("autoscaler v1: a target for the CPU by default, and malformed annotations go") {
    RulesUnderTest v1(group, "v1", kind);
    const Json object = v1.defaulted(
        R"({"metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/metrics":"nonsense","keep":"me"}},"spec":{"maxReplicas":3}})");
    CHECK(object["spec"]["targetCPUUtilizationPercentage"] == 80);
    CHECK(object["metadata"]["annotations"] == Json{{"keep", "me"}});
}

TEST_CASE("autoscaler v2beta1 and v2beta2: there and back") {
    const std::string flat = R"({"spec":{"minReplicas":1,"maxReplicas":3,)" + target + R"(,"metrics":[
        {"type":"External","external":{"metricName":"q","metricSelector":{"matchLabels":{"a":"b"}},"targetValue":"30"}},
        {"type":"Object","object":{"target":{"kind":"Service","name":"s"},"metricName":"m","targetValue":"2"}},
        {"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]}})";
    const Json stored = stored_form(group, "v2beta1", kind, flat);
    CHECK(
        stored["spec"]["metrics"][0]["external"] ==
        Json::parse(
            R"({"metric":{"name":"q","selector":{"matchLabels":{"a":"b"}}},"target":{"type":"Value","value":"30"}})"));
    CHECK(stored["spec"]["metrics"][2]["resource"] ==
          Json::parse(R"({"name":"memory","target":{"type":"AverageValue","averageValue":"1Gi"}})"));
    CHECK(version_form(group, "v2beta1", kind, stored) == Json::parse(flat));

    Json tolerant = Json::parse(R"({"spec":{"behavior":{"scaleUp":{"tolerance":"500m"}}}})");
    const Json beta2 = version_form(group, "v2beta2", kind, tolerant);
    CHECK(beta2["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/scale-up-tolerance"] == "500m");
    CHECK(find(beta2, {"spec", "behavior", "scaleUp", "tolerance"}) == nullptr);
    Json back = beta2;
    RulesUnderTest(group, "v2beta2", kind).rules.to_storage(back);
    CHECK(back["spec"] == tolerant["spec"]);
}

// PriorityClass, RuntimeClass, Lease: kinds with a rule or two.
#include "tests/unit/api/kinds/check_rules.h"

using namespace kubemu::api;

TEST_CASE("PriorityClass: names of the system, values, updates") {
    RulesUnderTest priority("scheduling.k8s.io", "v1", "PriorityClass");
    const std::string reserved =
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use "
        "only. error: ";
    CHECK(priority.creating(R"({"metadata":{"name":"system-cluster-critical"},"value":2000000000})").empty());
    CHECK(priority.creating(R"({"metadata":{"name":"system-cluster-critical"},"value":1})") ==
          reserved + "value of system-cluster-critical PriorityClass must be 2000000000");
    CHECK(priority.creating(R"({"metadata":{"name":"system-x"},"value":1})") ==
          reserved + "system-x is not a known system priority class");
    CHECK(priority.updating(R"({"metadata":{"name":"a"},"value":1})",
                            R"({"metadata":{"name":"a"},"value":2,"preemptionPolicy":"Never"})") ==
          "value: Forbidden: may not be changed in an update.\npreemptionPolicy: Invalid value: \"Never\": "
          "field is immutable");
    CHECK(priority.creating(R"({"metadata":{"name":"a"},"preemptionPolicy":""})") == "preemptionPolicy: Required value");
    // An update is told of its changes alone.
    CHECK(priority.updating(R"({"metadata":{"name":"a"},"value":1})",
                            R"({"metadata":{"name":"a"},"value":1,"preemptionPolicy":"Odd"})") ==
          "preemptionPolicy: Invalid value: \"Odd\": field is immutable");
    const auto refused = priority.rules.before_delete(
        Json::parse(R"({"metadata":{"name":"system-node-critical"}})"), priority.context());
    REQUIRE(!refused);
    CHECK(refused.error().code() == 403);
    CHECK(priority.rules.before_delete(Json::parse(R"({"metadata":{"name":"mine"}})"), priority.context()));
}

TEST_CASE("RuntimeClass: handler and overhead") {
    RulesUnderTest runtime("node.k8s.io", "v1", "RuntimeClass");
    CHECK(runtime.creating(R"({"handler":"runc","overhead":{"podFixed":{"cpu":"-1"}}})") ==
          "overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0");
    CHECK(runtime.creating(R"({"handler":"runc","scheduling":{"tolerations":[{"operator":"Odd"}]}})")
              .find("scheduling.tolerations[0].operator: ") == 0);
    CHECK(runtime.creating(R"({"handler":"runc","overhead":{"podFixed":{"hugepages-2Mi":"1Mi"}}})") ==
          "overhead.limits[hugepages-2Mi]: Invalid value: \"1Mi\": 1Mi is not positive integer multiple of hugepages-2Mi\n"
          "overhead: Forbidden: HugePages require cpu or memory");
    CHECK(runtime.creating(R"({"handler":"runc","scheduling":{"tolerations":[{"key":"a"},{"key":"b"},{"key":"a"}]}})")
              .starts_with("scheduling.tolerations[2]: Duplicate value: core.Toleration{Key:\"a\""));
    CHECK(runtime.creating(R"({"handler":""})") == "handler: Required value");
    CHECK(runtime.creating(R"({"handler":"a.b"})") ==
          "handler: Invalid value: \"a.b\": must not contain dots");
    CHECK(runtime.updating(R"({"handler":"a"})", R"({"handler":"b"})") ==
          "handler: Invalid value: \"b\": field is immutable");
}

TEST_CASE("Lease: a preferred holder needs a strategy") {
    RulesUnderTest lease("coordination.k8s.io", "v1", "Lease");
    CHECK(lease.creating(R"({"spec":{"preferredHolder":"x"}})") ==
          "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined");
    CHECK(lease.creating(R"({"spec":{"leaseDurationSeconds":1,"leaseTransitions":0}})").empty());
}

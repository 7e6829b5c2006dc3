// A flow schema tells whether its priority level exists, and notices when that changes.
#include "controllers/flowcontrol/controller.h"

#include <algorithm>
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

constexpr const char* schemas = "flowschemas.flowcontrol.apiserver.k8s.io";
constexpr const char* levels = "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io";

std::string dangling(tests::TestCluster& cluster) {
    cluster.settle();
    const api::Json schema = cluster.get(schemas, "mine", "");
    const api::Json& conditions = api::array_at(schema, {"status", "conditions"});
    if (conditions.size() != 1) return "not one condition";
    return std::string(api::string_at(conditions[0], {"status"})) + " " +
           std::string(api::string_at(conditions[0], {"reason"}));
}

}  // namespace

TEST_CASE("Dangling follows the priority level") {
    tests::TestCluster cluster;
    cluster.add<controllers::FlowSchemaController>();
    cluster.create(
        schemas,
        R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"FlowSchema","metadata":{"name":"mine"},
        "spec":{"priorityLevelConfiguration":{"name":"low"},"rules":[{"subjects":[{"kind":"User","user":{"name":"u"}}],
        "nonResourceRules":[{"verbs":["get"],"nonResourceURLs":["/x"]}]}]}})");
    CHECK(dangling(cluster) == "True NotFound");
    cluster.create(
        levels,
        R"({"apiVersion":"flowcontrol.apiserver.k8s.io/v1","kind":"PriorityLevelConfiguration","metadata":{"name":"low"},
        "spec":{"type":"Limited","limited":{"limitResponse":{"type":"Reject"}}}})");
    CHECK(dangling(cluster) == "False Found");
    const auto revision = cluster.get(schemas, "mine", "")["metadata"]["resourceVersion"];
    cluster.remove(levels, "low", {}, "");
    CHECK(dangling(cluster) == "True NotFound");
    const api::Json metadata = cluster.get(schemas, "mine", "")["metadata"];
    CHECK(metadata["resourceVersion"] != revision);
    const api::Json& owners = api::array_at(metadata, {"managedFields"});
    CHECK(std::any_of(owners.begin(), owners.end(), [](const api::Json& owner) {
        return owner["manager"] == "api-priority-and-fairness-config-consumer-v1" && owner["operation"] == "Apply";
    }));
}

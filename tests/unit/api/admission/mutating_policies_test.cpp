// MutatingAdmissionPolicies: configurations that are applied, operations that are carried out, and what is refused.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

struct Cluster : tests::TestCluster {
    void policy(const std::string& name, const Json& mutations, const Json& more = Json::object()) {
        Json spec = {{"matchConstraints", {{"resourceRules", {{{"apiGroups", {"", "apps"}}, {"apiVersions", {"v1"}}, {"operations", {"CREATE"}}, {"resources", {"configmaps", "deployments"}}}}}}},
                     {"reinvocationPolicy", "Never"},
                     {"mutations", mutations.is_array() ? mutations : Json::array({mutations})}};
        spec.update(more);
        create("mutatingadmissionpolicies.admissionregistration.k8s.io", Json{{"metadata", {{"name", name}}}, {"spec", spec}});
        create("mutatingadmissionpolicybindings.admissionregistration.k8s.io", Json{{"metadata", {{"name", name + "-b"}}}, {"spec", {{"policyName", name}}}});
    }
    std::string put(const Json& data = {{"k", "v"}}) {
        const auto written = registry().create(kind("configmaps"), "default", Json{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "m"}}}, {"data", data}}, WriteContext());
        return written ? registry().document(*written->record)["data"].dump() : std::to_string(written.error().code()) + " " + written.error()->reason + ": " + written.error()->message;
    }
};

Json apply(const std::string& expression) { return {{"patchType", "ApplyConfiguration"}, {"applyConfiguration", {{"expression", expression}}}}; }
Json patch(const std::string& expression) { return {{"patchType", "JSONPatch"}, {"jsonPatch", {{"expression", expression}}}}; }

}  // namespace

TEST_CASE("configurations are merged, operations carried out, in order") {
    Cluster cluster;
    cluster.policy("p", {apply("Object{data: {'a': object.data.k + '!'}}"),
                         patch("[JSONPatch{op: 'test', path: '/data/a', value: 'v!'}, JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('x.y'), value: object.data.a}]")});
    CHECK(cluster.put() == R"({"a":"v!","k":"v","x.y":"v!"})");
}

TEST_CASE("lists with keys are merged item by item, atomic ones are refused") {
    Cluster cluster;
    cluster.policy("p", {apply("Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{initContainers: "
                               "[Object.spec.template.spec.initContainers{name: 'mesh', image: 'proxy', restartPolicy: 'Always'}]}}}}")});
    const char* deployment = R"({"metadata":{"name":"d","namespace":"default"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"containers":[{"name":"c","image":"i"}]}}}})";
    const Json made = cluster.create("deployments.apps", deployment);
    CHECK(made["spec"]["template"]["spec"]["containers"].size() == 1);
    CHECK(made["spec"]["template"]["spec"]["initContainers"][0]["name"] == "mesh");

    Cluster other;
    other.policy("p", {apply("Object{spec: Object.spec{selector: Object.spec.wrong{matchLabels: {'x': 'y'}}}}")});
    const auto refused = other.registry().create(other.kind("deployments.apps"), "default", Json::parse(deployment), WriteContext());
    REQUIRE_FALSE(refused);
    CHECK(refused.error()->message == "policy 'p' with binding 'p-b' denied request: type mismatch: unexpected type name \"Object.spec.wrong\", expected "
                                      "\"Object.spec.selector\", which matches field name path from root Object type");
}

TEST_CASE("what fails follows the failure policy") {
    for (const char* policy : {"Fail", "Ignore"}) {
        Cluster cluster;
        cluster.policy("p", {patch("[JSONPatch{op: 'remove', path: '/data/none'}]")}, {{"failurePolicy", policy}});
        CHECK(cluster.put() == (std::string(policy) == "Ignore" ? R"({"k":"v"})"
                                                                  : "403 Invalid: policy 'p' with binding 'p-b' denied request: JSON Patch: error in remove for path: "
                                                                    "'/data/none': unable to remove nonexistent key: none: missing value"));
    }
}

TEST_CASE("a policy is asked again after a later change when it wants to be") {
    for (const char* again : {"IfNeeded", "Never"}) {
        Cluster cluster;
        cluster.policy("a", {patch("has(object.data.late) ? [JSONPatch{op: 'add', path: '/data/seen', value: 'yes'}] : []")}, {{"reinvocationPolicy", again}});
        cluster.policy("b", {patch("[JSONPatch{op: 'add', path: '/data/late', value: 'x'}]")});
        CHECK(cluster.put() == (std::string(again) == "IfNeeded" ? R"({"k":"v","late":"x","seen":"yes"})" : R"({"k":"v","late":"x"})"));
    }
}

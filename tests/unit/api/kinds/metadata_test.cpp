// What kinds ask of the names of their objects beyond what all have in common, and what they say first.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using tests::create_refused;

namespace {

std::string with_metadata(const char* metadata, const std::string& rest) {
    return std::string(R"({"metadata":)") + metadata + "," + rest + "}";
}

}  // namespace

TEST_CASE("names and what they are generated from, kind by kind") {
    tests::TestCluster cluster;
    const std::string made = R"("template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}})";
    const std::string controller = R"("spec":{"selector":{"a":"b"},)" + made + "}";
    const std::string set = R"("spec":{"serviceName":"s","selector":{"matchLabels":{"a":"b"}},)" + made + "}";
    const std::string service =
        R"("spec":{"group":"e.com","version":"v1","groupPriorityMinimum":1,"versionPriority":1})";
    const std::string budget = R"("spec":{"minAvailable":1})", event = R"("involvedObject":{"namespace":"default"})";
    const std::string definition =
        R"("spec":{"group":"e.com","scope":"Cluster","names":{"plural":"foos","kind":"Foo"},"versions":[{"name":"v1",)"
        R"("served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]})";
    struct Case {
        const char* resource;
        std::string object;
        std::string message;  // how it begins; empty: accepted
    };
    const Case cases[] = {
        {"replicationcontrollers", with_metadata(R"({"name":"r","generateName":"Bad_Name!"})", controller), ""},
        {"replicationcontrollers", with_metadata(R"({"name":"q","generateName":"a/b"})", controller),
         "ReplicationController \"q\" is invalid: metadata.generateName: Invalid value: \"a/b\": may not contain '/'"},
        {"deviceclasses.resource.k8s.io", R"({"metadata":{"name":"d","generateName":"Bad_Name!"}})", ""},
        {"statefulsets.apps", with_metadata(R"({"name":"a.b"})", set),
         "StatefulSet.apps \"a.b\" is invalid: metadata.name: Invalid value: \"a.b\": must not contain dots"},
        {"poddisruptionbudgets.policy", with_metadata(R"({"name":"Bad_Name"})", budget), ""},
        {"poddisruptionbudgets.policy", with_metadata(R"({"name":"a/b"})", budget),
         "PodDisruptionBudget.policy \"a/b\" is invalid: metadata.name: Invalid value: \"a/b\": may not contain '/'"},
        // What the kind itself complains of comes alone.
        {"poddisruptionbudgets.policy", with_metadata(R"({"name":"a/b"})", R"("spec":{"minAvailable":-1})"),
         "PodDisruptionBudget.policy \"a/b\" is invalid: spec.minAvailable: Invalid value: -1: must be greater than or "
         "equal to 0"},
        {"events", with_metadata(R"({"name":"Bad_Name","finalizers":["x"]})", event), ""},
        {"events", with_metadata(R"({"name":"e","labels":{"Bad!":""}})", event),
         "Event \"e\" is invalid: metadata.labels: Invalid value: \"Bad!\""},
        {"apiservices.apiregistration.k8s.io", with_metadata(R"({"name":"v1.e.com","generateName":"g"})", service),
         "APIService.apiregistration.k8s.io \"v1.e.com\" is invalid: metadata.generateName: Invalid value: \"g\": must be "
         "`spec.version+\".\"+spec.group`: \"v1.e.com\""},
        {"customresourcedefinitions.apiextensions.k8s.io", with_metadata(R"({"name":"bars.e.com"})", definition),
         "CustomResourceDefinition.apiextensions.k8s.io \"bars.e.com\" is invalid: metadata.name: Invalid value: "
         "\"bars.e.com\": must be spec.names.plural+\".\"+spec.group"},
        // A name that says something else than the spec is one of the complaints about the metadata.
        {"apiservices.apiregistration.k8s.io", with_metadata(R"({"name":"v2.e.com","labels":{"a!":""}})", service),
         "APIService.apiregistration.k8s.io \"v2.e.com\" is invalid: [metadata.name: Invalid value: \"v2.e.com\": must be "
         "`spec.version+\".\"+spec.group`: \"v1.e.com\", metadata.labels: "},
    };
    for (const Case& one : cases) {
        CAPTURE(one.object);
        const std::string refused = create_refused(cluster, one.resource, one.object);
        CHECK(refused.substr(0, one.message.size()) == one.message);
        CHECK(refused.empty() == one.message.empty());
    }
}

TEST_CASE("an update that is judged as a new object first complains of its metadata again behind that") {
    tests::TestCluster cluster;
    const char* const bindings = "rolebindings.rbac.authorization.k8s.io";
    cluster.create(bindings, R"({"metadata":{"name":"b"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"}})");
    const auto written = cluster.client().modify(cluster.kind(bindings), "default", "b", {}, [](api::Json& binding) {
        binding["metadata"]["labels"] = {{"a", "b!"}};
        binding["subjects"] = {{{"kind", "Odd"}, {"name", "x"}}};
        binding["roleRef"]["name"] = "s";
        return true;
    });
    REQUIRE_FALSE(written);
    std::vector<std::string> fields;
    for (const auto& cause : written.error()->causes) {
        if (fields.empty() || fields.back() != cause.field) fields.push_back(cause.field);
    }
    CHECK(fields == std::vector<std::string>{"metadata.labels", "subjects[0].kind", "metadata.labels", "roleRef"});
}

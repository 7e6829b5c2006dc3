// ValidatingAdmissionPolicies: which requests they are asked about, with which parameters, and what they answer.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/registry.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

constexpr const char* policies = "validatingadmissionpolicies.admissionregistration.k8s.io";
constexpr const char* bindings = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

struct Cluster : tests::TestCluster {
    std::vector<std::string> warnings;

    Cluster() {
        create("namespaces", Json{{"metadata", {{"name", "other"}}}});
        for (const char* name : {"default", "other"}) {
            patch("namespaces", name, R"({"metadata":{"labels":{"name":")" + std::string(name) + R"("}}})", {}, "");
        }
    }

    // A policy about ConfigMaps, and its binding.
    void policy(Json spec, Json binding = Json::object()) {
        if (!spec.contains("matchConstraints")) {
            spec["matchConstraints"] = {{"resourceRules", {{{"apiGroups", {""}}, {"apiVersions", {"v1"}}, {"operations", {"*"}}, {"resources", {"configmaps"}}}}}};
        }
        create(policies, Json{{"metadata", {{"name", "p"}}}, {"spec", spec}});
        binding["policyName"] = "p";
        if (!binding.contains("validationActions")) binding["validationActions"] = {"Deny"};
        create(bindings, Json{{"metadata", {{"name", "b"}}}, {"spec", binding}});
    }

    // "code reason: message" of what comes of creating the map; empty when it is accepted.
    std::string put(const std::string& data, const std::string& space = "default", const std::string& name = "m") {
        WriteContext context;
        context.warnings = &warnings;
        context.dry_run = true;
        Json object = {{"metadata", {{"name", name}}}, {"data", {{"k", data}}}};
        const auto written = registry().create(kind("configmaps"), space, object, context);
        if (written) return {};
        return std::to_string(written.error().code()) + " " + written.error()->reason + ": " + written.error()->message;
    }
};

const std::string denied = "configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";

}  // namespace

TEST_CASE("a validation that is false refuses the request with its message and reason") {
    Cluster cluster;
    cluster.policy({{"validations", {{{"expression", "object.data.k != 'bad'"}},
                                     {{"expression", "object.data.k != 'worse'"}, {"message", "no worse"}, {"reason", "Forbidden"}},
                                     {{"expression", "object.data.k != 'worst'"}, {"messageExpression", "'not ' + object.data.k"}}}}});
    CHECK(cluster.put("good").empty());
    CHECK(cluster.put("bad") == "422 Invalid: " + denied + "failed expression: object.data.k != 'bad'");
    CHECK(cluster.put("worse") == "403 Forbidden: " + denied + "no worse");
    CHECK(cluster.put("worst") == "422 Invalid: " + denied + "not worst");
}

TEST_CASE("an expression that fails follows the failure policy") {
    for (const char* policy : {"Fail", "Ignore"}) {
        Cluster cluster;
        cluster.policy({{"failurePolicy", policy}, {"validations", {{{"expression", "object.data.missing == 'x'"}}}}});
        CHECK(cluster.put("x") == (std::string(policy) == "Fail" ? "422 Invalid: " + denied +
                                                                       "expression 'object.data.missing == 'x'' resulted in error: no such key: missing"
                                                                 : ""));
    }
}

TEST_CASE("warnings are sent, and what is excluded, or does not match, is let through") {
    Cluster cluster;
    cluster.policy({{"matchConditions", {{{"name", "c"}, {"expression", "object.metadata.name != 'exempt'"}}}},
                    {"variables", {{{"name", "k"}, {"expression", "object.data.k"}}}},
                    {"validations", {{{"expression", "variables.k == 'good'"}}}}},
                   {{"validationActions", {"Warn", "Audit"}}, {"matchResources", {{"namespaceSelector", {{"matchLabels", {{"name", "default"}}}}}}}});
    CHECK(cluster.put("bad").empty());
    REQUIRE(cluster.warnings.size() == 1);
    CHECK(cluster.warnings[0] ==
          "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': failed expression: variables.k == 'good'");
    CHECK(cluster.put("bad", "other").empty());
    CHECK(cluster.put("bad", "default", "exempt").empty());
    CHECK(cluster.warnings.size() == 1);
}

TEST_CASE("parameters are found by name and by selector, each is used") {
    Cluster cluster;
    cluster.policy({{"paramKind", {{"apiVersion", "v1"}, {"kind", "Secret"}}},
                    {"validations", {{{"expression", "size(object.data.k) < int(params.metadata.annotations.max)"}}}}},
                   {{"paramRef", {{"selector", {{"matchLabels", {{"limit", "yes"}}}}}, {"parameterNotFoundAction", "Deny"}}}});
    CHECK(cluster.put("abc") == "422 Invalid: configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed to "
                                "configure binding: no params found for policy binding with `Deny` parameterNotFoundAction");
    for (const char* max : {"9", "4"}) {
        cluster.create("secrets", Json{{"metadata", {{"name", std::string("s") + max}, {"namespace", "default"}, {"labels", {{"limit", "yes"}}}, {"annotations", {{"max", max}}}}}});
    }
    CHECK(cluster.put("abc").empty());
    CHECK(cluster.put("abcdef").find("failed expression: size(object.data.k)") != std::string::npos);
}

TEST_CASE("the namespace, the request and the authorizer are seen; deletions too") {
    Cluster cluster;
    cluster.policy({{"validations", {{{"expression", "namespaceObject.metadata.labels.name == 'default' || request.operation != 'CREATE'"}},
                                     {{"expression", "authorizer.requestResource.check('create').allowed()"}},
                                     {{"expression", "request.operation != 'DELETE' || oldObject.metadata.name != 'kept'"}}}}});
    CHECK(cluster.put("x").empty());
    CHECK_FALSE(cluster.put("x", "other").empty());
    cluster.create("configmaps", Json{{"metadata", {{"name", "kept"}, {"namespace", "default"}}}});
    const auto removed = cluster.registry().remove(cluster.kind("configmaps"), "default", "kept", {}, WriteContext());
    REQUIRE_FALSE(removed);
    CHECK(removed.error()->message.find("configmaps \"kept\" is forbidden: ValidatingAdmissionPolicy 'p'") == 0);
}

TEST_CASE("unknown parameter kinds are errors of the policy") {
    Cluster cluster;
    cluster.policy({{"paramKind", {{"apiVersion", "example.com/v1"}, {"kind", "Limit"}}}, {"validations", {{{"expression", "true"}}}}},
                   {{"paramRef", {{"name", "x"}, {"parameterNotFoundAction", "Deny"}}}});
    CHECK(cluster.put("x") ==
          "422 Invalid: configmaps \"m\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find "
          "resource referenced by paramKind: 'example.com/v1, Kind=Limit'");
}

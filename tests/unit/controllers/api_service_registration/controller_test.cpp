// APIServices come and go with the versions that definitions serve.
#include "controllers/api_service_registration/controller.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

constexpr const char* definitions = "customresourcedefinitions.apiextensions.k8s.io";
constexpr const char* services = "apiservices.apiregistration.k8s.io";

std::string definition(const std::string& plural, const std::string& version) {
    return R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":")" +
           plural +
           R"(.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":")" +
           plural + R"(","kind":"K)" + plural + R"("},"versions":[{"name":")" + version +
           R"(","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}})";
}

}  // namespace

TEST_CASE("an APIService for each served version of a group") {
    tests::TestCluster cluster;
    cluster.add<controllers::ApiServiceRegistrationController>();
    cluster.create(definitions, definition("as", "v1"));
    cluster.create(definitions, definition("bs", "v1"));
    cluster.settle();
    const api::Json made = cluster.get(services, "v1.example.com", "");
    CHECK(made["spec"]["groupPriorityMinimum"] == 1000);
    CHECK(made["metadata"]["labels"]["kube-aggregator.kubernetes.io/automanaged"] == "true");

    // Taken away by somebody, made again.
    cluster.remove(services, "v1.example.com", {}, "");
    cluster.settle();
    CHECK(cluster.exists(services, "v1.example.com", ""));

    // The version is no longer served.
    for (const char* name : {"as.example.com", "bs.example.com"}) {
        cluster.patch(definitions, name, R"({"spec":{"versions":[{"name":"v1","served":false,"storage":true,
            "schema":{"openAPIV3Schema":{"type":"object"}}}]}})",
                      {}, "");
    }
    cluster.settle();
    CHECK(!cluster.exists(services, "v1.example.com", ""));
}

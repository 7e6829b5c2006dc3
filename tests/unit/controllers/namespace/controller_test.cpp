// Namespaces on their way out, and what every namespace has.
#include "controllers/namespace/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "controllers/service_account/controller.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

std::string condition(const api::Json& space, std::string_view type) {
    for (const api::Json& one : api::array_at(space, {"status", "conditions"})) {
        if (api::string_at(one, {"type"}) == type) return std::string(api::string_at(one, {"status"})) + ": " + std::string(api::string_at(one, {"message"}));
    }
    return {};
}

}  // namespace

TEST_CASE("a namespace goes with all that is in it") {
    tests::TestCluster cluster;
    cluster.add<controllers::NamespaceController>();
    cluster.create("namespaces", R"({"metadata":{"name":"n"}})");
    cluster.create("configmaps", R"({"metadata":{"name":"m","namespace":"n"}})");
    cluster.create("secrets", R"({"metadata":{"name":"s","namespace":"n"}})");
    cluster.settle();
    cluster.remove("namespaces", "n");
    cluster.settle();
    CHECK_FALSE(cluster.exists("namespaces", "n"));
    CHECK_FALSE(cluster.exists("configmaps", "m", "n"));
    CHECK_FALSE(cluster.exists("secrets", "s", "n"));
}

TEST_CASE("a finalizer inside holds the namespace, which says so") {
    tests::TestCluster cluster;
    cluster.add<controllers::NamespaceController>();
    cluster.create("namespaces", R"({"metadata":{"name":"n"}})");
    cluster.create("configmaps", R"({"metadata":{"name":"m","namespace":"n","finalizers":["example.com/hold"]}})");
    cluster.settle();
    cluster.remove("namespaces", "n");
    cluster.settle();
    const api::Json space = cluster.get("namespaces", "n");
    CHECK(api::string_at(space, {"status", "phase"}) == "Terminating");
    CHECK(condition(space, "NamespaceContentRemaining") == "True: Some resources are remaining: configmaps. has 1 resource instances");
    CHECK(condition(space, "NamespaceFinalizersRemaining") == "True: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances");
    CHECK(condition(space, "NamespaceDeletionContentFailure") == "False: All content successfully deleted, may be waiting on finalization");
    cluster.patch("configmaps", "m", R"({"metadata":{"finalizers":null}})", {}, "n");
    cluster.settle();
    CHECK_FALSE(cluster.exists("namespaces", "n"));
}

TEST_CASE("pods go before all that may protect them") {
    tests::TestCluster cluster;
    cluster.add<controllers::NamespaceController>();
    cluster.create("namespaces", R"({"metadata":{"name":"n"}})");
    cluster.create("configmaps", R"({"metadata":{"name":"m","namespace":"n"}})");
    cluster.create("serviceaccounts", R"({"metadata":{"name":"default","namespace":"n"}})");
    cluster.create("pods", R"({"metadata":{"name":"p","namespace":"n","finalizers":["example.com/hold"]},"spec":{"containers":[{"name":"c","image":"i"}]}})");
    cluster.settle();
    cluster.remove("namespaces", "n");
    cluster.settle();
    CHECK(api::find(cluster.get("pods", "p", "n"), {"metadata", "deletionTimestamp"}) != nullptr);
    CHECK(cluster.exists("configmaps", "m", "n"));
    CHECK(api::find(cluster.get("configmaps", "m", "n"), {"metadata", "deletionTimestamp"}) == nullptr);
    CHECK(condition(cluster.get("namespaces", "n"), "NamespaceContentRemaining") == "True: Some resources are remaining: pods. has 1 resource instances");
    cluster.patch("pods", "p", R"({"metadata":{"finalizers":null}})", {}, "n");
    cluster.settle();
    CHECK_FALSE(cluster.exists("namespaces", "n"));
    CHECK_FALSE(cluster.exists("configmaps", "m", "n"));
}

TEST_CASE("every namespace has its account and the root certificate, whatever is done to them") {
    tests::TestCluster cluster;
    cluster.add<controllers::ServiceAccountController>();
    cluster.add<controllers::RootCertificateController>("PEM");
    cluster.create("namespaces", R"({"metadata":{"name":"n"}})");
    cluster.settle();
    REQUIRE(cluster.exists("serviceaccounts", "default", "n"));
    cluster.remove("serviceaccounts", "default", {}, "n");
    cluster.remove("configmaps", "kube-root-ca.crt", {}, "n");
    cluster.settle();
    CHECK(cluster.exists("serviceaccounts", "default", "n"));
    cluster.patch("configmaps", "kube-root-ca.crt", R"({"data":{"ca.crt":"forged"}})", {}, "n");
    cluster.settle();
    CHECK(api::string_at(cluster.get("configmaps", "kube-root-ca.crt", "n"), {"data", "ca.crt"}) == "PEM");
}

TEST_CASE("a finalizer of somebody else in its spec keeps an empty namespace") {
    tests::TestCluster cluster;
    cluster.add<controllers::NamespaceController>();
    cluster.create("namespaces", R"({"metadata":{"name":"n"},"spec":{"finalizers":["kubernetes","example.com/mine"]}})");
    cluster.create("configmaps", R"({"metadata":{"name":"m","namespace":"n"}})");
    cluster.settle();
    cluster.remove("namespaces", "n");
    cluster.settle();
    const api::Json space = cluster.get("namespaces", "n");
    CHECK(space["spec"]["finalizers"] == api::Json::array({"example.com/mine"}));
    CHECK(condition(space, "NamespaceContentRemaining") == "False: All content successfully removed");
    CHECK(condition(space, "NamespaceFinalizersRemaining") == "False: All content-preserving finalizers finished");
    CHECK_FALSE(cluster.exists("configmaps", "m", "n"));
}

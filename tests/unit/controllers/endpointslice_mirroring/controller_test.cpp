// Endpoints kept by hand, mirrored.
#include "controllers/endpointslice_mirroring/controller.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/harness/test_cluster.h"

using namespace kubemu;

namespace {

struct Cluster : tests::TestCluster {
    Cluster() {
        add<controllers::EndpointSliceMirroringController>();
        create("services", R"({"metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}})");
        create("endpoints", R"({"metadata":{"name":"s","labels":{"mine":"yes"}},"subsets":[
            {"addresses":[{"ip":"10.9.8.7"}],"notReadyAddresses":[{"ip":"10.9.8.8"}],"ports":[{"port":8080}]},
            {"addresses":[{"ip":"fd00::1"}],"ports":[{"port":8080}]}]})");
        settle();
    }
    std::vector<api::Json> slices() { return list("endpointslices.discovery.k8s.io"); }
};

}  // namespace

TEST_CASE("one slice a family, with labels, owner and readiness") {
    Cluster cluster;
    REQUIRE(cluster.slices().size() == 2);
    for (const api::Json& slice : cluster.slices()) {
        CHECK(api::string_at(slice, {"metadata", "labels", "endpointslice.kubernetes.io/managed-by"}) == "endpointslicemirroring-controller.k8s.io");
        CHECK(api::string_at(slice, {"metadata", "labels", "mine"}) == "yes");
        CHECK(api::string_at(slice["metadata"]["ownerReferences"][0], {"kind"}) == "Endpoints");
        if (api::string_at(slice, {"addressType"}) == "IPv6") continue;
        REQUIRE(slice["endpoints"].size() == 2);
        CHECK(api::bool_at(slice["endpoints"][0], {"conditions", "ready"}));
        CHECK_FALSE(api::bool_at(slice["endpoints"][1], {"conditions", "ready"}, true));
    }
}

TEST_CASE("slices follow changes and go with their reason") {
    Cluster cluster;
    const std::string before(api::name_of(cluster.slices().front()));
    SUBCASE("addresses") {
        cluster.patch("endpoints", "s", R"({"subsets":[{"addresses":[{"ip":"10.0.0.1"}],"ports":[{"port":8080}]}]})");
        cluster.settle();
        REQUIRE(cluster.slices().size() == 1);
        CHECK(cluster.slices().front()["endpoints"][0]["addresses"][0] == "10.0.0.1");
    }
    SUBCASE("a selector") { cluster.patch("services", "s", R"({"spec":{"selector":{"a":"b"}}})"); cluster.settle(); CHECK(cluster.slices().empty()); }
    SUBCASE("a label") { cluster.patch("endpoints", "s", R"({"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}}})"); cluster.settle(); CHECK(cluster.slices().empty()); }
    SUBCASE("the service") { cluster.remove("services", "s"); cluster.settle(); CHECK(cluster.slices().empty()); }
}

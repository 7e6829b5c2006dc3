// Binding a pod to a node: what it asks of the pod, and what it leaves there.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/client.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

constexpr const char* pod = R"({"metadata":{"name":"p","labels":{"a":"b"},"annotations":{"x":"y"}},
    "spec":{"containers":[{"name":"c","image":"i"}]}})";

// The message of the refusal; empty when the pod is bound.
std::string bind(tests::TestCluster& cluster, const char* metadata) {
    Json binding = {{"metadata", Json::parse(metadata)}, {"target", {{"kind", "Node"}, {"name", "n"}}}};
    binding["metadata"]["name"] = "p";
    const auto bound = cluster.client().create_subresource(cluster.kind("pods"), "default", "p", "binding", binding);
    return bound ? "" : bound.error()->message;
}

}  // namespace

TEST_CASE("a binding is for one pod, and for one version of it if it says so") {
    tests::TestCluster cluster;
    CHECK(bind(cluster, R"({"uid":"u"})") == "pods \"p\" not found");
    cluster.create("pods", pod);
    const std::string conflict =
        "Operation cannot be fulfilled on pods \"p\": StorageError: invalid object, Code: 4, Key: /registry/pods/default/p, "
        "ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ";
    const Json metadata = cluster.get("pods", "p")["metadata"];
    const std::string uid = metadata["uid"], version = metadata["resourceVersion"];
    CHECK(bind(cluster, R"({"uid":"u"})") ==
          conflict + "UID in precondition: u, UID in object meta: " + uid);
    CHECK(bind(cluster, R"({"resourceVersion":"x"})") ==
          conflict + "ResourceVersion in precondition: x, ResourceVersion in object meta: " + version);
    CHECK(bind(cluster, (R"({"uid":")" + uid + R"(","resourceVersion":")" + version + "\"}").c_str()) == "");
}

TEST_CASE("a gated pod is not bound") {
    tests::TestCluster cluster;
    Json gated = Json::parse(pod);
    gated["spec"]["schedulingGates"] = {{{"name", "e.com/g"}}};
    cluster.create("pods", gated);
    CHECK(bind(cluster, "{}") ==
          "Operation cannot be fulfilled on pods/binding \"p\": pod p has non-empty .spec.schedulingGates");
}

TEST_CASE("a bound pod has the labels and annotations of its binding, and is nominated nowhere") {
    tests::TestCluster cluster;
    cluster.create("pods", pod);
    const auto nominate = [](Json& object) {
        object["status"]["nominatedNodeName"] = "m";
        return true;
    };
    REQUIRE(cluster.client().modify(cluster.kind("pods"), "default", "p", "status", nominate));
    REQUIRE(bind(cluster, R"({"labels":{"a":"c","not a label!":"d"},"annotations":{"k":"v"}})") == "");
    const Json bound = cluster.get("pods", "p");
    CHECK(bound["metadata"]["labels"] == Json{{"a", "c"}, {"not a label!", "d"}});
    CHECK(bound["metadata"]["annotations"] == Json{{"x", "y"}, {"k", "v"}});
    CHECK(bound["spec"]["nodeName"] == "n");
    CHECK_FALSE(bound["status"].contains("nominatedNodeName"));
}

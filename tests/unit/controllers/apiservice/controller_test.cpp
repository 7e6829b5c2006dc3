// The condition Available, and what requests learn of a server.
#include "controllers/apiservice/controller.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/documents/discovery.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::controllers;
using api::Json;

namespace {

struct FakeServer final : api::RemoteCaller {
    api::RemoteAnswer answer;
    std::vector<api::RemoteCall> calls;
    void call(api::RemoteCall call, std::function<void(api::RemoteAnswer)> done) override {
        calls.push_back(std::move(call));
        done(answer);
    }
};

}  // namespace

TEST_CASE("an API service is available once its server answers") {
    tests::TestCluster cluster;
    FakeServer server;
    api::AggregatedServices services;
    cluster.add<ApiServiceController>(ApiServiceController::Options{services, server, {"default/far"}});
    cluster.create("apiservices.apiregistration.k8s.io",
                   Json{{"metadata", {{"name", "v1.wardle.example.com"}}},
                        {"spec", {{"group", "wardle.example.com"}, {"version", "v1"}, {"groupPriorityMinimum", 1000}, {"versionPriority", 15},
                                  {"insecureSkipTLSVerify", true}, {"service", {{"namespace", "default"}, {"name", "far"}}}}}});
    const auto condition = [&] {
        cluster.settle();
        const Json available = cluster.get("apiservices.apiregistration.k8s.io", "v1.wardle.example.com", "")["status"]["conditions"][0];
        return available["status"].get<std::string>() + " " + available["reason"].get<std::string>() + ": " + available["message"].get<std::string>();
    };
    CHECK(condition() == "False ServiceNotFound: service/far in \"default\" is not present");
    server.answer = {"dial tcp 127.0.0.1:1: connect: connection refused", 0, {}, {}};
    cluster.create("services", Json{{"metadata", {{"name", "far"}, {"namespace", "default"}}}, {"spec", {{"ports", {{{"port", 80}}}}}}});
    CHECK(condition() == "False ServicePortError: service/far in \"default\" is not listening on port 443");
    cluster.patch("services", "far", R"({"spec":{"ports":[{"port":443}]}})");
    CHECK(condition().find("False FailedDiscoveryCheck: failing or missing response from https://") == 0);
    server.answer = {{}, 200, "application/json", R"({"kind":"APIResourceList","resources":[{"name":"flunders","namespaced":true,"kind":"Flunder","verbs":["get"]}]})"};
    cluster.advance(std::chrono::seconds(3));
    CHECK(condition() == "True Passed: all checks passed");
    const auto found = services.find("wardle.example.com", "v1");
    REQUIRE(found != nullptr);
    CHECK(found->available);
    CHECK(api::aggregated_version(*found).find(R"("resource":"flunders")") != std::string::npos);
    // What it says of itself is read when its index names another hash.
    const auto openapi_calls = [&] {
        return std::count_if(server.calls.begin(), server.calls.end(), [](const api::RemoteCall& call) { return call.url.find("/openapi/v2") != std::string::npos; });
    };
    REQUIRE(services.find("wardle.example.com", "v1")->openapi != nullptr);
    CHECK(services.find("wardle.example.com", "v1")->openapi->v3_url.empty());  // the list of resources is no index
    server.answer.body = R"({"resources":[],"paths":{"apis/wardle.example.com/v1":{"serverRelativeURL":"/openapi/v3/apis/wardle.example.com/v1?hash=A"}}})";
    cluster.advance(std::chrono::seconds(31));
    cluster.settle();
    REQUIRE(services.find("wardle.example.com", "v1")->openapi != nullptr);
    CHECK(services.find("wardle.example.com", "v1")->openapi->v3_url == "/openapi/v3/apis/wardle.example.com/v1?hash=A");
    const auto epoch = services.openapi_epoch();
    const auto read = openapi_calls();
    cluster.advance(std::chrono::seconds(31));
    cluster.settle();
    CHECK(openapi_calls() == read);
    CHECK(services.openapi_epoch() == epoch);
    cluster.remove("apiservices.apiregistration.k8s.io", "v1.wardle.example.com", {}, "");
    cluster.settle();
    CHECK(services.empty());
}

// Scales as clients read, patch and miss them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

constexpr const char* merge = "application/merge-patch+json";
const std::string deployments = "/apis/apps/v1/namespaces/default/deployments";

struct Server : tests::TestCluster {
    Server() {
        create("deployments.apps", R"({"metadata":{"name":"d"},"spec":{"replicas":1,"selector":{"matchLabels":{"a":"b"}},
            "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    }

    Json ask(const std::string& method, const std::string& target, const std::string& body = {}, const std::string& accept = {}) {
        Request request;
        request.method = method;
        const std::size_t mark = target.find('?');
        request.path = target.substr(0, mark);
        if (mark != std::string::npos) request.query = target.substr(mark + 1);
        request.body = body;
        request.content_type = method == "PATCH" ? merge : "application/json";
        request.accept = accept;
        std::string text;
        handlers.handle(std::move(request), [&text](Response response) {
            for (const Slice& part : response.body) text += part.text;
        });
        if (text.empty()) store().flush();
        return Json::parse(text, nullptr, false);
    }
    std::string message(const std::string& method, const std::string& target, const std::string& body = {}) {
        return std::string(string_at(ask(method, target, body), {"message"}));
    }

    tests::OpenAccess access{*this};
    Handlers handlers{{.registry = registry(), .access = access.get()}};
};

}  // namespace

TEST_CASE_FIXTURE(Server, "the Scale of what is not there has a name of its own, but for StatefulSets") {
    const auto missing = [this](const std::string& of) { return message("GET", of + "/nope/scale"); };
    CHECK(missing(deployments) == "deployments/scale.apps \"nope\" not found");
    CHECK(ask("GET", deployments + "/nope/scale")["details"]["kind"] == "deployments/scale");
    CHECK(missing("/apis/apps/v1/namespaces/default/statefulsets") == "statefulsets.apps \"nope\" not found");
    CHECK(missing("/api/v1/namespaces/default/replicationcontrollers") ==
          "replicationcontrollers/scale.autoscaling \"nope\" not found");
}

TEST_CASE_FIXTURE(Server, "a Scale of old that is made by a patch has its selector as a map") {
    const auto patch = [this](const std::string& status) {
        return message("PATCH", deployments + "/d/scale?dryRun=All",
                       R"({"apiVersion":"extensions/v1beta1","kind":"Scale","spec":{"replicas":3})" + status + "}");
    };
    const auto ends = [](const std::string& text, const std::string& end) { return text.ends_with(end); };
    CHECK(ends(patch(""), "json: cannot unmarshal string into Go struct field ScaleStatus.status.selector of type map[string]string"));
    CHECK(ends(patch(R"(,"status":{"selector":null,"targetSelector":5})"),
               "json: cannot unmarshal number into Go struct field ScaleStatus.status.targetSelector of type string"));
    CHECK(patch(R"(,"status":{"selector":null})").empty());
    CHECK(patch(R"(,"status":{"selector":{"a":"b"},"targetSelector":"a=b"})").empty());
}

TEST_CASE_FIXTURE(Server, "a refused patch shows who owns the replicas") {
    REQUIRE(ask("PATCH", deployments + "/d/scale", R"({"spec":{"replicas":2}})")["spec"]["replicas"] == 2);
    const std::string shown = message("PATCH", deployments + "/d/scale", R"({"spec":{"replicas":"x"}})");
    CHECK(shown.find(R"(\"managedFields\":[{\"manager\":)") != std::string::npos);
    CHECK(shown.find(R"(\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}},\"subresource\":\"scale\"}]},\"spec\":{\"replicas\":\"x\"})") != std::string::npos);
}

TEST_CASE_FIXTURE(Server, "a dry run names the key of an object without the prefix of the storage") {
    const std::string body = R"({"metadata":{"name":"d","uid":"x"},"spec":{"replicas":2}})";
    CHECK(message("PUT", deployments + "/d/scale?dryRun=All", body).find("Key: /deployments/default/d,") != std::string::npos);
    CHECK(message("PUT", deployments + "/d/scale", body).find("Key: /registry/deployments/default/d,") != std::string::npos);
}

TEST_CASE_FIXTURE(Server, "the name in a Table of a Scale has no format") {
    const Json table = ask("GET", deployments + "/d/scale", {}, "application/json;as=Table;v=v1;g=meta.k8s.io");
    REQUIRE(table["kind"] == "Table");
    CHECK(table["columnDefinitions"][0]["format"] == "");
}

// Admission of what is answered instead of stored: tokens of service accounts, and reviews.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/remote_calls.h"
#include "api/values/text.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

// Answers each review by a function of the request, and keeps them.
struct FakeServer final : RemoteCaller {
    std::function<Json(const Json& request)> respond = [](const Json&) { return Json{{"allowed", true}}; };
    std::vector<Json> requests;

    void call(RemoteCall call, std::function<void(RemoteAnswer)> done) override {
        const Json review = Json::parse(call.body);
        requests.push_back(review["request"]);
        Json response = respond(review["request"]);
        response["uid"] = review["request"]["uid"];
        done({{}, 200, "application/json", Json{{"kind", "AdmissionReview"}, {"apiVersion", "admission.k8s.io/v1"}, {"response", response}}.dump()});
    }
};

struct Server : tests::TestCluster {
    Server() { create("serviceaccounts", R"({"metadata":{"name":"bot"}})"); }

    void configure(const std::string& kind, const std::string& group, const std::string& resource) {
        const Json hook = {{"name", "v.example.com"},
                           {"clientConfig", {{"url", "https://127.0.0.1:1/"}}},
                           {"rules", {{{"apiGroups", {group}}, {"apiVersions", {"*"}}, {"operations", {"CREATE"}}, {"resources", {resource}}}}},
                           {"sideEffects", "None"},
                           {"admissionReviewVersions", {"v1"}}};
        create(kind + "webhookconfigurations.admissionregistration.k8s.io", Json{{"metadata", {{"name", kind}}}, {"webhooks", Json::array({hook})}});
    }
    // Refuses everything of this resource.
    void forbid(const std::string& group, const std::string& resource) {
        create("validatingadmissionpolicies.admissionregistration.k8s.io",
               Json{{"metadata", {{"name", "no"}}},
                    {"spec",
                     {{"matchConstraints", {{"resourceRules", {{{"apiGroups", {group}}, {"apiVersions", {"*"}}, {"operations", {"CREATE"}}, {"resources", {resource}}}}}}},
                      {"validations", {{{"expression", "false"}, {"message", "never"}}}}}}});
        create("validatingadmissionpolicybindings.admissionregistration.k8s.io",
               Json{{"metadata", {{"name", "no"}}}, {"spec", {{"policyName", "no"}, {"validationActions", {"Deny"}}}}});
    }

    Json post(const std::string& path, const Json& body) {
        Request request;
        request.method = "POST";
        request.path = path;
        request.content_type = "application/json";
        request.body = body.dump();
        std::string text;
        handlers.handle(std::move(request), [&text](Response response) {
            for (const Slice& part : response.body) text += part.text;
        });
        return Json::parse(text);
    }
    Json token(std::int64_t seconds = 3600) {
        return post("/api/v1/namespaces/default/serviceaccounts/bot/token", {{"spec", {{"expirationSeconds", seconds}}}});
    }
    Json may(const std::string& space = {}) {
        return post(space.empty() ? "/apis/authorization.k8s.io/v1/subjectaccessreviews"
                                  : "/apis/authorization.k8s.io/v1/namespaces/" + space + "/localsubjectaccessreviews",
                    {{"spec", {{"user", "eve"}, {"resourceAttributes", {{"verb", "get"}, {"resource", "pods"}, {"namespace", space}}}}}});
    }

    FakeServer remote;
    tests::OpenAccess access{*this};
    Handlers handlers{{.registry = registry(), .access = access.get(), .remote = &remote}};
};

}  // namespace

TEST_CASE_FIXTURE(Server, "webhooks are asked about tokens, and change what is asked for") {
    configure("mutating", "", "serviceaccounts/token");
    configure("validating", "", "serviceaccounts/*");
    remote.respond = [](const Json& request) -> Json {
        if (request["object"]["spec"]["expirationSeconds"] != 3600) return {{"allowed", true}};
        const std::string patch = R"([{"op":"replace","path":"/spec/expirationSeconds","value":7200}])";
        return {{"allowed", true}, {"patchType", "JSONPatch"}, {"patch", base64_encode(patch)}};
    };
    const Json answered = token();
    CHECK(answered["spec"]["expirationSeconds"] == 7200);
    CHECK(answered["status"]["token"].is_string());
    REQUIRE(remote.requests.size() == 2);
    const Json& asked = remote.requests[0];
    CHECK(asked["kind"] == Json{{"group", "authentication.k8s.io"}, {"version", "v1"}, {"kind", "TokenRequest"}});
    CHECK(asked["resource"] == Json{{"group", ""}, {"version", "v1"}, {"resource", "serviceaccounts"}});
    CHECK(asked["subResource"] == "token");
    CHECK(asked["name"] == "bot");
    CHECK(asked["object"]["kind"] == "TokenRequest");
    CHECK(asked["object"]["apiVersion"] == "authentication.k8s.io/v1");
    // Those that validate see it as it will be answered, without the token.
    const Json& judged = remote.requests[1]["object"];
    CHECK(judged["spec"]["expirationSeconds"] == 7200);
    CHECK(judged["metadata"]["name"] == "bot");
    CHECK(!judged.contains("status"));
}

TEST_CASE_FIXTURE(Server, "webhooks refuse tokens, after what is wrong with the request itself") {
    configure("validating", "", "serviceaccounts/token");
    remote.respond = [](const Json&) { return Json{{"allowed", false}, {"status", {{"code", 403}, {"message", "no tokens"}}}}; };
    CHECK(token()["message"] == "admission webhook \"v.example.com\" denied the request: no tokens");
    CHECK(token()["code"] == 403);
    CHECK(token(10)["code"] == 422);
    CHECK(remote.requests.size() == 2);
}

TEST_CASE_FIXTURE(Server, "policies judge tokens, but no reviews") {
    forbid("", "serviceaccounts/token");
    CHECK(token()["message"] == "serviceaccounts \"bot\" is forbidden: ValidatingAdmissionPolicy 'no' with binding 'no' denied request: never");
}

TEST_CASE_FIXTURE(Server, "webhooks judge reviews, policies do not") {
    forbid("authorization.k8s.io", "*");
    configure("validating", "authorization.k8s.io", "*");
    CHECK(may()["status"]["allowed"] == true);
    REQUIRE(remote.requests.size() == 1);
    CHECK(remote.requests[0]["kind"]["kind"] == "SubjectAccessReview");
    CHECK(remote.requests[0]["object"]["spec"]["user"] == "eve");
    // What is wrong with the question itself is said before anybody is asked.
    CHECK(post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {{"spec", Json::object()}})["code"] == 422);
    CHECK(remote.requests.size() == 1);
    remote.respond = [](const Json&) { return Json{{"allowed", false}}; };
    CHECK(may()["message"] == "admission webhook \"v.example.com\" denied the request without explanation");
}

TEST_CASE_FIXTURE(Server, "a question about a namespace that is not there is answered; other writes there are refused") {
    CHECK(may("nowhere")["status"]["allowed"] == true);
    CHECK(post("/api/v1/namespaces/nowhere/serviceaccounts/bot/token", {{"spec", Json::object()}})["message"] == "namespaces \"nowhere\" not found");
}

TEST_CASE_FIXTURE(Server, "identity reviews are judged too") {
    configure("validating", "authentication.k8s.io", "*");
    const auto review = [&](const Json& spec) { return post("/apis/authentication.k8s.io/v1/tokenreviews", {{"spec", spec}}); };
    CHECK(review({{"token", "x"}})["status"].contains("error"));
    CHECK(remote.requests.at(0)["object"]["spec"]["token"] == "x");
    CHECK(review(Json::object())["code"] == 400);
    post("/apis/authentication.k8s.io/v1/selfsubjectreviews", Json::object());
    CHECK(remote.requests.size() == 2);
}

// The line that the audit log gets for a request.
#include "api/audit.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;

namespace {

struct AuditedServer : tests::TestCluster {
    tests::OpenAccess access{*this};
    std::vector<Json> lines;
    api::AuditLog audit{clock(), registry().random(), [this](const std::string& line) {
        REQUIRE(line.back() == '\n');
        lines.push_back(Json::parse(line));
    }};
    api::Handlers handlers{{.registry = registry(), .access = access.get(), .audit = &audit}};

    const Json& ask(const std::string& method, const std::string& target, const std::string& body = {}) {
        api::Request request;
        request.method = method;
        const std::size_t mark = target.find('?');
        request.path = target.substr(0, mark);
        if (mark != std::string::npos) request.query = target.substr(mark + 1);
        request.body = body;
        request.user_agent = "auditor/1";
        const std::size_t before = lines.size();
        handlers.handle(std::move(request), [](api::Response) {});
        store().flush();
        REQUIRE(lines.size() == before + 1);
        return lines.back();
    }
};

}  // namespace

TEST_CASE("the line says who asked for what, and what came of it") {
    AuditedServer server;
    const Json created = server.ask("POST", "/api/v1/namespaces/default/configmaps?fieldManager=me", R"({"metadata":{"name":"a"},"data":{"secret":"x"}})");
    CHECK(created["kind"] == "Event");
    CHECK(created["apiVersion"] == "audit.k8s.io/v1");
    CHECK(created["verb"] == "create");
    CHECK(created["requestURI"] == "/api/v1/namespaces/default/configmaps?fieldManager=me");
    CHECK(created["objectRef"] == Json::parse(R"({"resource":"configmaps","namespace":"default","apiVersion":"v1"})"));
    CHECK(created["responseStatus"] == Json::parse(R"({"metadata":{},"code":201})"));
    CHECK(created["user"]["username"] == "admin");
    CHECK(created["userAgent"] == "auditor/1");
    CHECK(created["requestReceivedTimestamp"] == "2026-01-01T00:00:00.000000Z");
    CHECK(created.dump().find("secret") == std::string::npos);  // no bodies at this level
    const Json again = server.ask("POST", "/api/v1/namespaces/default/configmaps", R"({"metadata":{"name":"a"}})");
    CHECK(again["responseStatus"]["reason"] == "AlreadyExists");
    CHECK(again["auditID"] != created["auditID"]);
    CHECK(server.ask("GET", "/api/v1/namespaces/default/configmaps/a")["verb"] == "get");
    CHECK(server.ask("GET", "/api/v1/configmaps")["verb"] == "list");
    CHECK(server.ask("DELETE", "/api/v1/namespaces/default/configmaps")["verb"] == "deletecollection");
    CHECK(server.ask("GET", "/healthz")["verb"] == "get");
    CHECK(!server.lines.back().contains("objectRef"));
    const Json watch = server.ask("GET", "/api/v1/configmaps?watch=true");
    CHECK(watch["verb"] == "watch");
    CHECK(watch["stage"] == "ResponseStarted");
}

TEST_CASE("what judged the request is noted") {
    AuditedServer server;
    server.ask("POST", "/api/v1/namespaces", R"({"metadata":{"name":"strict","labels":{"pod-security.kubernetes.io/audit":"baseline"}}})");
    server.ask("POST", "/api/v1/namespaces/strict/serviceaccounts", R"({"metadata":{"name":"default"}})");
    const Json pod = server.ask("POST", "/api/v1/namespaces/strict/pods",
                                R"({"metadata":{"name":"p"},"spec":{"hostNetwork":true,"containers":[{"name":"c","image":"i"}]}})");
    CHECK(pod["annotations"]["authorization.k8s.io/decision"] == "allow");
    CHECK(pod["annotations"]["pod-security.kubernetes.io/enforce-policy"] == "privileged:latest");
    CHECK(pod["annotations"]["pod-security.kubernetes.io/audit-violations"] ==
          "would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)");
    server.ask("POST", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", R"({"metadata":{"name":"few"},"spec":{
      "matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CREATE"],"resources":["configmaps"]}]},
      "validations":[{"expression":"object.metadata.name != 'bad'","message":"no"}],
      "auditAnnotations":[{"key":"name","valueExpression":"'it is ' + object.metadata.name"},{"key":"none","valueExpression":"''"}]}})");
    server.ask("POST", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
               R"({"metadata":{"name":"all"},"spec":{"policyName":"few","validationActions":["Audit"]}})");
    const Json good = server.ask("POST", "/api/v1/namespaces/strict/configmaps", R"({"metadata":{"name":"good"}})")["annotations"];
    CHECK(good["few/name"] == "it is good");
    CHECK(!good.contains("few/none"));
    CHECK(!good.contains("validation.policy.admission.k8s.io/validation_failure"));
    const Json bad = server.ask("POST", "/api/v1/namespaces/strict/configmaps", R"({"metadata":{"name":"bad"}})");
    CHECK(bad["responseStatus"]["code"] == 201);
    CHECK(bad["annotations"]["validation.policy.admission.k8s.io/validation_failure"] ==
          R"([{"message":"no","policy":"few","binding":"all","expressionIndex":0,"validationActions":["Audit"]}])");
}

// Webhooks: whom they are asked about, what they are told, and what their answers do. The server is a function.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/draft.h"
#include "api/registry.h"
#include "api/remote_calls.h"
#include "api/request_scope.h"
#include "api/values/text.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

constexpr const char* mutating = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
constexpr const char* validating = "validatingwebhookconfigurations.admissionregistration.k8s.io";

// Answers each review by a function of the request and the URL's path.
struct FakeServer final : RemoteCaller {
    std::function<Json(const std::string& path, const Json& request)> respond;
    std::optional<RemoteAnswer> raw;  // instead
    std::vector<Json> requests;
    std::vector<RemoteCall> calls;

    void call(RemoteCall call, std::function<void(RemoteAnswer)> done) override {
        calls.push_back(call);
        const Json review = Json::parse(call.body);
        requests.push_back(review["request"]);
        if (raw) return done(*raw);
        const std::string path = call.url.substr(call.url.rfind('/'), call.url.find('?') - call.url.rfind('/'));
        Json response = respond(path, review["request"]);
        if (!response.contains("uid")) response["uid"] = review["request"]["uid"];
        done({{}, 200, "application/json", Json{{"kind", "AdmissionReview"}, {"apiVersion", review["apiVersion"]}, {"response", response}}.dump()});
    }
};

struct Cluster : tests::TestCluster {
    FakeServer server;
    Registry& hooked = registry();

    BlockingWaiter waiter{server};

    Cluster() { may_wait_by(&waiter); }
    ~Cluster() { may_wait_by(nullptr); }
    std::vector<std::string> warnings;

    static Json hook(const std::string& name, const Json& more = Json::object()) {
        Json made = {{"name", name + ".example.com"},
                     {"clientConfig", {{"url", "https://127.0.0.1:1/" + name}}},
                     {"rules", {{{"apiGroups", {"*"}}, {"apiVersions", {"*"}}, {"operations", {"*"}}, {"resources", {"configmaps", "deployments"}}}}},
                     {"sideEffects", "None"},
                     {"admissionReviewVersions", {"v1"}}};
        made.update(more);
        return made;
    }
    void configure(const char* resource, const std::string& name, const Json& hooks) {
        create(resource, Json{{"metadata", {{"name", name}}}, {"webhooks", hooks.is_array() ? hooks : Json::array({hooks})}});
    }

    ApiResult<Written> put(const std::string& name, bool dry_run = false) {
        WriteContext context;
        context.warnings = &warnings;
        context.dry_run = dry_run;
        return hooked.create(kind("configmaps"), "default", Json{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", {{"k", "v"}}}}, context);
    }
    // "code reason: message" of the refusal.
    std::string refusal(const std::string& name, bool dry_run = false) {
        const auto written = put(name, dry_run);
        if (written) return {};
        return std::to_string(written.error().code()) + " " + written.error()->reason + ": " + written.error()->message;
    }
};

Json patch(const std::string& operations) { return {{"allowed", true}, {"patchType", "JSONPatch"}, {"patch", base64_encode(operations)}}; }

}  // namespace

TEST_CASE("a webhook is told of the request and lets it pass, refuses it or warns") {
    Cluster cluster;
    cluster.configure(validating, "v", {Cluster::hook("check")});
    cluster.server.respond = [](const std::string&, const Json& request) -> Json {
        if (request["name"] == "plain") return {{"allowed", false}};
        if (request["name"] == "told") return {{"allowed", false}, {"status", {{"code", 403}, {"reason", "Forbidden"}, {"message", "not this one"}}}};
        return {{"allowed", true}, {"warnings", {"take care"}}};
    };
    CHECK(cluster.put("m"));
    CHECK(cluster.warnings == std::vector<std::string>{"take care"});
    const Json request = cluster.server.requests.at(0);
    CHECK(request["operation"] == "CREATE");
    CHECK(request["kind"] == Json{{"group", ""}, {"version", "v1"}, {"kind", "ConfigMap"}});
    CHECK(request["resource"] == Json{{"group", ""}, {"version", "v1"}, {"resource", "configmaps"}});
    CHECK(request["namespace"] == "default");
    CHECK(request["object"]["data"]["k"] == "v");
    CHECK(request["oldObject"].is_null());
    CHECK(request["dryRun"] == false);
    CHECK(request["userInfo"]["username"] == "admin");
    CHECK(cluster.server.calls.at(0).url == "https://127.0.0.1:1/check?timeout=10s");
    CHECK(cluster.refusal("plain") == "400 : admission webhook \"check.example.com\" denied the request without explanation");
    CHECK(cluster.refusal("told") == "403 Forbidden: admission webhook \"check.example.com\" denied the request: not this one");
    REQUIRE(cluster.hooked.remove(cluster.kind("configmaps"), "default", "m", {}, WriteContext()));
    CHECK(cluster.server.requests.back()["operation"] == "DELETE");
    CHECK(cluster.server.requests.back()["object"].is_null());
    CHECK(cluster.server.requests.back()["oldObject"]["metadata"]["name"] == "m");
}

TEST_CASE("patches are applied one after the other, and what comes of them is defaulted") {
    Cluster cluster;
    cluster.configure(mutating, "m", {Cluster::hook("first", {{"reinvocationPolicy", "IfNeeded"}}), Cluster::hook("second")});
    std::vector<std::string> order;
    cluster.server.respond = [&](const std::string& path, const Json& request) -> Json {
        order.push_back(path + " " + request["object"]["data"].dump());
        if (path == "/first" && request["object"]["data"].contains("a")) return {{"allowed", true}};
        return patch(R"([{"op":"add","path":"/data/)" + std::string(path == "/first" ? "a" : "b") + R"(","value":"1"},{"op":"add","path":"/unknown","value":1}])");
    };
    const auto written = cluster.put("m");
    REQUIRE(written);
    const Json stored = cluster.get("configmaps", "m");
    CHECK(stored["data"] == Json{{"k", "v"}, {"a", "1"}, {"b", "1"}});
    CHECK_FALSE(stored.contains("unknown"));
    // The first one is asked again, because the second changed what it had seen.
    CHECK(order == std::vector<std::string>{"/first {\"k\":\"v\"}", "/second {\"a\":\"1\",\"k\":\"v\"}", "/first {\"a\":\"1\",\"b\":\"1\",\"k\":\"v\"}"});
    CHECK(cluster.server.requests[0]["uid"] != cluster.server.requests[1]["uid"]);
}

TEST_CASE("patches that cannot be carried out refuse the request") {
    Cluster cluster;
    cluster.configure(mutating, "m", {Cluster::hook("p")});
    cluster.server.respond = [](const std::string&, const Json&) { return patch(R"([{"op":"remove","path":"/data/x"}])"); };
    CHECK(cluster.refusal("m") == "500 InternalError: Internal error occurred: error in remove for path: '/data/x': unable to remove nonexistent key: x: missing value");
    cluster.server.respond = [](const std::string&, const Json&) { return patch("{}"); };
    CHECK(cluster.refusal("m") == "500 InternalError: Internal error occurred: failed calling webhook \"p.example.com\": received undecodable patch in webhook response: json: "
                                  "cannot unmarshal object into Go value of type jsonpatch.Patch");
}

TEST_CASE("answers that are none count as failures, which the failure policy decides on") {
    for (const bool ignores : {false, true}) {
        Cluster cluster;
        cluster.configure(validating, "v", {Cluster::hook("check", {{"failurePolicy", ignores ? "Ignore" : "Fail"}})});
        const std::string failing = "500 InternalError: Internal error occurred: failed calling webhook \"check.example.com\": ";
        int count = 0;
        const auto expect = [&](RemoteAnswer answer, const std::string& why) {
            cluster.server.raw = std::move(answer);
            CHECK(cluster.refusal("m" + std::to_string(count++)) == (ignores ? "" : failing + why));
        };
        expect({"context deadline exceeded", 0, {}, {}}, "failed to call webhook: Post \"https://127.0.0.1:1/check?timeout=10s\": context deadline exceeded");
        expect({{}, 500, "text/plain", "boom"}, "failed to call webhook: an error on the server (\"boom\") has prevented the request from succeeding");
        expect({{}, 404, "text/plain", "?"}, "failed to call webhook: the server could not find the requested resource");
        expect({{}, 200, "text/html", "<html>"},
               "failed to call webhook: couldn't get version/kind; json parse error: invalid character '<' looking for beginning of value");
        expect({{}, 200, "application/json", "{}"}, "received invalid webhook response: webhook response was absent");
        cluster.server.raw.reset();
        cluster.server.respond = [](const std::string&, const Json&) { return Json{{"allowed", true}, {"uid", "other"}}; };
        const std::string answer = cluster.refusal("last");
        CHECK(answer.find("received invalid webhook response: expected response.uid=\"") == (ignores ? std::string::npos : failing.size()));
    }
}

TEST_CASE("selectors, conditions, scope and dry runs decide whether a webhook is asked") {
    Cluster cluster;
    const Json nobody = {{"matchLabels", {{"none", "x"}}}};
    cluster.configure(validating, "v",
                      {Cluster::hook("space", {{"namespaceSelector", nobody}}), Cluster::hook("object", {{"objectSelector", nobody}}),
                       Cluster::hook("condition", {{"matchConditions", {{{"name", "c"}, {"expression", "object.metadata.name == 'x'"}}}}})});
    cluster.server.respond = [](const std::string&, const Json&) { return Json{{"allowed", false}}; };
    CHECK(cluster.put("m"));
    CHECK(cluster.server.calls.empty());
    CHECK_FALSE(cluster.put("x"));
    CHECK(cluster.server.calls.size() == 1);
}

TEST_CASE("a webhook with side effects refuses dry runs") {
    Cluster cluster;
    Json some = Cluster::hook("some");
    some["sideEffects"] = "Some";
    some["failurePolicy"] = "Fail";
    some["timeoutSeconds"] = 10;
    some["matchPolicy"] = "Equivalent";
    some["rules"][0]["scope"] = "*";
    // v1 takes no such webhook; one that v1beta1 took is still stored.
    const KindSpec& kind = cluster.kind(validating);
    storage::Transaction transaction;
    transaction.drafts.push_back(make_draft(kind, Json{{"metadata", {{"name", "v"}, {"uid", "u"}}}, {"webhooks", Json::array({some})}}, storage::Precondition::absent()));
    REQUIRE(cluster.store().submit(std::move(transaction), {}));
    cluster.store().flush();
    cluster.server.respond = [](const std::string&, const Json&) { return Json{{"allowed", true}}; };
    CHECK(cluster.refusal("m").empty());
    CHECK(cluster.server.calls.size() == 1);
    CHECK(cluster.refusal("m", true) == "400 BadRequest: admission webhook \"some.example.com\" does not support dry run");
}

TEST_CASE("equivalent versions are shown in the version of the rule; configurations are exempt") {
    Cluster cluster;
    Json rule = {{"apiGroups", {"autoscaling"}}, {"apiVersions", {"v1"}}, {"operations", {"CREATE"}}, {"resources", {"horizontalpodautoscalers"}}};
    cluster.configure(validating, "v", {Cluster::hook("check", {{"rules", {rule}}}), Cluster::hook("all", {{"rules", {{{"apiGroups", {"admissionregistration.k8s.io"}}, {"apiVersions", {"*"}}, {"operations", {"*"}}, {"resources", {"*"}}}}}})});
    cluster.server.respond = [](const std::string&, const Json&) { return Json{{"allowed", true}}; };
    const KindSpec* second = cluster.kinds().by_kind("autoscaling", "v2", "HorizontalPodAutoscaler");
    REQUIRE(cluster.hooked.create(*second, "default",
                                  Json{{"metadata", {{"name", "h"}}}, {"spec", {{"maxReplicas", 3}, {"scaleTargetRef", {{"kind", "Deployment"}, {"name", "d"}, {"apiVersion", "apps/v1"}}}}}},
                                  WriteContext()));
    REQUIRE(cluster.server.requests.size() == 1);
    const Json request = cluster.server.requests[0];
    CHECK(request["kind"]["version"] == "v1");
    CHECK(request["requestKind"]["version"] == "v2");
    CHECK(request["object"]["apiVersion"] == "autoscaling/v1");
    REQUIRE(cluster.hooked.create(cluster.kind(validating), {}, Json{{"metadata", {{"name", "w"}}}}, WriteContext()));
    CHECK(cluster.server.requests.size() == 1);
}

TEST_CASE("generated names and uids are the same when the write is made again for the answer") {
    Cluster cluster;
    cluster.configure(mutating, "m", {Cluster::hook("a")});
    cluster.configure(validating, "v", {Cluster::hook("b")});
    cluster.server.respond = [](const std::string&, const Json&) { return Json{{"allowed", true}}; };
    const auto written = cluster.hooked.create(cluster.kind("configmaps"), "default",
                                               Json{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"generateName", "g-"}}}}, WriteContext());
    REQUIRE(written);
    CHECK(cluster.server.requests.size() == 2);
    const Json stored = cluster.hooked.document(*written->record);
    CHECK(cluster.server.requests[1]["name"] == stored["metadata"]["name"]);
    CHECK(cluster.server.requests[1]["object"]["metadata"]["uid"] == stored["metadata"]["uid"]);
}

TEST_CASE("services lead to their endpoints") {
    Cluster cluster;
    Json hook = Cluster::hook("check");
    hook["clientConfig"] = {{"service", {{"namespace", "default"}, {"name", "svc"}, {"path", "/p"}}}};
    cluster.configure(validating, "v", {hook});
    cluster.server.raw = RemoteAnswer{"x", 0, {}, {}};
    (void)cluster.put("m");
    CHECK(cluster.server.calls.back().url == "https://svc.default.svc:443/p?timeout=10s");
    CHECK(cluster.server.calls.back().unreachable == "service \"svc\" not found");
    cluster.create("services", Json{{"metadata", {{"name", "svc"}, {"namespace", "default"}}}, {"spec", {{"ports", {{{"port", 443}, {"name", "https"}}}}}}});
    (void)cluster.put("m");
    CHECK(cluster.server.calls.back().unreachable == "no endpoints available for service \"svc\"");
    cluster.create("endpointslices.discovery.k8s.io",
                   Json{{"metadata", {{"name", "svc-x"}, {"namespace", "default"}, {"labels", {{"kubernetes.io/service-name", "svc"}}}}},
                        {"addressType", "IPv4"}, {"ports", {{{"name", "https"}, {"port", 8443}}}}, {"endpoints", {{{"addresses", {"10.1.2.3"}}}}}});
    (void)cluster.put("m");
    CHECK(cluster.server.calls.back().address == "10.1.2.3:8443");
}

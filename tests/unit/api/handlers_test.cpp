// Requests without HTTP: what each form of request is answered, as kube-apiserver answers it.
#include "handlers_fixture.h"

using namespace kubemu;
using namespace kubemu::api::test;
using api::Json;

namespace {

const char* const strategic = "application/strategic-merge-patch+json";

}  // namespace

TEST_CASE("routes refuse without looking at resources") {
    Server server;
    struct Case {
        const char* method;
        std::string path;
        int code;
    };
    const Case cases[] = {{"PUT", config_maps, 405},
                          {"POST", config_maps + "/x", 405},
                          {"DELETE", "/api/v1/namespaces", 405},
                          {"DELETE", "/apis/apps/v1/namespaces/default/deployments/d/status", 405},
                          {"OPTIONS", config_maps, 405},
                          {"POST", "/api/v1/configmaps", 405},
                          {"GET", "/api/v1/namespaces/default/bindings", 405},
                          {"PUT", "/api", 405},
                          {"GET", "/api/v1/configmaps/x", 404},
                          {"GET", "/api/v1/namespaces/default/nodes", 404},
                          {"GET", config_maps + "/x/scale", 404},
                          {"GET", "/apis/apps/v7/deployments", 404},
                          {"GET", "/api/v2", 404}};
    for (const Case& one : cases) {
        CAPTURE(one.method);
        CAPTURE(one.path);
        const Answer answer = server.ask(one.method, one.path);
        CHECK(answer.code == one.code);
        CHECK(answer.body["details"] == Json::object());
    }
    CHECK(server.ask("GET", "/nope").body.is_discarded());
    CHECK(server.ask("PATCH", config_maps + "/x", "{}", "application/json").code == 415);
    CHECK(server.ask("GET", config_maps, "", "", "text/html").code == 406);
    CHECK(server.ask("GET", "/version", "", "", "text/html").code == 406);
}

TEST_CASE("all that is wrong with options is told at once, in the order of their checks") {
    Server server;
    const auto message = [&](const std::string& method, const std::string& query, const char* body, const char* type) {
        return server.ask(method, config_maps + (method == "POST" ? "?" : "/x?") + query, body, type).body["message"];
    };
    CHECK(message("POST", "dryRun=x&fieldManager=a%00b%01&fieldValidation=y", "{}", "") ==
          "CreateOptions.meta.k8s.io \"\" is invalid: [fieldManager: Invalid value: \"a\\x00b\\x01\": invalid character U+0000 (at "
          "position 1), fieldManager: Invalid value: \"a\\x00b\\x01\": invalid character U+0001 (at position 3), dryRun: Unsupported "
          "value: []string{\"x\"}: supported values: \"All\", fieldValidation: Unsupported value: \"y\": supported values: \"\", "
          "\"Ignore\", \"Strict\", \"Warn\"]");
    CHECK(message("PATCH", "force=true&dryRun=x", "{}", merge) ==
          "PatchOptions.meta.k8s.io \"\" is invalid: [force: Forbidden: may not be specified for non-apply patch, dryRun: Unsupported "
          "value: []string{\"x\"}: supported values: \"All\"]");
    CHECK(message("PATCH", "fieldValidation=x", "{}", "application/apply-patch+yaml") ==
          "PatchOptions.meta.k8s.io \"\" is invalid: [fieldManager: Required value: is required for apply patch, fieldValidation: "
          "Unsupported value: \"x\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"]");
    CHECK(message("DELETE", "fieldManager=%00&dryRun=x&propagationPolicy=y", "", "") ==
          "DeleteOptions.meta.k8s.io \"\" is invalid: [propagationPolicy: Unsupported value: \"y\": supported values: \"Foreground\", "
          "\"Background\", \"Orphan\", \"nil\", dryRun: Unsupported value: []string{\"x\"}: supported values: \"All\"]");
    CHECK(server.ask("DELETE", config_maps + "/x?fieldManager=%00&fieldValidation=y").code == 404);
}

TEST_CASE("paths with empty parts lead where a router sends them") {
    Server server;
    server.config_map("x");
    CHECK(server.ask("GET", "/api/v1/namespaces//configmaps").body["items"].size() == 1);
    CHECK(server.ask("POST", "/api/v1/namespaces//configmaps", R"({"metadata":{"name":"a"}})").body["message"] ==
          "ConfigMap \"a\" is invalid: metadata.namespace: Required value");
    for (const char* method : {"GET", "DELETE"}) {
        CHECK(server.ask(method, "/api/v1/namespaces//configmaps/x").body["message"] == "Namespace parameter required.");
    }
    for (const char* path : {"/api/v1/namespaces//nodes", "/api/v1//namespaces/default", "/api//v1/pods", "/apis/apps/v1//deployments"}) {
        CHECK(server.ask("GET", path).body["message"] == "the server could not find the requested resource");
    }
    for (const char* path : {"//api/v1/pods", "/apis//apps/v1", "/healthz/", "/openapi/v2/", "/metrics/"}) {
        const Answer answer = server.ask("GET", path);
        CHECK(answer.code == 404);
        CHECK(answer.body.is_discarded());
    }
    CHECK(server.ask("GET", "/version/").code == 200);
    CHECK(server.ask("GET", config_maps + "/%zz").code == 400);
    CHECK(server.ask("GET", config_maps + "/a%25").body["message"] == "Name parameter invalid: \"a%\": may not contain '%'");
    CHECK(server.ask("DELETE", config_maps + "/..").body["message"] == "Name parameter invalid: \"..\": may not be '..'");
    CHECK(server.ask("GET", config_maps + "?watch=1&continue=x").code == 422);
}

TEST_CASE("a token that is none is told as its decoder tells it, before the revision is looked at") {
    Server server;
    const auto message = [&](const std::string& query) { return server.ask("GET", config_maps + "?" + query).body["message"]; };
    const std::string bad = "invalid continue token: continue key is not valid: ";
    CHECK(message("continue=a%25&resourceVersion=x") == bad + "illegal base64 data at input byte 1");
    CHECK(message("continue=NQ") == bad + "json: cannot unmarshal number into Go value of type storage.continueToken");
    CHECK(message("continue=eyJ2IjogMX0") == bad + "json: cannot unmarshal number into Go struct field continueToken.v of type string");
}

TEST_CASE("kinds that name their field labels take no others") {
    Server server;
    const auto select = [&](const char* kind, const char* field) {
        return server.ask("GET", "/api/v1/" + std::string(kind) + "?fieldSelector=" + field + "%3Dx").body["message"];
    };
    for (const char* field : {"metadata.namespace", "name", "data.a"}) {
        CHECK(select("namespaces", field) == "field label not supported: " + std::string(field));
    }
    CHECK(select("nodes", "metadata.namespace") == "field label not supported: metadata.namespace");
    CHECK(select("secrets", "data.a") == "field label not supported: data.a");
    CHECK(select("pods", "status.podIPs").is_null());
    CHECK(select("persistentvolumes", "metadata.namespace").is_null());
}

TEST_CASE("what is no DeleteOptions is refused in the words of its decoder") {
    Server server;
    server.config_map("x");
    const auto message = [&](const char* body) { return server.ask("DELETE", config_maps + "/x", body).body["message"]; };
    CHECK(message(R"({"kind":"Foo"})") == "no kind \"Foo\" is registered for version \"meta.k8s.io/v1\" in scheme "
                                          "\"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\"");
    CHECK(message("x") == "couldn't get version/kind; json parse error: invalid character 'x' looking for beginning of value");
    CHECK(server.ask("GET", config_maps + "/x").code == 200);
}

TEST_CASE("who deletes a Job hears that its pods stay, unless they say so") {
    Server server;
    const std::string jobs = "/apis/batch/v1/namespaces/default/jobs";
    const auto warnings = [&](const std::string& query, const char* body) { return server.ask("DELETE", jobs + query, body).warnings; };
    CHECK(warnings("/j", "") == 1);
    CHECK(warnings("/j", R"({"propagationPolicy":"Orphan"})") == 0);
    CHECK(warnings("/j?orphanDependents=false", "") == 0);
    CHECK(warnings("", "") == 1);
}

TEST_CASE("what a YAML body says twice is warned of line by line") {
    Server server;
    CHECK(server.ask("POST", config_maps + "?dryRun=All", "metadata:\n  name: q\ndata: {b: x}\nfoo: 1\nfoo: 2\ndata: {c: z}\n", "application/yaml")
              .warnings == 3);
}

TEST_CASE("an item is got, whatever else the query says") {
    Server server;
    server.config_map("x");
    CHECK(server.ask("GET", config_maps + "/x?watch=1").body["metadata"]["name"] == "x");
    CHECK(server.ask("GET", "/apis/apps/v1/namespaces/default/deployments/x/scale").body["details"]["kind"] ==
          "deployments/scale");
}

TEST_CASE("/version says as which release the server behaves") {
    Server server;
    const Json version = server.ask("GET", "/version").body;
    CHECK(version["emulationMinor"] == version["minor"]);
    CHECK(version["minCompatibilityMinor"] == "35");
}

TEST_CASE("patches: what is wrong is told with what was sent") {
    Server server;
    server.config_map("x");
    const auto patch = [&](const char* type, const char* body, const char* query = "") {
        return server.ask("PATCH", config_maps + "/x" + query, body, type);
    };
    CHECK(patch(merge, "not json").body["message"] == "error decoding patch: invalid character 'o' in literal null (expecting 'u')");
    CHECK(patch(merge, "null").body["message"] == "Invalid JSON Patch");
    CHECK(patch(strategic, "[").body["message"] == "unexpected end of JSON input");
    const Json wrong = patch(strategic, R"({"data":{"a":5}})").body;
    CHECK(wrong["message"] == " \"\" is invalid: patch: Invalid value: \"map[data:map[a:5]]\": cannot convert int64 to string");
    const std::string merged = patch(merge, R"({"data":{"a":5}})").body["message"];
    CHECK(merged.find("Invalid value: \"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":{\\\"a\\\":5}") != std::string::npos);
    const Json strict = patch(merge, R"({"dta":{"a":"5"},"dta":1})", "?fieldValidation=Strict").body;
    CHECK(strict["message"].get<std::string>().find("strict decoding error: duplicate field \"dta\", unknown field \"dta\"") !=
          std::string::npos);
    CHECK(patch(merge, R"({"kind":"Pod"})").body["message"].get<std::string>().find("converting (v1.Pod) to (core.ConfigMap)") !=
          std::string::npos);
    // Every check of the metadata complains.
    CHECK(patch(merge, R"({"metadata":{"uid":"u"}})").body["details"]["causes"].size() == 2);
    CHECK(patch(merge, R"({"metadata":{"labels":{"bad key":"x"}}})").body["details"]["causes"].size() == 4);
    CHECK(patch(merge, R"({"metadata":{"deletionTimestamp":"2030-01-01T00:00:00Z"}})").body["details"]["causes"][0]["message"] ==
          "Invalid value: 2030-01-01 00:00:00 +0000 UTC: field is immutable");
    CHECK(patch(merge, R"({"metadata":{"resourceVersion":"1"}})").code == 409);
    for (const char* nameless : {R"({"metadata":null})", R"({"metadata":{"name":null}})"}) {
        CHECK(patch(merge, nameless).body["message"] ==
              "the name of the object (x based on URL) was undeterminable: name must be provided");
    }
    CHECK(server.ask("PATCH", config_maps + "/none", "not json", merge).code == 404);
}

TEST_CASE("applying needs YAML that is a map, and no uid of somebody else") {
    Server server;
    const auto apply = [&](const char* body, const char* query = "?fieldManager=m") {
        return server.ask("PATCH", config_maps + "/x" + query, body, "application/apply-patch+yaml");
    };
    CHECK(apply(": bad").body["message"] == "error decoding YAML: error converting YAML to JSON: yaml: did not find expected key");
    CHECK(apply("[]").body["message"] == "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                                         "array into Go value of type map[string]interface {}");
    const char* const mine = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","uid":"u"}})";
    CHECK(apply(mine).code == 409);
    CHECK(apply(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}})").code == 201);
    CHECK(apply(mine).code == 422);
    // Words of a set and owners that are atomic are checked as what they are.
    CHECK(apply(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","finalizers":["example.com/f"],
        "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u"}]}})").code == 200);
    CHECK(apply(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x",
        "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"n","uid":"u","odd":1}]}})").code == 500);
    // JSON is YAML: what only JSON takes is refused, and numbers are what YAML makes of them.
    CHECK(apply("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"\x7f\"}}").code == 400);
    const auto json_twice = apply(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"1","a":"2"}})");
    CHECK(json_twice.code == 200);
    const char* const twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: '1'\n  a: '2'\n";
    CHECK(apply(twice, "?fieldManager=m&fieldValidation=Strict").body["message"] ==
          "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 6: key \"a\" already set in map");
}

TEST_CASE("status is not for writers of the object, and generation follows what is wanted") {
    Server server;
    const std::string deployments = "/apis/apps/v1/namespaces/default/deployments";
    const char* const web = R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"status":{"replicas":7},
        "spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"containers":[{"name":"c","image":"i"}]}}}})";
    const Json made = server.ask("POST", deployments, web).body;
    CHECK_FALSE(made["status"].contains("replicas"));
    const auto patch = [&](const char* body, const char* part = "") {
        return server.ask("PATCH", deployments + "/web" + part, body, merge).body;
    };
    const Json annotated = patch(R"({"metadata":{"annotations":{"x":"y"}},"status":{"replicas":7}})");
    CHECK(annotated["metadata"]["generation"] == 2);
    CHECK_FALSE(annotated["status"].contains("replicas"));
    CHECK(patch(R"({"metadata":{"labels":{"x":"y"}}})")["metadata"]["generation"] == 2);
    const Json observed = patch(R"({"metadata":{"labels":{"z":"z"}},"spec":{"replicas":5},"status":{"replicas":7}})", "/status");
    CHECK(observed["status"]["replicas"] == 7);
    CHECK(observed["spec"]["replicas"] == 1);
    CHECK_FALSE(observed["metadata"]["labels"].contains("z"));
}

TEST_CASE("collections are removed by page and selector, and answered as the lists they were") {
    Server server;
    for (const char* name : {"a", "b", "c", "d"}) server.config_map(name, R"({"labels":{"g":"1"}})");
    server.config_map("e");
    const Json page = server.ask("DELETE", config_maps + "?labelSelector=g&limit=2").body;
    CHECK(page["kind"] == "ConfigMapList");
    CHECK(page["items"].size() == 2);
    CHECK(page["metadata"].contains("continue"));
    CHECK(server.ask("GET", config_maps).body["items"].size() == 3);
    CHECK(server.ask("DELETE", config_maps + "?dryRun=All").body["items"].size() == 3);
    CHECK(server.ask("DELETE", config_maps + "?labelSelector=g").body["items"].size() == 2);
    const Json left = server.ask("GET", config_maps).body["items"];
    REQUIRE(left.size() == 1);
    CHECK(left[0]["metadata"]["name"] == "e");
    CHECK(server.ask("DELETE", config_maps + "?resourceVersionMatch=Exact").code == 422);
    // The query may say which object is meant, and that nothing is to come of it, in full.
    CHECK(server.ask("DELETE", config_maps + "/e?uid=x").code == 409);
    CHECK(server.ask("DELETE", config_maps + "/e?resourceVersion=1").code == 409);
    CHECK(server.ask("DELETE", config_maps + "/e?dryRun=").code == 422);
    CHECK(server.ask("DELETE", config_maps + "/e?dryRun=x&dryRun=All").body["message"] ==
          "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: []string{\"x\", \"All\"}: supported values: "
          "\"All\"");
    CHECK(server.ask("GET", config_maps + "/e").code == 200);
}

TEST_CASE("events are selected by the names that each version has for their fields") {
    Server server;
    const auto report = [&](const std::string& name, const Json& more) {
        Json event = {{"apiVersion", "v1"}, {"kind", "Event"}, {"metadata", {{"name", name}}}, {"reason", "Tried"}, {"type", "Normal"},
                      {"involvedObject", {{"kind", "Pod"}, {"namespace", "default"}, {"name", "web-" + name}}}};
        event.update(more);
        REQUIRE(server.ask("POST", "/api/v1/namespaces/default/events", event.dump()).code == 201);
    };
    report("a", {{"source", {{"component", "kubelet"}}}});
    report("b", {{"reportingComponent", "kubelet"}, {"reportingInstance", "n"}});
    const auto found = [&](const std::string& group_version, const std::string& selector) {
        const Answer answer = server.ask("GET", group_version + "/namespaces/default/events?fieldSelector=" + selector);
        if (answer.code != 200) return answer.body["message"].get<std::string>();
        std::string names;
        for (const Json& item : answer.body["items"]) names += item["metadata"]["name"].get<std::string>();
        return names;
    };
    const std::string core = "/api/v1", events = "/apis/events.k8s.io/v1";
    CHECK(found(core, "involvedObject.name%3Dweb-a") == "a");
    CHECK(found(core, "reportingComponent%3Dkubelet") == "b");
    CHECK(found(core, "source%3Dkubelet") == "ab");
    CHECK(found(core, "regarding.name%3Dweb-a") == "field label not supported: regarding.name");
    CHECK(found(events, "regarding.name%3Dweb-a,type%3DNormal,reason%3DTried") == "a");
    CHECK(found(events, "regarding.kind%21%3DPod") == "");
    CHECK(found(events, "reportingController%3Dkubelet") == "b");
    CHECK(found(events, "involvedObject.name%3Dweb-a") == "field label not supported: involvedObject.name");
    CHECK(found(events, "source%3Dkubelet") == "field label not supported: source");
}

TEST_CASE("a creation may not say a revision, except where nothing is created") {
    Server server;
    const std::string body = R"({"metadata":{"name":"a","resourceVersion":"5"}})";
    CHECK(server.ask("POST", config_maps + "?dryRun=All", body).code == 201);
    CHECK(server.ask("POST", config_maps, body).code == 500);
}

TEST_CASE("a LimitRange without a name gets one") {
    Server server;
    const Answer made = server.ask("POST", "/api/v1/namespaces/default/limitranges", R"({"spec":{"limits":[]}})");
    CHECK(made.code == 201);
    CHECK(made.body["metadata"]["name"].get<std::string>().size() == 36);
}

TEST_CASE("the health of components has no revisions, pages or watches") {
    Server server;
    const std::string all = "/api/v1/componentstatuses";
    for (const char* query : {"", "?resourceVersion=abc", "?continue=x", "?limit=1"}) {
        CHECK(server.ask("GET", all + query).body["items"].size() == 3);
    }
    CHECK(server.ask("GET", all + "/scheduler?resourceVersion=abc").code == 200);
    CHECK(server.ask("GET", all + "/nope").body["message"] == "componentstatus \"nope\" not found");
    CHECK(server.ask("GET", all + "?watch=1").body["message"] ==
          "watch is not supported on resources of kind \"componentstatuses\"");
    CHECK(server.ask("GET", all + "?watch=1").warnings == 1);
    CHECK(server.ask("DELETE", all + "/scheduler").warnings == 0);
}

TEST_CASE("what one pod uses is found by the pod's name, in its namespace") {
    Server server;
    server.create("pods", R"({"metadata":{"name":"web"},"spec":{"nodeName":"n","containers":[{"name":"a","image":"i"}]}})");
    server.ask("PATCH", "/api/v1/namespaces/default/pods/web/status", R"({"status":{"phase":"Running"}})",
               "application/merge-patch+json");
    const std::string metrics = "/apis/metrics.k8s.io/v1beta1/namespaces/";
    CHECK(server.ask("GET", metrics + "default/pods/web").body["containers"][0]["name"] == "a");
    CHECK(server.ask("GET", metrics + "kube-system/pods/web").body["message"] ==
          "podmetrics.metrics.k8s.io \"kube-system/web\" not found");
    CHECK(server.ask("GET", "/apis/metrics.k8s.io/v1beta1/nodes/nope").body["message"] ==
          "nodemetrics.metrics.k8s.io \"nope\" not found");
}

TEST_CASE("the status of a Service that is not there makes it, without an address") {
    Server server;
    const std::string services = "/api/v1/namespaces/default/services/";
    const std::string body = R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}})";
    CHECK(server.ask("PATCH", services + "s/status", "{}", "application/merge-patch+json").code == 404);
    CHECK(server.ask("PATCH", services + "s/status?dryRun=All&fieldManager=m", body, "application/apply-patch+yaml").code == 201);
    const Answer made = server.ask("PUT", services + "s/status", body);
    CHECK(made.code == 201);
    CHECK(made.body["spec"]["type"] == "ClusterIP");
    CHECK_FALSE(made.body["spec"].contains("clusterIP"));
    CHECK(server.ask("PUT", "/api/v1/namespaces/default/resourcequotas/q/status",
                     R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"}})").code == 404);
}

TEST_CASE("what is posted to a pod stands in the namespace of the path") {
    Server server;
    const std::string pod = "/api/v1/namespaces/default/pods/p/";
    const std::string elsewhere = R"("metadata":{"name":"p","namespace":"other"})";
    CHECK(server.ask("POST", pod + "binding", "{" + elsewhere + R"(,"target":{"kind":"Node","name":"n"}})").code == 400);
    CHECK(server.ask("POST", pod + "eviction", R"({"apiVersion":"policy/v1","kind":"Eviction",)" + elsewhere + "}").code == 400);
    const std::string account = "/api/v1/namespaces/default/serviceaccounts/default/token";
    CHECK(server.ask("POST", account, R"({"metadata":{"namespace":"other"},"spec":{}})").code == 400);
    CHECK(server.ask("POST", pod + "binding", R"({"target":{"kind":"Node","name":"n"}})").body["message"] ==
          "name in URL does not match name in Binding object");
    CHECK(server.ask("POST", "/api/v1/namespaces/default/bindings", R"({"target":{"name":"n"}})").body["message"] ==
          "Name parameter required.");
    CHECK(server.ask("POST", "/api/v1/namespaces/default/bindings", "{}").body["message"] == "target.name: Required value");
    CHECK(server.ask("POST", pod + "binding", R"({"metadata":{"name":"p"},"target":{"kind":"Pod"}})").body["message"] ==
          "[target.kind: Unsupported value: \"Pod\": supported values: \"Node\", \"<empty>\", target.name: Required value]");
}

TEST_CASE("a pod takes from its Binding what that brings along, and the labels of its node's place") {
    Server server;
    const std::string pods = "/api/v1/namespaces/default/pods";
    const auto pod = [&](const std::string& name, const std::string& more) {
        return server.ask("POST", pods, R"({"metadata":{"name":")" + name + R"(","labels":{"a":"1"}},"spec":{"containers":[{"name":"c","image":"i"}])" +
                                            more + "}}");
    };
    REQUIRE(server.ask("POST", "/api/v1/nodes", R"({"metadata":{"name":"n","labels":{"topology.kubernetes.io/zone":"z",
        "topology.kubernetes.io/region":"r","other":"o"}}})").code == 201);
    REQUIRE(pod("p", "").code == 201);
    REQUIRE(server.ask("PATCH", pods + "/p/status", R"({"status":{"nominatedNodeName":"n"}})", merge).code == 200);
    const std::string binding = R"({"metadata":{"name":"p","annotations":{"by":"me"},"labels":{"a":"2"}},"target":{"kind":"Node","name":"n"}})";
    REQUIRE(server.ask("POST", pods + "/p/binding", binding).code == 201);
    const Json bound = server.ask("GET", pods + "/p").body;
    CHECK(bound["metadata"]["labels"] ==
          Json{{"a", "2"}, {"topology.kubernetes.io/region", "r"}, {"topology.kubernetes.io/zone", "z"}});
    CHECK(bound["metadata"]["annotations"]["by"] == "me");
    CHECK_FALSE(bound["status"].contains("nominatedNodeName"));
    CHECK(pod("direct", R"(,"nodeName":"n")").body["metadata"]["labels"]["topology.kubernetes.io/zone"] == "z");

    REQUIRE(pod("gated", R"(,"schedulingGates":[{"name":"g"}])").code == 201);
    CHECK(server.ask("POST", pods + "/gated/binding", R"({"metadata":{"name":"gated"},"target":{"kind":"Node","name":"n"}})").body["message"] ==
          "Operation cannot be fulfilled on pods/binding \"gated\": pod gated has non-empty .spec.schedulingGates");
}

TEST_CASE("what is put says its name, and where it stands before that") {
    Server server;
    const std::string sets = "/apis/apps/v1/namespaces/default/replicasets";
    REQUIRE(server.ask("POST", sets, R"({"metadata":{"name":"r"},"spec":{"selector":{"matchLabels":{"a":"b"}},
        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})").code == 201);
    const auto put = [&](const char* body) { return server.ask("PUT", sets + "/r/scale", body).body["message"]; };
    CHECK(put(R"({"spec":{"replicas":2}})") ==
          "the name of the object (r based on URL) was undeterminable: name must be provided");
    CHECK(put(R"({"metadata":{"name":"q","namespace":"other"}})") ==
          "the namespace of the provided object does not match the namespace sent on the request");
    // Scales that were served once are still known.
    CHECK(put(R"({"apiVersion":"extensions/v1beta1","kind":"Scale","metadata":{"name":"r"}})") ==
          "the API version in the data (extensions/v1beta1) does not match the expected API version (autoscaling/v1)");
}

TEST_CASE("the options of logs and of evictions are checked") {
    Server server;
    const std::string pods = "/api/v1/namespaces/default/pods";
    REQUIRE(server.ask("POST", pods, R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}})").code == 201);
    CHECK(server.ask("GET", pods + "/p/log?sinceTime=x").body["message"] ==
          "parsing time \"x\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"x\" as \"2006\"");
    CHECK(server.ask("GET", pods + "/p/log?sinceTime=").code == 204);
    CHECK(server.ask("GET", pods + "/nope/log?tailLines=-1").code == 422);
    CHECK(server.ask("GET", pods + "/p/log?stream=Stdout").body["message"] ==
          "PodLogOptions \"p\" is invalid: stream: Forbidden: may not be specified");
    CHECK(server.ask("POST", pods + "/p/eviction", R"({"metadata":{"name":"p"},"deleteOptions":{"propagationPolicy":"x"}})").code == 422);
    CHECK(server.ask("GET", pods + "/p").code == 200);
}

TEST_CASE("a uid is a precondition of a Scale, and nothing to a review") {
    Server server;
    const std::string sets = "/apis/apps/v1/namespaces/default/replicasets";
    const auto made = server.ask("POST", sets, R"({"metadata":{"name":"r"},"spec":{"selector":{"matchLabels":{"a":"b"}},
        "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    REQUIRE(made.code == 201);
    const auto scale = [&](const std::string& uid) {
        return server.ask("PUT", sets + "/r/scale", R"({"metadata":{"name":"r","uid":")" + uid + R"("},"spec":{"replicas":2}})").code;
    };
    CHECK(scale("other") == 409);
    CHECK(server.ask("PATCH", sets + "/r/scale", R"({"metadata":{"uid":"other"}})", merge).body["message"] ==
          "Operation cannot be fulfilled on replicasets/scale.apps \"r\": Precondition failed: UID in precondition: other, UID in "
          "object meta: " + made.body["metadata"]["uid"].get<std::string>());
    CHECK(scale(made.body["metadata"]["uid"].get<std::string>()) == 200);
    const auto review = server.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                   R"({"metadata":{"uid":"u"},"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}})");
    CHECK(review.code == 201);
    CHECK_FALSE(review.body["metadata"].contains("uid"));
}

TEST_CASE("what a dry run would make has no revision, in whatever version it is shown") {
    Server server;
    const std::string body = R"("metadata":{"name":"h"},"spec":{"maxReplicas":1,"scaleTargetRef":{"kind":"D","name":"d"}}})";
    for (const std::string version : {"v1", "v2"}) {
        const Answer made = server.ask("POST", "/apis/autoscaling/" + version + "/namespaces/default/horizontalpodautoscalers?dryRun=All",
                                       R"({"apiVersion":"autoscaling/)" + version + R"(","kind":"HorizontalPodAutoscaler",)" + body);
        CHECK(made.code == 201);
        CHECK_FALSE(made.body["metadata"].contains("resourceVersion"));
    }
}

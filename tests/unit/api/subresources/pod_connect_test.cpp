// Connections to pods as the API server sees them: whom they are for, what is refused before a node is asked, and the
// proxies of pods and Services.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/subresources/pod_streams.h"
#include "api/subresources/proxy.h"
#include "tests/harness/open_access.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using namespace kubemu::api;

namespace {

// A pod that answers a request with it.
class Mirror final : public PortConnection {
  public:
    void input(std::string_view bytes) override { text_ += bytes; }
    void input_closed() override {}
    std::string output() override {
        return "HTTP/1.1 201 Created\r\nContent-Type: text/x\r\nX-Own: 1\r\n\r\n" + text_.substr(0, text_.find(" HTTP"));
    }
    bool ended() const override { return false; }

  private:
    std::string text_;
};

class Streams final : public PodStreams {
  public:
    Result<std::unique_ptr<RemoteCommand>, Refusal> open(const CommandQuery&) override { return Refusal{500, "no"}; }
    std::optional<Refusal> refuse_ports(const storage::RecordPtr&) override { return std::nullopt; }
    Result<std::unique_ptr<PortConnection>, std::string> dial(const storage::RecordPtr&, int port) override {
        if (port != 8080) return std::string("refused");
        return std::unique_ptr<PortConnection>(std::make_unique<Mirror>());
    }
};

struct Server : tests::TestCluster {
    Server() {
        create("pods", R"({"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[
            {"name":"one","image":"x","ports":[{"containerPort":8080}]},{"name":"two","image":"x"}]}})");
        create("pods", R"({"metadata":{"name":"waits"},"spec":{"containers":[{"name":"one","image":"x"}]}})");
        run_pods([](const Json& pod) { return pod["metadata"]["name"] == "p"; });
        create("nodes", R"({"metadata":{"name":"node-0"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.1"}]}})");
    }

    Response ask(const std::string& method, const std::string& target) {
        Request request;
        request.method = method;
        const std::size_t mark = target.find('?');
        request.path = (target.starts_with("nodes/") ? "/api/v1/" : "/api/v1/namespaces/default/") + target.substr(0, mark);
        if (mark != std::string::npos) request.query = target.substr(mark + 1);
        Response answer;
        handlers.handle(std::move(request), [&answer](Response response) { answer = std::move(response); });
        return answer;
    }
    std::string message(const std::string& method, const std::string& target) {
        const Response response = ask(method, target);
        return std::to_string(response.code) + " " + std::string(string_at(Json::parse(body_of(response), nullptr, false), {"message"}));
    }
    static std::string body_of(const Response& response) {
        std::string text;
        for (const Slice& part : response.body) text += part.text;
        return text;
    }
    PodConnect* connection(const std::string& target) {
        kept = ask("POST", target);
        return dynamic_cast<PodConnect*>(kept.stream.get());
    }

    tests::OpenAccess access{*this};
    Streams streams;
    Handlers handlers{{.registry = registry(), .access = access.get(), .streams = &streams}};
    Response kept;
};

}  // namespace

TEST_CASE_FIXTURE(Server, "an exec names its container, its command and its streams") {
    const PodConnect* exec = connection("pods/p/exec?container=two&command=sh&command=-c&command=ls%20-l&stdin=true&stdout=1&stderr=False&tty=0");
    REQUIRE(exec != nullptr);
    CHECK(exec->query.container == "two");
    CHECK(exec->query.command == std::vector<std::string>{"sh", "-c", "ls -l"});
    CHECK(exec->query.in);
    CHECK(exec->query.out);
    CHECK_FALSE(exec->query.err);
    CHECK_FALSE(exec->query.tty);
    CHECK_FALSE(exec->query.attach);
    const PodConnect* attach = connection("pods/p/attach?container=one&stdout=true");
    REQUIRE(attach != nullptr);
    CHECK(attach->query.attach);
    const PodConnect* ports = connection("pods/p/portforward?ports=80&ports=81");
    REQUIRE(ports != nullptr);
    CHECK(ports->ports);
    CHECK(ports->port_list == std::vector<std::string>{"80", "81"});
}

TEST_CASE_FIXTURE(Server, "what has nobody to talk to is refused as the real server does") {
    CHECK(message("POST", "pods/none/exec?command=ls") == "404 pods \"none\" not found");
    CHECK(message("GET", "pods/p/exec?command=ls") == "400 a container name must be specified for pod p, choose one of: [one two]");
    CHECK(message("GET", "pods/p/exec?command=ls&container=x") == "400 container x is not valid for pod p");
    CHECK(message("POST", "pods/waits/attach") == "400 pod waits does not have a host assigned");
    CHECK(ask("DELETE", "pods/p/exec").code == 405);
    const auto on = [this](const char* node) {
        create("pods", api::Json{{"metadata", {{"name", std::string("on-") + node}}},
                                 {"spec", {{"nodeName", node}, {"containers", {{{"name", "c"}, {"image", "x"}}}}}}});
        return "pods/on-" + std::string(node);
    };
    // Nodes are missed under the resource of the request.
    CHECK(message("POST", on("gone") + "/exec?command=ls") == "404 pods \"gone\" not found");
    create("nodes", R"({"metadata":{"name":"bare"},"status":{"addresses":[{"type":"Other","address":"x"}]}})");
    CHECK(message("GET", on("bare") + "/log") == "500 no preferred addresses found; known addresses: [{Other x}]");
    CHECK(message("GET", "nodes/bare/proxy/") == "500 no preferred addresses found; known addresses: [{Other x}]");
    create("nodes", R"({"metadata":{"name":"quiet"},"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.2"},
        {"type":"Hostname","address":"quiet"}]}})");
    CHECK(message("GET", on("quiet") + "/log?tailLines=2&follow=1") ==
          "500 Get \"https://quiet:10250/containerLogs/default/on-quiet/c?follow=true&tailLines=2\": dial tcp 10.0.0.2:10250: connect: "
          "connection refused");
}

TEST_CASE_FIXTURE(Server, "a policy for CONNECT sees the options") {
    create("validatingadmissionpolicies.admissionregistration.k8s.io", R"({"metadata":{"name":"calm"},"spec":{
        "matchConstraints":{"resourceRules":[{"apiGroups":[""],"apiVersions":["v1"],"operations":["CONNECT"],"resources":["pods/exec"]}]},
        "validations":[{"expression":"object.command[0] != 'rm'","message":"not that"}]}})");
    create("validatingadmissionpolicybindings.admissionregistration.k8s.io",
           R"({"metadata":{"name":"calm"},"spec":{"policyName":"calm","validationActions":["Deny"]}})");
    CHECK(message("POST", "pods/p/exec?container=one&command=rm").find("not that") != std::string::npos);
    CHECK(connection("pods/p/exec?container=one&command=ls") != nullptr);
}

TEST_CASE_FIXTURE(Server, "proxies pass the request on, and say when there is nobody") {
    const Response answer = ask("GET", "pods/p/proxy/a/b?c=d");
    CHECK(answer.code == 201);
    CHECK(answer.content_type == "text/x");
    CHECK(body_of(answer) == "GET /a/b?c=d");
    CHECK(body_of(ask("PUT", "pods/http:p:8080/proxy/")) == "PUT /");
    CHECK(ask("GET", "pods/p/proxy").code == 301);
    CHECK(message("GET", "pods/p:81/proxy/").find("503 error trying to reach service: dial tcp ") == 0);
    CHECK(message("GET", "nodes/none/proxy/stats") == "404 nodes \"none\" not found");
    CHECK(message("GET", "nodes/node-0:81/proxy/").find("503 error trying to reach service: dial tcp 10.0.0.1:81: ") == 0);
    CHECK(message("GET", "services/none/proxy/") == "404 services \"none\" not found");
    create("services", R"({"metadata":{"name":"s"},"spec":{"selector":{"a":"b"},"ports":[{"name":"web","port":80,"targetPort":8080}]}})");
    create("endpoints", R"({"metadata":{"name":"s"},"subsets":[{"addresses":[{"ip":"10.0.0.1","targetRef":{"kind":"Pod","namespace":"default","name":"p"}}],
        "ports":[{"name":"web","port":8080}]}]})");
    for (const char* id : {"s:web", "s:80", "http:s:80"}) CHECK(body_of(ask("GET", "services/" + std::string(id) + "/proxy/x")) == "GET /x");
    create("services", R"({"metadata":{"name":"lone"},"spec":{"ports":[{"port":80}]}})");
    CHECK(message("GET", "services/lone/proxy/") == "404 services \"lone\" not found");
    CHECK(message("GET", "services/s/proxy/") == "503 no endpoints available for service \"s\"");
    CHECK(message("GET", "services/s:81/proxy/") == "503 no service port 81 found for service \"s\"");
}

TEST_CASE("names of proxies have a scheme before them and a port behind") {
    std::string_view scheme, name, port;
    CHECK(split_scheme_name_port("https:a:b", scheme, name, port));
    CHECK(std::string(scheme) + " " + std::string(name) + " " + std::string(port) == "https a b");
    CHECK(split_scheme_name_port("a:80", scheme, name, port));
    CHECK(port == "80");
    CHECK_FALSE(split_scheme_name_port("ftp:a:80", scheme, name, port));
    CHECK_FALSE(split_scheme_name_port("a:b:c:d", scheme, name, port));
    CHECK_FALSE(split_scheme_name_port(":80", scheme, name, port));
}

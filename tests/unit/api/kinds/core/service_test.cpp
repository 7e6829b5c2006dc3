// Services: addresses and ports that are taken, kept and given back, and what a Service may not say.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/harness/attempts.h"
#include "tests/harness/test_cluster.h"

using namespace kubemu;
using api::Json;
using tests::create_refused;
using tests::patch_refused;

namespace {

std::string service(const std::string& name, const std::string& spec) {
    return R"({"metadata":{"name":")" + name + R"("},"spec":)" + spec + "}";
}

std::string refused(tests::TestCluster& cluster, const std::string& spec) {
    return create_refused(cluster, "services", service("s1", spec));
}

}  // namespace

TEST_CASE("a ClusterIP Service gets one IPv4 address, which an IPAddress stands for") {
    tests::TestCluster cluster;
    const Json made = created(cluster, "services", service("web", R"({"ports":[{"port":80}]})"));
    const std::string ip = made["spec"]["clusterIP"];
    CHECK(made["spec"]["clusterIPs"] == Json::array({ip}));
    CHECK(made["spec"]["ipFamilies"] == Json::array({"IPv4"}));
    CHECK(made["spec"]["ipFamilyPolicy"] == "SingleStack");
    CHECK(made["spec"]["internalTrafficPolicy"] == "Cluster");
    CHECK(made["spec"]["ports"][0]["targetPort"] == 80);
    CHECK_FALSE(made["spec"].contains("externalTrafficPolicy"));
    cluster.settle();
    const Json address = cluster.get("ipaddresses.networking.k8s.io", ip, "");
    CHECK(address["spec"]["parentRef"]["name"] == "web");
    CHECK(address["spec"]["parentRef"]["namespace"] == "default");
}

TEST_CASE("an address is taken once, and free again when its Service is gone") {
    tests::TestCluster cluster;
    const std::string spec = R"({"clusterIP":"10.96.0.77","ports":[{"port":80}]})";
    created(cluster, "services", service("a", spec));
    CHECK(create_refused(cluster, "services", service("b", spec)) ==
          "Service \"b\" is invalid: spec.clusterIPs: Invalid value: []string{\"10.96.0.77\"}: failed to allocate IP "
          "10.96.0.77: "
          "provided IP is already allocated");
    cluster.remove("services", "a");
    CHECK(create_refused(cluster, "services", service("b", spec)) == "");
}

TEST_CASE("node ports are taken once, shared by protocols, and released with the type") {
    tests::TestCluster cluster;
    const std::string spec = R"({"type":"NodePort","ports":[{"name":"t","port":53,"nodePort":30053},)"
                             R"({"name":"u","port":53,"protocol":"UDP"}]})";
    const Json dns = created(cluster, "services", service("dns", spec));
    CHECK(dns["spec"]["ports"][1]["nodePort"] == 30053);
    CHECK(dns["spec"]["externalTrafficPolicy"] == "Cluster");
    const std::string other = R"({"type":"NodePort","ports":[{"port":80,"nodePort":30053}]})";
    CHECK(
        refused(cluster, other) ==
        "Service \"s1\" is invalid: spec.ports[0].nodePort: Invalid value: 30053: provided port is already allocated");
    CHECK(patch_refused(cluster, "services", "dns", R"({"spec":{"type":"ClusterIP"}})") == "");
    const Json changed = cluster.get("services", "dns");
    CHECK_FALSE(changed["spec"]["ports"][0].contains("nodePort"));
    CHECK_FALSE(changed["spec"].contains("externalTrafficPolicy"));
    CHECK(changed["spec"]["clusterIP"] == dns["spec"]["clusterIP"]);
    CHECK(refused(cluster, other) == "");
}

TEST_CASE("a load balancer with local traffic has a port for health checks, which never changes") {
    tests::TestCluster cluster;
    const Json made =
        created(cluster, "services",
                service("lb", R"({"type":"LoadBalancer","externalTrafficPolicy":"Local","ports":[{"port":80}]})"));
    const int port = made["spec"]["healthCheckNodePort"];
    CHECK(port >= 30000);
    CHECK(port != made["spec"]["ports"][0]["nodePort"]);
    CHECK(made["spec"]["allocateLoadBalancerNodePorts"] == true);
    CHECK(patch_refused(cluster, "services", "lb", R"({"spec":{"healthCheckNodePort":30001}})") ==
          "Service \"lb\" is invalid: spec.healthCheckNodePort: Forbidden: field is immutable");
    CHECK(patch_refused(cluster, "services", "lb", R"({"spec":{"externalTrafficPolicy":"Cluster"}})") == "");
    CHECK_FALSE(cluster.get("services", "lb")["spec"].contains("healthCheckNodePort"));
}

TEST_CASE("a load balancer may do without node ports") {
    tests::TestCluster cluster;
    const Json made = created(
        cluster, "services",
        service("lb", R"({"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"ports":[{"port":80}]})"));
    CHECK_FALSE(made["spec"]["ports"][0].contains("nodePort"));
}

TEST_CASE("an ExternalName Service gives its address back and may take one again") {
    tests::TestCluster cluster;
    const Json made = created(cluster, "services", service("x", R"({"ports":[{"port":80}]})"));
    CHECK(patch_refused(
              cluster, "services", "x",
              R"({"spec":{"type":"ExternalName","externalName":"db.example.","clusterIP":null,"clusterIPs":null}})") ==
          "");
    const Json gone = cluster.get("services", "x");
    for (const char* member : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
        CHECK_FALSE(gone["spec"].contains(member));
    }
    cluster.settle();
    CHECK_FALSE(cluster.exists("ipaddresses.networking.k8s.io", made["spec"]["clusterIP"].get<std::string>(), ""));
    CHECK(patch_refused(cluster, "services", "x", R"({"spec":{"type":"ClusterIP"}})") == "");
    CHECK(cluster.get("services", "x")["spec"]["clusterIP"].get<std::string>().starts_with("10."));
}

TEST_CASE("a headless Service without selector may use both families") {
    tests::TestCluster cluster;
    const Json made = created(cluster, "services", service("h", R"({"clusterIP":"None"})"));
    CHECK(made["spec"]["ipFamilyPolicy"] == "RequireDualStack");
    CHECK(made["spec"]["ipFamilies"] == Json::array({"IPv4", "IPv6"}));
    const Json selecting = created(cluster, "services", service("s", R"({"clusterIP":"None","selector":{"a":"b"}})"));
    CHECK(selecting["spec"]["ipFamilies"] == Json::array({"IPv4"}));
}

TEST_CASE("a client that replaces a Service need not know its address and ports") {
    tests::TestCluster cluster;
    const Json made =
        created(cluster, "services", service("web", R"({"type":"NodePort","ports":[{"name":"a","port":80}]})"));
    CHECK(patch_refused(cluster, "services", "web",
                        R"({"spec":{"clusterIP":null,"clusterIPs":null,"ports":[{"name":"a","port":81}]}})") == "");
    const Json kept = cluster.get("services", "web");
    CHECK(kept["spec"]["clusterIP"] == made["spec"]["clusterIP"]);
    CHECK(kept["spec"]["ports"][0]["nodePort"] == made["spec"]["ports"][0]["nodePort"]);
}

TEST_CASE("what a Service may not say") {
    struct Case {
        const char* spec;
        const char* message;
    };
    const Case cases[] = {
        {R"({"ports":[]})", "spec.ports: Required value"},
        {R"({"ports":[{"port":80},{"port":81}]})",
         "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]"},
        {R"({"ports":[{"name":"a","port":80},{"name":"b","port":80}]})",
         "spec.ports[1]: Duplicate value: core.ServicePort{Name:\"\", Protocol:\"TCP\", AppProtocol:(*string)(nil), "
         "Port:80, "
         "TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}"},
        {R"({"type":"Odd","ports":[{"port":80}]})",
         "spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", "
         "\"NodePort\""},
        {R"({"type":"ExternalName"})", "spec.externalName: Required value"},
        {R"({"clusterIP":"300.1.1.1","ports":[{"port":80}]})",
         "spec.clusterIPs[0]: Invalid value: \"300.1.1.1\": must be a valid IP address, (e.g. 10.9.8.7 or "
         "2001:db8::ffff)"},
        {R"({"clusterIP":"172.16.0.1","ports":[{"port":80}]})",
         "spec.clusterIPs: Invalid value: []string{\"172.16.0.1\"}: failed to allocate IP 172.16.0.1: the provided IP "
         "(172.16.0.1) "
         "is not in the valid range. The range of valid IPs is 10.96.0.0/12"},
        {R"({"clusterIP":"None","type":"NodePort","ports":[{"port":80}]})",
         "spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"},
        {R"({"clusterIP":"2001:db8::1","ports":[{"port":80}]})",
         "spec.clusterIPs[0]: Invalid value: []string{\"2001:db8::1\"}: IPv6 is not configured on this cluster"},
        {R"({"clusterIPs":["10.96.0.8"],"ports":[{"port":80}]})",
         "spec.clusterIPs: Invalid value: []string{\"10.96.0.8\"}: must be empty when `clusterIP` is not specified"},
        {R"({"ipFamilies":["IPv6"],"ports":[{"port":80}]})",
         "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"},
        {R"({"ipFamilyPolicy":"RequireDualStack","ports":[{"port":80}]})",
         "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack "
         "services"},
        {R"({"ports":[{"port":80,"nodePort":30000}]})",
         "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"},
        {R"({"type":"LoadBalancer","loadBalancerSourceRanges":["x"],"ports":[{"port":80}]})",
         "spec.LoadBalancerSourceRanges: Invalid value: \"[x]\": must be a list of IP ranges. For example, "
         "10.240.0.0/24,10.250.0.0/24 "},
        {R"({"loadBalancerSourceRanges":["10.0.0.0/8"],"ports":[{"port":80}]})",
         "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"},
        {R"({"externalTrafficPolicy":"Local","ports":[{"port":80}]})",
         "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set when `type` is 'NodePort' or "
         "'LoadBalancer'"},
        {R"({"loadBalancerClass":"a/b","ports":[{"port":80}]})",
         "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"},
        {R"({"allocateLoadBalancerNodePorts":true,"ports":[{"port":80}]})",
         "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"},
        {R"({"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":0}},"ports":[{"port":80}]})",
         "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than "
         "86400"},
        {R"({"externalIPs":["127.0.0.1"],"ports":[{"port":80}]})",
         "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)"},
        {R"({"trafficDistribution":"Far","ports":[{"port":80}]})",
         "spec.trafficDistribution: Unsupported value: \"Far\": supported values: \"PreferClose\", \"PreferSameZone\", "
         "\"PreferSameNode\""},
        {R"({"internalTrafficPolicy":"Odd","ports":[{"port":80}]})",
         "spec.internalTrafficPolicy: Unsupported value: \"Odd\": supported values: \"Cluster\", \"Local\""},
    };
    tests::TestCluster cluster;
    for (const Case& each : cases) {
        CAPTURE(each.spec);
        CHECK(refused(cluster, each.spec) == "Service \"s1\" is invalid: " + std::string(each.message));
    }
    CHECK_FALSE(cluster.exists("services", "s1"));
}

TEST_CASE("an address once given stays") {
    tests::TestCluster cluster;
    created(cluster, "services", service("web", R"({"clusterIP":"10.96.0.9","ports":[{"port":80}]})"));
    CHECK(patch_refused(cluster, "services", "web", R"({"spec":{"clusterIP":"10.96.0.10"}})") ==
          "Service \"web\" is invalid: spec.clusterIPs[0]: Invalid value: []string{\"10.96.0.10\"}: may not change "
          "once set");
    CHECK(patch_refused(cluster, "services", "web", R"({"spec":{"clusterIP":"x","clusterIPs":null}})") ==
          "Service \"web\" is invalid: spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 "
          "or 2001:db8::ffff)");
    CHECK(patch_refused(cluster, "services", "web", R"({"spec":{"clusterIP":"None","clusterIPs":["None"]}})") ==
          "Service \"web\" is invalid: spec.clusterIPs[0]: Invalid value: []string{\"None\"}: may not change once set");
}

TEST_CASE("only a load balancer reports where it can be reached") {
    tests::TestCluster cluster;
    created(cluster, "services", service("web", R"({"ports":[{"port":80}]})"));
    created(cluster, "services", service("lb", R"({"type":"LoadBalancer","ports":[{"port":80}]})"));
    const char* status = R"({"status":{"loadBalancer":{"ingress":[{"ip":"35.1.1.1"}]}}})";
    CHECK(patch_refused(cluster, "services", "web", status, "status") ==
          "Service \"web\" is invalid: status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "
          "'LoadBalancer'");
    CHECK(patch_refused(cluster, "services", "lb", status, "status") == "");
    CHECK(cluster.get("services", "lb")["status"]["loadBalancer"]["ingress"][0]["ipMode"] == "VIP");
    CHECK(patch_refused(cluster, "services", "lb",
                        R"({"status":{"loadBalancer":{"ingress":[{"hostname":"10.1.1.1"}]}}})", "status") ==
          "Service \"lb\" is invalid: status.loadBalancer.ingress[0].hostname: Invalid value: \"10.1.1.1\": must be a "
          "DNS name, not "
          "an IP address");
}

TEST_CASE("a hundred Services have a hundred addresses and ports") {
    tests::TestCluster cluster;
    std::set<std::string> ips;
    std::set<int> ports;
    for (int i = 0; i < 100; ++i) {
        const Json made =
            created(cluster, "services",
                    service("s" + std::to_string(i),
                            R"({"type":"NodePort","ports":[{"name":"a","port":1},{"name":"b","port":2}]})"));
        ips.insert(made["spec"]["clusterIP"].get<std::string>());
        for (const Json& port : made["spec"]["ports"]) ports.insert(port["nodePort"].get<int>());
    }
    CHECK(ips.size() == 100);
    CHECK(ports.size() == 200);
}

namespace {

// A cluster whose Services have addresses of these networks.
struct Networks : tests::TestCluster {
    explicit Networks(const Json& cidrs) {
        create("servicecidrs.networking.k8s.io", Json{{"metadata", {{"name", "kubernetes"}}}, {"spec", {{"cidrs", cidrs}}}});
        patch("servicecidrs.networking.k8s.io", "kubernetes",
              R"({"status":{"conditions":[{"type":"Ready","status":"True","reason":"","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})", "status", "");
        settle();
    }
    Json made(const std::string& name, const std::string& spec) { return created(*this, "services", service(name, spec))["spec"]; }
    bool recorded(const Json& ip) { return exists("ipaddresses.networking.k8s.io", ip.get<std::string>(), ""); }
};

const Json both = Json::array({"IPv4", "IPv6"});

}  // namespace

TEST_CASE("with networks of both families a Service has the first by itself, and both when it asks for them") {
    Networks cluster(Json::array({"10.1.0.0/24", "fd00:1::/112"}));
    const Json plain = cluster.made("plain", R"({"ports":[{"port":80}]})");
    CHECK(plain["ipFamilies"] == Json::array({"IPv4"}));
    CHECK(plain["clusterIPs"].size() == 1);
    for (const std::string policy : {"PreferDualStack", "RequireDualStack"}) {
        const Json two = cluster.made(policy == "PreferDualStack" ? "prefers" : "requires", R"({"ipFamilyPolicy":")" + policy + R"(","ports":[{"port":80}]})");
        CHECK(two["ipFamilies"] == both);
        CHECK(two["clusterIP"] == two["clusterIPs"][0]);
        CHECK(two["clusterIPs"][0].get<std::string>().substr(0, 5) == "10.1.");
        CHECK(two["clusterIPs"][1].get<std::string>().substr(0, 8) == "fd00:1::");
        for (const Json& ip : two["clusterIPs"]) CHECK(cluster.recorded(ip));
    }
    const Json six = cluster.made("six", R"({"ipFamilies":["IPv6"],"ports":[{"port":80}]})");
    CHECK(six["ipFamilyPolicy"] == "SingleStack");
    CHECK(cluster.get("ipaddresses.networking.k8s.io", six["clusterIP"].get<std::string>(), "")["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"] == "IPv6");
    const Json asked = cluster.made("asked", R"({"clusterIP":"fd00:1::5","clusterIPs":["fd00:1::5"],"ipFamilyPolicy":"PreferDualStack","ports":[{"port":80}]})");
    CHECK(asked["ipFamilies"] == Json::array({"IPv6", "IPv4"}));
    CHECK(refused(cluster, R"({"clusterIP":"fd00:1::5","ports":[{"port":80}]})").find("failed to allocate IP fd00:1::5: provided IP is already allocated") != std::string::npos);
    CHECK(refused(cluster, R"({"ipFamilies":["IPv6","IPv4"],"ports":[{"port":80}]})") ==
          "Service \"s1\" is invalid: spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
}

TEST_CASE("a Service gets a second address and gives it back by its policy") {
    Networks cluster(Json::array({"10.1.0.0/24", "fd00:1::/112"}));
    const std::string first = cluster.made("s", R"({"ports":[{"port":80}]})")["clusterIP"];
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"ipFamilyPolicy":"PreferDualStack"}})") == "");
    const Json two = cluster.get("services", "s")["spec"];
    CHECK(two["ipFamilies"] == both);
    CHECK(two["clusterIPs"][0] == first);
    const std::string second = two["clusterIPs"][1];
    CHECK(cluster.recorded(second));
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"ipFamilies":["IPv4"]}})") ==
          "Service \"s\" is invalid: spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be 'SingleStack' to release the secondary IP family");
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"ipFamilyPolicy":"SingleStack"}})") == "");
    CHECK(cluster.get("services", "s")["spec"]["clusterIPs"] == Json::array({first}));
    CHECK(cluster.get("services", "s")["spec"]["ipFamilies"] == Json::array({"IPv4"}));
    CHECK(!cluster.recorded(second));
    CHECK(patch_refused(cluster, "services", "s", R"({"spec":{"ipFamilyPolicy":"RequireDualStack","clusterIPs":[")" + first + R"(","fd00:1::77"]}})") == "");
    CHECK(cluster.get("services", "s")["spec"]["clusterIPs"][1] == "fd00:1::77");
    cluster.remove("services", "s");
    CHECK(!cluster.recorded("fd00:1::77"));
    CHECK(!cluster.recorded(first));
}

TEST_CASE("what a cluster has no network of is refused; who prefers two families has one") {
    Networks cluster(Json::array({"fd00:1::/112"}));
    CHECK(cluster.made("plain", R"({"ports":[{"port":80}]})")["ipFamilies"] == Json::array({"IPv6"}));
    CHECK(cluster.made("prefers", R"({"ipFamilyPolicy":"PreferDualStack","ports":[{"port":80}]})")["clusterIPs"].size() == 1);
    CHECK(cluster.made("headless", R"({"clusterIP":"None","ports":[{"port":80}]})")["ipFamilies"] == Json::array({"IPv6", "IPv4"}));
    CHECK(refused(cluster, R"({"ipFamilyPolicy":"RequireDualStack","ports":[{"port":80}]})") ==
          "Service \"s1\" is invalid: spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services");
    CHECK(refused(cluster, R"({"ipFamilies":["IPv4"],"ports":[{"port":80}]})") == "Service \"s1\" is invalid: spec.ipFamilies[0]: Invalid value: \"IPv4\": not configured on this cluster");
    CHECK(refused(cluster, R"({"clusterIP":"10.96.0.5","ports":[{"port":80}]})").find("IPv4 is not configured on this cluster") != std::string::npos);
}

TEST_CASE("all addresses of a small IPv6 network are given but its own") {
    Networks cluster(Json::array({"fd00:1::/125"}));
    std::set<std::string> ips;
    for (int i = 0; i < 7; ++i) ips.insert(cluster.made("s" + std::to_string(i), R"({"ports":[{"port":80}]})")["clusterIP"]);
    CHECK(ips.size() == 7);
    CHECK(ips.contains("fd00:1::7"));
    CHECK(refused(cluster, R"({"ports":[{"port":80}]})").find("range is full") != std::string::npos);
}
